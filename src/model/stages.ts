import type { ScoringEngine } from '../../bindings/scoring.ts';
import type { Vector } from '../../bindings/vector.ts';
import type { applyCalibration, calibratedProbability } from '../calibrate/apply.ts';
import type { Encoders } from '../encode/coder.ts';
import type { Encoder } from '../encode/encoder.ts';
import type { Manifest } from './manifest.ts';
import type { RecordScore } from './scores.ts';

/**
 * What a model may need beyond numeric and categorical features, two classes, the sigmoid and a threshold. A program ships what it hands to `loadModel`;
 * a model that needs a stage it was not handed is refused by name.
 */
export interface Stages {
  /** features of further kinds */
  readonly encoders?: Encoders;
  /** more than two classes, calibrated probabilities, labels by expected cost, bands for review */
  readonly outcomes?: OutcomeStage;
  /** scoring in f32, on an engine of `logodds` */
  readonly f32?: NarrowStage;
}

/** What scoring in f32 needs to know: how cells must be written so that rounding keeps the logits. */
export interface NarrowStage {
  /** an engine in JavaScript that has f32, for `scoreTable` without one */
  readonly engine: () => ScoringEngine;
  /**
   * Whether cells must be standardised before they are rounded; the parameters are then made those of such cells.
   * @throws ERR_RANGE where neither way keeps the logit
   */
  readonly standardize: (encoder: Encoder, parameters: readonly Float64Array[]) => boolean;
}

/** How logits become probabilities and labels where the sigmoid and a threshold are not all. */
export interface OutcomeStage {
  readonly probability: typeof calibratedProbability;
  readonly apply: typeof applyCalibration;
  /**
   * @param view  planes of logits, `plane` apart; the probabilities are written over them
   * @param labels  of rows 0 to rows − 1, written: indices of classes
   * @param review  of these rows, written: 1 for review; null: not asked for
   * @param engine  that may have a kernel for it
   * @param z  on the engine, the vector of the view
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
  /** The score of one record from its logits, of which there is one of two classes; NaN as probability where the logits cannot be told apart. */
  record(manifest: Manifest, logits: Float64Array, defaulted: number, outOfRange: number): RecordScore;
  /** Where what a file says of calibration and decision is first wrong; null: nowhere. */
  findWrong(manifest: Manifest): string | null;
}

/** Whether a model needs the stage of outcomes. */
export const needsOutcomes = ({ positive, calibration, decision: { costs, abstain } }: Manifest): boolean =>
  Boolean(positive === null || calibration || costs || abstain);
