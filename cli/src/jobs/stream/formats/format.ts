import type { Signed } from '../../../../../registry/src/signing/index.ts';
import type { Scored } from '../../../../../service/src/index.ts';
import type { LogoddsError, Model } from '../../../../../src/index.ts';
import type { Span } from '../transport.ts';

/** A model that scores, and what its messages say of it. */
export interface ModelInUse {
  readonly name: string;
  /** in the registry; null: it is a file */
  readonly version: string | null;
  readonly sha256: string;
  readonly model: Model;
  /** null: no signature was asked for */
  readonly signed: Signed | null;
}

/** What became of a message: the bytes of its score, or why there is none. */
export type Result = Span | LogoddsError;

/** All of some bytes. */
export const whole = (bytes: Buffer): Span => ({ bytes, from: 0, to: bytes.length });

/** The bytes of a part. */
export const bytesOf = ({ bytes, from, to }: Span): Buffer => bytes.subarray(from, to);

/** Rows that were scored, as a prediction log takes them. */
export interface LoggedRows extends Pick<Scored, 'rows' | 'logits' | 'probabilities' | 'labels' | 'count' | 'refused'> {
  /** of each row the number of its payload; a number: all are of that one */
  readonly of: readonly number[] | number;
}

/** Takes rows that were scored. */
export type Logging = (rows: LoggedRows) => void;

/** What payloads are: reads records from them, and writes scores in the same format. */
export interface Format {
  /**
   * Scores payloads. What cannot be read or scored has an error; the others are scored. Rejects with what is no fault of a payload.
   * @param log  null: there is none
   */
  score(payloads: readonly Span[], log: Logging | null): Promise<readonly Result[]> | readonly Result[];
  /** Gives back the memory. */
  free(): void;
}

/** Makes the format of a model: one for each model in use. */
export type FormatOf = (used: ModelInUse) => Format;
