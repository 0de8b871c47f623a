import type { Command } from 'commander';
import { READING } from '../options/reading.ts';
import { JSON_OUTPUT, REGISTRY, WEIGHT, WEIGHT_KIND } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import type { CommandLine } from './command.ts';
import { note, reportTarget } from './common.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--against <champion>', 'model that the candidate is held against', { required: true }],
  ['--data <labelled>', 'file or glob of rows with their true classes', { required: true }],
  ['--target <col>', 'column with the true classes', { required: true }],
  [
    '--rules <file>',
    'rules in JSON or YAML, instead of the default ones (their keys are in gate.schema.json of the package)',
  ],
  WEIGHT,
  WEIGHT_KIND,
  ...READING,
  REGISTRY,
  ['--report <file>', 'write a page (.html) with what was found'],
  ['--junit <file>', 'write what was found as JUnit XML, a test case for each finding'],
  JSON_OUTPUT,
];

const HELP = `
Examples:
  logodds gate new.safetensors --against champion.safetensors --data labelled.csv --target default
  logodds gate new.safetensors --against champion.safetensors --data labelled.parquet --target default \\
    --rules gate.json --junit gate.xml --report gate.html

A rule passes, fails, or is not checked, with the reason. A rule that is not checked fails the gate, unless it has "optional": true.

Exit status: 0 passed; 1 not passed (the report is on standard output), or failed with an error code and one sentence on standard error, which
--json prints as {"passed": false, "error": {"code", "message"}}; 2 wrong usage.`;

export const gate: CommandLine = {
  name: 'gate',
  description: 'hold a candidate against the champion by rules',
  takes: [['<candidate>', 'model file, or models:/NAME@ALIAS of the registry, which then knows what the gate said']],
  options: OPTIONS,
  help: HELP,
  run,
};

/** Flags of `logodds gate`. */
export interface GateFlags {
  readonly against: string;
  readonly data: string;
  readonly target: string;
  readonly rules?: string;
  readonly weight?: string;
  readonly weightKind?: 'sampling' | 'count';
  readonly report?: string;
  readonly junit?: string;
  readonly registry?: string;
  readonly json?: boolean;
}

async function run(candidate: string, flags: GateFlags, _command: Command): Promise<number> {
  // what the other commands need not load
  const { gateCommand } = await import('../jobs/gate/command.ts');
  return gateCommand(candidate, flags, reportTarget(flags.report), note);
}
