import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import type { Precision } from './layout.ts';

const MAX_ROWS = 0xfffffff0;

/** A value in a message: a number unchanged, or the type of anything else. */
export const told = (value: unknown): unknown => (typeof value === 'number' ? value : typeof value);

/** One of some names. @throws ERR_RANGE */
export function among<T extends string>(what: string, value: T, ...names: readonly T[]): T {
  if (names.includes(value)) return value;
  const got = typeof value === 'string' ? value : typeof value;
  throw new LogoddsError('ERR_RANGE', `${what}: expected ${names.join(' or ')}, got ${got}`);
}

/** @throws ERR_RANGE */
export const precisionOf = <P extends Precision>(heap: Heap, precision: P): P =>
  among(
    `precision${heap.precisions[1] ? '' : ' (f32: by pickEngine of "logodds")'}`,
    precision,
    ...heap.precisions,
  ) as P;

/**
 * The numbers of a caller. An untyped array is copied, so that the checked values are the ones read later. For a typed array only its
 * elements are trusted, because a subclass may report another length.
 * @throws ERR_SHAPE for another length, or for an entry that is not a number
 */
export function numbersOf(what: string, values: ArrayLike<number>, length: number): ArrayLike<number> {
  const found = told(values?.length);
  if (found === length) {
    if (ArrayBuffer.isView(values) && typeof values[0] === 'number') return values;
    const copy: number[] = [];
    // one at a time, so that an object with a false length fails at once
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (typeof value !== 'number') break;
      copy.push(value);
    }
    if (copy.length === length) return copy;
  }
  throw new LogoddsError(
    'ERR_SHAPE',
    `${what}: expected ${length} numbers, got ${found === length ? 'others' : found}`,
  );
}

/** As `numbersOf`, from `least` to `most`. @throws ERR_SHAPE, ERR_RANGE naming the first number outside */
export function numbersIn(
  what: string,
  values: ArrayLike<number>,
  length: number,
  least = -Number.MAX_VALUE,
  most = Number.MAX_VALUE,
): ArrayLike<number> {
  const numbers = numbersOf(what, values, length);
  for (let i = 0; i < length; i++) {
    if (numbers[i] >= least && numbers[i] <= most) continue;
    throw new LogoddsError(
      'ERR_RANGE',
      `${what}: expected numbers from ${least} to ${most}, got ${numbers[i]} at ${i}; correct it or leave the row out`,
    );
  }
  return numbers;
}

/** a count the kernels can take: a whole number that fits 32 bits */
export function size(what: string, value: number, least = 0): number {
  return index(what, value, MAX_ROWS, least);
}

/** a whole number from `least` to `last` */
export function index(what: string, value: number, last: number, least = 0): number {
  if (Number.isInteger(value) && value >= least && value <= last) return value;
  throw new LogoddsError('ERR_RANGE', `${what}: expected a whole number from ${least} to ${last}, got ${told(value)}`);
}
