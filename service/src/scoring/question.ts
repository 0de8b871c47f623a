import type { ByteScores } from 'logodds/bytes';
import type { Scores, Table } from 'logodds/score';

/** What is asked beside the scores of rows. */
export interface Wanted {
  /** greatest number of reasons of each row; 0: none */
  readonly explain: number;
  /** probability that intervals cover; null: no intervals */
  readonly interval: number | null;
  /** fields of which the smallest change is wanted that gives another label */
  readonly whatIf: readonly string[];
}

export const NOTHING: Wanted = { explain: 0, interval: null, whatIf: [] };

/** Rows to score, as a protocol has them. Bytes are JSON (a record, or an array), or the piece of a stream that completes the rows. */
export type Rows =
  | { readonly kind: 'bytes' | 'lines' | 'csv'; readonly bytes: Uint8Array }
  | { readonly kind: 'records'; readonly records: readonly object[] }
  | { readonly kind: 'table'; readonly table: Table };

/** Why a row has no score. */
export interface RowFault {
  readonly row: number;
  readonly error: Error;
}

/** The reasons of a label, the strongest first. */
export type Reasons = readonly {
  readonly feature: string;
  readonly value: unknown;
  readonly push: number;
  readonly text: string;
}[];

/** Where the probability may be, by what the model has seen. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The smallest change of each field that gives another label. */
export type WhatIfs = readonly {
  readonly feature: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly label: string | null;
  readonly reason: string | null;
}[];

/** What was found of a row beside its score. */
export interface Details {
  readonly reasons?: Reasons;
  readonly interval?: Interval;
  readonly whatIf?: WhatIfs;
}

/** Scores of rows in columns; those of a row with a fault mean nothing. */
export interface Answer {
  readonly scores: Scores<'f64'> | ByteScores;
  readonly faults: readonly RowFault[];
  /** by row; empty: nothing was asked */
  readonly details: readonly Details[];
}
