import type { Explained, Scored, Source } from './explained.ts';

/** A value as a record may have it. */
export type Value = number | string | boolean | Date | readonly unknown[];

/** A column of a record for which another value is looked for. */
export interface Search<S extends Scored = Scored> {
  readonly model: Explained<S>;
  readonly source: Source;
  /** the value in the record */
  readonly from: unknown;
  /** what the model says of the record */
  readonly now: S;
  /** what the model says with another value; null where it takes none such */
  score(value: Value): S | null;
}

/** What was found. */
export interface Found {
  /** null: nothing */
  readonly to: Value | null;
  /** of nothing: why, in one sentence */
  readonly reason?: string;
  readonly extrapolated?: boolean;
  readonly tokens?: TokenChange;
}

/** Words or tags that come and go; all places of one that goes. */
export interface TokenChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Whether a value changes the label. */
export function flips({ score, now }: Search, value: Value): boolean {
  const then = score(value);
  return then !== null && then.label !== now.label;
}

/** A level as the record would write it. */
export function like(from: unknown, level: string): string | number | boolean {
  if (typeof from === 'boolean' && (level === 'true' || level === 'false')) return level === 'true';
  return typeof from === 'number' && String(Number(level)) === level ? Number(level) : level;
}
