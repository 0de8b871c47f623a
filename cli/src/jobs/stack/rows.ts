import { type Declaration, LogoddsError, type Model, splitTable, type Table } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import { needsOf } from '../../../../src/text.ts';
import { nthOf } from '../../read/gaps.ts';
import { lazyDatabase } from '../../read/source.ts';
import { readTraining } from '../../read/training.ts';
import { randomHoldout } from '../holdout.ts';
import type { BaseRecipe, StackOptions } from './options.ts';

/** Reads the rows and holds some out: whole groups, or the latest times, where these are given. */
export async function readRows(options: StackOptions, models: ReadonlyMap<string, Model>) {
  const {
    groups,
    time,
    scores = [],
    passthrough = [],
    outOfFold: given = {},
    fits = {},
    drop = [],
    categorical = [],
    numeric = [],
    holdout: share = 0.2,
  } = options;
  const fields = [...models.values()].flatMap((model) => model.fields);
  const recipes = Object.values(fits);
  const needsAll = recipes.some(({ features, schema }) => features === null && !schema);
  const open = Object.keys(fits).find((name) => fits[name].schema?.others === 'infer');
  if (open !== undefined)
    throw new LogoddsError(
      'ERR_SCHEMA',
      `base ${show(open)}: expected a schema that declares all columns it reads, got others "infer"; declare them, or give --fit ${open}=all`,
    );
  const declared = recipes.flatMap(
    ({ schema }) => schema?.features.flatMap((one) => ('column' in one && one.column) || one.name || []) ?? [],
  );
  const own = recipes.flatMap(({ features }) => features ?? []);
  const used = new Set([
    ...scores,
    ...passthrough,
    ...Object.values(given),
    ...own,
    ...declared,
    ...fields.map(({ name }) => name),
  ]);
  refuseDrop(drop, needsAll, [...scores, ...passthrough, ...Object.values(given), ...own]);
  const schema = readingOf(models, recipes);
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
        numeric: [...new Set([...typed('number'), ...scores, ...Object.values(given), ...numeric])],
        categorical: [...new Set([...typed('category'), ...categorical])],
        // a base of a file reads what is dropped of the others
        drop: drop.filter((name) => !used.has(name)),
        schema,
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

/** Needs of bases that no type of a column tells: those of dates and texts of models, and all that a schema of a base declares. */
function readingOf(models: ReadonlyMap<string, Model>, recipes: readonly BaseRecipe[]): Declaration {
  const ofModels = [...models.values()].flatMap(({ manifest }) => manifest.schema.features);
  const open = new Set(asDeclared(needsOf(ofModels)));
  const features = [
    ...ofModels.filter((feature) => [...needsOf([feature]).keys()].some((column) => open.has(column))),
    ...recipes.flatMap(({ schema }) => schema?.features ?? []),
  ];
  return { features, others: 'infer' } as Declaration;
}

/** Columns that are neither numbers nor categories by themselves, but what a base declares of them: dates and texts. */
const asDeclared = (needs: ReturnType<typeof needsOf>): string[] =>
  [...needs].flatMap(([name, of]) => (of.has('number') || of.has('level') ? [] : [name]));

/** Dates and texts of bases, which a base of all columns does not take for categories. */
export const declaredOnly = (models: ReadonlyMap<string, Model>, fits: Readonly<Record<string, BaseRecipe>>) =>
  asDeclared(needsOf(readingOf(models, Object.values(fits)).features));

/** @throws ERR_RANGE for columns that have a use, and where no base takes all columns */
function refuseDrop(drop: readonly string[], needsAll: boolean, named: readonly (string | undefined)[]): void {
  const say = (expected: string, got: string, next: string) =>
    new LogoddsError('ERR_RANGE', `--drop: expected ${expected}, got ${got}; ${next}`);
  if (drop.length > 0 && !needsAll)
    throw say('a base of all columns (--fit NAME=all)', 'none', 'leave it out: other bases read what they name');
  const used = drop.find((name) => named.includes(name));
  if (used !== undefined) throw say('columns that nothing else names', show(used), 'remove it from one of the two');
}
