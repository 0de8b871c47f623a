import { applyCalibration, calibratedProbability } from '../calibrate/apply.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import { findWrongCalibration } from '../calibrate/check.ts';
import { decideAll, wrongInDecision } from '../decide/apply.ts';
import type { OutcomeStage } from './stages.ts';

const NONE: Calibration = { method: 'none', calibrators: [], shift: [], by: null };

/** The stage of calibrated probabilities, labels by expected cost, and bands for review. */
export const outcomes: OutcomeStage = {
  probability: calibratedProbability,
  apply: applyCalibration,
  finish({ classes, positive, multiclass, calibration, decision }, view, plane, rows, labels, review) {
    const planes = positive === null ? classes.length : 1;
    const logits = Float64Array.from(view.subarray(0, planes * plane));
    const probabilities = new Float64Array(logits.length);
    applyCalibration(calibration ?? NONE, logits, probabilities, planes, multiclass === 'ovr');
    view.set(probabilities);
    // without a calibration by logits, which a softmax may round to ties
    const scores = calibration ? view : logits;
    decideAll(decision, classes.indexOf(positive!), view, scores, plane, planes, rows, labels, review);
  },
  findWrong({ classes, calibration, decision }) {
    const wrong = calibration == null ? null : findWrongCalibration(calibration, classes.length);
    if (wrong !== null) return `calibration${wrong}`;
    const other = wrongInDecision(decision, classes.length);
    return other === null ? null : `decision${other}`;
  },
};
