import type { Column, Table } from 'logodds/score';
import type { Served } from '../models/served.ts';
import { columnsOf } from '../requests/columns.ts';
import { scanOfHost } from '../requests/jsonScan.ts';
import type { Limits } from '../requests/limits.ts';
import { isObject, type Members } from '../requests/members.ts';
import { numbersApart } from '../requests/numbersApart.ts';
import { parsedJson } from '../scoring/score.ts';

/** How a body may have its rows. */
export interface RowsForm {
  /** its rows are the value of this key */
  readonly key: string;
  /** The rows, and the names of their columns (undefined: the fields in order); null: the body is of another form. */
  in(body: Members): { readonly rows: unknown; readonly names?: unknown } | null;
}

/** Shorter bodies are parsed as fast as they are split. */
const LEAST = 1024;

/**
 * The table of a body whose rows are arrays of numbers alone, for a model that reads nothing else; null: the body is parsed, which says what is wrong
 * with it.
 */
export function numberTable(
  bytes: Uint8Array,
  { fields }: Served,
  limits: Limits,
  forms: readonly RowsForm[],
): Table | null {
  const scan = bytes.length < LEAST ? null : scanOfHost();
  if (!scan || fields.some(({ type }) => type !== 'number')) return null;
  for (const form of forms) {
    const apart = numbersApart(scan, bytes, form.key);
    if (!apart) continue;
    const body = parsedJson(apart.rest);
    const found = isObject(body) ? form.in(body) : null;
    const array = found && apart.of(found.rows);
    // NaN is none of their JSON
    if (!array || array.gaps > 0 || array.shape?.length !== 2) return null;
    const [rows, width] = array.shape;
    const names = found.names === undefined ? fields.map(({ name }) => name) : found.names;
    if (!isDistinct(names, width) || rows > limits.rows || width > limits.features) return null;
    const own = new Set(names);
    if (!fields.every(({ name }) => own.has(name))) return null;
    // what the model does not read may name the entity of a row in a log
    const { columns: all } = columnsOf(array.values, rows, width);
    const columns = names.map((name, j): Column => ({ name, kind: 'numeric', values: all[j], missing: null }));
    return { rows, columns };
  }
  return null;
}

/** Whether these are as many texts, none of them twice. */
const isDistinct = (names: unknown, count: number): names is readonly string[] =>
  Array.isArray(names) &&
  names.length === count &&
  names.every((name) => typeof name === 'string') &&
  new Set(names).size === count;
