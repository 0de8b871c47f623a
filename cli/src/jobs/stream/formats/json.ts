import { type ByteScores, byteScorer, NO_LABEL, type RowPart, rowWriter } from '../../../../../src/bytes.ts';
import { LogoddsError, type Model } from '../../../../../src/index.ts';
import type { Format, ModelInUse, Result } from './format.ts';

const BRACE = 0x7b;
const END = 0x0a;

/** A record of JSON in, a score of JSON out: `{"probability","label","logit","defaulted","review"?,"probabilities"?}`, as the service answers. */
export function jsonFormat({ model }: ModelInUse): Format {
  const scorer = byteScorer(model, { onError: 'collect' });
  const writer = scoreWriter(model);

  const score = (payloads: readonly Buffer[]): Result[] => {
    const results: Result[] = new Array(payloads.length);
    // records that are a line each go through the scanner together
    const lines: number[] = [];
    let size = 0;
    for (let i = 0; i < payloads.length; i++) {
      const payload = payloads[i];
      if (payload[0] === BRACE && !payload.includes(END)) {
        lines.push(i);
        size += payload.length + 1;
      } else results[i] = alone(payload);
    }
    const text = Buffer.allocUnsafe(size);
    let at = 0;
    for (const i of lines) {
      at += payloads[i].copy(text, at);
      text[at++] = END;
    }
    const scores = lines.length > 0 ? scorer.lines(text) : null;
    scorer.end();
    if (!scores) return results;
    const errors = new Map(scores.errors.map((error) => [error.row, error]));
    const values = writer(scores);
    for (let row = 0; row < lines.length; row++) {
      const error = errors.get(row);
      results[lines[row]] = error ? { error: ofMessage(error) } : { value: values[row] };
    }
    return results;
  };

  const alone = (payload: Buffer): Result => {
    try {
      const scores = scorer.json(payload);
      const [error] = scores.errors;
      if (error) return { error: ofMessage(error) };
      if (scores.rows !== 1)
        return {
          error: new LogoddsError(
            'ERR_DATA',
            `message: expected one record of JSON, got ${scores.rows}; send each in a message of its own`,
          ),
        };
      return { value: writer(scores)[0] };
    } catch (error) {
      if (!(error instanceof LogoddsError)) throw error;
      return { error: ofMessage(error) };
    }
  };
  return { score, free: () => scorer.free() };
}

/** The number of a row means nothing to who reads a dead letter. */
function ofMessage(error: LogoddsError): LogoddsError {
  const message = error.message.replace(/^row \d+ \(from 0\), byte \d+ \(from 0\)/, 'message');
  return new LogoddsError(error.code, message, { problems: error.problems });
}

/** Writes scores as JSON, one value a row. */
export function scoreWriter(model: Model): (scores: ByteScores) => Buffer[] {
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
    const values: Buffer[] = new Array(rows);
    for (let row = 0, at = 0; row < rows; row++) {
      const end = bytes.indexOf(END, at);
      values[row] = bytes.subarray(at, end);
      at = end + 1;
    }
    return values;
  };
}
