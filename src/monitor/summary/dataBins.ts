import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { refuse } from '../../../bindings/errors.ts';
import type { CheckedTable } from '../../encode/checkedTable.ts';
import type { Encoder } from '../../encode/encoder.ts';
import { sliceTable } from '../../encode/split.ts';
import type { Table } from '../../encode/table.ts';
import type { Model } from '../../model/model.ts';
import { binsOf, type NumberBins, spacedBins } from './bins.ts';
import { type FeaturePlan, planOf, type SummaryBins, TENTHS } from './layout.ts';
import { plainBatch } from './plainBatch.ts';

/** Rows that are encoded at a time. */
const PART = 8192;

/** How bins are made. */
export interface BinsOptions {
  /** names of features that are left out */
  readonly without?: readonly string[];
  /** true: no value of a private feature is among the edges, and no score of a model that has one: bins are spaced by what the model says of them */
  readonly hidesPrivate?: boolean;
}

/** The bins of data: of each number that a model reads, and of its scores. @throws ERR_DATA without rows; others as `scoreTable` */
export function binsOfTable(
  model: Model,
  table: CheckedTable,
  { without = [], hidesPrivate = false }: BinsOptions = {},
): SummaryBins {
  if (!table.rows) refuse('ERR_DATA', 'data', 'one row or more', 'none', 'give rows');
  const { encoder, manifest } = model;
  const plan = planOf(encoder, without);
  const kept = plan.flatMap((one) => one.columns.map((column) => ({ ...column, plan: one })));
  const hides = ({ feature }: FeaturePlan): boolean => hidesPrivate && feature.private === true;
  const numbers = kept.map(({ kept: how, plan: one }) =>
    how === 'number' && !hides(one) ? new Float64Array(table.rows) : null,
  );
  encodeParts(encoder, table, (batch, first, rows) => {
    for (const { at } of kept) numbers[at]?.set((batch.numeric(at) as Float64Array).subarray(0, rows), first);
  });
  const columns = kept.map(({ at, kept: how, plan: one }): NumberBins | null => {
    if (how !== 'number') return null;
    const values = numbers[at];
    if (!values) return binsBySchema(encoder, one);
    const { missing } = one.field === undefined ? { missing: null } : table.column(one.field);
    // of rows of a sample the range of training is wider
    const range = one.feature.kind === 'numeric' ? one.range : null;
    return binsOf(missing ? values.filter((_, row) => !missing[row]) : values, range);
  });
  const { logits, probabilities, rows } = model.scoreTable(table);
  const ofScores = (values: ArrayLike<number>): NumberBins => {
    const found = binsOf(values);
    return plan.some(hides) ? spacedBins(found.centre, (found.high - found.low) / 8 || 1) : found;
  };
  const scores =
    manifest.positive === null
      ? manifest.classes.map((_, k) => ofScores(probabilities.subarray(k * rows, (k + 1) * rows)))
      : [ofScores(logits), TENTHS];
  return { columns, scores, ...(without.length > 0 && { without }) };
}

/** Bins of a private number, from what its feature says in every model file. */
function binsBySchema({ coders }: Encoder, { feature, index, range }: FeaturePlan): NumberBins {
  if (feature.kind === 'numeric') return spacedBins(feature.mean, feature.scale, range);
  const { means, scales } = coders[index]!;
  return spacedBins(means[0] ?? 0, scales[0] ?? 1);
}

/** Encodes a table part by part. */
function encodeParts(
  encoder: Encoder,
  table: Table,
  take: (batch: Pick<ColumnsBatch, 'numeric' | 'codes'>, first: number, rows: number) => void,
): void {
  const batch = plainBatch(encoder.specs, Math.min(PART, table.rows));
  for (let first = 0; first < table.rows; first += PART) {
    const part = sliceTable(table, first, Math.min(table.rows, first + PART));
    encoder.encode(part, batch, { standardize: false, firstRow: first });
    take(batch, first, part.rows);
  }
}
