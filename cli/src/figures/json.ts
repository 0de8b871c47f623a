import type { Evaluation } from './evaluation.ts';

/** The evaluation as JSON, with the contents of the text: figures, confusion matrix and reliability bins, without points of curves. */
export function evaluationJson(evaluation: Evaluation, classes: readonly string[]): object {
  const { rows, weight, baseLogLoss, confusion, binary, costs } = evaluation;
  return {
    rows,
    weight,
    baseLogLoss,
    classes: evaluation.classes.map(({ name, share, auc, averagePrecision, reliability }) => ({
      class: name,
      share,
      auc: auc && { value: auc.value, low: auc.interval?.low ?? null, high: auc.interval?.high ?? null },
      averagePrecision,
      bins: reliability.map(({ low, high, weight: inBin, predicted, observed }) => ({
        ...{ low, high, weight: inBin },
        ...(inBin > 0 ? { predicted, observed } : { predicted: null, observed: null }),
      })),
    })),
    confusion: { classes, weight: confusion.map((row) => [...row]) },
    ...(binary && {
      threshold: binary.threshold,
      precision: binary.confusion.precision,
      recall: binary.confusion.recall,
      f1: binary.confusion.f1,
      ks: binary.ks,
      averagePrecision: evaluation.classes[0].averagePrecision,
      auc: evaluation.classes[0].auc && {
        value: evaluation.classes[0].auc.value,
        low: evaluation.classes[0].auc.interval?.low ?? null,
        high: evaluation.classes[0].auc.interval?.high ?? null,
      },
      brier: binary.brier,
      calibration: {
        predicted: binary.large.predicted,
        observed: binary.large.observed,
        intercept: estimate(binary.large.intercept),
        slope: estimate(binary.slope),
      },
    }),
    cost: binary ? binary.cost : costs,
  };
}

const estimate = (found: { value: number; interval: { low: number; high: number } } | null) =>
  found && { value: found.value, ...found.interval };
