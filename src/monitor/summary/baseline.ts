import { refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { CheckedTable, type Data } from '../../encode/checkedTable.ts';
import { asCoded } from '../../encode/columns.ts';
import { selectRows } from '../../encode/split.ts';
import type { Table } from '../../encode/table.ts';
import { show } from '../../messages.ts';
import { FittedModel } from '../../model/fittedModel.ts';
import type { BaselineReport, Manifest } from '../../model/manifest.ts';
import type { Model } from '../../model/model.ts';
import { sha256 } from '../../model/sha256.ts';
import { checkBins } from './bins.ts';
import type { SummaryBins } from './layout.ts';
import { binsOfData, summarise, summary } from './summarise.ts';
import type { Summary, SummaryState } from './summary.ts';

/** The distribution of the training data and of its scores. */
export interface Baseline {
  readonly bins: SummaryBins;
  /** of all rows */
  readonly whole: Summary;
  /** of the rows of each class, by label; empty: the labels were not known */
  readonly classes: ReadonlyMap<string, Summary>;
  /** whether calibration and decision are still those that the scores of the baseline were made with; logits do not depend on them */
  readonly isCurrent: boolean;
}

/**
 * Returns a copy of the model with the distribution of data as its baseline: what later data are compared with. `saveModel` writes it into the file.
 *
 * Rows count once each, whatever their weight, since a service sees rows. Calibrate and decide first: the baseline has the scores of the model as it is. It takes
 * about 1,000 bytes of the file for a number, and for a category its counts by class.
 * @param data  training rows, or others of the same kind: features, the offset if the model has one, and the target, if the baseline is to be by class
 * @throws as `scoreTable`; ERR_DATA without rows; ERR_TARGET a label that is no class of the model
 * @example
 * const based = withBaseline(model, records);
 * baselineOf(based).whole.rows; // 30
 * baselineOf(based).classes.get('yes').rows; // 16
 * drift(based, records).features[0].drifted; // false
 */
export function withBaseline(model: Model, data: Data): FittedModel {
  const table = CheckedTable.of(data);
  const bins = binsOfData(model, table);
  const parts = partsByClass(model, table);
  const states = parts.map(({ label, table: part }) => {
    const { kind: _, labels: __, next: ___, ...state } = summarise(model, part, bins).toJSON();
    return { label, ...state };
  });
  const baseline: BaselineReport = { ...bins, scoredBy: scoredBy(model.manifest), parts: states };
  const { weights, intercept, covariance, baseline: means, stages } = model;
  const manifest = { ...model.manifest, baseline };
  return new FittedModel({ manifest, weights, intercept, covariance, baseline: means, stages });
}

/** The rows of each class; of a table without the target all of them, of no class. */
function partsByClass({ manifest }: Model, table: CheckedTable): { label: string | null; table: Table }[] {
  const { target, classes } = manifest;
  if (!table.names.includes(target)) return [{ label: null, table }];
  const { codes, levels, missing } = asCoded(table.column(target), table.rows, 0);
  const wrong = codes.findIndex((code, row) => Boolean(missing?.[row]) || !classes.includes(levels[code]));
  if (wrong >= 0) {
    const got = missing?.[wrong] ? 'a missing cell' : 'another label';
    refuse(
      'ERR_TARGET',
      `target ${show(target)}`,
      `classes of the model in every row`,
      `${got} in row ${wrong}`,
      'leave these rows out',
    );
  }
  return classes.map((label) => {
    const rows = Uint32Array.from(codes.keys()).filter((row) => levels[codes[row]] === label);
    return { label, table: selectRows(table, rows) };
  });
}

/** What probabilities and labels depend on beside the logits, as a digest. */
const scoredBy = ({ calibration = null, decision }: Manifest): string => {
  const { threshold, costs = null } = decision;
  return sha256(new TextEncoder().encode(JSON.stringify({ calibration, threshold, costs }))).slice(0, 16);
};

/**
 * Returns the baseline of a model.
 * @throws ERR_DATA a model without one; ERR_FORMAT one that is none
 * @example
 * baselineOf(withBaseline(model, records)).whole.rows; // 30
 * baselineOf(model); // throws ERR_DATA
 */
export function baselineOf(model: Model): Baseline {
  const { baseline } = model.manifest;
  if (!baseline)
    refuse(
      'ERR_DATA',
      'model',
      'one with a baseline',
      'none',
      'train it again with a baseline, or compare with its training data',
    );
  const { columns, scores, scoredBy: by, parts } = Object(baseline) as BaselineReport;
  if (!Array.isArray(columns) || !Array.isArray(scores) || !Array.isArray(parts) || parts.length === 0)
    refuse('ERR_FORMAT', 'baseline', 'bins and counts', tell(baseline), 'train the model again');
  const bins: SummaryBins = { columns: columns.map((one) => one && checkBins(one)), scores: scores.map(checkBins) };
  const whole = summary(model, bins);
  const classes = new Map<string, Summary>();
  for (const part of parts) {
    const { label, ...state } = part as (typeof parts)[number] & SummaryState;
    const one = summary(model, whole.bins, { ...state, kind: 'summary', labels: {}, next: 0 });
    whole.merge(one);
    if (label !== null) classes.set(label, one);
  }
  return { bins: whole.bins, whole, classes, isCurrent: by === scoredBy(model.manifest) };
}
