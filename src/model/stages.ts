import type { applyCalibration, calibratedProbability } from '../calibrate/apply.ts';
import type { findWrongCalibration } from '../calibrate/check.ts';
import type { decide, decideAll, needsReview, wrongInDecision } from '../decide/apply.ts';
import type { Encoders } from '../encode/coder.ts';
import type { Manifest } from './manifest.ts';

/**
 * What a model may need beyond numeric and categorical features, the sigmoid and a threshold. A program ships what it hands to `loadModel`;
 * a model that needs a stage it was not handed is refused by name.
 */
export interface Stages {
  /** features of further kinds */
  readonly encoders?: Encoders;
  /** probabilities that are not the sigmoid or softmax of the logits */
  readonly calibration?: CalibrationStage;
  /** labels by expected cost, and a band for review */
  readonly decisions?: DecisionStage;
}

export interface CalibrationStage {
  readonly apply: typeof applyCalibration;
  readonly probability: typeof calibratedProbability;
  readonly findWrong: typeof findWrongCalibration;
}

export interface DecisionStage {
  readonly decide: typeof decide;
  readonly decideAll: typeof decideAll;
  readonly needsReview: typeof needsReview;
  readonly findWrong: typeof wrongInDecision;
}

/** The stages of a model, where it needs them. */
export interface UsedStages {
  readonly calibration: CalibrationStage | null;
  readonly decisions: DecisionStage | null;
}

/** Whether a decision is more than a threshold. */
export const isRichDecision = ({ decision }: Pick<Manifest, 'decision'>): boolean =>
  decision.costs !== undefined || decision.abstain !== undefined;
