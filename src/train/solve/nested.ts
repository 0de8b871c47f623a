import type { Task } from '../problem/task.ts';
import { lbfgs } from './lbfgs.ts';
import { sampledMetric } from './metric.ts';
import type { Metric, Objective, ObjectivePoint } from './objective.ts';

/** A sample has this part of the rows. */
const SHARE = 1 / 8;
/** Least number of rows of a sample for each free parameter. */
const ROWS = 64;
/** Least number of rows of its rarest class for each free parameter. */
const EVENTS = 8;
/**
 * Rows that a penalty counts as which weights of a sample have besides their own: without it levels that few of its rows have run away. Weights of
 * flights are nearest with 5; with 1 and 20 the sample's minimum is a tenth to a quarter further up.
 */
const RIDGE = 5;
/** Part of the distance to be expected between the minima of a sample and of all rows, below which the sample is minimised. */
const ENOUGH = 0.05;
/** Largest cost of a metric that a sample hands on, in passes over the rows that it is a sample of. */
const PASSES = 4;
/** Iterations in a sample, of which three or four are usual. */
const ITERATIONS = 30;

/** Where a solver begins. */
export interface Start {
  readonly w: Float64Array;
  /** approximates ∂²f/∂w² there, null: not known */
  readonly metric: Metric | null;
}

/**
 * The number of rows that say something: those of positive weight, or fewer where a class is rare.
 * @param least  share of the rarest class
 */
export const informative = (rows: number, least: number): number => rows * Math.min(1, (least * ROWS) / EVENTS);

/** Whether a sample of the rows determines the parameters. @param rows  as `informative` counts them */
export const hasSamples = ({ size, likelihood }: Objective, rows: number): boolean =>
  likelihood.sample !== undefined && rows * SHARE >= ROWS * size;

/**
 * A start near the minimum of a smooth objective: the minimum over a sample of the rows, which is found in the same way from a sample of the sample.
 *
 *   f(minimum over m rows) − f(minimum over all) ≈ size/(2m),   so a start from an eighth of the rows leaves a few evaluations over all rows
 *
 * @param start  where the smallest sample begins
 * @param rows   as `informative` counts them
 */
export function startOfSample(
  task: Task,
  objective: Objective,
  start: Float64Array,
  rows: number,
  diagonal: () => Float64Array,
): Start {
  const none = { w: start, metric: null };
  if (!hasSamples(objective, rows)) return none;
  const likelihood = objective.likelihood.sample!(Math.ceil(objective.likelihood.rows * SHARE));
  try {
    const own = { ...task, likelihood };
    const part = objective.over(likelihood, RIDGE);
    const from = startOfSample(own, part, start, rows * SHARE, diagonal);
    const sampled = sampledMetric(own, part, diagonal, PASSES / SHARE);
    let last = from.metric;
    const metric = (point: ObjectivePoint) => {
      last = sampled(point);
      return last;
    };
    const enough = (ENOUGH * part.size) / (2 * rows * SHARE);
    const { w } = lbfgs(part, from.w, { tol: 0, maxIter: ITERATIONS, enough, metric, first: from.metric });
    return { w, metric: last };
  } finally {
    likelihood.free();
  }
}
