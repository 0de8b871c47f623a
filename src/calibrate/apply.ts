import { exp, sigmoid, softmax, softplus } from '../../bindings/js/math.ts';
import type { Calibration, Calibrator } from './calibration.ts';

type Isotonic = Extract<Calibrator, { method: 'isotonic' }>;

/** Logits are limited to ±this on input and output, so that no infinities cancel. */
const LARGEST = 1e300;
export const bounded = (z: number): number => (z > LARGEST ? LARGEST : z < -LARGEST ? -LARGEST : z);

/**
 * Returns the calibrated probability of the positive class of two, from its logit z. It gives the bits of `applyCalibration`.
 *
 *   platt, beta, temperature, none   σ(calibrated logit + shift),   the calibrated logit as in `Calibrator`
 *   isotonic                         p·exp(shift)/(p·exp(shift) + 1 − p),   p the interpolated probability
 *
 * It returns NaN for NaN. An infinite logit counts as a very large one.
 * @example
 * const calibration = fitCalibration('platt', [Float64Array.of(-2, -1, 0.5, 3)], [0, 1, 0, 1]);
 * calibratedProbability(calibration, 2); // 0.6184
 */
export function calibratedProbability({ calibrators, shift }: Calibration, z: number): number {
  const calibrator = calibrators.length > 0 ? calibrators[0] : null;
  const by = shift.length > 0 ? shift[0] : 0;
  if (calibrator?.method !== 'isotonic') return sigmoid(calibratedLogit(calibrator, z, by));
  const p = interpolate(calibrator, z);
  const odds = p * exp(by);
  return by === 0 ? p : odds / (odds + (1 - p));
}

/**
 * Calibrates the logits of two classes in place, for an engine to take σ of them: σ gives the bits of `calibratedProbability`. Returns false, and
 * leaves them, where they are no logits afterwards (isotonic).
 */
export function calibrateLogits({ calibrators, shift }: Calibration, logits: Float64Array, rows: number): boolean {
  const calibrator = calibrators.length > 0 ? calibrators[0] : null;
  if (calibrator?.method === 'isotonic') return false;
  const by = shift.length > 0 ? shift[0] : 0;
  for (let i = 0; i < rows; i++) logits[i] = calibratedLogit(calibrator, logits[i], by);
  return true;
}

/**
 * Computes the calibrated probabilities of n rows. **Writes `probabilities`.**
 *
 *   two classes            as `calibratedProbability`
 *   none, temperature      softmax(calibrated logits + shift); none with `ovr` as below
 *   platt, beta, isotonic  pₖ·exp(shiftₖ)/Σ pⱼ·exp(shiftⱼ), pₖ of class k against the rest; 1/K where all pₖ are 0
 *
 * @param logits  K planes of n numbers, plane after plane; one plane for two classes
 * @param probabilities  written, in the order of the logits; may be the same array
 * @param planes  K, or 1 for two classes (default)
 * @param ovr  true: uncalibrated logits of several classes become σ(zₖ)/Σ σ(zⱼ); default false
 * @see scikit-learn, CalibratedClassifierCV (for several classes)
 * @example
 * const calibration = fitCalibration('platt', [Float64Array.of(-2, -1, 0.5, 3)], [0, 1, 0, 1]);
 * const probabilities = new Float64Array(2);
 * applyCalibration(calibration, Float64Array.of(-1, 2), probabilities);
 * probabilities; // [0.4298, 0.6184]
 */
export function applyCalibration(
  calibration: Calibration,
  logits: Float64Array | Float32Array,
  probabilities: Float64Array,
  planes = 1,
  ovr = false,
): void {
  const { method, calibrators, shift } = calibration;
  if (planes === 1) {
    for (let i = 0; i < logits.length; i++) probabilities[i] = calibratedProbability(calibration, logits[i]);
    return;
  }
  const rows = logits.length / planes;
  // one softmax, in which a shift is a term of the logit
  const joint = method === 'temperature' || (method === 'none' && !ovr);
  const shifted = shift.length > 0;
  for (let k = 0, i = 0; k < planes; k++) {
    const calibrator = method === 'none' ? null : calibrators[joint ? 0 : k];
    const by = joint && shifted ? shift[k] : 0;
    for (const end = i + rows; i < end; i++) {
      probabilities[i] =
        calibrator?.method === 'isotonic'
          ? interpolate(calibrator, logits[i])
          : calibratedLogit(calibrator, logits[i], by);
    }
  }
  if (method !== 'isotonic') softmax(probabilities, 0, rows, planes, rows, exp, !joint);
  if (method === 'isotonic' || (shifted && !joint)) share(probabilities, rows, shift.map(exp));
}

function calibratedLogit(calibrator: Exclude<Calibrator, Isotonic> | null, logit: number, shift: number): number {
  let z = bounded(logit);
  if (calibrator?.method === 'platt') z = calibrator.a * z + calibrator.b;
  else if (calibrator?.method === 'temperature') z *= calibrator.inverse;
  else if (calibrator) z = calibrator.b * softplus(z) - calibrator.a * softplus(-z) + calibrator.c;
  return bounded(z + shift);
}

/** Linear between the points, constant outside; not falling, since it never passes the right one. */
function interpolate({ logits, probabilities }: Isotonic, z: number): number {
  let low = 0;
  let high = logits.length - 1;
  if (z <= logits[low]) return probabilities[low];
  if (z >= logits[high]) return probabilities[high];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (logits[middle] <= z) low = middle;
    else high = middle;
  }
  const part = (z - logits[low]) / (logits[high] - logits[low]);
  return Math.min(probabilities[high], probabilities[low] + (probabilities[high] - probabilities[low]) * part);
}

/** pₖ·fₖ/Σ pⱼ·fⱼ of every row, factors 1 where there are none. */
function share(p: Float64Array, rows: number, factors: readonly number[]): void {
  const planes = p.length / rows;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = i, k = 0; k < planes; j += rows, k++) {
      if (factors.length > 0) p[j] *= factors[k];
      sum += p[j];
    }
    for (let j = i; j < p.length; j += rows) p[j] = sum === 0 ? 1 / planes : p[j] / sum;
  }
}
