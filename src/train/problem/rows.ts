import { LogoddsError } from '../../../bindings/errors.ts';
import type { CheckedTable } from '../../encode/checkedTable.ts';
import { countClasses } from '../../encode/tally.ts';
import { list, show } from '../../messages.ts';
import { type DataOptions, WEIGHT_KINDS, type WeightKind } from './options.ts';
import {
  classFactors,
  readOffset,
  readTarget,
  readTrials,
  readWeight,
  type Target,
  type TargetNumbers,
} from './target.ts';

/** The data of every row besides its features. */
export interface RowVectors {
  readonly target: Target;
  readonly kind: 'binomial' | 'multinomial' | 'ovr';
  /** binomial: share of the positive class, 0 to 1; else the class of each row */
  readonly y: TargetNumbers;
  /** sample weight times trials, before class weights; null: ones */
  readonly sampleWeight: Float64Array | null;
  /** S: the sum of the sample weights */
  readonly totalWeight: number;
  /** the same times the class weight, as in the likelihood */
  readonly weight: Float64Array | null;
  readonly offset: Float64Array | null;
  readonly weightKind: WeightKind;
  /** number of observations that a row represents: its trials, times its weight if weights count rows; 0 without weight; null: ones */
  readonly counts: Float64Array | null;
  /** weight of each of these observations: class weights and sampling weights; null: ones, so weights count observations */
  readonly unit: Float64Array | null;
  /** the requested class weights and the name of the target, for rows under new weights */
  readonly asked: Pick<DataOptions, 'target' | 'classWeight'>;
}

/**
 * Reads and checks the columns of a table that are not features.
 * @throws as `prepare`
 */
export function readRows(table: CheckedTable, options: DataOptions): RowVectors {
  const target =
    options.trials === undefined
      ? readTarget(table, options.target, options.positive, leftOutBy(options.classWeight))
      : readTrials(table, options.target, options.trials);
  const { classes } = target;
  const { weightKind = 'sampling' } = options;
  if (!WEIGHT_KINDS.includes(weightKind)) {
    throw new LogoddsError('ERR_RANGE', `weightKind: expected sampling or count, got ${show(weightKind)}`);
  }
  const named = options.weight === undefined ? null : readWeight(table, options.weight, weightKind);
  const { leftOut } = target;
  const given = leftOut ? Float64Array.from(leftOut.rows, (gone, i) => (gone ? 0 : named ? named[i] : 1)) : named;
  const sampleWeight = target.trials ? target.trials.map((trials, i) => trials * (given ? given[i] : 1)) : given;
  const offset = options.offset === undefined ? null : readOffset(table, options.offset);
  if (classes.length > 2 && offset) {
    throw new LogoddsError(
      'ERR_TARGET',
      `offset ${show(options.offset)}: expected a target of two classes, got ${classes.length}; leave it out`,
    );
  }
  const { multiclass = 'multinomial' } = options;
  if (multiclass !== 'multinomial' && multiclass !== 'ovr') {
    throw new LogoddsError('ERR_RANGE', `multiclass: expected multinomial or ovr, got ${show(multiclass)}`);
  }
  const weight = effectiveWeight(target, sampleWeight, options);
  const counts = countsOf(target, given, weightKind);
  return {
    target,
    kind: classes.length === 2 ? 'binomial' : multiclass,
    y: target.y,
    sampleWeight,
    totalWeight: totalOf(sampleWeight, table.rows),
    weight,
    offset,
    weightKind,
    counts,
    unit: unitWeights(counts, weight),
    asked: { target: options.target, classWeight: options.classWeight },
  };
}

/** The same rows under other sample weights (times trials): class weights follow. @throws ERR_TARGET when a class has no weight */
export function reweighted(rows: RowVectors, sampleWeight: Float64Array): RowVectors {
  return {
    ...rows,
    sampleWeight,
    totalWeight: totalOf(sampleWeight, sampleWeight.length),
    weight: effectiveWeight(rows.target, sampleWeight, rows.asked),
  };
}

export const totalOf = (weight: Float64Array | null, rows: number): number =>
  weight ? weight.reduce((sum, s) => sum + s, 0) : rows;

/** Sample weights times class weights. @throws ERR_TARGET when a class has no weight */
export function effectiveWeight(
  target: Target,
  weight: Float64Array | null,
  { classWeight, target: name }: RowVectors['asked'],
): Float64Array | null {
  const share = classShare(target, weight);
  const { classes } = target;
  const absent = classes.filter((_, k) => !(share[k] > 0));
  if (absent.length > 0) {
    const present = classes.filter((_, k) => share[k] > 0);
    throw new LogoddsError(
      'ERR_TARGET',
      classes.length === 2
        ? `target ${show(name)}: expected two classes with positive weight, got only ${list(present)}; give rows of both outcomes a weight above 0`
        : `target ${show(name)}: expected positive weight in each class, got none in ${list(absent)}; give its rows a weight above 0 or leave them out`,
    );
  }
  if (classWeight === undefined) return weight;
  const factor = classFactors(classWeight, target, share);
  if (target.trials) {
    throw new LogoddsError(
      'ERR_RANGE',
      'classWeight: expected none beside trials (a row holds both classes); weight the rows instead',
    );
  }
  const { code } = target;
  const out = new Float64Array(code.length);
  for (let i = 0; i < code.length; i++) out[i] = factor[code[i]] * (weight ? weight[i] : 1);
  return out;
}

/** Classes whose factor is 0. */
const leftOutBy = (classWeight: DataOptions['classWeight']): string[] =>
  typeof classWeight === 'object' ? Object.keys(classWeight).filter((label) => classWeight[label] === 0) : [];

function countsOf({ trials }: Target, given: Float64Array | null, kind: WeightKind): Float64Array | null {
  if (!given) return trials;
  return given.map((w, i) => (trials ? trials[i] : 1) * (kind === 'count' ? w : Number(w > 0)));
}

function unitWeights(counts: Float64Array | null, weight: Float64Array | null): Float64Array | null {
  if (weight?.every((w, i) => w === (counts ? counts[i] : 1)) ?? true) return null;
  return weight!.map((w, i) => w / (counts ? counts[i] || 1 : 1));
}

/** S_c of each class, in the order of `classes` */
export function classShare({ classes, code, trials, y }: Target, weight: Float64Array | null): Float64Array {
  if (!weight && !trials) return countClasses(code, classes.length);
  const share = new Float64Array(classes.length);
  for (let i = 0; i < code.length; i++) {
    const s = weight ? weight[i] : 1;
    if (trials) {
      share[0] += s * (1 - y[i]);
      share[1] += s * y[i];
    } else share[code[i]] += s;
  }
  return share;
}
