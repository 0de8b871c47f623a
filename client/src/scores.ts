import type { Problem } from './error.ts';
import type { CallOptions } from './transport.ts';

/** The model that answered. */
export interface Model {
  readonly name: string;
  readonly version: string;
  /** digest of its file */
  readonly sha256: string;
}

/** Why a label: a feature that pushes towards it. */
export interface Reason {
  readonly feature: string;
  readonly value: unknown;
  /** by how much the logit is greater for it */
  readonly push: number;
  readonly text: string;
}

/** The smallest change of a field that gives another label. */
export interface WhatIf {
  readonly feature: string;
  readonly from: unknown;
  readonly to: unknown;
  /** null: no change does */
  readonly label: string | null;
  /** why none does */
  readonly reason: string | null;
}

/** The score of a record. */
export interface Score {
  /** with two classes that of the positive one, with several that of the label; null: none, the logit is no number */
  readonly probability: number | null;
  readonly label: string;
  /** null: it is infinite */
  readonly logit: number | null;
  /** number of features that took a default */
  readonly defaulted: number;
  /** of a model with a band for review */
  readonly review?: boolean;
  /** by class, where there are several */
  readonly probabilities?: Readonly<Record<string, number | null>>;
  /** where `explain` asks, the strongest first */
  readonly reasons?: readonly Reason[];
  /** where `interval` asks */
  readonly interval?: { readonly low: number; readonly high: number };
  /** where `whatif` asks, a change for each field */
  readonly whatif?: readonly WhatIf[];
  readonly error?: undefined;
}

/** Why a record has no score. */
export interface Fault {
  readonly error: string;
  readonly code: string;
  readonly problems?: readonly Problem[];
}

/** The answer to a record. */
export interface ScoredRecord {
  readonly model: Model;
  readonly requestId: string;
  readonly score: Score;
}

/** The answer to records, in their order. */
export interface ScoredRecords {
  readonly model: Model;
  readonly requestId: string;
  readonly scores: readonly (Score | Fault)[];
}

/** What is wanted beside scores. */
export interface ScoreOptions extends CallOptions {
  /** default: the newest */
  readonly version?: string;
  /** greatest number of reasons */
  readonly explain?: number;
  /** probability that intervals cover, as 0.95 */
  readonly interval?: number;
  /** fields of which the smallest change is wanted that gives another label */
  readonly whatif?: readonly string[];
}

/** How records are streamed. */
export interface StreamOptions extends ScoreOptions {
  /**
   * records of a request; default 500. Each request is repeated where it fails. null: one request, of which each record is answered as it is
   * sent; it cannot be repeated, and needs a host that sends and receives at once (Node, Deno, Bun, Workers; no browser).
   */
  readonly batch?: number | null;
}

/** Rows of CSV with a header. A text and bytes are sent again where that may help; a stream cannot be. */
export type CsvBody = string | Uint8Array | ReadableStream<Uint8Array>;

/** What became true of a record that was scored. */
export interface Label {
  /** the id of its request */
  readonly id: string;
  readonly label: string;
  /** when, as ISO 8601 */
  readonly at?: string;
}

/** What a model is. */
export interface ModelInfo extends Model {
  /** the newest last */
  readonly versions: readonly string[];
  readonly classes: readonly string[];
  /** null: there are several classes */
  readonly positive: string | null;
  /** what a record has */
  readonly fields: readonly {
    readonly name: string;
    readonly type: string;
    readonly levels?: readonly string[];
    readonly [more: string]: unknown;
  }[];
  readonly [more: string]: unknown;
}

/** What became of labels. */
export interface LabelsTaken {
  readonly accepted: number;
  readonly refused: readonly { readonly row: number; readonly error: string }[];
}
