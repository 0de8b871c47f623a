import { type RowPart, type RowWriter, rowWriter } from 'logodds/bytes';
import type { Served } from '../models/served.ts';
import type { Answer } from '../scoring/question.ts';
import { faultJson, number, ScoreJson } from './scoreJson.ts';
import { joined, type Text } from './text.ts';

/** Rows from which on a call of WebAssembly takes less time than texts. */
const MANY = 8;

type Columns = Parameters<RowWriter['write']>[0];
/** What stands behind each row: of arrays, and of lines. */
export type RowEnd = ',' | '\n';

/** Writes the scores of many rows as `ScoreJson` does, without a text for each. */
export class ScoreRows {
  readonly #json: ScoreJson;
  readonly #writers: Readonly<Record<RowEnd, RowWriter>>;
  readonly #classes: number;

  constructor(served: Served) {
    const { manifest, intercept } = served.model;
    const parts = partsOf(
      manifest.classes.map((label) => JSON.stringify(label)),
      intercept.length,
      Boolean(manifest.decision.abstain),
    );
    this.#json = new ScoreJson(served);
    this.#classes = intercept.length;
    this.#writers = { ',': rowWriter([...parts, '},']), '\n': rowWriter([...parts, '}\n']) };
  }

  /** What stands before the id of an answer. */
  get head(): string {
    return this.#json.head;
  }

  /** All rows of an answer, each with an end. */
  text(answer: Answer, end: RowEnd): Text {
    const { scores, faults, details } = answer;
    if (scores.rows < MANY || details.length > 0 || scores.parts)
      return this.#json
        .rows(answer)
        .map((row) => row + end)
        .join('');
    const writer = this.#writers[end];
    const columns = columnsOf(scores, this.#classes);
    const parts: Text[] = [];
    let from = 0;
    for (const { row, error } of faults) {
      if (row > from) parts.push(writer.write(columns, { from, to: row }));
      parts.push(`${faultJson(error)}${end}`);
      from = row + 1;
    }
    if (from < scores.rows) parts.push(writer.write(columns, { from, to: scores.rows }));
    return joined(parts);
  }
}

const [PROBABILITY, LABEL, LOGIT, DEFAULTED, REVIEW, EACH] = [0, 1, 2, 3, 4, 5];

function partsOf(labels: readonly string[], vectors: number, hasReview: boolean): RowPart[] {
  const members = labels.flatMap((label, k) => [`${k > 0 ? ',' : ''}${label}:`, { number: EACH + k }]);
  return [
    ...['{"probability":', { number: PROBABILITY }],
    ...[',"label":', { text: LABEL, of: labels }],
    ...[',"logit":', { number: LOGIT }],
    ...[',"defaulted":', { number: DEFAULTED }],
    ...(hasReview ? [',"review":', { text: REVIEW, of: ['false', 'true'] }] : []),
    ...(vectors > 1 ? [',"probabilities":{', ...members, '}'] : []),
  ];
}

/** What the parts read. With several classes probability and logit are those of the label. */
function columnsOf(scores: Answer['scores'], vectors: number): Columns {
  const { rows, logits, probabilities, labels, defaulted, review } = scores;
  const plane = (values: Float64Array, k: number) => values.subarray(k * rows, (k + 1) * rows);
  const ofLabel = (values: Float64Array) => {
    if (vectors === 1) return values;
    const own = new Float64Array(rows);
    for (let row = 0; row < rows; row++) own[row] = values[labels[row] * rows + row];
    return own;
  };
  return [
    ofLabel(probabilities),
    labels,
    ofLabel(logits),
    defaulted,
    review ? Uint32Array.from(review) : NO_CODES,
    ...(vectors > 1 ? Array.from({ length: vectors }, (_, k) => plane(probabilities, k)) : []),
  ];
}
const NO_CODES = new Uint32Array();

/** by the number of columns */
const arrays = new Map<number, RowWriter>();

function arrayWriter(columns: number): RowWriter {
  let writer = arrays.get(columns);
  if (!writer) {
    const cells = Array.from({ length: columns }, (_, k): RowPart[] => [k > 0 ? ',' : '', { number: k }]).flat();
    writer = rowWriter(columns === 1 ? [...cells, ','] : ['[', ...cells, '],']);
    arrays.set(columns, writer);
  }
  return writer;
}

/** Of each row its number, or the array of those of several columns, with a comma behind it. */
export function numberRows(columns: readonly Float64Array[]): Text {
  const [{ length: rows }] = columns;
  if (rows >= MANY) return arrayWriter(columns.length).write(columns);
  return Array.from({ length: rows }, (_, row) => {
    const cells = columns.map((column) => number(column[row]));
    return columns.length === 1 ? `${cells[0]},` : `[${cells}],`;
  }).join('');
}

/** Of each row its text of JSON, with a comma behind it. */
export function textRows(texts: readonly string[], codes: Uint32Array): Text {
  const of = texts.map((text) => JSON.stringify(text));
  if (codes.length >= MANY) return rowWriter([{ text: 0, of }, ',']).write([codes]);
  return Array.from(codes, (code) => `${of[code]},`).join('');
}
