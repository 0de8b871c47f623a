import { show } from '../../src/encode/label.ts';
import { type Contribution, explain } from '../../src/explain/contributions.ts';
import { interval, type ProbabilityInterval } from '../../src/explain/interval.ts';
import { type Reason, reasons } from '../../src/explain/reasons.ts';
import { type WhatIf, whatIf } from '../../src/explain/whatIf.ts';
import { LogoddsError, type Model, type RecordScore } from '../../src/index.ts';
import { facts, percent, significant, table } from './report.ts';

/** What a model says of one record, and why. */
export interface Explained {
  readonly score: RecordScore;
  readonly class: string;
  readonly base: number;
  readonly contributions: readonly Contribution[];
  readonly reasons: readonly Reason[];
  /** of each column that is searched */
  readonly whatIf: readonly WhatIf[];
  /** null of a model without covariance */
  readonly interval: ProbabilityInterval | null;
}

/**
 * Explains the record that a JSON text is.
 * @throws ERR_RECORD for a text that is no JSON object, else as of `Model.score`
 */
export function explainRecord(model: Model, text: string): Explained {
  const record = parse(text);
  const score = model.score(record);
  const { class: label, base, contributions } = explain(model, record);
  const columns = [...new Set(contributions.map(({ feature }) => feature))].filter((name) =>
    Object.hasOwn(record, name),
  );
  return {
    score,
    class: label,
    base,
    contributions,
    reasons: reasons(model, record),
    whatIf: columns.map((column) => whatIf(model, record, column)),
    interval: model.covariance ? interval(model, record) : null,
  };
}

function parse(text: string): Record<string, unknown> {
  const refuse = (got: string): never => {
    throw new LogoddsError(
      'ERR_RECORD',
      `--record: expected a JSON object such as {"age": 41}, got ${got}; quote it for the shell`,
    );
  };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    return refuse(Array.isArray(value) ? 'a list' : show(value));
  } catch (error) {
    if (error instanceof LogoddsError) throw error;
    return refuse(show(text));
  }
}

/** The object of `explain --json`. */
export function explainJson({ score, whatIf: changes, ...rest }: Explained): object {
  const { logit, probability, label, defaulted, review } = score;
  return {
    logit,
    probability,
    label,
    defaulted,
    ...(review !== undefined && { review }),
    ...rest,
    whatIf: changes.map(({ feature, from = null, to, score: then, extrapolated, reason }) => {
      return { feature, from, to, label: then?.label ?? null, extrapolated, reason };
    }),
  };
}

/** What `explain` prints. */
export function explainReport(model: Model, explained: Explained): string {
  const { score, class: label, base, contributions, reasons: list, whatIf: changes, interval: range } = explained;
  const signed = (value: number) => (value > 0 ? `+${significant(value)}` : significant(value));
  const ends = range ? `   (95 % interval ${significant(range.low)} … ${significant(range.high)})` : '';
  const head = facts([
    ['label', score.review ? `${score.label}, for review` : score.label],
    [`probability of ${model.manifest.positive ?? score.label}`, `${significant(score.probability)}${ends}`],
    score.defaulted > 0
      ? ['by default', `${percent(score.defaulted)} of the values are missing, unseen or out of range`]
      : null,
  ]);
  const cell = (value: unknown) =>
    typeof value === 'object' && value !== null
      ? JSON.stringify(value)
      : value === undefined || value === null
        ? '–'
        : String(value);
  const short = (value: unknown) => (cell(value).length > 30 ? `${cell(value).slice(0, 30)}…` : cell(value));
  const sorted = [...contributions].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const sums = table([
    ['', 'value', `log-odds of ${label}`],
    ['training rows on average', '', significant(base)],
    ...sorted.map(({ feature, value, contribution }) => [feature, short(value), signed(contribution)]),
    ['all', '', significant(explained.base + contributions.reduce((sum, one) => sum + one.contribution, 0))],
  ]);
  const why = list.map(({ text }) => `  ${text}`).join('\n') || '  nothing in the record';
  const flips = changes.flatMap(({ feature, to, score: then, extrapolated }) =>
    to === null || then === null
      ? []
      : [
          `  ${feature} ${short(to)} instead of ${short(changes.find((one) => one.feature === feature)?.from)}: ${then.label}${extrapolated ? '   (beyond the training rows)' : ''}`,
        ],
  );
  const other =
    flips.length > 0
      ? `\n\none change that would change the label\n${flips.join('\n')}`
      : '\n\nno single change would change the label';
  return `${head}\n\n${sums}\n\nwhat spoke for ${score.label} the most\n${why}${other}\n`;
}
