import { LogoddsError } from '../../bindings/errors.ts';
import { show } from '../messages.ts';
import { all, cellError, hasField, refuseAbsent } from './columns.ts';
import { LABEL_RULE } from './label.ts';
import type { Column, Table } from './table.ts';
import { cellText } from './tokens.ts';

/**
 * Returns a table of records, such as parsed JSON or the rows of a query.
 *
 * A column is numeric when all its values are numbers or bigints. Other columns hold categories, their levels in order of appearance. A date
 * becomes its ISO 8601 text. A list becomes its JSON, which text and tags read and categories refuse. null and undefined are missing values.
 * @param names  the fields to take; default those of the first record, which every record must then have, and no others
 * @throws ERR_SHAPE an argument that is no array of records or of names
 * @throws ERR_SCHEMA a record that lacks a field (write null for a missing value), or has a field that the first record lacks
 * @throws ERR_RECORD a record that is no object; a value that is neither number, string, boolean, date nor a list of these; text among
 *   numbers; `problems` has the first one of each column
 * @example
 * const people = tableFromRecords([{ age: 31, city: 'Bern' }, { age: null, city: 'Basel' }]);
 * people.columns[0].values; // [31, 0]
 * people.columns[0].missing; // [0, 1]
 * people.columns[1].levels; // ['Bern', 'Basel']
 */
export function tableFromRecords(records: readonly object[], names?: readonly string[]): Table {
  refuseOther('records', 'objects', records);
  refuseOther('names', 'fields', names ?? []);
  const other = records.findIndex((record) => typeof record !== 'object' || record === null);
  if (other >= 0) {
    const problems = [{ row: other, rule: 'an object' }];
    const got = records[other] === null ? 'null' : typeof records[other];
    const message = `record ${other} (from 0): expected an object, got ${got}; leave it out`;
    throw new LogoddsError('ERR_RECORD', message, { problems });
  }
  const taken = names ?? Object.keys(records[0] ?? {});
  const known = new Set(taken);
  records.forEach((record, i) => {
    const fields = Object.keys(record);
    // what parsed JSON nearly always is
    if (fields.length === taken.length && fields.every((name, j) => name === taken[j])) return;
    const absent = taken.filter((name) => !hasField(record, name));
    refuseAbsent(`record ${i} (from 0)`, absent, fields);
    const added = names ? undefined : fields.find((name) => !known.has(name));
    if (added !== undefined) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `record ${i} (from 0): expected the fields of record 0, got ${show(added)} too; give every record the same fields, or name those to take`,
      );
    }
  });
  const columns: Column[] = [];
  all(taken, (name) => columns.push(columnOf(name, records as readonly Readonly<Record<string, unknown>>[])));
  return { rows: records.length, columns };
}

/** @throws ERR_SHAPE */
function refuseOther(what: string, of: string, values: unknown): void {
  if (Array.isArray(values)) return;
  const next = `hand over one, such as [...${what}]`;
  throw new LogoddsError(
    'ERR_SHAPE',
    `${what}: expected an array of ${of}, got a value of type ${typeof values}; ${next}`,
  );
}

function columnOf(name: string, records: readonly Readonly<Record<string, unknown>>[]): Column {
  const rows = records.length;
  const missing = new Uint8Array(rows);
  const values = new Float64Array(rows);
  const codes = new Uint32Array(rows);
  const codeOf = new Map<string, number>();
  let numbers = 0;
  let gaps = 0;
  let firstNumber = -1;
  let firstText = -1;
  records.forEach((record, i) => {
    const value = record[name];
    if (value === null || value === undefined) {
      missing[i] = 1;
      gaps++;
      return;
    }
    if (typeof value === 'bigint' || Number.isFinite(value)) {
      values[i] = Number(value);
      numbers++;
      if (firstNumber < 0) firstNumber = i;
    } else {
      const label = cellText(value);
      if (label === null) throw cellError(i, name, LABEL_RULE, value, 'use null for a missing value');
      const code = codeOf.get(label);
      codes[i] = code ?? codeOf.size;
      if (code === undefined) codeOf.set(label, codes[i]);
      if (firstText < 0) firstText = i;
    }
    if (numbers > 0 && numbers + gaps <= i) {
      throw cellError(
        firstText,
        name,
        `a number as in row ${firstNumber}`,
        records[firstText][name],
        'write all values as numbers, or all as text (null for a missing value)',
      );
    }
  });
  const flags = gaps > 0 ? missing : null;
  const lists = numbers === 0 && records.some((record) => Array.isArray(record[name]));
  return numbers + gaps === rows
    ? { name, kind: 'numeric', values, missing: flags }
    : { name, kind: 'coded', codes, levels: [...codeOf.keys()], missing: flags, ...(lists && { lists }) };
}
