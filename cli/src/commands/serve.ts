import type { Command } from 'commander';
import type { OptionRow } from '../options/table.ts';
import { FLAGS } from '../serve/options.ts';
import type { CommandLine } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--config <file>', 'options in JSON or YAML; flags win (its keys are in serve.schema.json of the package)'],
  ['--check <file>', 'say what is wrong with a configuration file, and end'],
  ...FLAGS,
];

const HELP = `
Examples:
  logodds serve loans.safetensors
  logodds serve fraud=models/fraud-3.safetensors models/ --port 9000
  logodds serve --config serve.yaml --workers 4

At SIGTERM or SIGINT it says "not ready", answers what has come, and ends. Exit status: 0 all was answered, 1 the grace time was over and
some was cut; a second signal ends it at once (128 and the number of the signal).`;

export const serve: CommandLine = {
  name: 'serve',
  description: 'answer scoring requests over HTTP and gRPC',
  takes: [
    [
      '[model...]',
      'name=FILE, FILE (its stem is the name), a folder, which is watched, or models:/NAME@ALIAS or models:/NAME/VERSION of a registry, which is followed',
    ],
  ],
  options: OPTIONS,
  help: HELP,
  run,
};

async function run(models: readonly string[], flags: object, command: Command): Promise<void> {
  // what the other commands need not load
  const { givenFlags, startService } = await import('../serve/start.ts');
  await startService(
    models,
    givenFlags(flags as Record<string, unknown>, (key) => command.getOptionValueSource(key)),
  );
}
