import { LogoddsError } from '../../bindings/errors.ts';
import { show } from '../messages.ts';

/**
 * The safetensors container, with 64-bit floats only:
 *
 *   8 bytes  length of the header, little-endian
 *   header   JSON { "__metadata__": { text: text }, name: { dtype, shape, data_offsets: [begin, end] } }, padded with spaces
 *   data     the tensors, little-endian, one after the other without gaps; starts at a multiple of 8
 *
 * @see https://github.com/huggingface/safetensors#format
 */
export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** A tensor that is checked but not yet read. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** Copies the numbers out of the file. @throws ERR_FORMAT when one is not finite */
  read(): Float64Array;
}

const PREFIX = 8;

/** The longest header that the stock readers take. It also bounds what parsing can allocate. */
const MAX_HEADER = 100_000_000;

/** One file of these parts; metadata and tensors keep their order. */
export function encodeSafetensors(
  metadata: Readonly<Record<string, string>>,
  tensors: Readonly<Record<string, Tensor>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const begin = end;
    end += 8 * values.length;
    header[name] = { dtype: 'F64', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(PREFIX + length + end).fill(0x20, PREFIX, PREFIX + length);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(length), true);
  file.set(json, PREFIX);
  let at = PREFIX + length;
  for (const { values } of Object.values(tensors)) {
    for (const value of values) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  return file;
}

/**
 * The parts of a file. `tensors()` checks all of them and copies none: each of the stated shape, one after the other
 * from the header to the end of the file. The header alone is read before.
 * @throws ERR_FORMAT
 */
export function decodeSafetensors(file: Uint8Array): {
  metadata: Readonly<Record<string, unknown>>;
  tensors(): ReadonlyMap<string, StoredTensor>;
} {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const start = file.length < PREFIX ? PREFIX : PREFIX + Number(view.getBigUint64(0, true));
  const header = asObject(
    start > Math.min(file.length, PREFIX + MAX_HEADER) ? null : parseHeader(file.subarray(PREFIX, start)),
  );
  const { __metadata__: metadata, ...entries } = header;
  const tensors = (): ReadonlyMap<string, StoredTensor> => {
    const found = new Map<string, StoredTensor>();
    let expected = 0;
    for (const [name, entry] of Object.entries(entries)) {
      const { dtype, shape, data_offsets } = asObject(entry);
      const [begin, end] = Array.isArray(data_offsets) ? data_offsets : [];
      const length =
        Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= 0)
          ? shape.reduce<number>((product, size) => product * size, 1)
          : Number.NaN;
      if (dtype !== 'F64' || begin !== expected || end !== begin + 8 * length) {
        throw broken(`tensor ${show(name)}`);
      }
      expected = end;
      const read = (): Float64Array => {
        // hosts are little-endian; without a loop, which would run once and uncompiled
        const values = new Float64Array(file.slice(start + begin, start + end).buffer);
        if (!values.every(Number.isFinite)) {
          throw broken(`tensor ${show(name)}, number ${values.findIndex((value) => !Number.isFinite(value))}`);
        }
        return values;
      };
      found.set(name, { shape: shape as number[], read });
    }
    if (start + expected !== file.length) throw broken('length');
    return found;
  };
  return { metadata: asObject(metadata), tensors };
}

function parseHeader(json: Uint8Array): unknown {
  try {
    return parseWritten(new TextDecoder('utf-8', { fatal: true }).decode(json).trimEnd());
  } catch {
    return null;
  }
}

/**
 * JSON exactly as JSON.stringify writes it, so that no name is there twice and all readers see the same.
 * @throws SyntaxError for anything else, and for what is nested deeper than a model is
 */
export function parseWritten(text: unknown): unknown {
  const value = JSON.parse(text as string);
  // the depth first: JSON.stringify takes time with its square
  if (!isFlat([value], 10) || JSON.stringify(value) !== text) throw new SyntaxError();
  return value;
}

function isFlat(parts: object, levels: number): boolean {
  return Object.values(parts).every(
    (part) => typeof part !== 'object' || !part || (levels > 1 && isFlat(part, levels - 1)),
  );
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw broken('header');
  return value as Record<string, unknown>;
}

function broken(what: string): LogoddsError {
  return new LogoddsError(
    'ERR_FORMAT',
    `model file: expected a valid ${what} of a safetensors file, got something else; train the model again`,
    { reason: 'invalid' },
  );
}
