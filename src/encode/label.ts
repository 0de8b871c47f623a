import { LogoddsError } from '../../bindings/errors.ts';
import { show } from '../messages.ts';

/**
 * Returns the name of the category that a value stands for: 2 → "2", −0 → "0", 2n → "2", true → "true", a string as it is. It never trims, folds
 * case or rounds.
 * @throws ERR_RECORD for NaN, ±Infinity, null, undefined, objects, functions and symbols
 * @example
 * canonicalLabel(2); // '2'
 * canonicalLabel(true); // 'true'
 * canonicalLabel(null); // throws ERR_RECORD
 */
export function canonicalLabel(value: unknown): string {
  const label = labelOf(value);
  if (label === null) throw new LogoddsError('ERR_RECORD', `category: expected ${LABEL_RULE}, got ${show(value)}`);
  return label;
}

export const LABEL_RULE = 'a string, finite number or boolean';

/** `canonicalLabel`, but null for what cannot be a category */
export function labelOf(value: unknown): string | null {
  return ['string', 'bigint', 'boolean'].includes(typeof value) || Number.isFinite(value) ? String(value) : null;
}

/** A value of a record as the text of a category: `labelOf`, a date in ISO 8601; null for anything else */
export const textOf = (value: unknown): string | null =>
  value instanceof Date && Number.isFinite(+value) ? value.toISOString() : labelOf(value);
