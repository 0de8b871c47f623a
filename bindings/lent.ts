import { numbersOf as looseNumbersOf, numbersIn } from './check.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';

/** What a typed array is, whatever it says of itself: its length, or the name of its type, which is undefined of what is none. */
export const ofTyped = (values: unknown, key: 'length' | typeof Symbol.toStringTag) =>
  Reflect.get(Object.getPrototypeOf(Uint8Array.prototype), key, values);

/** The numbers of a caller, of a typed array as many as it really has. @see looseNumbersOf @throws ERR_SHAPE */
export function numbersOf(what: string, values: ArrayLike<number>, length: number): ArrayLike<number> {
  const numbers = looseNumbersOf(what, values, length);
  const real = ofTyped(numbers, Symbol.toStringTag) ? ofTyped(numbers, 'length') : length;
  if (real === length) return numbers;
  throw new LogoddsError('ERR_SHAPE', `${what}: expected ${length} numbers, got ${real}`);
}

/** Numbers of a caller: what they are, themselves (null: none), how many there must be; with a least (and a greatest) one finite and in this range. */
export type Lent = readonly [
  what: string,
  values: ArrayLike<number> | null | undefined,
  length: number,
  least?: number,
  most?: number,
];

/**
 * Several arrays that a caller gives together, as numbers that ask nobody for anything any more. A getter of one may change the memory of another
 * that was looked at before, so all are checked when the last was read. What lies in the memory of the engine, which moves when it grows, is copied.
 * @throws as `numbersOf` and `numbersIn`
 */
export function numbersTogether(heap: Heap, lent: readonly Lent[]): (ArrayLike<number> | null)[] {
  const read = lent.map(([what, values, length]) =>
    values === null ? null : numbersOf(what, values as ArrayLike<number>, length),
  );
  return lent.map(([what, , length, ...range], k) => {
    const values = read[k];
    if (values === null) return null;
    const checked = numbersOf(what, values, length);
    if (range.length > 0) numbersIn(what, checked, length, ...range);
    const moves = ArrayBuffer.isView(checked) && checked.buffer === heap.u8.buffer;
    return moves ? new Float64Array(checked as Float64Array) : checked;
  });
}
