import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AlertsOfService } from '../../cli/src/alerts/alerting.ts';
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
  const alerts = new AlertsOfService({ settings: SETTINGS, folder, state, log: (line) => lines.push(line) });
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
  expect(all[0]!.summary).toBe('1 models of localhost:8080 could not be loaded');
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
