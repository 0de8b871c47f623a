import { refuse } from '../../../../bindings/errors.ts';
import { CROSS } from '../../../encode/coder.ts';
import type { DeclaredCross } from '../../../encode/declare.ts';
import { levelsOf } from '../../../encode/kinds/cross.ts';
import type { CrossFeature, Feature, HashedFeature } from '../../../encode/schema.ts';
import { show } from '../../../messages.ts';
import { resolveHashed } from './hashed.ts';
import type { TrainingRows } from './trainingRows.ts';

/**
 * @param of  names of its parts, none a cross
 * @param plain  all features that are not crosses
 * @throws ERR_SCHEMA for fewer than two parts or parts without levels; for combinations that do not occur, are too many, or share a name
 */
export function resolveCross(
  rows: TrainingRows,
  name: string,
  declared: DeclaredCross,
  of: readonly string[],
  plain: readonly Feature[],
): CrossFeature | HashedFeature {
  const { buckets, reason, minCount = 0 } = declared;
  const parts = of.map((one) => plain.find((feature) => feature.name === one)!);
  const wrong = parts.find((part) => levelsOf(part) === null);
  const what = `schema, feature ${show(name)}`;
  if (wrong) {
    const got = `${show(wrong.name)} (${wrong.kind})`;
    refuse('ERR_SCHEMA', what, 'a cross of features with levels', got, 'give it "bins", or one-hot encoding');
  }
  if (of.length < 2) refuse('ERR_SCHEMA', what, 'two features or more', `${show(of[0])} alone`, 'add another');
  const common = { name, ...(reason !== undefined && { reason }) };
  const missing = rows.gaps;
  if (buckets !== undefined) return resolveHashed(rows, { ...common, of, buckets, missing }, null, parts);

  const sizes = parts.map((part) => levelsOf(part)!.length);
  if (sizes.reduce((product, size) => product * (size + 2), 1) > Number.MAX_SAFE_INTEGER)
    refuse('ERR_SCHEMA', what, 'at most 2^53 combinations', 'more', 'give it "buckets"');
  const { cells, gaps } = countCells(rows, parts, sizes);
  const kept = [...cells].filter(([, count]) => count >= minCount).sort(([a], [b]) => a - b);
  const levels = kept.map(([cell]) => nameOf(cell, parts, sizes));
  if (levels.length === 0)
    refuse('ERR_SCHEMA', what, 'a combination with at least "minCount" rows', 'none', 'lower "minCount"');
  if (new Set(levels).size < levels.length) {
    const expected = `levels without "${CROSS}" in their names`;
    refuse(
      'ERR_SCHEMA',
      what,
      expected,
      'two combinations with the same name',
      'rename the levels, or give it "buckets"',
    );
  }
  return {
    ...common,
    kind: 'cross',
    of,
    levels,
    counts: [...kept.map(([, count]) => count), gaps],
    ...rows.coding(name, levels),
    missing,
    unseen: declared.unseen ?? rows.options.unseen ?? 'slot',
  };
}

/** Weights of the combinations that occur, keyed by one number for the codes of all parts, and the weight of rows with a missing part. */
function countCells(
  rows: TrainingRows,
  parts: readonly Feature[],
  sizes: readonly number[],
): { readonly cells: ReadonlyMap<number, number>; readonly gaps: number } {
  const codes = parts.map((part) => rows.codesOf(part));
  const cells = new Map<number, number>();
  let gaps = 0;
  for (let i = 0; i < rows.rows; i++) {
    const s = rows.weight ? rows.weight[i] : 1;
    if (s === 0) continue;
    let cell = 0;
    let past = -1;
    for (let j = 0; j < parts.length; j++) {
      if (codes[j][i] >= sizes[j] && past !== 0) past = codes[j][i] - sizes[j];
      cell = cell * sizes[j] + codes[j][i];
    }
    if (past === 0) gaps += s;
    else if (past < 0) cells.set(cell, (cells.get(cell) ?? 0) + s);
  }
  return { cells, gaps };
}

/** The levels of a combination, joined. */
function nameOf(cell: number, parts: readonly Feature[], sizes: readonly number[]): string {
  let rest = cell;
  const names: string[] = [];
  for (let j = parts.length - 1; j >= 0; j--) {
    names.unshift(levelsOf(parts[j])![rest % sizes[j]]);
    rest = Math.floor(rest / sizes[j]);
  }
  return names.join(CROSS);
}
