import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { CheckedTable, type Data } from '../../encode/checkedTable.ts';
import { FittedModel } from '../../model/fittedModel.ts';
import type { BaselineReport, Manifest } from '../../model/manifest.ts';
import type { Model } from '../../model/model.ts';
import { sha256 } from '../../model/sha256.ts';
import { whole as wholeNumber } from '../check.ts';
import { type BaselineRows, rowsByClass, sampleRows, scoredColumns } from './baselineRows.ts';
import { binsOfTable } from './dataBins.ts';
import { type FeaturePlan, planOf, type SummaryBins } from './layout.ts';
import type { NumberState } from './numberColumn.ts';
import { checkedBins, summarise, summary } from './summarise.ts';
import type { Summary, SummaryState } from './summary.ts';

/** Options of `withBaseline`. */
export interface BaselineOptions {
  /** of more rows than this a sample is taken, spread over the rows; default 50,000. The baseline says of how many */
  readonly rows?: number;
  /** of the sample; default 1 */
  readonly seed?: number;
  /** rows that the data themselves were sampled from; default: they are all */
  readonly of?: number;
}

/** The distribution of the training data and of its scores. */
export interface Baseline {
  readonly bins: SummaryBins;
  /** of all rows */
  readonly whole: Summary;
  /** of the rows of each class, by label; empty: the labels were not known, or it would have been too much */
  readonly classes: ReadonlyMap<string, Summary>;
  /** rows that those of `whole` were sampled from: as many, unless there were too many */
  readonly of: number;
  /** names of features whose values are left out, because they would take too much of the file */
  readonly without: readonly string[];
  /** whether calibration and decision are still those that the scores of the baseline were made with; logits do not depend on them */
  readonly isCurrent: boolean;
}

/** Rows by default. */
const ROWS = 50_000;
/** Rows whose quantiles are edges of bins, at most. */
const BIN_ROWS = 8192;
/** Bytes of a feature, and of all classes together, beyond which they are left out. */
const FEATURE_BYTES = 2 ** 16;
const CLASS_BYTES = 2 ** 20;
/** A sum over fewer rows may tell a value. */
const PRIVATE_ROWS = 10;

/**
 * Returns a copy of the model with the distribution of data as its baseline: what later data are compared with. `saveModel` writes it into the file.
 *
 * Rows count once each, whatever their weight, since a service sees rows. Calibrate and decide first: the baseline has the scores of the model as it is. It takes
 * about 1,000 bytes of the file for a number, and for a category its counts by class. A feature that would take more than 64 kB (some hundred tokens) is left out
 * by name, and classes that would take more than 1 MB together are not told apart. Of features that are `private` it has no value of a row: edges are spaced by
 * the mean and standard deviation of the feature, and no class has fewer than 10 rows, or classes are not told apart.
 * @param data  training rows, or others of the same kind: features, the offset if the model has one, and the target, if the baseline is to be by class
 * @throws as `scoreTable`; ERR_DATA without rows; ERR_TARGET a label that is no class of the model; ERR_RANGE options outside their domain
 * @example
 * const based = withBaseline(model, records);
 * baselineOf(based).whole.rows; // 30
 * baselineOf(based).classes.get('yes').rows; // 16
 * drift(based, records).features[0].drifted; // false
 */
export function withBaseline(model: Model, data: Data, options: BaselineOptions = {}): FittedModel {
  refuseUnknown('withBaseline', options, { rows: true, seed: true, of: true });
  const { rows: most = ROWS, seed = 1 } = options;
  const table = CheckedTable.of(data);
  const of = wholeNumber('of', options.of ?? table.rows, table.rows);
  if (!table.rows) refuse('ERR_DATA', 'data', 'one row or more', 'none', 'give rows');
  const plan = planOf(model.encoder);
  const hides = plan.some(({ feature }) => feature.private);
  const all = sampleRows(table.rows, wholeNumber('rows', most, 1), seed);
  const byClass = rowsByClass(model, table, all);
  const without = plan
    .filter((one) => bytesOf(one) > FEATURE_BYTES || (one.feature.private && all.length < PRIVATE_ROWS))
    .map(({ feature }) => feature.name);
  const bytes = plan.reduce((sum, one) => sum + (without.includes(one.feature.name) ? 0 : bytesOf(one)), 0);
  const isTogether =
    bytes * byClass.length > CLASS_BYTES ||
    (hides && byClass.some(({ rows }) => rows.length > 0 && rows.length < PRIVATE_ROWS));
  const parts: readonly BaselineRows[] = isTogether ? [{ label: null, rows: all }] : byClass;
  const select = (rows: Uint32Array): CheckedTable => CheckedTable.of(scoredColumns(model, table, rows));
  const few = all.length > BIN_ROWS ? sampleRows(all.length, BIN_ROWS, seed).map((k) => all[k]) : all;
  const bins = binsOfTable(model, select(few), { without, hidesPrivate: true });
  const isKept = keptColumns(planOf(model.encoder, without));
  const states = parts.map(({ label, rows }) => {
    const { kind: _, labels: __, next: ___, ...state } = summarise(model, select(rows), bins).toJSON();
    const shown = hides ? withoutEnds(state, bins, plan) : state;
    return { label, ...shown, columns: shown.columns.filter(isKept) };
  });
  const baseline: BaselineReport = {
    ...bins,
    columns: bins.columns.filter(isKept),
    ...(all.length < of && { of }),
    scoredBy: scoredBy(model.manifest),
    parts: states,
  };
  const { weights, intercept, covariance, baseline: means, stages } = model;
  const manifest = { ...model.manifest, baseline };
  return new FittedModel({ manifest, weights, intercept, covariance, baseline: means, stages });
}

/** Whether a column of the encoder is summed up: the file has the others not at all, as there may be 100,000 of a text. */
function keptColumns(plan: readonly FeaturePlan[]): (_: unknown, at: number) => boolean {
  const kept = new Set(plan.flatMap(({ columns }) => columns.filter((one) => one.kept !== 'none').map(({ at }) => at)));
  return (_, at) => kept.has(at);
}

/** About how many bytes a feature takes in a part. */
const bytesOf = ({ columns }: FeaturePlan): number =>
  columns.reduce((sum, { kept, slots }) => sum + (kept === 'codes' ? 3 * slots : kept === 'sum' ? 100 : 500), 0);

type State = Omit<SummaryState, 'kind' | 'labels' | 'next'>;

/** A state in whose private numbers, and scores, the least and the greatest are the ends of the range of the bins: theirs are values of rows. */
function withoutEnds(state: State, { columns, scores }: SummaryBins, plan: readonly FeaturePlan[]): State {
  const hidden = new Set(plan.flatMap((one) => (one.feature.private ? one.columns.map(({ at }) => at) : [])));
  const within = (one: NumberState, ends: { readonly low: number; readonly high: number } | null): NumberState =>
    one.count === 0 ? one : { ...one, min: ends?.low ?? 0, max: ends?.high ?? 0 };
  return {
    ...state,
    columns: state.columns.map((one, at) => (hidden.has(at) && one && 'sums' in one ? within(one, columns[at]) : one)),
    scores: state.scores.map((one, k) => within(one, scores[k])),
  };
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
  const { scoredBy: by, parts, of, ...given } = Object(baseline) as BaselineReport;
  if (!Array.isArray(given.columns) || !Array.isArray(given.scores) || !Array.isArray(parts) || parts.length === 0)
    refuse('ERR_FORMAT', 'baseline', 'bins and counts', tell(baseline), 'train the model again');
  const isKept = keptColumns(planOf(model.encoder, checkedBins(given).without));
  const widened = <T>(columns: readonly T[]): (T | null)[] => {
    let next = 0;
    const all = model.encoder.specs.map((_, at) => (isKept(_, at) ? (columns?.[next++] ?? null) : null));
    if (next !== columns?.length)
      refuse('ERR_FORMAT', 'baseline', `${next} columns`, tell(columns?.length), 'train the model again');
    return all;
  };
  const whole = summary(model, { ...given, columns: widened(given.columns) });
  const classes = new Map<string, Summary>();
  for (const part of parts) {
    const { label, ...state } = part as (typeof parts)[number] & SummaryState;
    const columns = widened(state.columns);
    const one = summary(model, whole.bins, { ...state, columns, kind: 'summary', labels: {}, next: 0 });
    whole.merge(one);
    if (label !== null) classes.set(label, one);
  }
  const { bins } = whole;
  const isCurrent = by === scoredBy(model.manifest);
  return { bins, whole, classes, of: of ?? whole.rows, without: bins.without ?? [], isCurrent };
}
