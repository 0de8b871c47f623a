import { LogoddsError } from '../../../../bindings/errors.ts';
import { asCoded } from '../../../encode/columns.ts';
import type { DeclaredBoolean, DeclaredCategory } from '../../../encode/declare.ts';
import { Counts } from '../../../encode/infer.ts';
import { numbersOf } from '../../../encode/kinds/numbers.ts';
import type {
  CategoricalFeature,
  CodedMissing,
  DatePartFeature,
  HashedFeature,
  TargetFeature,
} from '../../../encode/schema.ts';
import { list, show } from '../../../messages.ts';
import { resolveHashed } from './hashed.ts';
import { columnOf, type Ranged, type TrainingRows } from './trainingRows.ts';

/** Resolves a category: one weight for each level, target encoding, or hashing. */
export function resolveCategory(
  rows: TrainingRows,
  given: Ranged<DeclaredCategory>,
): CategoricalFeature | DatePartFeature | TargetFeature | HashedFeature {
  const dated = rows.dated(given);
  const declared = { ...given, ...dated };
  const { name, column, part, reason, encoding = 'onehot' } = declared;
  const common = { name, ...(reason !== undefined && { reason }), ...(column !== undefined && { column }) };
  const source = rows.column(declared);
  const cells = asCoded(part === undefined ? source : numbersOf(declared, source, rows.rows, 0), rows.rows, 0);
  const all = new Counts();
  all.add({ ...cells, name: columnOf(declared) }, rows.rows, rows.weight, 0);
  const found = all.sorted(columnOf(declared));
  const missing = declared.missing ?? rows.options.missing ?? 'slot';
  if (encoding === 'target') return { ...common, ...targetOf(rows, declared, found, missing) };
  if (encoding === 'hash')
    return resolveHashed(rows, { ...common, of: null, buckets: declared.buckets ?? 1024, missing }, cells);
  const { levels, counts, rare } = levelsOf(declared, found);
  const coded = {
    ...common,
    levels,
    counts,
    ...rows.coding(name, levels, declared),
    missing,
    unseen: declared.unseen ?? rows.options.unseen ?? 'slot',
  };
  if (part !== undefined) return { ...coded, kind: 'date', ...dated, part };
  return { ...coded, kind: 'categorical', ...(rare.length > 0 && { rare }) };
}

/** @throws ERR_SCHEMA for more than two levels */
export function resolveBoolean(rows: TrainingRows, declared: DeclaredBoolean): ReturnType<typeof resolveCategory> {
  const feature = resolveCategory(rows, { ...declared, kind: 'categorical' });
  if (feature.kind !== 'categorical' || feature.levels.length <= 2) return feature;
  throw new LogoddsError(
    'ERR_SCHEMA',
    `schema, feature ${show(feature.name)}: expected a boolean of at most two values, got ${list(feature.levels)}; declare it categorical`,
  );
}

/** Levels of training with their weights; the weight of missing cells comes last. */
type Found = Pick<CategoricalFeature, 'levels' | 'counts'>;

/** `TargetColumns` estimates its values. */
function targetOf(
  rows: TrainingRows,
  { unseen = rows.options.unseen }: DeclaredCategory,
  found: Found,
  missing: CodedMissing,
): Omit<TargetFeature, 'name' | 'reason' | 'column'> {
  return {
    kind: 'target',
    ...found,
    values: [],
    missing: missing === 'mode' ? 'baseline' : missing,
    unseen: unseen === 'error' ? 'error' : 'baseline',
    means: [],
    scales: [],
  };
}

/**
 * Splits levels into those with their own slot and those that share one.
 * @throws ERR_SCHEMA if no level has a slot; or for an undeclared level of training, if unseen values are errors
 */
function levelsOf(declared: DeclaredCategory, found: Found): Found & { readonly rare: readonly string[] } {
  const { levels, rare } = keptLevels(declared, found);
  const known = new Set(levels);
  const beyond =
    declared.levels && declared.unseen === 'error' ? found.levels.find((level) => !known.has(level)) : undefined;
  if (beyond !== undefined) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema, feature ${show(declared.name)}, field "levels": expected every level of training (unseen values are errors), got none for ${show(beyond)}; add it, or give unseen values a slot`,
    );
  }
  if (levels.length === 0) {
    const most = found.counts.slice(0, -1).reduce((greatest, count) => Math.max(greatest, count));
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema, feature ${show(declared.name)}: expected a level with weight ${declared.minCount} or more, got at most ${most}; lower "minCount"`,
    );
  }
  const weightOf = new Map(found.levels.map((level, code) => [level, found.counts[code]]));
  return {
    levels,
    rare,
    counts: [...levels.map((level) => weightOf.get(level) ?? 0), found.counts[found.levels.length]],
  };
}

function keptLevels(
  { levels: given, minCount = 0, maxLevels = Number.POSITIVE_INFINITY }: DeclaredCategory,
  { levels, counts }: Found,
): { readonly levels: readonly string[]; readonly rare: readonly string[] } {
  if (given) return { levels: given, rare: [] };
  const frequent = levels
    .map((level, code) => ({ level, count: counts[code] }))
    .filter(({ count }) => count >= minCount)
    .sort((a, b) => b.count - a.count)
    .slice(0, maxLevels);
  const kept = new Set(frequent.map(({ level }) => level));
  return { levels: levels.filter((level) => kept.has(level)), rare: levels.filter((level) => !kept.has(level)) };
}
