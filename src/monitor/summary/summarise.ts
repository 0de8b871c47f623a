import { refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { CheckedTable, type Data } from '../../encode/checkedTable.ts';
import type { Model } from '../../model/model.ts';
import { checkBins } from './bins.ts';
import type { SummaryOptions } from './cells.ts';
import { binsOfTable } from './dataBins.ts';
import type { SummaryBins } from './layout.ts';
import { Summary, type SummaryState } from './summary.ts';
import { WatchedModel } from './watch.ts';

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
  const checked = checkedBins(bins);
  return 'kind' in options ? Summary.from(model, checked, options) : new Summary(model, checked, options);
}

/** The bins of a summary, without what does not belong to them. @throws ERR_FORMAT */
export function checkedBins(bins: SummaryBins): SummaryBins {
  const { columns, scores, without = [] } = Object(bins) as SummaryBins;
  const names = Array.isArray(without) && without.every((name) => typeof name === 'string');
  if (!names) refuse('ERR_FORMAT', 'bins', 'names of features that are left out', tell(without), 'train again');
  return {
    columns: Array.isArray(columns) ? columns.map((one) => one && checkBins(one)) : [],
    scores: Array.isArray(scores) ? scores.map(checkBins) : [],
    ...(without.length > 0 && { without }),
  };
}

/**
 * Returns the bins of data: for each number that the model reads, and for its scores, those of `NumberBins`.
 * @param data  a table or records: features, and the offset if the model has one
 * @throws as `scoreTable`; ERR_DATA without rows
 * @example
 * binsOfData(model, records).columns[0].low; // 200
 */
export function binsOfData(model: Model, data: Data): SummaryBins {
  return binsOfTable(model, CheckedTable.of(data));
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
