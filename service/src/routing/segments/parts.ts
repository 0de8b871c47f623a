import type { Engine, Model } from 'logodds/score';
import type { Field } from 'logodds/stages';
import type { Served } from '../../models/served.ts';
import type { Answer, Part, PartAnswer, Parts, Rows } from '../../scoring/question.ts';
import type { emptyScores } from '../../scoring/score.ts';
import type { Unmatched, Values } from './rules.ts';

/** A row of a stream: its bytes with the end of its line, and its values; null: it could not be read, which the model says that gets it. */
export interface StreamRow {
  readonly bytes: Uint8Array;
  readonly record: object | null;
}

/** Takes a stream with a header apart. */
export interface RowPieces {
  /** The rows that a piece completes. Empty bytes: the end, which completes the last one. */
  rows(bytes: Uint8Array): StreamRow[];
  /** what stands before the first row; null: it was not complete yet */
  readonly header: Uint8Array | null;
}

/** A model that answers a part of a request, while it does. */
export interface OpenPart extends Part {
  served: Served;
  /** Goes on to the next model after this one has failed of itself. @throws the error where there is none */
  failed(error: unknown): void;
  /** It has refused all its rows. */
  refused(): void;
}

/** Says which model scores a record. */
export type ChoosePart = (values: Values, told: (unmatched: Unmatched) => void) => OpenPart;

/** What stands for several models: made once for a route. */
export interface Front {
  readonly name: string;
  /** has their classes, and no weights */
  readonly model: Model;
  /** of all of them */
  readonly fields: readonly Field[];
  readonly engine: Engine;
  /** makes what takes CSV apart; null: the host has none */
  readonly csv: ((fields: readonly Field[]) => RowPieces) | null;
}

/** The version of answers that several models have given together. */
export const SEGMENTS = 'segments';

/** Which models have scored which rows, and which values no segment names. */
export class RowParts implements Parts {
  readonly codes: Uint32Array;
  readonly of: OpenPart[] = [];
  readonly unmatched: Unmatched[] = [];
  /** of each part the records or the table that it has scored */
  readonly rows = new Map<OpenPart, Rows>();

  constructor(count: number) {
    this.codes = new Uint32Array(count);
  }

  put(row: number, part: OpenPart): void {
    let code = this.of.indexOf(part);
    if (code < 0) code = this.of.push(part) - 1;
    this.codes[row] = code;
  }

  /** Of each part the numbers of its rows. */
  indexes(): number[][] {
    const indexes = this.of.map((): number[] => []);
    for (let row = 0; row < this.codes.length; row++) indexes[this.codes[row]].push(row);
    return indexes;
  }

  each(answer: Answer, rows: Rows): PartAnswer[] {
    const indexes = this.indexes();
    return this.of.map((part, k) => {
      const index = indexes[k];
      const own: Rows = this.rows.get(part) ?? rows;
      if (index.length === answer.scores.rows) return { part, parts: this, whole: rows, index, answer, rows: own };
      const places = new Map(index.map((row, i) => [row, i]));
      const faults = answer.faults.flatMap(({ row, error }) => {
        const at = places.get(row);
        return at === undefined ? [] : [{ row: at, error }];
      });
      const details = answer.details.length > 0 ? index.map((row) => answer.details[row]) : [];
      return {
        part,
        parts: this,
        whole: rows,
        index,
        answer: { scores: picked(answer.scores, index), faults, details },
        rows: own,
      };
    });
  }
}

/** An error that says the number that a row has in the whole input. */
export function renumbered<E extends Error>(error: E, rowOf: (row: number) => number): E {
  const own = error as E & { problems?: readonly { readonly row?: number }[] };
  own.message = own.message.replace(/\brow (\d+)/, (_, row: string) => `row ${rowOf(Number(row))}`);
  const problems = own.problems?.map((one) => (one.row === undefined ? one : { ...one, row: rowOf(one.row) }));
  return problems ? Object.assign(own, { problems }) : own;
}

type Open = ReturnType<typeof emptyScores>;

/** Writes the scores of rows to where they belong. @param from  number of the first one */
export function scatter(to: Open, index: readonly number[], scores: Answer['scores'], from = 0): void {
  const vectors = to.rows === 0 ? 0 : to.logits.length / to.rows;
  index.forEach((row, i) => {
    const own = from + i;
    for (let k = 0; k < vectors; k++) {
      to.logits[k * to.rows + row] = scores.logits[k * scores.rows + own];
      to.probabilities[k * to.rows + row] = scores.probabilities[k * scores.rows + own];
    }
    to.labels[row] = scores.labels[own];
    to.defaulted[row] = scores.defaulted[own];
    to.outOfRange[row] = scores.outOfRange[own];
    if (to.review && scores.review) to.review[row] = scores.review[own];
  });
}

function picked(scores: Answer['scores'], index: readonly number[]): Answer['scores'] {
  const pick = <T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T => {
    const vectors = scores.rows === 0 ? 0 : from.length / scores.rows;
    for (let k = 0; k < vectors; k++)
      for (let i = 0; i < index.length; i++) to[k * index.length + i] = from[k * scores.rows + index[i]];
    return to;
  };
  const { length } = index;
  const planes = (from: Float64Array) =>
    pick(from, new Float64Array(scores.rows === 0 ? 0 : (from.length / scores.rows) * length));
  return {
    rows: length,
    logits: planes(scores.logits),
    probabilities: planes(scores.probabilities),
    labels: pick(scores.labels as Uint32Array, new Uint32Array(length)),
    defaulted: planes(scores.defaulted),
    outOfRange: planes(scores.outOfRange),
    review: scores.review && pick(scores.review, new Uint8Array(length)),
  };
}
