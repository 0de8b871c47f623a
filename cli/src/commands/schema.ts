import type { Command } from 'commander';
import { counted, word } from '../figures/wording.ts';
import { type SchemaOptions, type SchemaResult, schemaCommand, schemaText } from '../jobs/schema.ts';
import { READING } from '../options/reading.ts';
import { DATA, OFFSET, QUERY, TARGET, WEIGHT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { names } from '../options/values.ts';
import { say } from '../terminal/print.ts';
import type { CommandLine } from './command.ts';
import { dataOf, note, print, printJson } from './common.ts';

const HELP = `
The file gives each column a kind: numeric (with transform, spline or bins), categorical (onehot, target or hash), boolean, date, text or
tags. A cross combines several features. schema.json of the package describes all fields, and editors use it to complete and check them.

  {"name": "age", "kind": "numeric", "spline": 4, "low": 18, "high": 90, "range": "clip", "reason": "age of {value} years"}
  {"name": "city", "kind": "categorical", "minCount": 20, "unseen": "baseline"}
  {"kind": "cross", "of": ["city", "member"], "buckets": 4096}

Examples:
  logodds schema loans.csv --target default --out loans.schema.json
  logodds train loans.csv --target default --schema loans.schema.json --out loans.safetensors`;

const OPTIONS: readonly OptionRow[] = [
  TARGET,
  ['--out <file>', 'schema file to write (.json; default: standard output)'],
  QUERY,
  ...READING,
  ['--drop <list>', 'columns that are not features', { parse: names }],
  WEIGHT,
  OFFSET,
];

export const schema: CommandLine = {
  name: 'schema',
  description: 'propose how columns become features: a file to edit and pass to --schema',
  takes: [DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

type SchemaFlags = Omit<SchemaOptions, 'data'>;

async function run(data: string | undefined, flags: SchemaFlags, command: Command): Promise<void> {
  const result = await schemaCommand({ ...flags, ...dataOf(command, data, flags.query), warn: note });
  const from = data ?? '--query "…"';
  if (flags.out !== undefined) return void print(schemaReport(result, flags.out, from, flags.target));
  printJson(schemaText(result.declaration));
  result.notes.forEach(note);
  say(`next: save it (--out schema.json), edit it (splines, bins, policies, crosses, reasons), then train`);
  say(`  ${trainLine('schema.json', from, flags.target)}`);
}

function schemaReport({ declaration, notes }: SchemaResult, out: string, source: string, target: string): string {
  const lines = notes.map((note) => `  ${note}`).join('\n');
  return `${counted(declaration.features.length, 'feature')} in ${word(out)}\n${lines}\n\nedit it (splines, bins, policies, crosses, reasons), then train\n  ${trainLine(out, source, target)}\n`;
}

/** The command that trains with the schema. */
const trainLine = (out: string, source: string, target: string) =>
  `logodds train ${word(source)} --target ${word(target)} --schema ${word(out)} --out model.safetensors`;
