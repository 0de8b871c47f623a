import { badRequest } from '../../refusal.ts';
import type { Cell } from '../../requests/columns.ts';
import { counted } from '../../requests/counted.ts';
import { half } from '../../requests/half.ts';

/** A datatype of Open Inference V2 with numbers of a fixed length. */
interface Fixed {
  readonly size: number;
  readonly read: (view: DataView, at: number) => number | bigint;
}

/** The datatypes of fixed length, little endian. */
const FIXED: Readonly<Record<string, Fixed>> = {
  BOOL: { size: 1, read: (view, at) => view.getUint8(at) },
  UINT8: { size: 1, read: (view, at) => view.getUint8(at) },
  UINT16: { size: 2, read: (view, at) => view.getUint16(at, true) },
  UINT32: { size: 4, read: (view, at) => view.getUint32(at, true) },
  UINT64: { size: 8, read: (view, at) => view.getBigUint64(at, true) },
  INT8: { size: 1, read: (view, at) => view.getInt8(at) },
  INT16: { size: 2, read: (view, at) => view.getInt16(at, true) },
  INT32: { size: 4, read: (view, at) => view.getInt32(at, true) },
  INT64: { size: 8, read: (view, at) => view.getBigInt64(at, true) },
  FP16: { size: 2, read: (view, at) => half(view.getUint16(at, true)) },
  BF16: { size: 2, read: (view, at) => bfloat(view.getUint16(at, true)) },
  FP32: { size: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { size: 8, read: (view, at) => view.getFloat64(at, true) },
};

export const DATATYPES: readonly string[] = [...Object.keys(FIXED), 'BYTES'];

const scratch = new DataView(new ArrayBuffer(4));
const bfloat = (bits: number): number => {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
};

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The cells of a binary tensor. @param name  for messages @throws Refusal */
export function binaryCells(name: string, datatype: string, bytes: Uint8Array, count: number): ArrayLike<Cell> {
  if (datatype === 'BYTES') return texts(name, bytes, count);
  const { size, read } = FIXED[datatype];
  if (bytes.length !== count * size)
    throw badRequest(
      `input ${JSON.stringify(name)}: expected ${counted(count * size, 'byte')} (${count} × ${datatype}), got ${bytes.length}; send data of the shape`,
    );
  // blobs begin anywhere: a copy is aligned
  if (datatype === 'FP32') return new Float32Array(bytes.slice().buffer);
  if (datatype === 'FP64') return new Float64Array(bytes.slice().buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const cells: Cell[] = new Array(count);
  for (let i = 0; i < count; i++) {
    const value = read(view, i * size);
    cells[i] = datatype === 'BOOL' ? value !== 0 : value;
  }
  return cells;
}

function texts(name: string, bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const cells: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = at + 4 <= bytes.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.length)
      throw badRequest(
        `input ${JSON.stringify(name)}: expected ${counted(count, 'text')}, each behind its length, got ${i} and a part of another; send data of the shape`,
      );
    try {
      cells.push(decoder.decode(bytes.subarray(at + 4, end)));
    } catch {
      throw badRequest(`input ${JSON.stringify(name)}, element ${i}: expected UTF-8, got something else; correct it`);
    }
    at = end;
  }
  if (at !== bytes.length)
    throw badRequest(
      `input ${JSON.stringify(name)}: expected ${counted(count, 'text')}, got ${counted(bytes.length - at, 'byte')} more; send data of the shape`,
    );
  return cells;
}

/** The bytes of texts, as BYTES has them: before each the number of its bytes. @param codes  of each, which of the texts it is */
export function codedTexts(texts: readonly string[], codes: Uint32Array): Uint8Array {
  const encoder = new TextEncoder();
  const parts = texts.map((text) => {
    const encoded = encoder.encode(text);
    const part = new Uint8Array(4 + encoded.length);
    new DataView(part.buffer).setUint32(0, encoded.length, true);
    part.set(encoded, 4);
    return part;
  });
  let length = 0;
  for (const code of codes) length += parts[code].length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const code of codes) {
    const part = parts[code];
    // labels are short: a loop is faster than a call
    for (let i = 0; i < part.length; i++) all[at++] = part[i];
  }
  return all;
}
