import { LogoddsError } from '../../bindings/errors.ts';
import { cellError, hasField, refuseAbsent } from './columns.ts';
import { LABEL_RULE, show, textOf } from './label.ts';
import type { Column, Table } from './table.ts';

/**
 * A table from records (parsed JSON, rows of a query). A column is numeric when all its values are numbers or bigints,
 * else coded by `canonicalLabel`, levels in order of appearance; a date is its ISO 8601 text, a list its JSON. null and undefined are missing.
 * @param names  the fields to take; by default those of the first record, and then every record has exactly these
 * @throws ERR_SCHEMA a record that lacks a field (write null for a missing value), or has one more than the first
 * @throws ERR_RECORD a value that is neither number, string, boolean, date nor a list of these; text among numbers
 */
export function tableFromRecords(
  records: readonly Readonly<Record<string, unknown>>[],
  names?: readonly string[],
): Table {
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
  return { rows: records.length, columns: taken.map((name) => columnOf(name, records)) };
}

function columnOf(name: string, records: readonly Readonly<Record<string, unknown>>[]): Column {
  const rows = records.length;
  const missing = new Uint8Array(rows);
  const values = new Float64Array(rows);
  const codes = new Uint32Array(rows);
  const codeOf = new Map<string, number>();
  let numbers = 0;
  let gaps = 0;
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
    } else {
      const label = textOf(value);
      if (label === null) throw cellError(i, name, LABEL_RULE, value, 'use null for a missing value');
      const code = codeOf.get(label);
      codes[i] = code ?? codeOf.size;
      if (code === undefined) codeOf.set(label, codes[i]);
    }
    if (numbers > 0 && numbers + gaps <= i) {
      throw cellError(
        i,
        name,
        'numbers only or text only',
        value,
        'use null for a missing value, or write all values as text',
      );
    }
  });
  const flags = gaps > 0 ? missing : null;
  return numbers + gaps === rows
    ? { name, kind: 'numeric', values, missing: flags }
    : { name, kind: 'coded', codes, levels: [...codeOf.keys()], missing: flags };
}
