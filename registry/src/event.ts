import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { RolloutPlan } from './rollout.ts';
import type { RevokedEntry } from './signing/revoked.ts';

/** The format of events that this version writes, and the newest that it reads. */
export const FORMAT = 1;

/** Texts by name. */
export type Tags = Readonly<Record<string, string>>;
/** Figures by name; null: there is none. */
export type Metrics = Readonly<Record<string, number | null>>;

/** Where a version comes from. What is not known is absent. */
export interface Lineage {
  /** SHA-256 of the files of the training data, in the order of their names */
  readonly data?: string;
  /** SHA-256 of the schema of the model */
  readonly schema?: string;
  /** the command that trained it, without secrets */
  readonly command?: string;
  /** the version whose estimates it started from */
  readonly parent?: number;
  /** the run of an experiment tracker */
  readonly run?: string;
}

/** How a rollout ended. */
export type Outcome = 'promoted' | 'aborted' | 'rolled-back';

/** What happened, by the name of the event. Every event of a name has `name`, the name of the model. */
export interface Happenings {
  /** a model file became a version */
  pushed: {
    readonly name: string;
    readonly version: number;
    /** SHA-256 of the file */
    readonly sha256: string;
    /** the digest that the model has inside, which answers, `inspect` and `serve` call sha256; absent in events of before */
    readonly modelSha256?: string;
    readonly bytes: number;
    readonly tags?: Tags;
    readonly metrics?: Metrics;
    readonly lineage?: Lineage;
  };
  /** an alias names another version; null: it names none */
  aliased: {
    readonly name: string;
    readonly alias: string;
    readonly version: number | null;
    readonly from: number | null;
  };
  /** `champion` names another version */
  promoted: { readonly name: string; readonly version: number; readonly from: number | null };
  /** `champion` names a version that it had named before; a rollout that went on is over */
  'rolled-back': { readonly name: string; readonly version: number; readonly from: number };
  /** tags of a version; null takes one away */
  tagged: { readonly name: string; readonly version: number; readonly tags: Readonly<Record<string, string | null>> };
  /** a version must not be used any more; false takes that back */
  retired: { readonly name: string; readonly version: number; readonly retired: boolean };
  /** a signature was put beside a model file */
  signed: { readonly sha256: string; readonly keyId: string };
  /** a candidate went through its gate */
  gated: {
    readonly name: string;
    readonly version: number;
    readonly against: number | null;
    readonly passed: boolean;
    readonly failed: readonly string[];
  };
  /** what the registry demands before an alias is moved; `*` stands for every model */
  demanded: {
    readonly name: string;
    readonly alias: string;
    /** ids of the keys of which one must have signed */
    readonly keys: readonly string[];
    /** these keys, in PEM; absent in events of before, by which no signature can be verified */
    readonly publicKeys?: readonly string[];
    /** what is trusted no more, as `revokedOf` reads it */
    readonly revoked?: readonly RevokedEntry[];
    readonly gate: boolean;
  };
  /** files that no version has were removed */
  collected: { readonly sha256s: readonly string[] };
  'rollout-started': {
    readonly name: string;
    readonly champion: number;
    readonly challenger: number;
    readonly plan: RolloutPlan;
  };
  'rollout-advanced': { readonly name: string; readonly step: number };
  'rollout-ended': { readonly name: string; readonly outcome: Outcome; readonly version: number };
}

export type Kind = keyof Happenings;

/** What every event has. */
export interface Envelope {
  readonly format: number;
  /** from 1 on, without gaps */
  readonly seq: number;
  /** SHA-256 of the line before; of the first: 64 zeros */
  readonly before: string;
  /** a random id, by which its writer finds it */
  readonly id: string;
  /** when, in ISO 8601 (UTC); never before that of the event before */
  readonly at: string;
  /** what the clock of the writer said, where that was before the event before */
  readonly clock?: string;
  /** who */
  readonly by: string;
  readonly why?: string;
}

/** What happened, without its envelope. */
export type Happening = { readonly [K in Kind]: { readonly event: K } & Happenings[K] }[Kind];
/** A line of the log. */
export type RegistryEvent = Envelope & Happening;

export const FIRST = '0'.repeat(64);

/** The digest of a line that the next event has. */
export const digestOf = (line: string): string => bytesToHex(sha256(utf8ToBytes(line)));

/** The line of an event, without its end. */
export const lineOf = (event: RegistryEvent): string => JSON.stringify(event);
