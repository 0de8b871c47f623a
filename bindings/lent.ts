import { numbersIn, numbersOf } from './batch.ts';
import type { Heap } from './heap.ts';

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
    const checked = range.length > 0 ? numbersIn(what, values, length, ...range) : numbersOf(what, values, length);
    const moves = ArrayBuffer.isView(checked) && checked.buffer === heap.u8.buffer;
    return moves ? new Float64Array(checked as Float64Array) : checked;
  });
}
