import type { applyCalibration, calibratedProbability } from '../calibrate/apply.ts';
import type { Encoders } from '../encode/coder.ts';
import type { Manifest } from './manifest.ts';

/**
 * What a model may need beyond numeric and categorical features, the sigmoid and a threshold. A program ships what it hands to `loadModel`;
 * a model that needs a stage it was not handed is refused by name.
 */
export interface Stages {
  /** features of further kinds */
  readonly encoders?: Encoders;
  /** calibrated probabilities, labels by expected cost, bands for review */
  readonly outcomes?: OutcomeStage;
}

/** How logits become probabilities and labels where the sigmoid (softmax) and a threshold (the greatest logit) are not all. */
export interface OutcomeStage {
  readonly probability: typeof calibratedProbability;
  readonly apply: typeof applyCalibration;
  /**
   * @param view  planes of logits, `plane` apart; the probabilities are written over them
   * @param labels  of rows 0 to rows − 1, written: indices of classes
   * @param review  of these rows, written: 1 for review; null: not asked for
   */
  finish(
    manifest: Manifest,
    view: Float64Array | Float32Array,
    plane: number,
    rows: number,
    labels: Uint32Array,
    review: Uint8Array | null,
  ): void;
  /** Where what a file says of calibration and decision is first wrong; null: nowhere. */
  findWrong(manifest: Manifest): string | null;
}

/** Whether a model needs the stage of outcomes. */
export const needsOutcomes = ({ calibration, decision: { costs, abstain } }: Manifest): boolean =>
  Boolean(calibration || costs || abstain);
