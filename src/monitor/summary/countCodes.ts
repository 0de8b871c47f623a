import { numberCounter } from '../../../bindings/counting.ts';

/** Codes from which on the kernel counts. */
const MANY = 512;
/** Slots that are counted twice: in the two tables of an array. */
const MOST_SLOTS = 1024;
let twice: Uint32Array | null = null;

/** Adds how often each code occurs to the counts from `from` on. */
export function countCodes(
  counts: Float64Array,
  from: number,
  codes: Uint8Array | Uint16Array | Uint32Array,
  slots: number,
): void {
  const rows = codes.length;
  const counter = codes instanceof Uint8Array && rows >= MANY ? numberCounter() : null;
  if (counter) {
    counter.countCodes(counts, from, slots, codes as Uint8Array);
    return;
  }
  if (slots > MOST_SLOTS || rows < 64) {
    for (let i = 0; i < rows; i++) counts[from + codes[i]]++;
    return;
  }
  // two tables, because neighbouring codes are often equal
  twice ??= new Uint32Array(2 * MOST_SLOTS);
  const even = twice.subarray(0, slots).fill(0);
  const odd = twice.subarray(MOST_SLOTS, MOST_SLOTS + slots).fill(0);
  let i = 0;
  for (; i + 1 < rows; i += 2) {
    even[codes[i]]++;
    odd[codes[i + 1]]++;
  }
  if (i < rows) even[codes[i]]++;
  for (let k = 0; k < slots; k++) counts[from + k] += even[k] + odd[k];
}
