import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { AlertsOfService, alertingOf } from '../../cli/src/alerts/alerting.ts';
import { settingsOf } from '../../cli/src/slo/settings.ts';
import type { LogLine } from '../../service/src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-alerting-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SETTINGS = settingsOf('test', {
  objectives: { availability: {} },
  conditions: { modelsFailed: { lasting: '0s' } },
});
const FAILED = 'lr_models_failed 1';
let count = 0;

function alerting(state = join(folder, `${++count}.json`)) {
  const lines: LogLine[] = [];
  const alerts = new AlertsOfService({
    settings: SETTINGS,
    instance: 'localhost:8080',
    folder,
    state,
    log: (line) => lines.push(line),
  });
  return { alerts, lines, state };
}

/** Evaluates once, as at a start. */
async function started(state?: string, text = FAILED) {
  const one = alerting(state);
  one.alerts.start(async () => text);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return one;
}

test('what fires is in the state, the log and the metrics, and so is its end', async () => {
  const { alerts, lines, state } = await started();
  const { alerts: all, notes, known } = await alerts.state();
  expect(all).toMatchObject([
    { alert: 'LogoddsModelsFailed', severity: 'ticket', state: 'firing', value: 1, window: null, silencedBy: null },
  ]);
  expect(all[0]!.summary).toBe('models of localhost:8080 that could not be loaded: 1');
  expect(notes).toContain('notify.page is empty: nobody is told of a page');
  expect(known).toContain('LogoddsDown');
  const key = 'lr_alerts{alert="LogoddsModelsFailed",severity="ticket",state="firing"}';
  expect(alerts.gauges()[key]).toMatchObject({ value: 1 });
  alerts.step(Date.now() + 60_000, 'lr_models_failed 0');
  expect(alerts.gauges()[key]).toBeUndefined();
  expect(lines.map(({ event }) => event)).toEqual(['alert', 'alert over']);
  alerts.stop();
  expect(existsSync(state)).toBe(true);
});

test('a service that is started anew has the silences and alerts of before', async () => {
  const first = await started();
  await first.alerts.silence({ alert: 'LogoddsModelsFailed', until: '1h', why: 'known' }, 'ann');
  first.alerts.stop();
  const { since } = (await first.alerts.state()).alerts[0]!;
  const next = await started(first.state);
  const { alerts, silences } = await next.alerts.state();
  expect(alerts).toMatchObject([{ since, silencedBy: silences[0]!.id }]);
  expect(silences).toMatchObject([{ by: 'ann', why: 'known' }]);
  expect(next.lines).toEqual([]);
  next.alerts.stop();
});

test.each([
  ['{"format": 1, "evalu', 'JSON'],
  ['{"format": 2}', 'expected format 1, got 2'],
  ['{"format": 1, "evaluation": {"at": 1e15, "counting": [], "alerts": []}, "dispatch": [], "silences": []}', 'ahead'],
  ['{"format": 1, "evaluation": {"at": null, "counting": [], "alerts": 5}, "dispatch": [], "silences": []}', ''],
  [
    '{"format": 1, "evaluation": {"at": 1, "counting": [["availability\\n\\nm", {"since": 1, "at": [2, 1], "bad": [0, 0], "all": [0, "x"]}]], "alerts": []}, "dispatch": [], "silences": []}',
    'expected counts in the order of time, got others',
  ],
  ['null', ''],
])('a state that cannot be read is put aside and said: %s', async (text, why) => {
  const path = join(folder, `damaged-${++count}.json`);
  writeFileSync(path, text);
  const { alerts, lines } = await started(path);
  expect(lines[0]).toMatchObject({ level: 'error', event: 'alerts forgotten' });
  expect(lines[0]!['reason']).toContain(why);
  expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(text);
  // and it goes on
  expect((await alerts.state()).alerts).toHaveLength(1);
  alerts.stop();
});

test('a place that cannot be written is said once, and alerts go on', async () => {
  const { alerts, lines } = await started(join(folder, 'none', 'state.json'));
  alerts.step(Date.now() + 60_000, FAILED);
  alerts.step(Date.now() + 120_000, FAILED);
  alerts.stop();
  expect(lines.filter(({ event }) => event === 'alerts not kept')).toHaveLength(1);
  expect((await alerts.state()).alerts).toHaveLength(1);
});

test('numbers that cannot be had are said once', async () => {
  const one = alerting();
  one.alerts.start(async () => {
    throw new Error('no numbers');
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(one.lines).toMatchObject([{ event: 'alerts not evaluated', reason: 'no numbers' }]);
  expect((await one.alerts.state()).at).toBeNull();
  one.alerts.stop();
});

describe('the file of settings', () => {
  const write = (file: string, settings: object | string) =>
    writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings));
  const of = async (settings: object, state?: string) => {
    const file = join(folder, `${++count}.slo.json`);
    write(file, settings);
    const lines: LogLine[] = [];
    return { file, lines, alerts: await alertingOf(file, 'localhost:8080', state, (line) => lines.push(line)) };
  };
  const lasting = (time: string) => ({
    objectives: { availability: {} },
    conditions: { modelsFailed: { lasting: time } },
  });

  test('is read again when it changes: alerts and counts go on, and counters are not counted anew', async () => {
    const { file, lines, alerts } = await of(lasting('1h'));
    const text = (requests: number) =>
      `lr_models_failed 1\nlr_requests_total{model="m",version="1",code="500"} ${requests}`;
    alerts.step(1000, text(50));
    alerts.step(31_000, text(60));
    expect((await alerts.state()).alerts).toMatchObject([{ state: 'pending' }]);
    const [before] = (await alerts.state()).budgets;
    expect(before).toMatchObject({ bad: 10, all: 10 });
    write(file, lasting('10s'));
    await alerts.reread();
    alerts.step(61_000, text(65));
    const { alerts: found, budgets } = await alerts.state();
    expect(found).toMatchObject([{ state: 'firing', since: new Date(1000).toISOString() }]);
    expect(budgets[0]).toMatchObject({ bad: 15, all: 15 });
    expect(lines.map(({ event }) => event)).toEqual(['alerts read', 'alert']);
  });

  test('that cannot be used leaves the one before, and says so until it is mended', async () => {
    const { file, lines, alerts } = await of(lasting('0s'));
    const { known } = await alerts.state();
    for (const bad of ['{', { objective: {} }, { notify: { page: [{ webhook: { urlFile: 'none' } }] } }]) {
      write(file, bad);
      await alerts.reread();
      expect(lines.at(-1)).toMatchObject({
        ...{ level: 'error', event: 'failed', path: file },
        reason: expect.stringMatching(/expected .*; the settings before stay$/),
      });
      expect((await alerts.state()).known).toEqual(known);
      expect(alerts.gauges()['lr_alert_settings_stale']!.value).toBe(1);
      expect((await alerts.state()).notes).toContain(
        'the file of settings has changed and cannot be used: the settings before are in force',
      );
    }
    rmSync(file);
    await alerts.reread();
    await alerts.reread();
    expect(lines).toHaveLength(4);
    write(file, lasting('5s'));
    await alerts.reread();
    expect([lines.at(-1)!.event, alerts.gauges()['lr_alert_settings_stale']!.value]).toEqual(['alerts read', 0]);
  });

  test('its state has one writer: the second is refused, and takes it when the first has stopped', async () => {
    const state = join(folder, 'one.state.json');
    const first = await of(lasting('0s'), state);
    await expect(of(lasting('0s'), state)).rejects.toThrow(
      `--slo-state ${state}: expected a file that nobody else writes, got one of process ${process.pid}`,
    );
    first.alerts.stop();
    (await of(lasting('0s'), state)).alerts.stop();
  });

  test("a dead man's switch is told while alerts are evaluated, and not where that fails", async () => {
    const told: { path: string; body: { alerts: { labels: object; status: string }[] } }[] = [];
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      told.push({ path: request.url!, body: JSON.parse(Buffer.concat(parts).toString()) });
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alive`;
    const { alerts } = await of({ ...lasting('0s'), watchdog: { url, every: '30s' } });
    for (const at of [0, 20_000, 31_000]) alerts.step(at, FAILED);
    await vi.waitFor(() => expect(told).toHaveLength(2));
    expect(told[0]).toMatchObject({
      path: '/alive',
      body: { status: 'firing', alerts: [{ status: 'firing', labels: { alertname: 'LogoddsWatchdog' } }] },
    });
    expect((await alerts.state()).notes).toContainEqual(
      expect.stringMatching(/^LogoddsDown: .*the watchdog is told each 30 s while alerts are evaluated/),
    );
    // numbers that cannot be had are no sign of life
    alerts.start(async () => {
      throw new Error('gone');
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    alerts.stop();
    expect(told).toHaveLength(2);
    server.close();
  });

  test('without one, that a process cannot tell its own end is said', async () => {
    const { alerts } = await of(lasting('0s'));
    expect((await alerts.state()).notes).toContain(
      "LogoddsDown: a service that has ended cannot tell it; name a dead man's switch under watchdog in the settings, or have another machine ask /v2/health/live",
    );
  });
});

test('a silence of a model of which nothing is known says so', async () => {
  const { alerts, lines } = await started(undefined, 'lr_models_failed 1\nlr_requests_total{model="fraud"} 3');
  const silence = (model: string) => alerts.silence({ model, until: '1h', why: 'known' }, 'ann');
  expect((await silence('fraud')).note).toBeUndefined();
  expect((await silence('froud')).note).toContain('no number of the service is of a model "froud" ("fraud")');
  expect(lines.map(({ event }) => event)).toContain('silenced nothing yet');
  alerts.stop();
});

test('what is due sooner than the next evaluation is told then; after a failed evaluation nobody is told that all goes on', async () => {
  let told = 0;
  const server = createServer((request, response) => {
    told++;
    request.resume();
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = settingsOf('test', { watchdog: { url: `http://127.0.0.1:${port}/`, every: '5s' } });
  const alerts = new AlertsOfService({ settings, instance: 'a:1', folder, log: () => {} });
  const now = Date.now();
  alerts.step(now, FAILED);
  for (let second = 1; second <= 11; second++) alerts.tellDue(now + second * 1000);
  // without an evaluation for long
  alerts.tellDue(now + 3_600_000);
  await vi.waitFor(async () => expect((await alerts.state()).sent).toBe(3), { timeout: 10_000 });
  expect(told).toBe(3);
  server.close();
});
