import type { SloCheckOptions } from '../jobs/sloCheck.ts';
import { JSON_OUTPUT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { note, print, printJson } from '../terminal/print.ts';
import type { CommandGroup } from './command.ts';

const EXPORT: readonly OptionRow[] = [
  [
    '--config <file>',
    'objectives, conditions and who is told, in JSON or YAML, instead of the default ones (its keys are in slo.schema.json of the package)',
  ],
  ['--out <dir>', 'folder of the files; those of earlier runs are replaced, others are left', { required: true }],
  JSON_OUTPUT,
];

const CHECK: readonly OptionRow[] = [
  ['--url <address>', 'where the service answers, such as http://127.0.0.1:8080', { required: true }],
  ['--config <file>', 'objectives and conditions, as of slo export, instead of the default ones'],
  ['--key <file>', 'file of an API key with the scope read, where the service asks for one'],
  JSON_OUTPUT,
];

const CHECK_HELP = `
Examples:
  logodds slo check --url http://127.0.0.1:8080
  logodds slo check --url https://scores.example --config slo.yaml --key reader.key --json

One look at the numbers of a service: objectives since it was started, and conditions that are so now, however short. How fast a budget is spent is
evaluated by serve --slo, or by Prometheus. Exit status: 0 all is well, 1 it is not.`;

const HELP = `
Examples:
  logodds slo export --out watch
  logodds slo export --config slo.yaml --out watch
  promtool test rules watch/prometheus/tests/*.yml
  prometheus --config.file=watch/prometheus/prometheus.yml
  alertmanager --config.file=watch/alertmanager/alertmanager.yml

An alert asks for two windows, a long one and a twelfth of it: a page when a fiftieth of the budget of 30 days is spent within an hour or a twentieth
within six hours, a ticket when a tenth is spent within a day or within three. A blip is nothing of these.`;

export const slo: CommandGroup = {
  name: 'slo',
  description: 'objectives of a service: alerts and dashboards',
  commands: [
    {
      name: 'export',
      description: 'write rules of Prometheus, routes of Alertmanager and dashboards of Grafana',
      takes: [],
      options: EXPORT,
      help: HELP,
      run,
    },
    {
      name: 'check',
      description: 'look at a service once, and end with status 1 where a promise is broken',
      takes: [],
      options: CHECK,
      help: CHECK_HELP,
      run: check,
    },
  ],
};

interface Flags {
  readonly config?: string;
  readonly out: string;
  readonly json?: boolean;
}

async function run({ config, out, json }: Flags): Promise<void> {
  const { exportSlo } = await import('../jobs/slo.ts');
  const exported = await exportSlo(config, out);
  if (json) {
    printJson(exported);
    return;
  }
  const { objectives, files, notes } = exported;
  const lines = objectives.map(({ id, target, about }) => `  ${id.padEnd(16)} ${target} of ${about}\n`);
  print(`Objectives:\n${lines.join('')}Files in ${out}:\n${files.map((file) => `  ${file}\n`).join('')}`);
  for (const one of notes) note(one);
}

async function check({ json, ...options }: SloCheckOptions & { readonly json?: boolean }): Promise<number> {
  const { checkSlo } = await import('../jobs/sloCheck.ts');
  const checked = await checkSlo(options);
  const { ok, objectives, conditions, notes } = checked;
  const status = ok ? 0 : 1;
  if (json) {
    printJson(checked);
    return status;
  }
  const lines = objectives.map(
    ({ slo, model, bad, all, target, ok }) =>
      `  ${ok ? 'kept  ' : 'broken'}  ${[slo, model].filter(Boolean).join(' of ').padEnd(28)} ${bad} of ${all} bad, target ${target}\n`,
  );
  print(`Objectives since the service was started:\n${lines.join('')}`);
  print(conditions.length === 0 ? 'No condition is so.\n' : 'Conditions:\n');
  for (const { alert, severity, summary } of conditions) print(`  ${severity.padEnd(6)}  ${alert}: ${summary}\n`);
  for (const one of notes) note(one);
  return status;
}
