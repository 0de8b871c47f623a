import type { Column, Table } from 'logodds/score';
import type { Field } from 'logodds/stages';
import type { Served } from '../../models/served.ts';
import { badRequest } from '../../refusal.ts';
import { type Cell, type Cells, columnOf, columnsOf, marked, putNumber, quote } from '../../requests/columns.ts';
import { checkRows, type Limits, tooLarge } from '../../requests/limits.ts';
import { DATATYPES } from './datatypes.ts';

/** A tensor of a request, wherever its cells were. */
export interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** in the order of rows */
  readonly cells: ArrayLike<Cell>;
  /** rows that are missing */
  readonly missing: readonly number[];
}

/** Checks name, datatype and shape; returns the number of cells. @throws Refusal */
export function countOf(name: unknown, datatype: unknown, shape: unknown, limits: Limits): number {
  if (typeof name !== 'string') throw badRequest('inputs: expected a name for each, got one without; name the field');
  if (!DATATYPES.includes(datatype as string))
    throw badRequest(`input ${quote(name)}: expected a datatype of ${DATATYPES.join(', ')}, got another`);
  const isShape = Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  const count = isShape ? shape.reduce((product: number, n: number) => product * n, 1) : Number.NaN;
  if (Number.isNaN(count))
    throw badRequest(`input ${quote(name)}: expected a shape of whole numbers, got another; send [rows] or [rows, 1]`);
  if (count > limits.values) throw tooLarge(`input ${quote(name)}`, limits.values, 'values', 'send fewer rows');
  checkRows((shape as number[])[0], limits);
  return count;
}

/**
 * The table of tensors: one for each field of the model, or one of rows of numbers in the order of the fields.
 * @throws Refusal
 */
export function tableOf({ fields }: Served, tensors: readonly Tensor[]): Table {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  if (byName.size < tensors.length)
    throw badRequest('inputs: expected distinct names, got one twice; send each field once');
  const [only] = tensors;
  if (tensors.length === 1 && only.shape.length === 2 && !fields.some(({ name }) => name === only.name))
    return denseTable(fields, only);
  const rows = tensors.length > 0 ? tensors[0].shape[0] : 0;
  for (const { name, shape } of tensors) {
    if (!(shape.length === 1 || (shape.length === 2 && shape[1] === 1)) || shape[0] !== rows)
      throw badRequest(
        `input ${quote(name)}: expected the shape [${rows}] or [${rows}, 1], as the first input, got [${shape}]; send all fields for the same rows`,
      );
  }
  const absent = fields.filter(({ name }) => !byName.has(name)).map(({ name }) => quote(name));
  if (absent.length > 0)
    throw badRequest(
      `inputs: expected ${absent.slice(0, 10).join(', ')}${absent.length > 10 ? ` and ${absent.length - 10} more` : ''}, got none; send a tensor for each field of the model`,
    );
  const known = new Set(fields.map(({ name }) => name));
  for (const { name } of tensors)
    if (!known.has(name))
      throw badRequest(`input ${quote(name)}: expected a field of the model, got another; see its metadata`);
  return { rows, columns: fields.map((field) => columnOf(field, cellsOf(byName.get(field.name)!), rows)) };
}

const WHAT = 'input';
const cellsOf = ({ cells, datatype, missing }: Tensor): Cells => ({
  what: WHAT,
  cells,
  isText: datatype === 'BYTES',
  missing,
});

/** A tensor of rows of numbers. */
function denseTable(fields: readonly Field[], tensor: Tensor): Table {
  const { name, datatype, shape, cells, missing } = tensor;
  const [rows, width] = shape;
  const other = fields.find(({ type }) => type !== 'number');
  if (other || width !== fields.length || datatype === 'BYTES') {
    const rule = other
      ? `a tensor for each field, since ${quote(other.name)} is no number`
      : `the shape [rows, ${fields.length}] of numbers, or a tensor for each field`;
    throw badRequest(
      `input ${quote(name)}: expected ${rule}, got ${datatype} [${shape}]; see the metadata of the model`,
    );
  }
  const plain =
    missing.length === 0 && (cells instanceof Float32Array || cells instanceof Float64Array)
      ? columnsOf(cells, rows, width)
      : null;
  const columns = fields.map(({ name: field }, j): Column => {
    const values = plain?.columns[j] ?? new Float64Array(rows);
    const isWhole = plain?.areFinite[j] ?? false;
    return { name: field, kind: 'numeric', values, missing: isWhole ? null : lostOf(tensor, field, j, values) };
  });
  return { rows, columns };
}

/**
 * The record of one dense tensor of one row of finite numbers, which costs a tenth of a table; null for other tensors, whose table is made and says what is
 * wrong with them.
 */
export function recordOf({ fields }: Served, tensors: readonly Tensor[]): Readonly<Record<string, number>> | null {
  if (tensors.length !== 1) return null;
  const [{ name: given, shape, cells, missing }] = tensors;
  if (shape.length !== 2 || shape[0] !== 1 || shape[1] !== fields.length || missing.length > 0) return null;
  const record: Record<string, number> = {};
  for (let j = 0; j < fields.length; j++) {
    const { name, type } = fields[j];
    const cell = cells[j];
    // a tensor of a field's name is that field's; __proto__ would set no property
    if (type !== 'number' || name === given || name === '__proto__' || !Number.isFinite(cell)) return null;
    record[name] = cell as number;
  }
  return record;
}

/** Writes a column of rows one by one. Returns the marks of its missing cells. */
function lostOf({ shape, cells, missing }: Tensor, field: string, column: number, values: Float64Array) {
  const lost = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) putNumber(WHAT, field, i, cells[i * shape[1] + column], values, lost);
  return marked(lost, missing);
}
