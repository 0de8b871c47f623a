import { type Model, splitTable, type Table } from '../../../../src/index.ts';
import { nthOf } from '../../read/gaps.ts';
import { lazyDatabase } from '../../read/source.ts';
import { readTraining } from '../../read/training.ts';
import { randomHoldout } from '../holdout.ts';
import type { StackOptions } from './options.ts';

/** Reads the rows and holds some out: whole groups, or the latest times, where these are given. */
export async function readRows(options: StackOptions, models: ReadonlyMap<string, Model>) {
  const {
    groups,
    time,
    scores = [],
    passthrough = [],
    outOfFold: given = {},
    fits = {},
    holdout: share = 0.2,
  } = options;
  const fields = [...models.values()].flatMap((model) => model.fields);
  const recipes = Object.values(fits);
  const needsAll = recipes.some(({ features, schema }) => features === null && !schema);
  const declared = recipes.flatMap(
    ({ schema }) => schema?.features.flatMap((one) => ('column' in one && one.column) || one.name || []) ?? [],
  );
  const used = new Set([
    ...scores,
    ...passthrough,
    ...Object.values(given),
    ...recipes.flatMap(({ features }) => features ?? []),
    ...declared,
    ...fields.map(({ name }) => name),
  ]);
  const typed = (type: string) =>
    [...new Set(fields.filter((one) => one.type === type).map(({ name }) => name))].filter((name) =>
      fields.every((one) => one.name !== name || one.type === type),
    );
  const database = lazyDatabase();
  try {
    const { table, features, largest, leftOut, placed } = await readTraining(
      database.get,
      options,
      {
        ...options,
        features: needsAll ? undefined : [...used],
        numeric: [...typed('number'), ...scores, ...Object.values(given)].filter(
          (name, i, all) => all.indexOf(name) === i,
        ),
        categorical: typed('category'),
        groups,
        time,
        holdoutBy: share === false ? undefined : (options.holdoutBy ?? time),
      },
      share || 0,
    );
    if (share === false)
      return { train: table, holdout: null, features, leftOut, placed: (error: unknown) => placed(error) };
    const heldOut = largest ?? flagsOf(table, options, share);
    const { train, holdout } = splitTable(table, heldOut);
    return {
      train,
      holdout: holdout.rows > 0 ? holdout : null,
      features,
      leftOut,
      placed: (error: unknown) => placed(error, (row) => nthOf(heldOut, 0, row)),
    };
  } finally {
    await database.close();
  }
}

/** Rows to hold out at random; with groups whole groups. */
function flagsOf(table: Table, { target, groups, seed = 1 }: StackOptions, share: number): Uint8Array {
  const column = table.columns.find(({ name }) => name === (groups ?? target))!;
  const codes = column.kind === 'coded' ? column.codes : column.values;
  const distinct = [...new Set(codes)];
  if (groups === undefined) return randomHoldout(codes, distinct.length, share, seed);
  const flags = randomHoldout(new Uint8Array(distinct.length), 1, share, seed);
  const held = new Set(distinct.filter((_, i) => flags[i]));
  return Uint8Array.from(codes, (code) => Number(held.has(code)));
}
