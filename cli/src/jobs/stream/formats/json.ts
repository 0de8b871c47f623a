import { type ByteScores, byteScorer, NO_LABEL, type RowPart, rowWriter } from '../../../../../src/bytes.ts';
import { LogoddsError, type Model } from '../../../../../src/index.ts';
import type { Span } from '../transport.ts';
import { bytesOf, type Format, type LoggedRows, type Logging, type ModelInUse, type Result } from './format.ts';

const BRACE = 0x7b;
const END = 0x0a;

/** A record of JSON in, a score of JSON out: `{"probability","label","logit","defaulted","review"?,"probabilities"?}`, as the service answers. */
export function jsonFormat({ model }: ModelInUse): Format {
  const scorer = byteScorer(model, { onError: 'collect' });
  const writer = scoreWriter(model);

  const score = (payloads: readonly Span[], log: Logging | null): Result[] => {
    const results: Result[] = new Array(payloads.length);
    // records that are a line each go through the scanner together
    let lines: number[] = [];
    for (let i = 0; i < payloads.length; i++) {
      const { bytes, from, to } = payloads[i];
      if (bytes[from] === BRACE && to > from) lines.push(i);
      else results[i] = alone(payloads, i, log);
    }
    let scores = together(payloads, lines);
    if (scores.rows !== lines.length) {
      // a record of several lines: those that have one go alone
      const isLine = (i: number) => !bytesOf(payloads[i]).includes(END);
      for (const i of lines) if (!isLine(i)) results[i] = alone(payloads, i, log);
      lines = lines.filter(isLine);
      scores = together(payloads, lines);
    }
    if (log && lines.length > 0) log(logged(scores, payloads, lines));
    const values = writer(scores);
    for (let row = 0; row < lines.length; row++) results[lines[row]] = values[row];
    for (const error of scores.errors) results[lines[error.row]] = ofMessage(error);
    return results;
  };

  /** Scores payloads as lines: as many rows as payloads, unless one has several lines. */
  const together = (payloads: readonly Span[], lines: readonly number[]): ByteScores => {
    let size = 0;
    for (const i of lines) size += payloads[i].to - payloads[i].from + 1;
    const text = Buffer.allocUnsafe(size);
    let at = 0;
    for (const i of lines) {
      const { bytes, from, to } = payloads[i];
      at += bytes.copy(text, at, from, to);
      text[at++] = END;
    }
    const scores = scorer.lines(text);
    scorer.end();
    return scores;
  };

  const alone = (payloads: readonly Span[], i: number, log: Logging | null): Result => {
    try {
      const scores = scorer.json(bytesOf(payloads[i]));
      const [error] = scores.errors;
      if (error) return ofMessage(error);
      if (scores.rows !== 1)
        return new LogoddsError(
          'ERR_DATA',
          `message: expected one record of JSON, got ${scores.rows}; send each in a message of its own`,
        );
      log?.(logged(scores, payloads, [i]));
      return writer(scores)[0];
    } catch (error) {
      if (!(error instanceof LogoddsError)) throw error;
      return ofMessage(error);
    }
  };
  return { score, free: () => scorer.free() };
}

/** Scores with the records that they are of, which are parsed for the log alone. */
function logged(scores: ByteScores, payloads: readonly Span[], of: readonly number[]): LoggedRows {
  const { logits, probabilities, labels, rows: count } = scores;
  const refused = scores.errors.map(({ row }) => row);
  const without = new Set(refused);
  const records = of.map((i, row) => {
    if (without.has(row)) return {};
    const value = JSON.parse(bytesOf(payloads[i]).toString());
    // a list of one record is a record
    return Array.isArray(value) ? value[0] : value;
  });
  return { of, rows: { kind: 'records', records }, logits, probabilities, labels, count, refused };
}

/** The number of a row means nothing to who reads a dead letter. */
function ofMessage(error: LogoddsError): LogoddsError {
  const message = error.message.replace(/^row \d+ \(from 0\), byte \d+ \(from 0\)/, 'message');
  return new LogoddsError(error.code, message, { problems: error.problems });
}

/** Writes scores as JSON, one value a row. */
export function scoreWriter(model: Model): (scores: ByteScores) => Span[] {
  const { classes, decision } = model.manifest;
  const vectors = model.intercept.length;
  const labels = classes.map((label) => JSON.stringify(label));
  const parts: RowPart[] = ['{"probability":', { number: 0 }, ',"label":', { text: 1, of: labels }];
  const columns: (Float64Array | Uint32Array)[] = [];
  parts.push(',"logit":', { number: 2 }, ',"defaulted":', { number: 3 });
  if (decision.abstain) parts.push(',"review":', { text: 4, of: ['false', 'true'] });
  const classesAt = decision.abstain ? 5 : 4;
  if (vectors > 1) {
    for (let k = 0; k < vectors; k++)
      parts.push(`${k === 0 ? ',"probabilities":{' : ','}${labels[k]}:`, { number: classesAt + k });
    parts.push('}');
  }
  parts.push('}\n');
  const writer = rowWriter(parts);
  return ({ rows, probabilities, logits, labels: codes, defaulted, review }) => {
    columns.length = 0;
    // what could not be scored has a text too, which nobody takes
    const own = codes.includes(NO_LABEL) ? codes.map((code) => (code === NO_LABEL ? 0 : code)) : codes;
    const ofLabel = (all: ArrayLike<number>) => Float64Array.from({ length: rows }, (_, i) => all[own[i] * rows + i]);
    columns.push(vectors > 1 ? ofLabel(probabilities) : (probabilities as Float64Array), own as Uint32Array);
    columns.push(vectors > 1 ? ofLabel(logits) : (logits as Float64Array), defaulted as Float64Array);
    if (decision.abstain) columns.push(Uint32Array.from(review!));
    if (vectors > 1)
      for (let k = 0; k < vectors; k++)
        columns.push((probabilities as Float64Array).subarray(k * rows, (k + 1) * rows));
    const text = writer.write(columns);
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    const values: Span[] = new Array(rows);
    for (let row = 0, from = 0; row < rows; row++) {
      // a call of indexOf takes longer than a row
      let to = from;
      while (bytes[to] !== END) to++;
      values[row] = { bytes, from, to };
      from = to + 1;
    }
    return values;
  };
}
