import type { CheckedTable, Data } from '../encode/checkedTable.ts';
import { distinct, type Warning } from '../model/manifest.ts';
import { codingOf, type FitOptions, type FitSpec, readOptions, settingsOf } from './fitOptions.ts';
import { foldsOf, logitsOf, spreadOf, warningsOf, withFold } from './folding.ts';
import { estimateAll } from './inference/estimate.ts';
import { penaltyOf } from './penalty.ts';
import { prepare, tableOf } from './problem/prepare.ts';
import type { Problem } from './problem/problem.ts';

/** The logits of each row by a fit that did not see it, and the rows' labels and weights. */
export interface OutOfFold {
  /**
   * for each weight vector (one for two classes) the logits of all rows, offset included; NaN for rows that no fold scored
   */
  readonly planes: readonly Float64Array[];
  /** with two classes the share of the positive one, 0 to 1; with more the class, 0 to K − 1 */
  readonly y: Float64Array;
  /** sample weight (times trials, without class weights); 0 for rows that no fold scored */
  readonly weight: Float64Array;
  /**
   * number of the fit that scored the row, 0 to folds − 1; −1 for rows that no fold scored: those of weight 0 and, by time, of the earliest part
   */
  readonly fold: Int16Array;
  /** number of fits */
  readonly folds: number;
  /** warnings of the fits, each once */
  readonly warnings: readonly Warning[];
}

/**
 * Returns the logit of every row by a fit to the other folds (by time: to earlier rows). Calibrators and thresholds are chosen on these.
 *
 * Each fold is the `fit` of a table of its training rows with the same options. `C` therefore means 1/(λS) with S of these rows. What the
 * schema learns comes from all rows: levels, fills of missing cells, edges of bins, knots of splines, parameters of transforms. `inference`, `calibrate`, `decide`, `review` and `start` have no effect.
 *
 * @param rows   a table or records
 * @param given  as for `fit`; `folding` makes the folds
 * @throws as `fit` and, for the folds, as `crossValidate`
 * @example
 * const rows = outOfFold(records, { target: 'late', folding: { folds: 3 } });
 * rows.fold.slice(0, 4); // [1, 0, 0, 0]
 * rows.planes[0].length; // 30
 */
export function outOfFold(rows: Data, given: FitOptions): OutOfFold {
  const spec = readOptions(given, 'outOfFold');
  const table = tableOf(rows, spec, [spec.folding.groups, spec.folding.time]);
  const problem = prepare(table, spec, codingOf(spec.penalty));
  try {
    return outOfFoldOf(problem, table, spec);
  } finally {
    problem.free();
  }
}

/** `outOfFold` of a problem that is prepared from the table with these options. @internal */
export function outOfFoldOf(problem: Problem, table: CheckedTable, spec: FitSpec): OutOfFold {
  const { folds = 5, time } = spec.folding;
  const { y, sampleWeight, kind, target } = problem.rows;
  const rows = y.length;
  const parts = foldsOf(problem.rows, table, spec.folding);
  const planes = Array.from({ length: kind === 'binomial' ? 1 : target.classes.length }, () =>
    new Float64Array(rows).fill(Number.NaN),
  );
  const fold = new Int16Array(rows).fill(-1);
  const weight = new Float64Array(rows);
  const settings = { ...settingsOf(spec, spec.penalty), onIteration: undefined };
  const warnings: Warning[] = [];
  for (let k = 0; k < folds; k++) {
    withFold(problem, parts, k, time !== undefined, (view, heldOut) => {
      const { tasks, totalWeight } = view;
      const { penalty } = penaltyOf(spec.penalty, problem, totalWeight);
      const fitted = estimateAll(tasks, { ...penalty, unit: spreadOf(view, penalty) }, settings);
      warnings.push(...warningsOf(fitted, k));
      logitsOf(tasks, fitted).forEach((logits, plane) => {
        for (const i of heldOut) planes[plane][i] = logits[i];
      });
      for (const i of heldOut) {
        fold[i] = k;
        weight[i] = sampleWeight ? sampleWeight[i] : 1;
      }
    });
  }
  return { planes, y: new Float64Array(y), weight, fold, folds, warnings: distinct(warnings) };
}
