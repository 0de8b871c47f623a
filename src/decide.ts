/**
 * Calibrators, thresholds and bands for review. `fit` makes the same by its options `calibrate`, `decide` and `review`.
 * @module
 */
export { applyCalibration, calibratedProbability } from './calibrate/apply.ts';
export type * from './calibrate/calibration.ts';
export {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  type CalibrationSource,
  fitCalibration,
  fitCalibrator,
  priorShift,
} from './calibrate/fit.ts';
export { abstainByCost, abstainByShare, type Band } from './decide/abstain.ts';
export { type Criterion, chooseThreshold, type JudgedRows } from './decide/choose.ts';
export {
  type Costs,
  costThreshold,
  decideByRowCosts,
  decisionByCosts,
  type RowCosts,
  type RowDecisions,
} from './decide/costs.ts';
export type * from './decide/decision.ts';
export { correctPrior } from './train/calibrated.ts';
export { chooseDecision, chooseReview } from './train/decided.ts';
