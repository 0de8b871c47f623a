/** Parquet's hybrid of run lengths and packed bits. */

/** Most bits of a value that are read here. */
export const MOST_BITS = 24;

/**
 * Reads values of `bits` bits, from `at` to `end` of the bytes, into `out`.
 * @returns the greatest value
 * @throws RangeError when the bytes end before the values do
 */
export function readHybrid(
  bytes: Uint8Array,
  at: number,
  end: number,
  bits: number,
  out: Uint32Array,
  count: number,
): number {
  if (bits > MOST_BITS || end > bytes.length) throw new RangeError('values of too many bits');
  if (bits === 0) {
    out.fill(0, 0, count);
    return 0;
  }
  let greatest = 0;
  for (let row = 0; row < count; ) {
    let head = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw new RangeError('no run of values');
      const byte = bytes[at++];
      head += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    const length = Math.floor(head / 2);
    if (head % 2 === 0) {
      const width = (bits + 7) >> 3;
      // a run of more values than there are is left to those who know its writer
      if (length === 0 || length > count - row || at + width > end) throw new RangeError('a run that does not fit');
      let value = 0;
      for (let i = 0; i < width; i++) value |= bytes[at++] << (8 * i);
      if (value >>> bits) throw new RangeError('a value of too many bits');
      if (value > greatest) greatest = value;
      out.fill(value, row, row + length);
      row += length;
      continue;
    }
    const size = length * bits;
    if (length === 0 || at + size > end) throw new RangeError('packed values that do not fit');
    const values = Math.min(8 * length, count - row);
    const unpack = bits === 8 ? copyBytes : bits < 8 ? unpackNarrow : unpackWide;
    const most = unpack(bytes, at, bits, out, row, values);
    if (most > greatest) greatest = most;
    row += values;
    at += size;
  }
  return greatest;
}

/** Values of 8 bits. @returns the greatest */
function copyBytes(bytes: Uint8Array, at: number, _: number, out: Uint32Array, row: number, count: number): number {
  let greatest = 0;
  for (let i = 0; i < count; i++) {
    const value = bytes[at + i];
    if (value > greatest) greatest = value;
    out[row + i] = value;
  }
  return greatest;
}

/** Values of fewer than 8 bits, each in two bytes at most. @returns the greatest */
function unpackNarrow(
  bytes: Uint8Array,
  at: number,
  bits: number,
  out: Uint32Array,
  row: number,
  count: number,
): number {
  const mask = (1 << bits) - 1;
  let greatest = 0;
  for (let i = 0, bit = 0; i < count; i++, bit += bits) {
    const place = at + (bit >>> 3);
    const value = ((bytes[place] | (bytes[place + 1] << 8)) >>> (bit & 7)) & mask;
    if (value > greatest) greatest = value;
    out[row + i] = value;
  }
  return greatest;
}

/** Values of at most 24 bits, each in four bytes at most. @returns the greatest */
function unpackWide(bytes: Uint8Array, at: number, bits: number, out: Uint32Array, row: number, count: number): number {
  const mask = (1 << bits) - 1;
  let greatest = 0;
  // the bits of a long run may be more than 2³¹
  for (let start = 0; start < count; start += 8, at += bits) {
    const end = Math.min(count - start, 8);
    for (let i = 0, bit = 0; i < end; i++, bit += bits) {
      const place = at + (bit >>> 3);
      const word = bytes[place] | (bytes[place + 1] << 8) | (bytes[place + 2] << 16) | (bytes[place + 3] << 24);
      const value = (word >>> (bit & 7)) & mask;
      if (value > greatest) greatest = value;
      out[row + start + i] = value;
    }
  }
  return greatest;
}

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
