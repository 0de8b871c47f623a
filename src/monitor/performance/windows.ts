import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { finite, whole } from '../check.ts';
import type { JoinedRow } from '../labels/join.ts';
import { type LabelSelection, labelSelection } from '../labels/selection.ts';
import type { Prediction } from '../log/prediction.ts';
import { type EstimatedPerformance, type Estimator, estimatePerformance } from './estimate.ts';
import {
  type GroupPerformance,
  type PerformanceOptions,
  performanceByGroup,
  performanceOf,
  type RealisedPerformance,
} from './measure.ts';

/** What a row needs to be measured: fields of a prediction log. */
export type Scored = Pick<Prediction, 'at' | 'id' | 'label' | 'probability'>;

/** How scores are put into windows, and what is measured in each. */
export interface PerformanceWindowOptions<P extends Scored> extends Omit<PerformanceOptions, 'called' | 'weightKind'> {
  /** milliseconds since 1970, now */
  readonly now: number;
  /** the two classes, as the manifest of a model has them; probabilities are those of the second */
  readonly classes: readonly [negative: string, positive: string];
  /** windows by time, which begin at multiples of it since 1970, or by a number of scores in order of time */
  readonly window: { readonly lengthMs: number } | { readonly rows: number };
  /** age at which labels are there: a window is ripe when its last score is that old */
  readonly ripeAfterMs: number;
  /** group of a score; default no groups */
  readonly groupOf?: (prediction: P) => string;
  /** whether rows with a label weigh the inverse of the share of labels at their score; default false */
  readonly inversePropensity?: boolean;
  /** known probability that a score gets a label, with `inversePropensity` */
  readonly propensityOf?: (prediction: P) => number;
  /** calibration for the estimates without labels, of `fitEstimator`; default: probabilities are calibrated */
  readonly estimator?: Estimator;
  /** greatest number of windows: of more the oldest are left out and counted; default 1000 */
  readonly most?: number;
}

/** A window of scores. */
export interface PerformanceWindow {
  /** milliseconds since 1970: of windows by time their ends, of others the first and the last score */
  readonly start: number;
  readonly end: number;
  readonly rows: number;
  /** rows with a label */
  readonly labelled: number;
  /** rows whose label is neither of the two classes: they count as rows without a label */
  readonly otherLabels: number;
  /** share of rows without a label */
  readonly missing: number;
  /** whether labels are there, as far as they come */
  readonly isRipe: boolean;
  /** figures over rows with a label; null while the window is not ripe */
  readonly realised: RealisedPerformance | null;
  readonly groups: GroupPerformance | null;
  /** figures as they are expected without labels, over all rows */
  readonly estimated: EstimatedPerformance;
  /** which rows have labels; null while the window is not ripe */
  readonly selection: Omit<LabelSelection, 'weights'> | null;
  /** what must be told with the figures */
  readonly warnings: readonly string[];
}

/** Windows in order of time, and what was left out. */
export interface PerformanceWindows {
  readonly windows: readonly PerformanceWindow[];
  /** scores of more windows than `most` */
  readonly rowsLeftOut: number;
  /** windows by time without any score between the first and the last: their starts, at most a thousand */
  readonly empty: readonly number[];
}

/**
 * Measures joined scores window by window: realised figures where labels are ripe, and figures estimated without labels beside them.
 *
 * A window is ripe when its last possible score is `ripeAfterMs` old. Before that its realised figures are null: labels that come early are not like the others.
 * `missing` says how many rows of a ripe window have no label still. Labels for accepted cases only are found by `labelSelection` and told as a warning.
 * @param rows  of `LabelJoin.joined`, by time
 * @throws ERR_RANGE an option outside its range
 * @example
 * const rows = Array.from({ length: 40 }, (_, i) => ({
 *   prediction: { id: `${i}`, at: 100 * i, probability: (i % 10) / 10, label: i % 10 > 5 ? 'yes' : 'no' },
 *   label: { id: `${i}`, at: 100 * i + 50, label: i % 3 ? 'yes' : 'no' },
 * }));
 * const options = { now: 4500, classes: ['no', 'yes'], window: { lengthMs: 2000 }, ripeAfterMs: 1000 };
 * const { windows } = performanceWindows(rows, options);
 * windows.map(({ isRipe }) => isRipe); // [true, false]
 * windows[0].realised.rows; // 20
 */
export function performanceWindows<P extends Scored>(
  rows: readonly JoinedRow<P>[],
  options: PerformanceWindowOptions<P>,
): PerformanceWindows {
  const { now, classes, window, ripeAfterMs, groupOf, inversePropensity, propensityOf, estimator, most, ...measured } =
    options;
  finite('now', now);
  const isTwo = Array.isArray(classes) && classes.length === 2 && classes.every((name) => typeof name === 'string');
  if (!isTwo)
    refuse('ERR_RANGE', 'classes', 'the names of two classes, the positive one last', tell(classes), 'give them');
  const positive = classes[1];
  if (!(ripeAfterMs >= 0))
    refuse(
      'ERR_RANGE',
      'ripeAfterMs',
      'milliseconds from 0',
      tell(ripeAfterMs),
      'give the age at which labels are there',
    );
  const parts = partsOf(rows, window);
  const kept = parts.slice(-whole('most', most ?? 1000, 1));
  const windows = kept.map(({ start, end, rows: mine }): PerformanceWindow => {
    const p = Float64Array.from(mine, ({ prediction }) => prediction.probability);
    const called = Uint8Array.from(mine, ({ prediction }) => (prediction.label === positive ? 1 : 0));
    const has = Uint8Array.from(mine, ({ label }) => (label && classes.includes(label.label) ? 1 : 0));
    const otherLabels = mine.filter(({ label }) => label && !classes.includes(label.label)).length;
    const labelled = has.reduce((sum, one) => sum + one, 0);
    const { costs, level, threshold } = measured;
    const estimated = estimatePerformance(p, {
      called,
      ...(estimator && { estimator }),
      ...(costs && { costs }),
      ...(level !== undefined && { level }),
      ...(threshold !== undefined && { threshold }),
    });
    const base = {
      start,
      end,
      rows: mine.length,
      labelled,
      otherLabels,
      missing: (mine.length - labelled) / mine.length,
      estimated,
    };
    if (now - end < ripeAfterMs)
      return { ...base, isRipe: false, realised: null, groups: null, selection: null, warnings: [] };
    const propensities = propensityOf && Float64Array.from(mine, ({ prediction }) => propensityOf(prediction));
    const { weights, ...selection } = labelSelection(p, called, has, propensities ? { propensities } : {});
    const seen = mine.filter((_, i) => has[i]);
    const y = Uint8Array.from(seen, ({ label }) => (label!.label === positive ? 1 : 0));
    const pick = <T extends Float64Array | Uint8Array>(values: T): T => values.filter((_, i) => has[i]) as T;
    // not the logits: those of a calibrated model are not calibrated
    const predictions = { probabilities: pick(p) };
    const weight = inversePropensity ? pick(weights) : null;
    const settings = { ...measured, called: pick(called) };
    const names = groupOf ? [...new Set(seen.map(({ prediction }) => groupOf(prediction)))].sort() : [];
    const code = new Map(names.map((name, k) => [name, k]));
    const groups = groupOf
      ? performanceByGroup(
          predictions,
          y,
          { names, codes: seen.map(({ prediction }) => code.get(groupOf(prediction))!) },
          weight,
          settings,
        )
      : null;
    const warnings = [
      ...(labelled === 0 ? ['labels: expected some in a ripe window, got none; ask where they stay'] : []),
      ...(otherLabels > 0
        ? [
            `labels: expected ${classes.join(' or ')}, got another in ${otherLabels} of ${mine.length} rows; correct how they are written`,
          ]
        : []),
      ...(selection.warning && !(inversePropensity && selection.kind === 'uneven') ? [selection.warning] : []),
    ];
    return {
      ...base,
      isRipe: true,
      realised: performanceOf(predictions, y, weight, settings),
      groups,
      selection,
      warnings,
    };
  });
  const rowsLeftOut = parts.slice(0, parts.length - kept.length).reduce((sum, part) => sum + part.rows.length, 0);
  return { windows, rowsLeftOut, empty: 'lengthMs' in window ? gaps(kept, window.lengthMs) : [] };
}

interface Part<P extends Scored> {
  readonly start: number;
  readonly end: number;
  readonly rows: JoinedRow<P>[];
}

/** Rows by window; windows without rows are none. */
function partsOf<P extends Scored>(
  rows: readonly JoinedRow<P>[],
  window: PerformanceWindowOptions<P>['window'],
): Part<P>[] {
  refuseUnknown('window', window, { lengthMs: true, rows: true });
  const parts: Part<P>[] = [];
  if ('rows' in window) {
    const size = whole('window, rows', window.rows, 1);
    for (let start = 0; start < rows.length; start += size) {
      const mine = rows.slice(start, start + size);
      parts.push({ start: mine[0].prediction.at, end: mine[mine.length - 1].prediction.at, rows: mine });
    }
    return parts;
  }
  const { lengthMs } = window;
  if (!(lengthMs > 0 && lengthMs < Number.POSITIVE_INFINITY))
    refuse('ERR_RANGE', 'window, lengthMs', 'milliseconds above 0', tell(lengthMs), 'give lengthMs or rows');
  for (const row of rows) {
    const start = Math.floor(row.prediction.at / lengthMs) * lengthMs;
    const last = parts[parts.length - 1];
    if (last?.start === start) last.rows.push(row);
    else parts.push({ start, end: start + lengthMs, rows: [row] });
  }
  return parts;
}

function gaps(parts: readonly { readonly start: number }[], lengthMs: number): number[] {
  const found: number[] = [];
  for (let i = 1; i < parts.length; i++) {
    for (let start = parts[i - 1].start + lengthMs; start < parts[i].start && found.length < 1000; start += lengthMs)
      found.push(start);
  }
  return found;
}
