import { numbersOf as looseNumbersOf, numbersIn } from './check.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';

/** The true length or type name of a typed array, whatever the object reports; the type name of anything else is undefined. */
export const ofTyped = (values: unknown, key: 'length' | typeof Symbol.toStringTag) =>
  Reflect.get(Object.getPrototypeOf(Uint8Array.prototype), key, values);

/** The numbers of a caller; a typed array has its true length. @see looseNumbersOf @throws ERR_SHAPE */
export function numbersOf(what: string, values: ArrayLike<number>, length: number): ArrayLike<number> {
  const numbers = looseNumbersOf(what, values, length);
  const real = ofTyped(numbers, Symbol.toStringTag) ? ofTyped(numbers, 'length') : length;
  if (real === length) return numbers;
  throw new LogoddsError('ERR_SHAPE', `${what}: expected ${length} numbers, got ${real}`);
}

/** Numbers of a caller: their name, the array (null: none), its required length, and optionally the range of finite values. */
export type Lent = readonly [
  what: string,
  values: ArrayLike<number> | null | undefined,
  length: number,
  least?: number,
  most?: number,
];

/**
 * Reads several arrays of a caller into arrays without getters. A getter of one array may change another that was read before, so all are
 * checked after the last one was read. Arrays in the memory of the engine are copied, because that memory moves when it grows.
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
