import type { ScoringEngine } from '../../bindings/scoring.ts';
import type { Vector } from '../../bindings/vector.ts';
import type { applyCalibration, calibratedProbability } from '../calibrate/apply.ts';
import type { Encoders } from '../encode/coder.ts';
import type { Encoder } from '../encode/encoder.ts';
import type { Manifest } from './manifest.ts';
import type { RecordScore } from './scores.ts';

/**
 * The stages that a model may need beyond numeric and categorical features, two classes, the sigmoid and a threshold. A program ships the stages that
 * it passes to `loadModel`; a model that needs another one is refused by name.
 */
export interface Stages {
  /** features of further kinds */
  readonly encoders?: Encoders;
  /** more than two classes, calibrated probabilities, labels by expected cost, bands for review */
  readonly outcomes?: OutcomeStage;
  /** scoring in f32, on an engine of `logodds` */
  readonly f32?: NarrowStage;
}

/** The stage of scoring in f32: it decides how cells must be written so that rounding keeps the logits. */
export interface NarrowStage {
  /** Returns a JavaScript engine with f32, for `scoreTable` without an engine. */
  readonly engine: () => ScoringEngine;
  /**
   * Returns whether cells must be standardised before they are rounded. **It then rewrites the parameters for such cells.**
   * @throws ERR_RANGE where neither way keeps the logit
   */
  readonly standardize: (encoder: Encoder, parameters: readonly Float64Array[]) => boolean;
}

/** The stage that turns logits into probabilities and labels where the sigmoid and a threshold are not enough. */
export interface OutcomeStage {
  /** `calibratedProbability` of `logodds/decide` */
  readonly probability: typeof calibratedProbability;
  /** `applyCalibration` of `logodds/decide` */
  readonly apply: typeof applyCalibration;
  /**
   * Computes probabilities, labels and review flags of a part of a table. **It overwrites the logits with the probabilities.**
   * @param view  planes of logits, `plane` values apart
   * @param labels  written: for rows 0 to rows − 1 the index of the class
   * @param review  written: 1 for review; null: not wanted
   * @param engine  an engine that may have a kernel for it
   * @param z  the vector on that engine whose view is `view`
   */
  finish(
    manifest: Manifest,
    view: Float64Array | Float32Array,
    plane: number,
    rows: number,
    labels: Uint32Array,
    review: Uint8Array | null,
    engine?: ScoringEngine,
    z?: Vector,
  ): void;
  /**
   * Returns the score of one record from its logits (one with two classes). The probability is NaN where the logits cannot be told apart.
   */
  record(manifest: Manifest, logits: Float64Array, defaulted: number, outOfRange: number): RecordScore;
  /** Returns the first error in what a manifest says of calibration and decision; null when there is none. */
  findWrong(manifest: Manifest): string | null;
}

/** Whether a model needs the stage of outcomes. */
export const needsOutcomes = ({ positive, calibration, decision: { costs, abstain } }: Manifest): boolean =>
  Boolean(positive === null || calibration || costs || abstain);
