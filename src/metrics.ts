/**
 * Metrics of predictions, computed from rows whose outcome is known.
 * @module
 */
export {
  accuracy,
  auc,
  type BinStrategy,
  type BrierParts,
  brier,
  brierDecomposition,
  type ClassPredictions,
  ece,
  evaluate,
  type Labels,
  type Logits,
  logLoss,
  type Metrics,
  type Predictions,
  type Probabilities,
  type ReliabilityBin,
  type RowScores,
  reliability,
  type Said,
  type Weight,
  type WeightKind,
} from './metrics/binary.ts';
export * from './metrics/calibrated.ts';
export * from './metrics/confusion.ts';
export {
  averagePrecision,
  type ConfusionCurve,
  confusionCurve,
  type GainCurve,
  gainCurve,
  ksStatistic,
  liftAtK,
  type PrecisionRecallCurve,
  precisionAtK,
  precisionRecallCurve,
  type RocCurve,
  recallAtK,
  rocCurve,
  type Top,
} from './metrics/curves.ts';
export * from './metrics/groups.ts';
export { type AucInterval, aucInterval, type IntervalMethod } from './metrics/interval.ts';
export * from './metrics/multiclass.ts';
export * from './metrics/paired.ts';
export type { Compared } from './metrics/weighted.ts';
export * from './monitor/psi.ts';
