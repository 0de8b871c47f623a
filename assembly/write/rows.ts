import { whole, writeNumber } from './digits';

/*
 * Rows of text: the same pieces in each, which are texts and cells.
 *
 * Plan (u32 words; * is written here):
 *    0 pieces   number of pieces
 *    4 piece    of each piece six words:
 *                 0 kind: of the cell behind its text, 0 none, 1 a number, 2 a text by its code, 3 the number of the row
 *                 4 text: address, length
 *                12 column: address; f64 for each row, or the code as u32
 *                16 texts: of each code address and length; number of codes
 *    8 powers   table of digits.ts
 *   12 at *     position behind what is written
 *
 * A text can be read, and the output written, 32 bytes beyond its end.
 */

const PIECE: usize = 24;
const NUMBER: u32 = 1;
const TEXT: u32 = 2;
const ROW: u32 = 3;

/** Copies a text; returns the position behind it. @param text  address of its address and length */
// @ts-ignore: decorator
@inline
function copy(out: usize, text: usize): usize {
  const from = <usize>load<u32>(text);
  const length = <usize>load<u32>(text, 4);
  for (let at: usize = 0; at < length; at += 16) v128.store(out + at, v128.load(from + at));
  return out + length;
}

/**
 * Writes rows i to n − 1 of a block from `out` on, up to the first one that begins at `end` or behind it, or has a number that writeNumber() leaves, or a
 * code without a text. Returns the number of that row, or n; what is written of it is void.
 * @param first  number of row 0
 */
export function writeRows(plan: usize, i: u32, n: u32, first: f64, out: usize, end: usize): u32 {
  const begin = <usize>load<u32>(plan, 4);
  const last = begin + <usize>load<u32>(plan) * PIECE;
  const powers = <usize>load<u32>(plan, 8);
  store<u32>(plan, <u32>out, 12);
  for (; i < n && out < end; i++) {
    for (let piece = begin; piece < last; piece += PIECE) {
      out = copy(out, piece + 4);
      const kind = load<u32>(piece);
      if (kind == NUMBER) {
        out = writeNumber(out, load<f64>(<usize>load<u32>(piece, 12) + (<usize>i << 3)), powers);
        if (out == 0) return i;
      } else if (kind == TEXT) {
        const code = load<u32>(<usize>load<u32>(piece, 12) + (<usize>i << 2));
        if (code >= load<u32>(piece, 20)) return i;
        out = copy(out, <usize>load<u32>(piece, 16) + (<usize>code << 3));
      } else if (kind == ROW) out = whole(out, <u64>first + i);
    }
    store<u32>(plan, <u32>out, 12);
  }
  return i;
}
