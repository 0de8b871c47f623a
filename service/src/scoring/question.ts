import type { ByteScores } from 'logodds/bytes';
import type { Model, Scores, Table } from 'logodds/score';
import type { Field } from 'logodds/stages';

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

/** A model that has scored rows of an answer of several: by which segment it was chosen, and as which arm. */
export interface Part {
  readonly segment: string;
  readonly route: string;
  /** the rollout that the arm is of; null: there is none */
  readonly rollout: string | null;
  readonly served: {
    readonly name: string;
    readonly version: string;
    readonly sha256: string;
    readonly model: Model;
    readonly fields: readonly Field[];
  };
}

/** The rows of a part: numbered in the answer, and what they were scored from. */
export interface PartAnswer {
  readonly part: Part;
  /** of the whole answer */
  readonly parts: Parts;
  /** what the whole answer was scored from */
  readonly whole: Rows;
  /** of each row its number in the whole answer */
  readonly index: readonly number[];
  readonly answer: Answer;
  readonly rows: Rows;
}

/** Which models have scored which rows. */
export interface Parts {
  /** of each row the index of its part */
  readonly codes: Uint32Array;
  readonly of: readonly Part[];
  /** what each part that has rows has scored @param rows  those of the whole answer */
  each(answer: Answer, rows: Rows): readonly PartAnswer[];
}

/** Scores of rows in columns; those of a row with a fault mean nothing. */
export interface Answer {
  /** parts: several models have scored them */
  readonly scores: (Scores<'f64'> | ByteScores) & { readonly parts?: Parts };
  readonly faults: readonly RowFault[];
  /** by row; empty: nothing was asked */
  readonly details: readonly Details[];
}
