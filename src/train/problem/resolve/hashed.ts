import type { Feature, HashedFeature } from '../../../encode/schema.ts';
import type { Column } from '../../../encode/table.ts';
import type { TrainingRows } from './trainingRows.ts';

/**
 * @param cells  cells of its column; null for a cross
 * @param parts  parts of a cross
 */
export function resolveHashed(
  rows: TrainingRows,
  { buckets, ...rest }: Omit<HashedFeature, 'kind' | 'counts'>,
  cells: Column | null,
  parts: readonly Feature[] = [],
): HashedFeature {
  const empty: HashedFeature = {
    ...rest,
    kind: 'hashed',
    buckets,
    counts: new Array<number>(2 * buckets + 1).fill(0),
    // while counting, every gap has its own slot
    missing: 'slot',
  };
  const codes = rows.codesOf(empty, parts);
  const counts = rows.counts(2 * buckets, { missing: cells?.missing }, (i) =>
    codes[i] <= 2 * buckets ? codes[i] : null,
  );
  return { ...empty, missing: rest.missing, counts };
}
