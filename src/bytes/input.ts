import { LogoddsError } from '../../bindings/errors.ts';

/** Bytes of UTF-8. */
export type Bytes = Uint8Array | ArrayBuffer;

export const LF = 0x0a;
export const CR = 0x0d;
const MARK = [0xef, 0xbb, 0xbf];

/** bytes of the longest line end, which are no part of a record */
export const LINE_END = 2;

/** Behind the mark that some programs write before UTF-8. */
export const behindMark = (bytes: Uint8Array): number => (MARK.every((byte, i) => bytes[i] === byte) ? MARK.length : 0);

/** `end`, or less where the bytes before it begin a character and do not end it. */
export function wholeCharacters(bytes: Uint8Array, from: number, end: number): number {
  for (let back = 1; back <= 3 && end - back >= from; back++) {
    const byte = bytes[end - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? end - back : end;
  }
  return end;
}

/** Pieces of an input that wait for its next piece. */
export class Pending {
  #pieces: Uint8Array[] = [];
  length = 0;

  /** Keeps a copy. */
  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece.slice());
    this.length += piece.length;
  }

  /** All of them as one; none is left. */
  take(): Uint8Array {
    const pieces = this.#pieces;
    const all = pieces.length === 1 ? pieces[0] : new Uint8Array(this.length);
    this.#pieces = [];
    this.length = 0;
    if (pieces.length === 1) return all;
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

export const isBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === '[object ArrayBuffer]';

/** @throws ERR_SHAPE */
export function bytesOf(given: Bytes): Uint8Array {
  // `slice` of a Buffer does not copy
  if (given instanceof Uint8Array)
    return given.constructor === Uint8Array ? given : new Uint8Array(given.buffer, given.byteOffset, given.length);
  if (isBuffer(given)) return new Uint8Array(given);
  const [got, next] =
    typeof given === 'string'
      ? ['text', 'encode it with new TextEncoder().encode(text)']
      : ['something else', 'hand over the bytes of a body or of a file'];
  throw new LogoddsError('ERR_SHAPE', `bytes: expected a Uint8Array or an ArrayBuffer, got ${got}; ${next}`);
}
