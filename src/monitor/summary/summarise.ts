import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { refuse } from '../../../bindings/errors.ts';
import { CheckedTable, type Data } from '../../encode/checkedTable.ts';
import type { Encoder } from '../../encode/encoder.ts';
import { sliceTable } from '../../encode/split.ts';
import type { Table } from '../../encode/table.ts';
import type { Model } from '../../model/model.ts';
import { binsOf, checkBins, type NumberBins } from './bins.ts';
import type { SummaryOptions } from './cells.ts';
import { planOf, type SummaryBins, TENTHS } from './layout.ts';
import { Summary, type SummaryState } from './summary.ts';
import { plainBatch, WatchedModel } from './watch.ts';

/** Rows that are encoded at a time. */
const PART = 8192;

/**
 * Makes an empty summary of what a model scores, or one of the state that `toJSON` returned.
 * @param bins  of the baseline of the model, or of `binsOfData`
 * @throws ERR_SCHEMA bins of another model; ERR_FORMAT, ERR_RANGE a state that is none
 * @example
 * const seen = summary(model, binsOfData(model, records));
 * watch(model, seen).score(flight);
 * seen.rows; // 1
 * summary(model, seen.bins, seen.toJSON()).rows; // 1
 */
export function summary(model: Model, bins: SummaryBins, options: SummaryOptions | SummaryState = {}): Summary {
  const checked: SummaryBins = {
    columns: Array.isArray(bins?.columns) ? bins.columns.map((one) => one && checkBins(one)) : [],
    scores: Array.isArray(bins?.scores) ? bins.scores.map(checkBins) : [],
  };
  return 'kind' in options ? Summary.from(model, checked, options) : new Summary(model, checked, options);
}

/**
 * Returns the bins of data: for each number that the model reads, and for its scores, those of `NumberBins`.
 * @param data  a table or records: features, and the offset if the model has one
 * @throws as `scoreTable`; ERR_DATA without rows
 * @example
 * binsOfData(model, records).columns[0].low; // 200
 */
export function binsOfData(model: Model, data: Data): SummaryBins {
  const table = CheckedTable.of(data);
  if (!table.rows) refuse('ERR_DATA', 'data', 'one row or more', 'none', 'give rows');
  const { encoder, manifest } = model;
  const kept = planOf(encoder).flatMap((plan) => plan.columns.map((column) => ({ ...column, plan })));
  const numbers = kept.map(({ kept: how }) => (how === 'number' ? new Float64Array(table.rows) : null));
  encodeParts(encoder, table, (batch, first, rows) => {
    for (const { at } of kept) numbers[at]?.set((batch.numeric(at) as Float64Array).subarray(0, rows), first);
  });
  const columns = kept.map(({ at, plan }): NumberBins | null => {
    const values = numbers[at];
    if (!values) return null;
    const { missing } = plan.field === undefined ? { missing: null } : table.column(plan.field);
    return binsOf(missing ? values.filter((_, row) => !missing[row]) : values);
  });
  const { logits, probabilities, rows } = model.scoreTable(table);
  const scores =
    manifest.positive === null
      ? manifest.classes.map((_, k) => binsOf(probabilities.subarray(k * rows, (k + 1) * rows)))
      : [binsOf(logits), TENTHS];
  return { columns, scores };
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

/**
 * Returns the summary of data: what the model reads and says of it.
 * @param bins  of the baseline to compare with; default those of the data
 * @throws as `scoreTable`, and `summary`
 * @example
 * const seen = summarise(model, records);
 * seen.rows; // 30
 * seen.features[0].mean; // 1162.17
 */
export function summarise(model: Model, data: Data, bins?: SummaryBins, options?: SummaryOptions): Summary {
  const table = CheckedTable.of(data);
  const made = summary(model, bins ?? binsOfData(model, table), options);
  if (table.rows) new WatchedModel(model, () => made).scoreTable(table);
  return made;
}
