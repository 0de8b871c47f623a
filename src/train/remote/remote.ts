import type { Moments, Tallied } from '../../encode/infer.ts';
import type { CategoricalFeature, NumericFeature } from '../../encode/schema.ts';

/** A question about rows on other machines: what is asked, and numbers that belong to it. */
export interface RemoteQuestion {
  readonly op: string;
  readonly [field: string]: unknown;
}

/** What comes back: an object, and numbers. */
export interface RemoteAnswer {
  readonly facts: unknown;
  readonly values: Float64Array;
}

/** Rows on other machines. An answer depends on the question alone, and not on when or where it is computed. */
export interface Remote {
  /** Waits for the answer. @throws the error of the other side, as a LogoddsError */
  ask(question: RemoteQuestion, values?: readonly Float64Array[]): RemoteAnswer;
}

/** What the rows of one part say before anything is known of the others. */
export interface PartStatistics {
  readonly rows: number;
  /** of each label of the target: its rows, those of positive weight, and Σ s */
  readonly target: readonly (readonly [label: string, rows: number, counted: number, weight: number])[];
  /** in the order of the columns */
  readonly features: readonly (readonly [name: string, found: Moments | Tallied])[];
  /** least and greatest weight; absent: no weights */
  readonly weights?: { readonly least: number; readonly greatest: number };
}

/** A column as the other side encodes it. */
export type RemoteColumn =
  | (Pick<NumericFeature, 'name' | 'kind' | 'mean' | 'scale' | 'indicator'> & { readonly at: number })
  | (Pick<CategoricalFeature, 'name' | 'kind' | 'levels'> & {
      readonly at: number;
      readonly slots: number;
      /** code of a missing cell, and of a level that no counted row has */
      readonly gap: number;
      readonly unseen: number;
    });
