import { engineOf, pickEngine } from '../../../bindings/engine.ts';
import { LogoddsError } from '../../../bindings/errors.ts';
import { CheckedTable, type Data } from '../../encode/checkedTable.ts';
import { inferSchema, refuseOtherLevels } from '../../encode/infer.ts';
import { tableFromRecords } from '../../encode/records.ts';
import { list, show } from '../../messages.ts';
import { encodeWithDictionaries } from './dictionary.ts';
import type { DataOptions } from './options.ts';
import { Problem, trainingEncoder } from './problem.ts';
import { resolveSchema } from './resolve/schema.ts';
import { readRows } from './rows.ts';
import { frequencies } from './target.ts';
import { TargetColumns } from './targetColumns.ts';

/**
 * Reads, checks and encodes a table.
 * @param coding  used if the options do not set it
 * @throws ERR_SCHEMA, ERR_TARGET, ERR_RECORD, ERR_RANGE, ERR_DATA; see `fit`
 */
export function prepare(given: Data, options: DataOptions, coding: 'onehot' | 'treatment' = 'onehot'): Problem {
  const table = tableOf(given, options);
  if (table.rows === 0) {
    throw new LogoddsError('ERR_DATA', 'table: expected at least one row, got none; check the file or the query');
  }
  const exclude = excludedColumns(table, options);
  refuseOtherLevels(table, options.exclude ?? []);
  const rows = readRows(table, options);
  const asked = {
    ...schemaOptions(options, coding),
    exclude,
    categorical: options.categorical,
    weight: frequencies(rows.sampleWeight, rows),
  };
  const { schema: draft, targets } = options.schema
    ? resolveSchema(table, options.schema, asked)
    : { schema: inferSchema(table, asked), targets: [] };
  if (draft.features.some(({ name }) => name === options.offset)) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema: expected no feature named as the offset column, got ${show(options.offset)}; rename the feature`,
    );
  }
  const columns =
    targets.length > 0
      ? new TargetColumns(table, draft, targets, (schema) => trainingEncoder(schema).firstColumns, rows)
      : null;
  const schema = columns?.schema ?? draft;
  const encoder = trainingEncoder(schema);
  const engine = engineOf(options.engine ?? pickEngine());
  const small = columns || !engine.heap ? null : encodeWithDictionaries(engine, encoder, table);
  if (small) return new Problem(engine, small, null, schema, rows);
  const batch = engine.encoded(table.rows, encoder.specs);
  try {
    let memory: unknown;
    do {
      // rows would be lost if a getter of the table made the memory grow meanwhile
      memory = engine.heap?.u8;
      encoder.encode(table, batch, { standardize: true });
    } while (engine.heap?.u8 !== memory);
    return new Problem(engine, batch, null, schema, rows, columns);
  } catch (error) {
    batch.free();
    throw error;
  }
}

/** The options of `inferSchema` about the features. */
export const schemaOptions = (
  { coding, references, unseen, missing }: DataOptions,
  otherwise: 'onehot' | 'treatment',
) => ({ coding: coding ?? otherwise, references, unseen, missing });

/** Columns that are not features. @throws ERR_SCHEMA absent columns, no feature left */
/**
 * Rows as a table: of records the fields that are read, so that the others may hold anything.
 * @param others  columns that are read but are no features
 */
export function tableOf(data: Data, options: DataOptions, others: readonly (string | undefined)[] = []): CheckedTable {
  const { target, trials, weight, offset, features, exclude = [], schema } = options;
  const declared = schema && schema.others !== 'infer' && Array.isArray(schema.features) ? schema.features : null;
  if (!Array.isArray(data) || !(features || declared || exclude.length > 0)) return CheckedTable.of(data);
  const roles = [target, trials, weight, offset, ...others];
  const columns = features ?? declared?.map((feature) => ('column' in feature && feature.column) || feature.name);
  const isRead = (name: string) => roles.includes(name) || (columns ? columns.includes(name) : !exclude.includes(name));
  const names = Object.keys(Object(data[0]));
  const { rows, columns: read } = tableFromRecords(data, names.filter(isRead));
  // that they are there is all that is asked of the others
  const nothing = {
    kind: 'coded',
    codes: new Uint8Array(rows),
    levels: [],
    missing: new Uint8Array(rows).fill(1),
  } as const;
  const unread = names.filter((name) => !isRead(name)).map((name) => ({ name, ...nothing }));
  return CheckedTable.of({ rows, columns: [...read, ...unread] });
}

export function excludedColumns(
  table: CheckedTable,
  { target, trials, weight, offset, features, exclude = [] }: DataOptions,
): string[] {
  const roles = [target, trials, weight, offset].filter((name) => name !== undefined);
  table.all([...roles, ...(features ?? []), ...exclude]);
  const used = features?.find((name) => roles.includes(name));
  if (used !== undefined) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `features: expected columns besides target, weight and offset, got ${show(used)}; leave it out`,
    );
  }
  const dropped = new Set([...roles, ...exclude]);
  const { names } = table;
  const excluded = names.filter((name) => dropped.has(name) || (features && !features.includes(name)));
  if (excluded.length === names.length) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `features: expected at least one column besides target, weight, offset and excluded ones, got none of ${list(names)}; keep one`,
    );
  }
  return excluded;
}
