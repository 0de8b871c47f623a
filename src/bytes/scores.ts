import { type FieldProblem, LogoddsError } from '../../bindings/errors.ts';
import type { Model } from '../model/model.ts';
import type { RecordScore, Scores } from '../model/scores.ts';

/** The scores of the rows of a call. They belong to the caller. */
export interface ByteScores extends Scores<'f64'> {
  /**
   * the rows that could not be scored, with `onError: 'collect'`: their label is `NO_LABEL`, their other numbers are NaN. Empty otherwise.
   */
  readonly errors: readonly RowError[];
}

/**
 * Why a row of bytes could not be scored: ERR_DATA where it is no UTF-8, JSON or CSV, else the error of `Model.score`.
 * @example
 * const read = () => { try { byteScorer(model).json(new TextEncoder().encode('{"distance": 1,}')); } catch (error) { return error; } };
 * read().code; // 'ERR_DATA'
 * read().offset; // 15
 */
export class RowError extends LogoddsError {
  /** number of the row, from 0 */
  readonly row: number;
  /** of bytes that cannot be read the number of the first one, from 0; else that of the first byte of the row */
  readonly offset: number;
  /** what was scored before it in the same call; null where errors are collected */
  readonly scores: ByteScores | null = null;

  /** @internal */
  constructor(row: number, offset: number, error: LogoddsError) {
    const problems: FieldProblem[] = error.problems.map((problem) => ({ ...problem, row }));
    super(error.code, error.message, { cause: error.cause, problems }, error.detail);
    this.row = row;
    this.offset = offset;
  }
}

/** ERR_DATA for bytes that are not what they should be. */
export const wrongBytes = (
  row: number,
  offset: number,
  rule: string,
  next = 'correct it and send it again',
  got = 'something else',
): RowError => {
  const message = `row ${row} (from 0), byte ${offset} (from 0): expected ${rule}, got ${got}; ${next}`;
  return new RowError(row, offset, new LogoddsError('ERR_DATA', message, { problems: [{ rule }] }));
};

/** ERR_DATA for bytes that are no JSON from `offset` on. @param ended  they end there */
export const wrongJson = (row: number, offset: number, ended: boolean): RowError =>
  ended
    ? wrongBytes(row, offset, 'JSON', 'send all of it (in JSON lines a record is one line)', 'the end')
    : wrongBytes(row, offset, 'JSON');

/** The label of a row that could not be scored: no index of a class. */
export const NO_LABEL = 0xffffffff;

/** Scores of some rows of a call. */
export type Part = { rows: number; review: Uint8Array | null } & {
  -readonly [K in keyof Omit<ByteScores, 'rows' | 'errors' | 'review'>]: ByteScores[K];
};

/** Room for the scores of some rows of a model. */
export function noScores(rows: number, { intercept, manifest }: Model): Part {
  const vectors = intercept.length;
  return {
    rows,
    logits: new Float64Array(vectors * rows),
    probabilities: new Float64Array(vectors * rows),
    labels: new Uint32Array(rows),
    defaulted: new Float64Array(rows),
    outOfRange: new Float64Array(rows),
    review: manifest.decision.abstain ? new Uint8Array(rows) : null,
  };
}

/** Writes the score of row i. */
export function putScore(out: Part, i: number, score: RecordScore, { intercept, manifest }: Model): void {
  const { rows } = out;
  if (intercept.length === 1) {
    out.logits[i] = score.logit;
    out.probabilities[i] = score.probability;
  } else {
    for (let k = 0; k < intercept.length; k++) {
      out.logits[k * rows + i] = score.logits![k];
      out.probabilities[k * rows + i] = score.probabilities![k];
    }
  }
  out.labels[i] = manifest.classes.indexOf(score.label);
  out.defaulted[i] = score.defaulted;
  out.outOfRange[i] = score.outOfRange;
  if (out.review) out.review[i] = Number(score.review);
}

/** Marks row i as one that could not be scored. */
export function putError(out: Part, i: number): void {
  for (let at = i; at < out.logits.length; at += out.rows) {
    out.logits[at] = Number.NaN;
    out.probabilities[at] = Number.NaN;
  }
  out.labels[i] = NO_LABEL;
  out.defaulted[i] = Number.NaN;
  out.outOfRange[i] = Number.NaN;
  if (out.review) out.review[i] = 0;
}

/** A literal: spreading an object takes as long as scoring a record. */
export function withErrors(part: Part, errors: readonly RowError[]): ByteScores {
  const { rows, logits, probabilities, labels, defaulted, outOfRange, review } = part;
  return { rows, logits, probabilities, labels, defaulted, outOfRange, review, errors };
}

/** Several parts as one. */
export function joinScores(parts: readonly Part[], model: Model, errors: readonly RowError[]): ByteScores {
  if (parts.length === 1) return withErrors(parts[0], errors);
  const total = parts.reduce((sum, { rows }) => sum + rows, 0);
  const all = noScores(total, model);
  let at = 0;
  for (const part of parts) {
    for (let k = 0; k < model.intercept.length; k++) {
      const own = k * part.rows;
      all.logits.set(part.logits.subarray(own, own + part.rows), k * total + at);
      all.probabilities.set(part.probabilities.subarray(own, own + part.rows), k * total + at);
    }
    all.labels.set(part.labels, at);
    all.defaulted.set(part.defaulted, at);
    all.outOfRange.set(part.outOfRange, at);
    all.review?.set(part.review!, at);
    at += part.rows;
  }
  return withErrors(all, errors);
}

/** The first rows of a part. */
export function firstRows(part: Part, rows: number, { intercept }: Model): Part {
  if (rows === part.rows) return part;
  const planes = (values: Float64Array) => {
    const kept = new Float64Array(intercept.length * rows);
    for (let k = 0; k < intercept.length; k++) kept.set(values.subarray(k * part.rows, k * part.rows + rows), k * rows);
    return kept;
  };
  return {
    rows,
    logits: planes(part.logits),
    probabilities: planes(part.probabilities),
    labels: part.labels.slice(0, rows),
    defaulted: part.defaulted.slice(0, rows),
    outOfRange: part.outOfRange.slice(0, rows),
    review: part.review?.slice(0, rows) ?? null,
  };
}
