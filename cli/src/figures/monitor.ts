/** What a watch found, in words that terminal and page share. */
import type { WatchChange, WatchReport, WindowReport } from '../../../src/monitor.ts';
import { brief, counted, percent, significant, whole } from './wording.ts';

/** A window by its beginning: a day, a time, or the number of its first row. */
export function windowName(from: number, every: WatchReport['every']): string {
  if ('rows' in every) return `row ${whole(from)}`;
  const text = new Date(from).toISOString();
  return every.ms % 86_400_000 === 0 ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

/** A span of milliseconds. */
export function span(ms: number | null): string {
  if (ms === null) return '–';
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ];
  const [unit, size] = units.find(([, one]) => ms >= one) ?? ['ms', 1];
  return `${significant(ms / size, 3)} ${unit}`;
}

/** A change in a sentence without its date. */
export function changeText({ what, feature, direction, after, before }: WatchChange, report: WatchReport): string {
  const psi = `population stability index ${significant(after, 3)}`;
  if (what === 'score') return `the scores drifted: ${psi}`;
  if (what === 'feature') {
    const shift = newestDrift(report)?.drift?.features.find((one) => one.feature === feature);
    const moved = shift?.logitShift
      ? `, moves the mean logit by ${signed(shift.logitShift)}${shift.towards ? ` towards ${brief(shift.towards, 40)}` : ''}`
      : '';
    return `${brief(feature!, 60)} drifted: ${psi}${moved}`;
  }
  const { positive } = report.model;
  const of = positive === null ? 'labels come true' : `rows are ${brief(positive, 40)}`;
  if (what === 'calibration')
    return `${direction === 'greater' ? 'more' : 'fewer'} ${of} than the scores say: ${signed(after)} a row${before === null ? '' : `, ${signed(before)} before`}`;
  return direction === 'greater'
    ? `the scores are too sure: the Brier score is ${significant(after, 3)} above what they say it is`
    : `the scores are too careful: the Brier score is ${significant(after === null ? null : Math.abs(after), 3)} below what they say it is`;
}

export const signed = (value: number | null): string =>
  value === null ? '–' : `${value > 0 ? '+' : ''}${significant(value, 3)}`;

/** The window of the newest drift; undefined: nothing was compared. */
export const newestDrift = ({ windows, newest }: WatchReport): WindowReport | undefined =>
  windows.find(({ from }) => from === newest.drift);

export const newestMeasured = ({ windows, newest }: WatchReport): WindowReport | undefined =>
  windows.find(({ from }) => from === newest.performance);

/** The whole in a sentence. */
export function conclusion(report: WatchReport): string {
  const { changes, windows, reference, labels } = report;
  const drifted = changes.filter(({ what }) => what === 'feature').length;
  const wrong = changes.filter(({ what }) => what === 'calibration' || what === 'confidence');
  const parts = [
    reference === null
      ? 'nothing to compare with'
      : drifted > 0
        ? `${whole(drifted)} of ${counted(newestDrift(report)?.drift?.features.length ?? 0, 'feature')} drifted`
        : report.newest.drift === null
          ? 'no window has rows enough to compare'
          : 'no feature drifted',
    labels.labelled === 0
      ? 'no labels yet'
      : wrong.length > 0
        ? `the scores are no longer calibrated since ${windowName((wrong.find(({ what }) => what === 'calibration') ?? wrong[0]).since, report.every)}`
        : report.newest.performance === null
          ? 'no window has ripe labels enough'
          : 'the scores are calibrated',
  ];
  return `${parts.join('; ')} (${counted(report.rows, 'row')} in ${counted(windows.length, 'window')})`;
}

/** What confidence sequences are of. */
const SEQUENCES: Readonly<Record<string, string>> = {
  logLoss: 'log loss, at most 4',
  brier: 'Brier score',
  calibration: 'observed − predicted',
  precision: 'precision',
  recall: 'recall',
  fpr: 'false positive rate',
};

/** Rows of the table of confidence sequences. */
export const SEQUENCE_HEAD = ['mean of', 'labels', 'mean', 'low', 'high', 'clipped'];

export const sequenceRow = ({ figure, count, mean, interval, clipped }: WatchReport['sequences'][number]): string[] => [
  SEQUENCES[figure],
  whole(count),
  significant(mean, 4),
  significant(interval.low, 4),
  significant(interval.high, 4),
  whole(clipped),
];

/** What their intervals mean. */
export const sequencesText = ({ sequences, every }: WatchReport): string =>
  `all windows with ripe labels since ${windowName(sequences[0].course[0]?.from ?? 0, every)} together; the intervals have their means with 95 %, all of them, however often one looks`;

/** Rows of the table of ages. */
export const FRESHNESS_HEAD = [
  'feature',
  'values with a time',
  'half within',
  '95 % within',
  'stale',
  'from after their score',
  'without a time',
];

export const freshnessRow = (one: NonNullable<WatchReport['freshness']>[number]): string[] => [
  brief(one.feature, 40),
  whole(one.count),
  span(one.medianMs),
  span(one.p95Ms),
  whole(one.stale),
  whole(one.fromFuture),
  whole(one.untimed),
];

/** Rows of the table of windows: what is known of each. */
export const WINDOW_HEAD = [
  'window',
  'rows',
  'drifted',
  'score psi',
  'labels',
  'log loss',
  'expected',
  'AUC',
  'observed − predicted',
];

export function windowRow(window: WindowReport, report: WatchReport): string[] {
  const { from, rows, drift, performance, isComplete } = window;
  const { realised, estimated, isRipe, missing, labelled } = performance;
  const gap =
    realised?.baseRate == null || realised.meanProbability === null
      ? null
      : realised.baseRate - realised.meanProbability;
  return [
    `${windowName(from, report.every)}${isComplete ? '' : ' …'}`,
    whole(rows),
    drift ? whole(drift.features.filter(({ drifted }) => drifted).length) : '–',
    drift ? significant(drift.score.psi, 3) : '–',
    labelled === 0 ? '–' : `${percent(1 - missing, 0)}${isRipe ? '' : ', unripe'}`,
    realised ? significant(realised.logLoss, 4) : '–',
    significant(estimated?.logLoss?.value ?? null, 4),
    realised?.auc ? significant(realised.auc.auc, 4) : '–',
    signed(gap),
  ];
}
