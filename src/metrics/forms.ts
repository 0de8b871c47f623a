import { LogoddsError } from '../../bindings/errors.ts';
import { log, log1p, sigmoid, softplus } from '../../bindings/js/math.ts';
import { refuseUnknown, tell } from '../../bindings/names.ts';
import { type Binned, type Binning, binRows } from './bins.ts';
import {
  checkArray,
  checkCodes,
  checkLogits,
  checkProbabilities,
  checkRows,
  isArray,
  isNumber,
  type Labels,
  type Logits,
  mean,
  type Probabilities,
  type Weight,
} from './check.ts';

/**
 * The predictions of a classifier of two classes for n rows: the logits z, or the probabilities p of the positive class.
 *
 * Logits are more exact, since they do not round to 0 and 1. For a calibrated model give probabilities, because its logits are not calibrated.
 */
export type Predictions =
  | { readonly logits: Logits; readonly probabilities?: undefined }
  | { readonly probabilities: Probabilities; readonly logits?: undefined };

/** A figure of each row. */
type OfRow = (row: number) => number;

/** How metrics read predictions for two classes: each as exactly as their form allows. */
interface Form {
  /** @throws ERR_RANGE naming the first row whose value is none */
  check(values: ArrayLike<number>): void;
  /** −log of the probability of what happened */
  surprise(values: ArrayLike<number>, y: Labels): OfRow;
  /** (p − y)² */
  squaredError(values: ArrayLike<number>, y: Labels): OfRow;
  /** 1 where p > threshold, else 0 */
  label(values: ArrayLike<number>, threshold: number): OfRow;
  /** p, a new array */
  probabilities(values: ArrayLike<number>): Float64Array;
}

const FORMS: Record<FormName, Form> = {
  logits: {
    check: (logits) => checkLogits(logits, 'numbers', isNumber),
    surprise: (logits, y) => (i) => softplus(y[i] === 1 ? -logits[i] : logits[i]),
    squaredError: (logits, y) => (i) => sigmoid(y[i] === 1 ? -logits[i] : logits[i]) ** 2,
    label: (logits, threshold) => (i) => (sigmoid(logits[i]) > threshold ? 1 : 0),
    probabilities: (logits) => new Float64Array(logits).map((z) => sigmoid(z)),
  },
  probabilities: {
    check: checkProbabilities,
    surprise: (probabilities, y) => (i) =>
      y[i] === 1 ? surprise(probabilities[i], 1 - probabilities[i]) : surprise(1 - probabilities[i], probabilities[i]),
    squaredError: (probabilities, y) => (i) => (probabilities[i] - y[i]) ** 2,
    label: (probabilities, threshold) => (i) => (probabilities[i] > threshold ? 1 : 0),
    probabilities: (probabilities) => new Float64Array(probabilities),
  },
};

/** What predictions are written in. */
export type FormName = 'logits' | 'probabilities';

/**
 * @param classes  two: options that predictions of more classes have are refused
 * @returns the form of predictions, and their values, which are not checked
 * @throws ERR_RANGE when they are a bare array, or have neither form, or both, or a property that there is not
 */
export function formOf<Values>(
  predictions: { readonly logits?: Values; readonly probabilities?: Values; readonly link?: unknown },
  classes: 'two' | 'several',
): { readonly name: FormName; readonly values: Values } {
  if (isArray(predictions)) {
    throw new LogoddsError(
      'ERR_RANGE',
      'predictions: expected { logits } or { probabilities }, got an array; say which they are',
    );
  }
  if (typeof predictions !== 'object' || predictions === null) {
    throw new LogoddsError(
      'ERR_RANGE',
      `predictions: expected { logits } or { probabilities }, got ${tell(predictions)}`,
    );
  }
  const { logits, probabilities } = predictions;
  if (logits !== undefined && probabilities !== undefined) {
    throw new LogoddsError(
      'ERR_RANGE',
      'predictions: expected { logits } or { probabilities }, got both; leave one of them out',
    );
  }
  const known = { logits: true, probabilities: true } as const;
  refuseUnknown('predictions', predictions, classes === 'two' ? known : { ...known, link: true });
  if (logits !== undefined) return { name: 'logits', values: logits };
  if (probabilities !== undefined) return { name: 'probabilities', values: probabilities };
  throw new LogoddsError('ERR_RANGE', 'predictions: expected { logits } or { probabilities }, got neither');
}

/** Predictions for two classes, their rows checked. */
interface Read {
  readonly form: Form;
  readonly values: ArrayLike<number>;
  /** Σ sᵢ */
  readonly total: number;
}

/** @throws ERR_RANGE as `formOf`; ERR_SHAPE, ERR_RANGE as `logLoss` */
function read(predictions: Predictions, y: Labels, weight: Weight): Read {
  const { name, values } = formOf<ArrayLike<number>>(predictions, 'two');
  checkArray(name, values);
  if (isArray(values[0])) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `${name}: expected one array of numbers (two classes), got a list of arrays; evaluateClasses and logLoss take several classes`,
    );
  }
  FORMS[name].check(values);
  return { form: FORMS[name], values, total: checkRows(values.length, y, 2, weight, name) };
}

/** @returns 1/S · Σ sᵢ · −log of the probability of what happened @throws as `logLoss` */
export function meanLogLoss(predictions: Predictions, y: Labels, weight: Weight): number {
  const { form, values, total } = read(predictions, y, weight);
  return mean(values.length, weight, total, form.surprise(values, y));
}

/** @returns 1/S · Σ sᵢ·(pᵢ − yᵢ)² @throws as `logLoss` */
export function meanSquaredError(predictions: Predictions, y: Labels, weight: Weight): number {
  const { form, values, total } = read(predictions, y, weight);
  return mean(values.length, weight, total, form.squaredError(values, y));
}

/** Of each row: −log of the probability of what happened, (p − y)², p. */
export interface RowFigures {
  readonly losses: Float64Array;
  readonly squares: Float64Array;
  readonly probabilities: Float64Array;
}

/** @throws as `logLoss` */
export function figuresOfRows(predictions: Predictions, y: Labels, weight: Weight): RowFigures {
  const { form, values } = read(predictions, y, weight);
  const each = (of: OfRow) => Float64Array.from({ length: values.length }, (_, i) => of(i));
  return {
    losses: each(form.surprise(values, y)),
    squares: each(form.squaredError(values, y)),
    probabilities: form.probabilities(values),
  };
}

/** @returns Σ sᵢ·[the label is yᵢ]/S, the labels those that were said, or by the threshold @throws as `evaluate` */
export function shareOfHits(predictions: Predictions, y: Labels, weight: Weight, said: SaidLabels): number {
  const all = read(predictions, y, weight);
  const label = labeller(all, said);
  return mean(all.values.length, weight, all.total, (i) => (label(i) === y[i] ? 1 : 0));
}

/** @returns of each row its label, as `shareOfHits` has it @throws as `evaluate` */
export function labelsOf(predictions: Predictions, y: Labels, weight: Weight, said: SaidLabels): Uint8Array {
  const all = read(predictions, y, weight);
  const label = labeller(all, said);
  return Uint8Array.from({ length: all.values.length }, (_, i) => label(i));
}

/** What labels rows have: these, or 1 where the probability is above a threshold (0.5 when absent). */
export interface SaidLabels {
  readonly labels?: Labels;
  readonly threshold?: number;
}

function labeller({ form, values }: Pick<Read, 'form' | 'values'>, { labels, threshold = 0.5 }: SaidLabels): OfRow {
  if (!isNumber(threshold)) {
    throw new LogoddsError('ERR_RANGE', `threshold: expected a number, got ${tell(threshold)}`);
  }
  if (!labels) return form.label(values, threshold);
  checkCodes('predicted labels', labels, values.length, 2);
  return (i) => labels[i];
}

/** The bins of rows, and their probabilities. @throws as `reliability` */
export function binForm(
  predictions: Predictions,
  y: Labels,
  weight: Weight,
  binning: Binning,
): { readonly binned: Binned; readonly probabilities: Float64Array } {
  const { form, values } = read(predictions, y, weight);
  const probabilities = form.probabilities(values);
  return { binned: binRows(probabilities, y, weight, ...binning), probabilities };
}

/** −log of the probability of what happened; `wrong` is 1 less it, the more exact of the two where it is the smaller. Infinity at 0. */
export function surprise(right: number, wrong: number): number {
  if (right >= 0.5) return log1p(wrong / right);
  // 1/right is at most 2¹⁰²², and below that right is subnormal
  if (right >= 2 ** -1022) return log(1 / right);
  return right > 0 ? log(1 / (right * 2 ** 100)) + 69.31471805599453 : Number.POSITIVE_INFINITY;
}
