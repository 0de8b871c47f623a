import type { LogoddsError, Model } from '../../../../../src/index.ts';
import type { Span } from '../transport.ts';

/** A model that scores, and what its messages say of it. */
export interface ModelInUse {
  readonly name: string;
  /** in the registry; null: it is a file */
  readonly version: string | null;
  readonly sha256: string;
  readonly model: Model;
}

/** What became of a message: the bytes of its score, or why there is none. */
export type Result = Span | LogoddsError;

/** All of some bytes. */
export const whole = (bytes: Buffer): Span => ({ bytes, from: 0, to: bytes.length });

/** The bytes of a part. */
export const bytesOf = ({ bytes, from, to }: Span): Buffer => bytes.subarray(from, to);

/** What payloads are: reads records from them, and writes scores in the same format. */
export interface Format {
  /** Scores payloads. What cannot be read or scored has an error; the others are scored. Rejects with what is no fault of a payload. */
  score(payloads: readonly Span[]): Promise<readonly Result[]> | readonly Result[];
  /** Gives back the memory. */
  free(): void;
}

/** Makes the format of a model: one for each model in use. */
export type FormatOf = (used: ModelInUse) => Format;
