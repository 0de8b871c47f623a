/**
 * Stages around scoring, each for itself: `loadModel(bytes, { encoders, calibration, decisions })` of `logodds/score` takes the ones its models
 * need, and what explains a score is a function of the model. `logodds` has them all.
 */
import { applyCalibration, calibratedProbability } from './calibrate/apply.ts';
import { findWrongCalibration } from './calibrate/check.ts';
import { decide, decideAll, needsReview, wrongInDecision } from './decide/apply.ts';
import { encoders } from './encode/rich.ts';
import type { CalibrationStage, DecisionStage, Stages } from './model/stages.ts';

export {
  type Contribution,
  type Explainer,
  type Explanation,
  explain,
  explainClasses,
  explainer,
  type TopContributions,
} from './explain/contributions.ts';
export {
  classIntervals,
  interval,
  intervals,
  type ProbabilityInterval,
  type ProbabilityIntervals,
} from './explain/interval.ts';
export { type OddsRatio, oddsRatios } from './explain/odds.ts';
export { type Reason, type ReasonOptions, reasons } from './explain/reasons.ts';
export { type WhatIf, whatIf } from './explain/whatIf.ts';
export { encoders };

/** Platt, isotonic, beta, temperature, and corrections of the prior. */
export const calibration: CalibrationStage = {
  apply: applyCalibration,
  probability: calibratedProbability,
  findWrong: findWrongCalibration,
};

/** Labels by expected cost, and a band of probabilities for review. */
export const decisions: DecisionStage = { decide, decideAll, needsReview, findWrong: wrongInDecision };

/** All that a model may need. */
export const allStages: Stages = { encoders, calibration, decisions };
