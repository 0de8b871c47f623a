import type { JsonScan } from 'logodds/bytes';
import { badRequest } from '../../refusal.ts';
import type { Cell } from '../../requests/columns.ts';
import { counted } from '../../requests/counted.ts';
import { scanOfHost } from '../../requests/jsonScan.ts';
import { checkFeatures, checkJson, type Limits } from '../../requests/limits.ts';
import { isObject } from '../../requests/members.ts';
import { type NumbersApart, numbersApart } from '../../requests/numbersApart.ts';
import { binaryCells } from './datatypes.ts';
import { countOf, type Tensor } from './tensors.ts';

/** What is asked for as output. */
export interface Output {
  readonly name: string;
  readonly isBinary: boolean;
}

/** A request of inference, taken out of its body. */
export interface Inference {
  readonly id: string | null;
  readonly tensors: readonly Tensor[];
  /** null: all, as `isBinary` says */
  readonly outputs: readonly Output[] | null;
  readonly isBinary: boolean;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Shorter bodies are parsed as fast as they are split. */
const LEAST_SPLIT = 2048;

/**
 * Reads a body: JSON, or JSON of `headerLength` bytes with the data of tensors behind it.
 * @param scan  null: every number is parsed
 * @throws Refusal
 */
export function inferenceOf(
  bytes: Uint8Array,
  headerLength: number | null,
  limits: Limits,
  scan: JsonScan | null = scanOfHost(),
): Inference {
  const end = headerLength ?? bytes.length;
  if (end > bytes.length)
    throw badRequest(
      `inference-header-content-length: expected at most the ${bytes.length} bytes of the body, got ${end}; correct it`,
    );
  const head = bytes.subarray(0, end);
  checkJson(head, limits, scan);
  const blobs = headerLength === null ? null : bytes.subarray(end);
  const apart = scan && end >= LEAST_SPLIT ? numbersApart(scan, head, 'data') : null;
  if (apart) {
    try {
      return inferenceIn(bodyOf(apart.rest), blobs, limits, (...asked) => readCells(apart, ...asked));
    } catch {
      // what is wrong is said of the whole
    }
  }
  return inferenceIn(bodyOf(head), blobs, limits, jsonCells);
}

/** The value of a body. @throws Refusal */
function bodyOf(head: Uint8Array): unknown {
  try {
    return parsed(decoder.decode(head));
  } catch {
    throw badRequest(
      'body: expected JSON in UTF-8 (of the length that the header says, before binary data), got something else; correct it',
    );
  }
}

/** Returns the cells of a tensor. @throws Refusal */
type CellsOf = (name: string, datatype: string, data: unknown, count: number) => ArrayLike<Cell>;

/**
 * The inference of a body.
 * @param blobs  bytes behind it; null: it is all there is
 * @throws Refusal
 */
function inferenceIn(body: unknown, blobs: Uint8Array | null, limits: Limits, cellsOf: CellsOf): Inference {
  if (!isObject(body) || !Array.isArray(body.inputs))
    throw badRequest('body: expected an object with inputs, got something else; send {"inputs": [{…}]}');
  checkFeatures('inputs', body.inputs.length, limits);
  let at = 0;
  const tensors = body.inputs.map((input: unknown): Tensor => {
    if (!isObject(input))
      throw badRequest('inputs: expected objects, got something else; send {"name", "datatype", "shape", "data"}');
    const { name, datatype, shape, data } = input;
    const count = countOf(name, datatype, shape, limits);
    const tensor = { name: name as string, datatype: datatype as string, shape: shape as number[] };
    const parameters = isObject(input.parameters) ? input.parameters : {};
    const missing = missingOf(tensor.name, parameters.missing, tensor.shape[0]);
    const size = parameters.binary_data_size;
    if (size === undefined) return { ...tensor, missing, cells: cellsOf(tensor.name, tensor.datatype, data, count) };
    if (blobs === null || !Number.isSafeInteger(size) || (size as number) < 0 || at + (size as number) > blobs.length)
      throw badRequest(
        `input ${JSON.stringify(name)}: expected binary_data_size bytes behind the JSON, got fewer; is inference-header-content-length there?`,
      );
    const blob = blobs.subarray(at, at + (size as number));
    at += size as number;
    return { ...tensor, missing, cells: binaryCells(tensor.name, tensor.datatype, blob, count) };
  });
  if (blobs !== null && at !== blobs.length)
    throw badRequest(
      `body: expected binary data of ${counted(at, 'byte')}, as the inputs say, got ${blobs.length}; correct binary_data_size`,
    );
  const parameters = isObject(body.parameters) ? body.parameters : {};
  return {
    id: typeof body.id === 'string' ? body.id : null,
    tensors,
    outputs: outputsOf(body.outputs, parameters.binary_data_output === true),
    isBinary: parameters.binary_data_output === true,
  };
}

/** The value of JSON, in which Python's NaN, which is none, is null. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const mended = text.replace(/"(?:[^"\\]|\\.)*"|\bNaN\b/g, (found) => (found === 'NaN' ? 'null' : found));
    if (mended === text) throw error;
    return JSON.parse(mended);
  }
}

/** The cells of data whose numbers stand apart. @throws Refusal where it has others, or too few */
function readCells(apart: NumbersApart, name: string, datatype: string, data: unknown, count: number): ArrayLike<Cell> {
  const values = apart.of(data)?.values;
  if (!values) return jsonCells(name, datatype, data, count);
  const [, isOne] = kindOf(datatype);
  const isFree = isOne === isNumber;
  if (values.length !== count || !(isFree || values.every((value) => Number.isNaN(value) || isOne(value))))
    throw badRequest(
      `input ${JSON.stringify(name)}: expected ${counted(count, 'value')} of ${datatype}, got others; correct it`,
    );
  return values;
}

/** How deep data may be nested: deeper ones are no values. */
const MOST_DEPTH = 8;

/** The cells of data as JSON has them, flat or nested. */
function jsonCells(name: string, datatype: string, data: unknown, count: number): ArrayLike<Cell> {
  if (!Array.isArray(data))
    throw badRequest(
      `input ${JSON.stringify(name)}: expected data, got none; send an array of ${counted(count, 'value')}`,
    );
  const cells: Cell[] = data.some(Array.isArray) ? data.flat(MOST_DEPTH) : data;
  if (cells.length !== count)
    throw badRequest(
      `input ${JSON.stringify(name)}: expected ${counted(count, 'value')}, as the shape says, got ${cells.length}; correct one of them`,
    );
  const [kind, isOne] = kindOf(datatype);
  const wrong = cells.findIndex((cell) => cell !== null && !isOne(cell));
  if (wrong >= 0)
    throw badRequest(
      `input ${JSON.stringify(name)}, element ${wrong}: expected ${kind} (${datatype}), got something else; correct it`,
    );
  return cells;
}

function kindOf(datatype: string): readonly [kind: string, isOne: (cell: unknown) => boolean] {
  if (datatype === 'BYTES') return ['text', (cell) => typeof cell === 'string'];
  if (datatype === 'BOOL') return ['true or false', (cell) => typeof cell === 'boolean' || cell === 0 || cell === 1];
  if (/^U?INT/.test(datatype)) return ['a whole number within ±2^53', Number.isSafeInteger];
  return ['a number', isNumber];
}

const isNumber = (cell: unknown): boolean => typeof cell === 'number';

function missingOf(name: string, given: unknown, rows: number): readonly number[] {
  if (given === undefined) return [];
  if (Array.isArray(given) && given.every((row) => Number.isSafeInteger(row) && row >= 0 && row < rows)) return given;
  throw badRequest(
    `input ${JSON.stringify(name)}: expected parameters.missing to be rows below ${rows}, got something else; correct it`,
  );
}

function outputsOf(given: unknown, isBinary: boolean): readonly Output[] | null {
  if (given === undefined || (Array.isArray(given) && given.length === 0)) return null;
  if (!Array.isArray(given) || !given.every((output) => isObject(output) && typeof output.name === 'string'))
    throw badRequest('outputs: expected a list of objects with a name, got something else; leave it out for all');
  return given.map(({ name, parameters }) => {
    const asked = isObject(parameters) ? parameters.binary_data : undefined;
    return { name, isBinary: asked === undefined ? isBinary : asked === true };
  });
}
