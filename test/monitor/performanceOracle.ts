// Compares our figures with those of scikit-learn and NannyML, which test/fixtures/make_performance.py writes.

import { averagePrecision } from '../../src/metrics.ts';
import {
  type EstimatedPerformance,
  estimatePerformance,
  fitEstimator,
  performanceOf,
  performanceWindows,
} from '../../src/monitor.ts';

type Columns = { readonly p: number[]; readonly y: number[] };
type Figures = Record<string, number>;
export interface PerformanceCase {
  readonly reference: Columns;
  readonly window: Columns;
  readonly realised: Figures & { readonly counts: Record<string, number> };
  readonly plain: Figures;
  readonly isotonic: Figures;
  readonly cbpe: {
    readonly calibrates: boolean;
    readonly chunks: Record<string, { value: number; realised: number }>[];
  };
}

const COSTS = { tn: -2, fp: 7, fn: 50, tp: -100 };

/** NannyML rounds the sums under its curves to five digits, so areas of them agree to 1e-5 over some ten rows of a class. */
const ROUNDED: Record<string, number> = { auc: 1e-6, averagePrecision: 1e-6 };

/** Of each figure ours, theirs, and how far they may be apart. Rounding of sums of some hundred terms is within 1e-12. */
export function differences(
  cases: readonly PerformanceCase[],
): { what: string; ours: number; theirs: number; within: number }[] {
  const found: { what: string; ours: number; theirs: number; within: number }[] = [];
  cases.forEach(({ reference, window, realised, plain, isotonic, cbpe }, k) => {
    const add = (what: string, ours: number | null | undefined, theirs: number, within = 1e-12) =>
      found.push({
        what: `case ${k}, ${what}`,
        ours: ours ?? Number.NaN,
        theirs,
        within: within * Math.max(1, Math.abs(theirs)),
      });
    const { p, y } = window;
    const ours = performanceOf({ probabilities: p }, y);
    add('log loss', ours.logLoss, realised['logLoss']);
    add('Brier', ours.brier, realised['brier']);
    add('area', ours.auc?.auc, realised['auc']);
    add('precision', ours.precision, realised['precision']);
    add('recall', ours.recall, realised['recall']);
    add('average precision', averagePrecision(p, y), realised['averagePrecision']);
    for (const [name, count] of Object.entries(realised.counts))
      add(name, ours.counts[name as 'truePositives'], count, 0);
    const estimator = fitEstimator(reference.p, reference.y);
    for (const [name, options, theirs] of [
      ['plain', {}, plain],
      ['isotonic', { estimator }, isotonic],
    ] as const) {
      const estimate = estimatePerformance(p, { ...options, costs: COSTS });
      for (const [figure, value] of Object.entries(theirs))
        add(`${name} ${figure}`, estimateOf(estimate, figure), value, ROUNDED[figure] ?? 1e-12);
    }
    const rows = p.map((probability, i) => ({
      prediction: { id: `${i}`, at: i, probability, label: probability > 0.5 ? '1' : '0' },
      label: { id: `${i}`, label: String(y[i]), at: i },
      delayMs: 0,
    }));
    const { windows } = performanceWindows(rows, {
      now: 1e6,
      classes: ['0', '1'],
      window: { rows: 50 },
      ripeAfterMs: 0,
      ...(cbpe.calibrates && { estimator }),
    });
    cbpe.chunks.forEach((chunk, c) => {
      for (const [figure, { value, realised: seen }] of Object.entries(chunk)) {
        add(`chunk ${c} ${figure}`, estimateOf(windows[c].estimated, figure), value, ROUNDED[figure] ?? 1e-12);
        add(`chunk ${c} realised ${figure}`, realisedOf(windows[c].realised!, figure), seen);
      }
    });
  });
  return found;
}

function estimateOf(estimate: EstimatedPerformance, figure: string): number | undefined {
  const value = estimate[figure as keyof EstimatedPerformance] as { value: number } | number | null;
  return typeof value === 'number' ? value : value?.value;
}

function realisedOf(found: ReturnType<typeof performanceOf>, figure: string): number | null {
  const { counts, precision, recall } = found;
  switch (figure) {
    case 'auc':
      return found.auc?.auc ?? null;
    case 'specificity':
      return 1 - found.fpr!;
    case 'f1':
      return (2 * precision! * recall!) / (precision! + recall!);
    case 'accuracy':
      return (counts.truePositives + counts.trueNegatives) / found.rows;
    default:
      return found[figure as 'precision'];
  }
}
