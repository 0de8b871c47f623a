import { sigmoid } from '../../../bindings/js/math.ts';
import { type ChangeTest, changeTest } from '../change/changeTest.ts';
import type { Drift } from '../drift/drift.ts';
import type { PerformanceHistogram } from '../performance/histogram.ts';

/** Something that is not as it was, and since when. */
export interface WatchChange {
  /**
   * `feature`, `score`: the distribution drifted, and does so in every window since that could be compared.   `calibration`: more or fewer rows are positive than the
   * scores say.   `confidence`: the Brier score is above what the scores say it would be: they are too sure, or below
   */
  readonly what: 'feature' | 'score' | 'calibration' | 'confidence';
  /** of the feature; null: it is none */
  readonly feature: string | null;
  /** beginning of the first window after the change: a time, or a number of a row */
  readonly since: number;
  /** beginning of the window that showed it */
  readonly found: number;
  readonly direction: 'greater' | 'less' | null;
  /**
   * of features and scores the population stability index of the newest window, and the mean logit shift; of the others the mean of y − p, and of the excess of the
   * Brier score, before and after the change
   */
  readonly before: number | null;
  readonly after: number | null;
}

/** A window that was compared with the reference. */
export interface Compared {
  readonly from: number;
  readonly drift: Drift;
}

/** What has drifted in the newest window that was compared, and since when without a break. @param compared  the earliest first */
export function driftChanges(compared: readonly Compared[]): WatchChange[] {
  const newest = compared[compared.length - 1];
  if (!newest) return [];
  const since = (isDrifted: (drift: Drift) => boolean): number => {
    let first = newest.from;
    for (let k = compared.length - 1; k >= 0 && isDrifted(compared[k].drift); k--) first = compared[k].from;
    return first;
  };
  const { features, score } = newest.drift;
  const found = features.flatMap(({ feature, drifted, tests, logitShift }, i): WatchChange[] => {
    if (!drifted) return [];
    const first = since((drift) => drift.features[i].drifted);
    const direction = logitShift === null || logitShift === 0 ? null : logitShift > 0 ? 'greater' : 'less';
    return [
      { what: 'feature', feature, since: first, found: first, direction, before: 0, after: tests.psi?.value ?? null },
    ];
  });
  if (score.drifted) {
    const first = since((drift) => drift.score.drifted);
    found.push({
      what: 'score',
      feature: null,
      since: first,
      found: first,
      direction: null,
      before: 0,
      after: score.psi,
    });
  }
  return found;
}

/** A window whose labels are ripe. */
export interface Measured {
  readonly from: number;
  readonly labelled: PerformanceHistogram;
}

type Value = (p: number, y: 0 | 1) => number;

/** What is 0 on average when the scores are calibrated, whatever they are. Values lie in [−1, 1]. */
const TESTED: readonly (readonly [what: 'calibration' | 'confidence', value: Value])[] = [
  ['calibration', (p, y) => y - p],
  // (p − y)² − p(1 − p)
  ['confidence', (p, y) => (1 - 2 * p) * (y - p)],
];

/**
 * Since when the scores are not calibrated: tests of change that take the windows one after the other, each as a block whose order does not matter.
 * @param runLength  mean number of labelled rows until a false alarm of any of the tests, at least
 */
export function performanceChanges(measured: readonly Measured[], runLength: number): WatchChange[] {
  return TESTED.flatMap(([what, value]): WatchChange[] => {
    const test: ChangeTest = changeTest({
      mean: 0,
      low: -1,
      high: 1,
      clip: true,
      runLength: runLength * TESTED.length,
    });
    let found: number | null = null;
    for (const { from, labelled } of measured) {
      const values = labelled.cells.flatMap(({ logit, negative, positive }) => {
        const p = sigmoid(logit);
        return [[value(p, 0), negative] as const, [value(p, 1), positive] as const];
      });
      if (test.addBlock(values, from)) found = from;
    }
    const { change } = test;
    if (!change || found === null) return [];
    const { sinceAt, direction, before, after } = change;
    return [{ what, feature: null, since: sinceAt ?? found, found, direction, before, after }];
  });
}
