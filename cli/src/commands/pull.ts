import { READS } from '../options/registry.ts';
import type { OptionRow } from '../options/table.ts';
import { type CommandLine, later } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--out <file>', 'model file to write', { required: true }],
  ['--signature', 'write its signature too, to FILE.sig'],
  ...READS,
];

const HELP = `
Examples:
  logodds pull models:/fraud@champion --out fraud.safetensors
  logodds pull models:/fraud/3 --out fraud-3.safetensors --signature`;

export const pull: CommandLine = {
  name: 'pull',
  description: 'write a version of a registry to a file, whose digest is checked',
  takes: [['<reference>', 'models:/NAME@ALIAS, models:/NAME/VERSION or models:/NAME/SHA256']],
  options: OPTIONS,
  help: HELP,
  run: later(() => import('./registry/files.ts'), 'pull'),
};
