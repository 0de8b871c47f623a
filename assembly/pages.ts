/*
 * The module that reads pages of Parquet, for the command: what Snappy has compressed, and the hybrid of run lengths and packed bits. It has a memory of its own,
 * without data; the caller says where bytes are, and leaves 32 bytes behind each end, which are read or written and mean nothing.
 */

/** Where the caller may put bytes. */
export function bytesAt(): usize {
  return 1024;
}

/** Copies 16 bytes at a time, up to 15 beyond the end. Source and target are 16 bytes apart or more, or do not overlap. */
// @ts-ignore: decorator
@inline
function copyWide(to: usize, from: usize, length: usize): void {
  const end = to + length;
  while (to < end) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
}

/**
 * Undoes Snappy's compression of one page.
 *
 * from  `length` bytes
 * to    `size` bytes, written; what has overlapping copies repeats itself, byte by byte
 * @returns 1; 0 for bytes that are not what makes exactly `size` bytes
 * @see github.com/google/snappy, format_description.txt
 */
export function unsnap(from: usize, length: usize, to: usize, size: usize): u32 {
  const last = from + length;
  const begin = to;
  const end = to + size;
  let said: u64 = 0;
  for (let shift: u64 = 0; ; shift += 7) {
    if (from >= last || shift > 28) return 0;
    const byte = <u64>load<u8>(from++);
    said |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  if (said !== <u64>size) return 0;
  while (from < last) {
    const tag = <usize>load<u8>(from++);
    const kind = tag & 3;
    if (kind === 0) {
      let count = tag >>> 2;
      if (count >= 60) {
        const width = count - 59;
        if (width > last - from) return 0;
        // what is behind the width is cut off
        count = <usize>(load<u32>(from) & (<u32>-1 >>> ((4 - <u32>width) << 3)));
        from += width;
        if (count === <usize>-1) return 0;
      }
      count++;
      if (count > last - from || count > end - to) return 0;
      if (count <= 64) copyWide(to, from, count);
      else memory.copy(to, from, count);
      from += count;
      to += count;
      continue;
    }
    const count: usize = kind === 1 ? <usize>4 + ((tag >>> 2) & 7) : <usize>1 + (tag >>> 2);
    const width: usize = kind === 3 ? 4 : kind;
    if (width > last - from) return 0;
    let offset: usize;
    if (kind === 1) offset = ((tag >>> 5) << 8) | <usize>load<u8>(from);
    else if (kind === 2) offset = <usize>load<u16>(from);
    else offset = <usize>load<u32>(from);
    from += width;
    if (offset === 0 || offset > to - begin || count > end - to) return 0;
    const source = to - offset;
    if (offset >= 16) copyWide(to, source, count);
    else if (offset >= 8) {
      for (let at: usize = 0; at < count; at += 8) store<u64>(to + at, load<u64>(source + at));
    } else {
      for (let at: usize = 0; at < count; at++) store<u8>(to + at, load<u8>(source + at));
    }
    to += count;
  }
  return to === end ? 1 : 0;
}

/**
 * Reads `count` values of `bits` bits, 1 to 24, of Parquet's hybrid.
 *
 * from, end  the bytes
 * out        count × u32, written; up to 7 values beyond them
 * @returns the greatest value; −1 when the bytes end before the values do, or a run has more values than there are
 * @see github.com/apache/parquet-format, Encodings.md, RLE
 */
export function unpack(from: usize, end: usize, bits: u32, out: usize, count: u32): i32 {
  const mask: u32 = (1 << bits) - 1;
  const begin = out;
  const stop = out + (<usize>count << 2);
  while (out < stop) {
    let head: u64 = 0;
    for (let shift: u64 = 0; ; shift += 7) {
      if (from >= end || shift > 28) return -1;
      const byte = <u64>load<u8>(from++);
      head |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    const length = head >>> 1;
    const left = <u64>(stop - out) >>> 2;
    if (length === 0) return -1;
    if ((head & 1) === 0) {
      const width: usize = (bits + 7) >>> 3;
      // a run of more values than there are is left to those who know its writer
      if (length > left || width > end - from) return -1;
      const value = load<u32>(from) & (<u32>-1 >>> ((4 - <u32>width) << 3));
      if (value > mask) return -1;
      from += width;
      const four = i32x4.splat(value);
      const last = out + (<usize>length << 2);
      for (; out < last; out += 16) v128.store(out, four);
      out = last;
      continue;
    }
    if (length * bits > <u64>(end - from)) return -1;
    const last = out + (<usize>min(left, length << 3) << 2);
    let at = from;
    for (; out < last; out += 32) {
      if (bits <= 8) {
        const word = load<u64>(at);
        store<u32>(out, <u32>word & mask);
        store<u32>(out, <u32>(word >>> bits) & mask, 4);
        store<u32>(out, <u32>(word >>> (2 * bits)) & mask, 8);
        store<u32>(out, <u32>(word >>> (3 * bits)) & mask, 12);
        store<u32>(out, <u32>(word >>> (4 * bits)) & mask, 16);
        store<u32>(out, <u32>(word >>> (5 * bits)) & mask, 20);
        store<u32>(out, <u32>(word >>> (6 * bits)) & mask, 24);
        store<u32>(out, <u32>(word >>> (7 * bits)) & mask, 28);
      } else {
        store<u32>(out, pick(at, 0, mask));
        store<u32>(out, pick(at, bits, mask), 4);
        store<u32>(out, pick(at, 2 * bits, mask), 8);
        store<u32>(out, pick(at, 3 * bits, mask), 12);
        store<u32>(out, pick(at, 4 * bits, mask), 16);
        store<u32>(out, pick(at, 5 * bits, mask), 20);
        store<u32>(out, pick(at, 6 * bits, mask), 24);
        store<u32>(out, pick(at, 7 * bits, mask), 28);
      }
      at += bits;
    }
    out = last;
    from += <usize>length * <usize>bits;
  }
  let most = i32x4.splat(0);
  let at = begin;
  for (; at + 16 <= stop; at += 16) most = i32x4.max_u(most, v128.load(at));
  let greatest = max(
    max(<u32>i32x4.extract_lane(most, 0), <u32>i32x4.extract_lane(most, 1)),
    max(<u32>i32x4.extract_lane(most, 2), <u32>i32x4.extract_lane(most, 3)),
  );
  for (; at < stop; at += 4) greatest = max(greatest, load<u32>(at));
  return <i32>greatest;
}

/** The value at a bit, in four bytes. */
// @ts-ignore: decorator
@inline
function pick(at: usize, bit: u32, mask: u32): u32 {
  return (load<u32>(at + (bit >>> 3)) >>> (bit & 7)) & mask;
}
