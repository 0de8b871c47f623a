import {
  type Contribution,
  explain,
  interval,
  LogoddsError,
  type Model,
  type ProbabilityInterval,
  type Reason,
  type RecordScore,
  reasons,
  type WhatIf,
  whatIf,
} from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';

/** The prediction for one record and its explanation. */
export interface Explained {
  readonly record: Readonly<Record<string, unknown>>;
  readonly score: RecordScore;
  readonly class: string;
  readonly base: number;
  readonly contributions: readonly Contribution[];
  readonly reasons: readonly Reason[];
  /** for each column of the record; with a reason if no change was found or searched for */
  readonly whatIf: readonly WhatIf[];
  /** null for a model without covariance */
  readonly interval: ProbabilityInterval | null;
}

/**
 * Explains a record given as JSON text.
 * @throws ERR_RECORD for a text that is not a JSON object, and the errors of `Model.score`
 */
export function explainRecord(model: Model, text: string): Explained {
  const record = parse(text);
  const score = model.score(record);
  const { class: label, base, contributions } = explain(model, record);
  const columns = [...new Set(contributions.map(({ feature }) => feature))].filter((name) =>
    Object.hasOwn(record, name),
  );
  return {
    record,
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
