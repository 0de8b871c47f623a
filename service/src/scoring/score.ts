import type { ByteScores } from 'logodds/bytes';
import type { Model, RecordScore, Scores } from 'logodds/score';
import type { Served } from '../models/served.ts';
import { badRequest } from '../refusal.ts';
import { detailsOf, wantsDetails } from './details.ts';
import type { Answer, Details, Parts, RowFault, Rows, Wanted } from './question.ts';

/** Answers a question: the scores of rows, and what is wanted beside them. */
export function answer(served: Served, rows: Rows, wanted: Wanted): Answer {
  if (rows.kind === 'table') {
    return { scores: served.table.score(rows.table) as Scores<'f64'>, faults: [], details: [] };
  }
  if (rows.kind === 'records') return scoreRecords(served, rows.records, wanted);
  if (wantsDetails(wanted)) return scoreRecords(served, recordsOf(rows.bytes), wanted);
  const scorer = served.borrow();
  try {
    return fromBytes(scorer.json(rows.bytes));
  } finally {
    served.giveBack(scorer);
  }
}

/** The scores of an array of records that can be read from its bytes, all of them; null: it has to be parsed, which says what is wrong. */
export function wholeFromBytes(served: Served, bytes: Uint8Array): Answer | null {
  const scorer = served.borrow();
  try {
    const found = fromBytes(scorer.json(bytes));
    return found.faults.length > 0 ? null : found;
  } catch {
    return null;
  } finally {
    served.giveBack(scorer);
  }
}

/** @param first  number of the first row in the whole input */
export const fromBytes = (scores: ByteScores, first = 0): Answer => ({
  scores,
  faults: scores.errors.map((error) => ({ row: error.row - first, error })),
  details: [],
});

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The value of JSON in UTF-8. @throws Refusal */
export function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw badRequest('body: expected JSON in UTF-8, got something else; correct it and send it again');
  }
}

/** The records of JSON: one, or those of an array. @throws Refusal */
export function recordsOf(bytes: Uint8Array): readonly object[] {
  const value = parsedJson(bytes);
  return Array.isArray(value) ? value : [value as object];
}

/**
 * Scores records one by one; a record that is refused has a fault, and its neighbours their scores.
 * @param first  number of the first record in the whole input
 */
export function scoreRecords(served: Served, records: readonly object[], wanted: Wanted, first = 0): Answer {
  const faults: RowFault[] = [];
  const details: Details[] = [];
  const parts = served.divide?.(records) as Parts | undefined;
  const scores = { ...emptyScores(records.length, served.model), ...(parts && { parts }) };
  const asks = wantsDetails(wanted);
  records.forEach((record, row) => {
    const { model } = parts ? parts.of[parts.codes[row]].served : served;
    try {
      put(scores, row, model.score(record), model);
      if (asks) details[row] = detailsOf(model, record, wanted);
    } catch (error) {
      faults.push({ row, error: withRow(error as Error, first + row) });
    }
  });
  return { scores, faults, details };
}

/** The error of a record says which one it is, as those of bytes do. */
function withRow(error: Error, row: number): Error {
  const { message, problems } = error as Error & { problems?: readonly object[] };
  error.message = message.replace(/^record(?! \d)/, `$& ${row} (from 0)`);
  return problems ? Object.assign(error, { problems: problems.map((problem) => ({ ...problem, row })) }) : error;
}

/** Columns for the scores of rows. */
export function emptyScores(rows: number, { intercept, manifest }: Model) {
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

function put(scores: ReturnType<typeof emptyScores>, row: number, score: RecordScore, model: Model): void {
  const logits = score.logits ?? [score.logit];
  const probabilities = score.probabilities ?? [score.probability];
  for (let k = 0; k < logits.length; k++) {
    scores.logits[k * scores.rows + row] = logits[k];
    scores.probabilities[k * scores.rows + row] = probabilities[k];
  }
  scores.labels[row] = model.manifest.classes.indexOf(score.label);
  scores.defaulted[row] = score.defaulted;
  scores.outOfRange[row] = score.outOfRange;
  if (scores.review) scores.review[row] = Number(score.review);
}
