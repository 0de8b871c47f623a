import { LogoddsError } from '../../../../bindings/errors.ts';
import type { DeclaredNumber } from '../../../encode/declare.ts';
import type { Moments } from '../../../encode/infer.ts';
import { codeOfBin } from '../../../encode/kinds/numberCode.ts';
import { quantileEdges, uniformEdges } from '../../../encode/quantile.ts';
import type { BinnedFeature } from '../../../encode/schema.ts';
import type { NumericColumn } from '../../../encode/table.ts';
import { show } from '../../../messages.ts';
import type { Ranged, TrainingRows } from './trainingRows.ts';

/** @throws ERR_SCHEMA if the column has only one value */
export function resolveBins(
  rows: TrainingRows,
  declared: Ranged<DeclaredNumber>,
  numbers: NumericColumn,
  found: Moments,
): BinnedFeature {
  const { name, column, reason, range = 'clip', missing = 'slot' } = declared;
  const edges = edgesOf(rows, declared, numbers);
  if (edges.length < 2) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema, feature ${show(name)}: expected at least two different values to cut into bins, got only ${found.min}; drop the feature`,
    );
  }
  const last = edges.length - 2;
  const levels = edges.slice(1).map((end, i) => `[${edges[i]}, ${end}${i === last ? ']' : ')'}`);
  const codeOf = codeOfBin({ edges });
  const counts = rows.counts(levels.length, numbers, (i) => {
    const code = codeOf(numbers.values[i]);
    return code >= 0 ? code : range !== 'clip' ? null : code === -1 ? 0 : last;
  });
  return {
    name,
    kind: 'binned',
    ...(reason !== undefined && { reason }),
    ...(column !== undefined && { column }),
    ...rows.dated(declared),
    edges,
    range,
    levels,
    counts,
    ...rows.coding(name, levels),
    missing,
    unseen: range === 'clip' ? 'slot' : range,
  };
}

function edgesOf(
  rows: TrainingRows,
  { bins, binning = 'quantile', low, high }: DeclaredNumber,
  numbers: NumericColumn,
): readonly number[] {
  if (typeof bins === 'object') return bins;
  const { values, weights } = rows.present(numbers);
  const inside = (x: number): boolean => x >= (low ?? x) && x <= (high ?? x);
  const kept = values.filter(inside);
  const keptWeights = weights?.filter((_, i) => inside(values[i])) ?? null;
  const cut = binning === 'uniform' ? uniformEdges : quantileEdges;
  return [...cut(kept, keptWeights, bins!)];
}
