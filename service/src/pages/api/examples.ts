import type { Field } from 'logodds/stages';
import type { Served } from '../../models/served.ts';
import { ScoreJson } from '../../responses/scoreJson.ts';
import { scoreRecords } from '../../scoring/score.ts';

/** Bodies for a model that it takes, and what it answers. */
export interface Examples {
  readonly record: Readonly<Record<string, unknown>>;
  /** the score of the record */
  readonly score: unknown;
  /** a tensor for each field of the record */
  readonly tensors: readonly object[];
  /** header and one row */
  readonly csv: string;
}

const found = new WeakMap<Served, Examples | null>();

/** Examples for a model; null: no record was found that it takes. */
export function examplesOf(served: Served): Examples | null {
  let examples = found.get(served);
  if (examples === undefined) {
    examples = make(served);
    found.set(served, examples);
  }
  return examples;
}

function make(served: Served): Examples | null {
  for (const values of [usual, numbersAsTheyAre, missing]) {
    const record = Object.fromEntries(served.fields.map((field) => [field.name, values(field)]));
    const answer = scoreRecords(served, [record], { explain: 0, interval: null, whatIf: [] });
    if (answer.faults.length > 0) continue;
    return {
      record,
      score: JSON.parse(new ScoreJson(served).row(answer, 0)),
      tensors: served.fields.map((field) => tensor(field, record[field.name])),
      csv: [served.fields.map(({ name }) => name), Object.values(record).map(textOf)]
        .map((cells) => `${cells.map(cell).join()}\n`)
        .join(''),
    };
  }
  return null;
}

/** A value from the middle of what was seen in training. */
function usual({ type, levels, min, max, low, high }: Field): unknown {
  if (type === 'number') {
    const [from, to] = [
      Math.max(min ?? 0, low ?? Number.NEGATIVE_INFINITY),
      Math.min(max ?? 1, high ?? Number.POSITIVE_INFINITY),
    ];
    return Number(((from + to) / 2).toPrecision(3));
  }
  if (type === 'date') return '2026-01-31';
  if (type === 'tags') return levels?.slice(0, 1) ?? ['a'];
  return levels?.[0] ?? 'a';
}

/** Of a number its least: the middle may be none that a narrow range takes. */
const numbersAsTheyAre = (field: Field): unknown =>
  field.type === 'number' ? (field.low ?? field.min ?? 0) : usual(field);
const missing = (field: Field): unknown => (field.nullable ? null : usual(field));

const textOf = (value: unknown): string =>
  value === null ? '' : Array.isArray(value) ? JSON.stringify(value) : String(value);
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function tensor({ name, type }: Field, value: unknown): object {
  const isNumber = type === 'number';
  const data = [isNumber || value === null ? value : textOf(value)];
  return { name, datatype: isNumber ? 'FP64' : 'BYTES', shape: [1], data };
}
