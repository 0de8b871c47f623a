import type { Explained, Scored, Source } from './explained.ts';

/** A value of a record. */
export type Value = number | string | boolean | Date | readonly unknown[];

/** A column of a record for which another value is searched. */
export interface Search<S extends Scored = Scored> {
  readonly model: Explained<S>;
  readonly source: Source;
  /** the value in the record */
  readonly from: unknown;
  /** score of the record */
  readonly now: S;
  /** score with another value; null if the model refuses that value */
  score(value: Value): S | null;
}

/** What was found. */
export interface Found {
  /** null: nothing */
  readonly to: Value | null;
  /** reason why nothing was found, in one sentence */
  readonly reason?: string;
  readonly extrapolated?: boolean;
  readonly tokens?: TokenChange;
}

/** Words or tags that are added and removed; a removed one leaves all its places. */
export interface TokenChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Whether a value changes the label. */
export function flips({ score, now }: Search, value: Value): boolean {
  const then = score(value);
  return then !== null && then.label !== now.label;
}

/** A level in the form of the record's value. */
export function like(from: unknown, level: string): string | number | boolean {
  if (typeof from === 'boolean' && (level === 'true' || level === 'false')) return level === 'true';
  return typeof from === 'number' && String(Number(level)) === level ? Number(level) : level;
}
