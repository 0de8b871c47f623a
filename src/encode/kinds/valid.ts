import { DATE_PARTS } from '../date.ts';
import type { BinnedFeature, CrossFeature, Dated, DatePart, DatePartFeature } from '../schema.ts';

// Checks of a feature in a model file, beside those of `check.ts` for every feature.

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isNumber = (value: unknown): value is number => Number.isFinite(value);
export const among = (value: unknown, words: string): boolean => isText(value) && words.split(' ').includes(value);
export const numbers = (value: unknown, length: number): boolean =>
  Array.isArray(value) && value.length === length && value.every(isNumber);
export const positive = (value: unknown, length: number): boolean =>
  numbers(value, length) && (value as number[]).every((one) => one > 0);
export const rising = (value: readonly number[]): boolean => value.every((one, i) => i === 0 || one > value[i - 1]);
export const distinctTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const optional = (value: unknown, valid: (value: unknown) => boolean): boolean => value === undefined || valid(value);

/** The column of a feature and, for dates, the part, the unit of numbers and the range of training. */
export function validSource({ column, part, unit, dates }: { column?: string; part?: DatePart } & Dated): boolean {
  return (
    optional(column, isText) &&
    optional(part, (value) => DATE_PARTS.includes(value as DatePart)) &&
    optional(unit, (value) => among(value, 'ms s')) &&
    optional(dates, (value) => numbers(value, 2))
  );
}

/** A feature of levels. */
export function validLevels(feature: BinnedFeature | DatePartFeature | CrossFeature): boolean {
  const { levels, counts, coding, reference, missing, unseen } = feature;
  return (
    distinctTexts(levels) &&
    levels.length > 0 &&
    numbers(counts, levels.length + 1) &&
    among(coding, 'onehot treatment') &&
    (coding === 'onehot'
      ? reference === null
      : Number.isInteger(reference) && reference! >= 0 && reference! < levels.length) &&
    among(missing, 'slot baseline mode error') &&
    among(unseen, 'slot baseline error') &&
    ('of' in feature || validSource(feature))
  );
}
