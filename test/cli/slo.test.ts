import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exportSlo } from '../../cli/src/jobs/slo.ts';
import { burnWindows, promDuration } from '../../cli/src/slo/burn.ts';
import { CONDITIONS } from '../../cli/src/slo/conditions.ts';
import { OBJECTIVES } from '../../cli/src/slo/objectives.ts';
import { defaultSettings, settingsOf, sloSchema } from '../../cli/src/slo/settings.ts';
import { workspace } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-slo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const command = workspace();
const RULED = { recursive: true } as const;
let count = 0;
const fresh = () => join(folder, String(++count));

async function exported(settings?: object) {
  const out = fresh();
  let config: string | undefined;
  if (settings) {
    config = `${out}.json`;
    writeFileSync(config, JSON.stringify(settings));
  }
  const { files, notes, objectives } = await exportSlo(config, out);
  const read = (name: string) => parse(readFileSync(join(out, name), 'utf8'));
  return { out, files, notes, objectives, read };
}

describe('windows', () => {
  test('of 30 days they are those of the table that everybody uses', () => {
    expect(burnWindows(30 * 86_400).map(({ long, short }) => [promDuration(long), promDuration(short)])).toEqual([
      ['1h', '5m'],
      ['6h', '30m'],
      ['1d', '2h'],
      ['3d', '6h'],
    ]);
  });

  test('the budget that is spent when an alert fires is a fiftieth, a twentieth and a tenth', () => {
    const period = 7 * 86_400;
    expect(burnWindows(period).map(({ burn, long }) => Number(((burn * long) / period).toFixed(6)))).toEqual([
      0.02, 0.05, 0.1, 0.1,
    ]);
  });

  test('durations are written as Prometheus reads them', () => {
    expect([1, 59, 90, 3600, 5400, 86_400, 90_061].map(promDuration)).toEqual([
      '1s',
      '59s',
      '1m30s',
      '1h',
      '1h30m',
      '1d',
      '1d1h1m1s',
    ]);
  });
});

describe('settings', () => {
  test('the schema of the package is that of the table, and says what the command says', () => {
    expect(JSON.parse(readFileSync('cli/slo.schema.json', 'utf8'))).toEqual(JSON.parse(JSON.stringify(sloSchema)));
    const isValid = new Ajv2020({ strict: false, validateFormats: false }).compile(sloSchema);
    const accepted = (values: unknown) => {
      try {
        settingsOf('test', values);
        return true;
      } catch {
        return false;
      }
    };
    for (const [values, fits] of [
      [{}, true],
      [{ period: '7d', objectives: { latency: { below: 0.25, target: 0.9 } } }, true],
      [{ objectives: { availability: [{ models: ['a'] }, { target: 0.99 }] } }, true],
      [{ conditions: { down: { severity: 'off' }, certificateExpiry: { above: 30 } } }, true],
      [{ notify: { page: [{ pagerduty: { keyFile: 'k' } }], ticket: [{ slack: { urlFile: 's' } }] } }, true],
      [{ period: 30 }, false],
      [{ objectives: { uptime: {} } }, false],
      [{ objectives: { latency: { below: 0.3 } } }, false],
      [{ objectives: { admission: { models: ['a'] } } }, false],
      [{ objectives: { availability: [] } }, false],
      [{ conditions: { down: { above: 1 } } }, false],
      [{ notify: { page: [{ pager: {} }] } }, false],
      [{ notify: { page: [{ pagerduty: {} }], ticket: [{ alertmanager: { url: 'http://localhost:9093' } }] } }, true],
      [{ notify: { page: [{ webhook: { url: 'https://ann:hunter2@host/' } }] } }, false],
      [{ notify: { page: [{ email: { to: 'team', from: 'a@b', server: 'c:25' } }] } }, false],
    ] as const) {
      expect([values, accepted(values)]).toEqual([values, fits]);
      expect([values, isValid(values)]).toEqual([values, fits]);
    }
  });

  test.each([
    [{ period: '1h' }, 'period: expected a time from 12h to 90d, such as 12h or 90d, got "1h"'],
    [{ perod: '30d' }, 'perod: expected an option that exists, got another; did you mean period?'],
    [{ objectives: { availabilty: {} } }, 'objectives.availabilty: expected an objective that exists'],
    [{ objectives: { availability: { target: 1 } } }, 'target: expected a number above 0 and below 1, got 1'],
    [{ objectives: { availability: { target: 99.9 } } }, 'expected a number above 0 and below 1, got 99.9'],
    [{ objectives: { latency: { below: 0.3 } } }, 'expected an end of a bucket of lr_request_duration_seconds'],
    [{ notify: { page: [{ webhook: {} }] } }, 'notify.page[0].webhook: expected url or urlFile, got neither'],
    [
      { notify: { page: [{ webhook: { url: 'http://a/', urlFile: 'b' } }] } },
      'notify.page[0].webhook: expected url or urlFile, got both',
    ],
    [
      { notify: { ticket: [{ email: { to: 'a@b', from: 'b@c', server: 'c:25', passwordFile: 'd' } }] } },
      'expected the name whose password is in passwordFile, got none',
    ],
    [
      { notify: { ticket: [{ email: { to: 'a@b', from: 'b@c', server: 'c:25', user: 'd', tls: false } }] } },
      'expected tls where a password is sent, got none',
    ],
    [{ notify: { page: [{ pagerduty: { keyFile: 'a' }, slack: {} }] } }, 'expected one of pagerduty, webhook, slack'],
    [[], 'expected an object of settings, got []'],
    [{ period: '1h', job: '' }, '(and 1 more: job: expected a text'],
  ])('%j is refused by name', (values, sentence) => {
    expect(() => settingsOf('--config slo.json', values)).toThrow(sentence);
    expect(() => settingsOf('--config slo.json', values)).toThrow('its keys are in slo.schema.json of the package');
  });

  test('a file that is none is named', async () => {
    await expect(exportSlo(join(folder, 'none.json'), fresh())).rejects.toThrow(
      'none.json: expected a file of objectives',
    );
    writeFileSync(join(folder, 'broken.json'), '{"period": ');
    await expect(exportSlo(join(folder, 'broken.json'), fresh())).rejects.toThrow(
      'broken.json: expected JSON, got an error in line 1',
    );
    writeFileSync(join(folder, 'broken.yaml'), 'period: 30d\nnotify: [\n');
    await expect(exportSlo(join(folder, 'broken.yaml'), fresh())).rejects.toThrow(
      /broken\.yaml: expected YAML or JSON, got an error in line [23] /,
    );
  });

  test('an empty file is the default one', async () => {
    writeFileSync(join(folder, 'empty.yaml'), '');
    const out = fresh();
    const { objectives } = await exportSlo(join(folder, 'empty.yaml'), out);
    expect(objectives.map(({ id }) => id)).toEqual(defaultSettings().objectives.map(({ id }) => id));
  });
});

describe('files', () => {
  test('of the same settings they are the same', async () => {
    const [a, b] = [await exported(), await exported()];
    expect(a.files).toEqual(b.files);
    for (const name of a.files) expect(readFileSync(join(a.out, name))).toEqual(readFileSync(join(b.out, name)));
  });

  test('every alert has a severity, a sentence and a runbook that is there', async () => {
    const { read, files } = await exported({
      objectives: Object.fromEntries(Object.keys(OBJECTIVES).map((name) => [name, {}])),
    });
    const alerts = files
      .filter((name) => name.startsWith('prometheus/rules/'))
      .flatMap((name) => read(name).groups)
      .flatMap(({ rules }: { rules: { alert?: string }[] }) => rules)
      .filter(({ alert }) => alert) as {
      alert: string;
      labels: { severity: string };
      annotations: Record<string, string>;
    }[];
    expect(alerts).toHaveLength(2 * Object.keys(OBJECTIVES).length + Object.keys(CONDITIONS).length);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, labels, annotations } of alerts) {
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations['summary'], alert).not.toBe('');
      const page = annotations['runbook_url']!.split('/').at(-1)!;
      expect(existsSync(`docs/runbooks/${page}`), page).toBe(true);
      expect(readFileSync(`docs/runbooks/${page}`, 'utf8'), `${page} names ${alert}`).toContain(`\`${alert}\``);
      expect(readFileSync('docs/runbooks/README.md', 'utf8')).toContain(`(${page})`);
    }
  });

  test('a model name goes into a rule letter by letter', async () => {
    const { read } = await exported({ objectives: { availability: { models: ['a.b"c', 'd|e\\'] } } });
    const { expr } = read('prometheus/rules/availability.yml').groups[0].rules[0];
    expect(expr).toContain(String.raw`model=~"a\\.b\"c|d\\|e\\\\"`);
  });

  test('a condition that is off is in no rule', async () => {
    const { read } = await exported({
      conditions: { down: { severity: 'off' }, rolledBack: { severity: 'page', lasting: '2m' } },
    });
    const { rules } = read('prometheus/rules/conditions.yml').groups[0];
    const names = rules.map(({ alert }: { alert: string }) => alert);
    expect(names).not.toContain('LogoddsDown');
    const rolledBack = rules.find(({ alert }: { alert: string }) => alert === 'LogoddsRolledBack');
    expect(rolledBack).toMatchObject({ for: '2m', labels: { severity: 'page' } });
  });

  test('secrets are named by their files', async () => {
    const { read } = await exported({
      notify: {
        page: [{ pagerduty: { keyFile: '/run/secrets/pagerduty' } }],
        ticket: [{ slack: { urlFile: '/run/secrets/slack' } }, { webhook: { urlFile: '/run/secrets/hook' } }],
      },
    });
    const { receivers } = read('alertmanager/alertmanager.yml');
    expect(receivers[0].pagerduty_configs[0]).toMatchObject({ routing_key_file: '/run/secrets/pagerduty' });
    expect(receivers[1].slack_configs[0]).toMatchObject({ api_url_file: '/run/secrets/slack' });
    expect(receivers[1].webhook_configs[0]).toEqual({ url_file: '/run/secrets/hook' });
  });

  test('what is told to nobody, and what can never page, is said', async () => {
    expect((await exported()).notes).toEqual([
      expect.stringContaining('notify.page is empty: nobody is woken'),
      expect.stringContaining('notify.ticket is empty'),
    ]);
    const { notes } = await exported({
      objectives: { knownRows: { target: 0.8 } },
      notify: { page: [{ webhook: { url: 'http://a/' } }], ticket: [{ webhook: { url: 'http://a/' } }] },
    });
    expect(notes).toEqual([expect.stringContaining('knownRows with the target 0.8 cannot page')]);
  });

  test('rules of an earlier run are named: Prometheus reads them all the same', async () => {
    const out = fresh();
    await exportSlo(undefined, out);
    writeFileSync(`${out}.json`, '{"objectives": {"availability": {}}}');
    const { notes } = await exportSlo(`${out}.json`, out);
    expect(notes.filter((note) => note.startsWith('prometheus/rules/'))).toEqual([
      expect.stringContaining('prometheus/rules/acceptedRows.yml is of an earlier run'),
      expect.stringContaining('prometheus/rules/admission.yml'),
      expect.stringContaining('prometheus/rules/latency.yml'),
    ]);
  });

  test('a place that cannot be written leaves nothing', () => {
    const out = join(command.folder, 'watch');
    mkdirSync(join(out, 'alertmanager/alertmanager.yml'), RULED);
    const { status, stderr } = command.run(['slo', 'export', '--out', 'watch']);
    expect(status).toBe(1);
    expect(stderr).toContain('ERR_OUTPUT watch/alertmanager/alertmanager.yml: cannot be written (it is a folder)');
    expect(readdirSync(out, RULED).filter((name) => /\.tmp$|prometheus.yml$|rules.*yml$/.test(String(name)))).toEqual(
      [],
    );
  });

  test('the command prints what it promises, or JSON', () => {
    const { status, stdout, stderr } = command.run(['slo', 'export', '--out', 'said']);
    expect(status).toBe(0);
    expect(stdout).toContain('availability     0.999 of requests to a model');
    expect(stderr).toContain('note: notify.page is empty');
    const { files, objectives } = JSON.parse(command.run(['slo', 'export', '--out', 'said', '--json']).stdout);
    expect(objectives).toHaveLength(4);
    expect(files).toContain('grafana/dashboards/logodds-on-call.json');
  });
});
