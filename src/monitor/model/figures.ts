import type { Drift } from '../drift/drift.ts';
import type { HistogramPerformance } from '../performance/histogram.ts';
import { performanceChanges } from './changes.ts';
import type { FeatureFreshness } from './freshness.ts';
import { driftOf, isRipe, knownOf, labelDelays, measuredOf, performanceOfWindow } from './report.ts';
import type { WindowPerformance } from './reported.ts';
import type { Known, Watched } from './watched.ts';

/** A gauge or a counter, as a Prometheus page has it. */
export interface WatchFigure {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** Features that have figures of their own: those that drifted most. */
const FEATURES = 50;

/** What figures are made of. */
interface Facts {
  readonly newest: Known | null;
  readonly drift: Drift | null;
  readonly measured: WindowPerformance | null;
  readonly ripeAfterMs: number | null;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  readonly changes: ReadonlyMap<string, number>;
  readonly skewed: number | null;
  readonly freshness: readonly FeatureFreshness[];
}

type Values = Iterable<readonly [labels: Readonly<Record<string, string>>, value: number | null | undefined]>;
type Of = (facts: Facts) => Values;

const one =
  (value: (facts: Facts) => number | null | undefined): Of =>
  (facts) => [[{}, value(facts)]];

const realised = (value: (figures: HistogramPerformance) => number | null | undefined): Of =>
  one(({ measured }) => measured?.realised && value(measured.realised));

/** The features that drifted most, by their index, with a value of each. */
const byFeature =
  (value: (drift: Drift['features'][number], rows: number) => number | null | undefined): Of =>
  ({ drift }) =>
    [...(drift?.features ?? [])]
      .sort((a, b) => (b.tests.psi?.value ?? 0) - (a.tests.psi?.value ?? 0))
      .slice(0, FEATURES)
      .map((feature) => [{ feature: feature.feature }, value(feature, drift!.rows.current)] as const);

/** The figures, by their names. A function, so that a bundler can drop it. */
const table = (): Readonly<Record<string, readonly [help: string, of: Of]>> => ({
  lr_watch_rows: ['Rows of the newest complete window.', one(({ newest }) => newest?.window.rows)],
  lr_watch_window_start_timestamp_seconds: [
    'When the newest complete window began.',
    one(({ newest }) => newest && newest.window.first / 1000),
  ],
  lr_drift_psi: [
    'Population stability index of a feature against the baseline.',
    byFeature(({ tests }) => tests.psi?.value),
  ],
  lr_drift_p: [
    'P-value of the drift of a feature, adjusted for the number of features.',
    byFeature(({ adjustedP }) => adjustedP),
  ],
  lr_drift_features: [
    'Features that drifted.',
    one(({ drift }) => drift?.features.filter(({ drifted }) => drifted).length),
  ],
  lr_drift_features_left_out: [
    `Features without figures of their own, as only ${FEATURES} have them.`,
    one(({ drift }) => drift && Math.max(0, drift.features.length - FEATURES)),
  ],
  lr_score_psi: [
    'Population stability index of the scores against the baseline.',
    one(({ drift }) => drift?.score.psi),
  ],
  lr_score_drift_p: ['P-value of the drift of the scores.', one(({ drift }) => drift?.score.p)],
  lr_logit_shift: ['What a feature adds to the shift of the mean logit.', byFeature(({ logitShift }) => logitShift)],
  lr_mean_logit_shift: ['Shift of the mean logit against the baseline.', one(({ drift }) => drift?.logitShift.total)],
  lr_feature_missing_ratio: [
    'Rows without a value of the feature.',
    byFeature(({ current }, rows) => current.missing / rows),
  ],
  lr_feature_unseen_ratio: [
    'Rows with a value of the feature that training did not have.',
    byFeature(({ current }, rows) => current.unseen / rows),
  ],
  lr_feature_out_of_range_ratio: [
    'Rows with a number outside the range of training.',
    byFeature(({ current: { below, above } }, rows) => (below + above) / rows),
  ],
  lr_label_delay_seconds: [
    'From a score to its label: upper end of the bin of this share of the labels.',
    ({ medianMs, p95Ms }) => [
      [{ quantile: '0.5' }, medianMs === null ? null : medianMs / 1000],
      [{ quantile: '0.95' }, p95Ms === null ? null : p95Ms / 1000],
    ],
  ],
  lr_labels_ripe_after_seconds: [
    'Age from which the labels of a window are taken to be there.',
    one(({ ripeAfterMs }) => (ripeAfterMs === null ? null : ripeAfterMs / 1000)),
  ],
  lr_labels_missing_ratio: [
    'Rows of the newest ripe window without a label.',
    one(({ measured }) => measured?.missing),
  ],
  lr_log_loss: ['Log loss of the newest ripe window.', realised(({ logLoss }) => logLoss)],
  lr_brier: ['Brier score of the newest ripe window.', realised(({ brier }) => brier)],
  lr_auc: ['Area under the ROC curve of the newest ripe window.', realised(({ auc }) => auc?.auc)],
  lr_calibration_intercept: [
    'Intercept of recalibration of the newest ripe window: 0 if calibrated.',
    realised((of) => of.intercept?.value),
  ],
  lr_calibration_slope: [
    'Slope of recalibration of the newest ripe window: 1 if calibrated.',
    realised((of) => of.slope?.value),
  ],
  lr_calibration_error: ['Expected calibration error of the newest ripe window.', realised(({ ece }) => ece)],
  lr_calibration_error_floor: [
    'Calibration error that a calibrated model exceeds in one of 20 such windows.',
    realised(({ eceFloor }) => eceFloor?.high),
  ],
  lr_precision: ['Precision of the newest ripe window.', realised(({ precision }) => precision)],
  lr_recall: ['Recall of the newest ripe window.', realised(({ recall }) => recall)],
  lr_decision_cost: ['Mean cost of a decision of the newest ripe window.', realised(({ cost }) => cost?.mean)],
  lr_estimated_log_loss: [
    'Log loss of that window if the scores were calibrated.',
    one(({ measured }) => measured?.estimated?.logLoss?.value),
  ],
  lr_estimated_auc: [
    'Area under the ROC curve of that window if the scores were calibrated.',
    one(({ measured }) => measured?.estimated?.auc?.value),
  ],
  lr_change: [
    '1: the scores are not calibrated since a change.',
    ({ changes }) => ['calibration', 'confidence'].map((figure) => [{ figure }, changes.has(figure) ? 1 : 0] as const),
  ],
  lr_change_since_timestamp_seconds: [
    'When that change began.',
    ({ changes }) => [...changes].map(([figure, since]) => [{ figure }, since / 1000] as const),
  ],
  lr_feature_timed_rows_total: [
    'Rows in which the time of the value of a feature is known.',
    ({ freshness }) => freshness.map(({ feature, count, fromFuture }) => [{ feature }, count + fromFuture] as const),
  ],
  lr_feature_stale_rows_total: [
    'Rows in which the value of a feature was older than it may be.',
    ({ freshness }) => freshness.map(({ feature, stale }) => [{ feature }, stale] as const),
  ],
  lr_score_skew_rows: ['Scores that the model does not give again to the bit.', one(({ skewed }) => skewed)],
});

export function figuresOf(watched: Watched, now: number): WatchFigure[] {
  const { settings, skew } = watched;
  const { known, delays } = knownOf(watched, now);
  const { ripeAfterMs, medianMs, p95Ms } = labelDelays(watched, known, delays, now);
  const ripe = known.map((one) => isRipe(one, settings, ripeAfterMs, now));
  const newest = known.filter(({ isComplete }) => isComplete).at(-1) ?? null;
  const at = known.findLastIndex(({ outcomes }, k) => ripe[k] && outcomes.all.count >= settings.least);
  const isTimed = 'ms' in settings.every;
  const changes = performanceChanges(measuredOf(known, ripe), settings.runLength);
  const facts: Facts = {
    newest,
    drift: newest && driftOf(watched, newest),
    measured: at < 0 ? null : performanceOfWindow(watched, known[at], true),
    ripeAfterMs,
    medianMs,
    p95Ms,
    changes: new Map(isTimed ? changes.map(({ what, since }) => [what, since]) : []),
    skewed: settings.rescore ? skew.compared - skew.equal : null,
    freshness: watched.freshness?.features ?? [],
  };
  return Object.entries(table()).flatMap(([name, [help, of]]): WatchFigure[] => {
    // what is not known has no value
    const values = [...of(facts)].flatMap(([labels, value]) =>
      typeof value === 'number' && Number.isFinite(value) ? [{ labels, value }] : [],
    );
    const type = name.endsWith('_total') ? 'counter' : 'gauge';
    return values.length > 0 ? [{ name, help, type, values }] : [];
  });
}
