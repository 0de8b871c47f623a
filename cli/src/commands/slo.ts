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
