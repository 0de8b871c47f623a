/** Parquet's hybrid of run lengths and packed bits, which the kernel of `readHybrid` reads. */

/** Whether the values of one bit, from `at` on, are one run of `count` ones. */
export function isAllOnes(bytes: Uint8Array, at: number, end: number, count: number): boolean {
  let head = 0;
  for (let shift = 0; shift <= 28 && at < end; shift += 7) {
    const byte = bytes[at++];
    head += (byte & 127) * 2 ** shift;
    if (byte < 128) return head === 2 * count && at < end && bytes[at] === 1;
  }
  return false;
}
