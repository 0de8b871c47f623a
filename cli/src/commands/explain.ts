import type { Model, WhatIf } from '../../../src/index.ts';
import { roughPercent, significant, word } from '../figures/wording.ts';
import { type Explained, explainRecord } from '../jobs/explain.ts';
import { JSON_OUTPUT, MODEL, REGISTRY } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { findModel, type ModelPlace } from '../read/models.ts';
import { facts, table } from '../terminal/layout.ts';
import type { CommandLine } from './command.ts';
import { print, printJson } from './common.ts';

const HELP = `
Contributions are differences in log-odds from the average training row. Together with that average they add up to the logit.
To explain the rows of a file, use \`logodds score --explain\`: it writes the largest contributions of each row.

Example:
  logodds explain loans.safetensors --record '{"age": 41, "income": 32000, "purpose": "car"}'`;

const OPTIONS: readonly OptionRow[] = [
  ['--record <json>', 'record to explain: a JSON object with a field for each column', { required: true }],
  REGISTRY,
  JSON_OUTPUT,
];

export const explain: CommandLine = {
  name: 'explain',
  description: 'explain the prediction for one record',
  takes: [MODEL],
  options: OPTIONS,
  help: HELP,
  run,
};

interface ExplainFlags extends ModelPlace {
  readonly record: string;
  readonly json?: boolean;
}

async function run(given: string, { record, json, registry }: ExplainFlags): Promise<void> {
  const model = await findModel(given, { registry });
  const explained = explainRecord(model, record);
  if (json) printJson(explainJson(explained));
  else print(explainReport(model, explained));
}

/** The object of `explain --json`. */
function explainJson({ score, record: _, whatIf: changes, ...rest }: Explained): object {
  const { logit, probability, label, defaulted, review } = score;
  return {
    logit,
    probability,
    label,
    defaulted,
    ...(review !== undefined && { review }),
    ...rest,
    whatIf: changes.map(({ feature, from = null, to, tokens, score: then, extrapolated, reason }) => {
      return { feature, from, to, ...(tokens && { tokens }), label: then?.label ?? null, extrapolated, reason };
    }),
  };
}

/**
 * Rounds the new number of a change to the digits that its column probably has: whole numbers if the ends of its range in training are whole,
 * else three digits of its spread. It rounds away from the value of the record, so that the label still changes.
 */
function roundedChange(model: Model, record: Readonly<Record<string, unknown>>, { feature, from, to, score }: WhatIf) {
  const source = model.manifest.schema.features.find(
    (one) =>
      (one.kind === 'numeric' || one.kind === 'curve') && (('column' in one && one.column) || one.name) === feature,
  );
  if (typeof to !== 'number' || !source || !('min' in source)) return to;
  const { min, max } = source;
  const digits = [min, max, from ?? 0].every(Number.isInteger) ? 0 : 2 - Math.floor(Math.log10((max - min) / 4 || 1));
  const unit = 10 ** Math.max(-300, Math.min(300, digits));
  const start = typeof from === 'number' ? from : (min + max) / 2;
  const rounded = (to > start ? Math.ceil(to * unit) : Math.floor(to * unit)) / unit;
  return Number.isFinite(rounded) && model.score({ ...record, [feature]: rounded }).label === score?.label
    ? rounded
    : to;
}

/** The output of `explain`. */
function explainReport(model: Model, explained: Explained): string {
  const { score, class: label, base, contributions, reasons: list, whatIf: changes, interval: range } = explained;
  const signed = (value: number) => (value > 0 ? `+${significant(value)}` : significant(value));
  const ends = range ? `   (95 % interval ${significant(range.low)} … ${significant(range.high)})` : '';
  const head = facts([
    ['label', score.review ? `${word(score.label)}, for review` : word(score.label)],
    [`probability of ${model.manifest.positive ?? score.label}`, `${significant(score.probability)}${ends}`],
    score.defaulted > 0
      ? ['by default', `${roughPercent(score.defaulted)} of the values are missing, unseen or out of range`]
      : null,
  ]);
  const cell = (value: unknown) =>
    typeof value === 'object' && value !== null
      ? JSON.stringify(value)
      : value === undefined || value === null
        ? '–'
        : String(value);
  const short = (value: unknown) => word(cell(value).length > 30 ? `${cell(value).slice(0, 30)}…` : cell(value));
  const sorted = [...contributions].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const sums = table([
    ['', 'value', `${model.manifest.multiclass === 'multinomial' ? 'logit' : 'log-odds'} of ${label}`],
    ['average of the training rows', '', significant(base)],
    ...sorted.map(({ feature, value, contribution }) => [feature, short(value), signed(contribution)]),
    ['all', '', significant(explained.base + contributions.reduce((sum, one) => sum + one.contribution, 0))],
  ]);
  const why = list.map(({ text }) => `  ${text}`).join('\n') || '  nothing in the record';
  const says = (change: WhatIf) => {
    const { from, tokens } = change;
    const to = roundedChange(model, explained.record, change);
    return tokens === null
      ? `${short(to)} instead of ${short(from)}`
      : [
          ...tokens.added.map((token) => `with ${short(token)}`),
          ...tokens.removed.map((token) => `without ${short(token)}`),
        ].join(', ');
  };
  const flips = changes.flatMap((change) =>
    change.score === null
      ? []
      : [
          `  ${word(change.feature)} ${says(change)}: ${word(change.score.label)}${change.extrapolated ? '   (beyond the training rows)' : ''}`,
        ],
  );
  const other =
    flips.length > 0
      ? `\n\nchanges of one column that would change the label\n${flips.join('\n')}`
      : `\n\nno change of a single column was found that changes the label\n${changes.map(({ reason }) => `  ${reason}`).join('\n')}`;
  return `${head}\n\n${sums}\n\nstrongest reasons for ${word(score.label)}\n${why}${other}\n`;
}
