import { exp, greatest, softmax } from '../../bindings/js/math.ts';
import { classProbabilities } from '../../bindings/softmax.ts';
import { applyCalibration, calibratedProbability, calibrateLogits } from '../calibrate/apply.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import { findWrongCalibration } from '../calibrate/check.ts';
import { decideAll, wrongInDecision } from '../decide/apply.ts';
import type { OutcomeStage } from './stages.ts';

const NONE: Calibration = { method: 'none', calibrators: [], shift: [], by: null };

/**
 * The class of the greatest of k logits `plane` apart, the first if several. Where several are the greatest and infinite they overflowed and
 * cannot be told apart: the first logit becomes NaN, and with it all probabilities of the row.
 */
function topClass(z: Float64Array | Float32Array, at: number, plane: number, k: number): number {
  const best = greatest(z, at, plane, k);
  const top = z[at + best * plane];
  let rivals = 0;
  for (let j = 0; j < k; j++) rivals += z[at + j * plane] < top ? 0 : 1;
  if (rivals > 1 && !Number.isFinite(top)) z[at] = Number.NaN;
  return best;
}

/**
 * The stage of more than two classes, calibrated probabilities, labels by expected cost, and bands for review.
 * @example
 * loadModel(bytes, { outcomes }).score(flight).label; // 'yes'
 */
export const outcomes: OutcomeStage = {
  probability: calibratedProbability,
  apply: applyCalibration,
  finish({ classes, positive, multiclass, calibration, decision }, view, plane, rows, labels, review, engine, z) {
    const planes = positive === null ? classes.length : 1;
    const ovr = multiclass === 'ovr';
    // by logits, which a softmax may round to ties
    for (let i = 0; planes > 1 && i < rows; i++) labels[i] = topClass(view, i, plane, planes);
    if (!(calibration || decision.costs || decision.abstain)) {
      if (engine && z) classProbabilities(engine, z, rows, planes, ovr);
      else softmax(view, 0, plane, planes, rows, exp, ovr);
      return;
    }
    const k = classes.indexOf(positive!);
    if (planes === 1 && engine && view instanceof Float64Array && calibrateLogits(calibration ?? NONE, view, rows)) {
      engine.sigmoid(z!, z!, rows);
      decideAll(decision, k, view, view, plane, 1, rows, labels, review);
      return;
    }
    const logits = Float64Array.from(view.subarray(0, planes * plane));
    const probabilities = new Float64Array(logits.length);
    applyCalibration(calibration ?? NONE, logits, probabilities, planes, ovr);
    view.set(probabilities);
    // without a calibration by logits
    decideAll(decision, k, view, calibration ? view : logits, plane, planes, rows, labels, review);
  },
  record(manifest, logits, defaulted, outOfRange) {
    const { classes, positive, decision } = manifest;
    const probabilities = logits.slice();
    const label = new Uint32Array(1);
    const review = new Uint8Array(1);
    outcomes.finish(manifest, probabilities, 1, 1, label, review);
    const k = positive === null ? label[0] : 0;
    return {
      logit: logits[k],
      probability: probabilities[k],
      label: classes[label[0]],
      defaulted,
      outOfRange,
      ...(positive === null && { logits, probabilities }),
      ...(decision.abstain && { review: review[0] === 1 }),
    };
  },
  findWrong({ classes, calibration, decision }) {
    const wrong = calibration == null ? null : findWrongCalibration(calibration, classes.length);
    if (wrong !== null) return `calibration${wrong}`;
    const other = wrongInDecision(decision, classes.length);
    return other === null ? null : `decision${other}`;
  },
};
