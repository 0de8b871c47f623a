import { LogoddsError } from '../../bindings/errors.ts';
import type { Model } from './model.ts';
import {
  below,
  boolean,
  count,
  figure,
  list,
  nullable,
  number,
  object,
  optional,
  string,
  type Test,
  word,
} from './shape.ts';

/** What a manifest reports beside what scoring reads. @param parameters  of all weight vectors */
function reported(parameters: number): Test {
  const CHI_SQUARE = { chi2: figure, df: figure, p: figure };
  const STATISTICS = {
    observations: figure,
    parameters: count,
    deviance: figure,
    nullDeviance: figure,
    aic: figure,
    bic: figure,
    mcFadden: figure,
    likelihoodRatio: object(CHI_SQUARE),
    pearson: optional(nullable(object({ ...CHI_SQUARE, dispersion: figure }))),
    hosmerLemeshow: nullable(object(CHI_SQUARE)),
  };
  const CHOSEN = {
    by: word('cost', 'fbeta', 'recall', 'precision', 'budget'),
    parameter: figure,
    value: figure,
    stdError: figure,
    range: nullable(list(figure, 2, 2)),
    curve: list(object({ threshold: figure, value: figure, stdError: figure })),
  };
  const WARNING = {
    code: string,
    message: string,
    features: list(string),
    severity: optional(word('error', 'warning', 'info')),
  };
  const BINS = { edges: list(number), low: number, high: number, centre: number };
  const parameter = below(parameters);
  const INTERVAL = { parameter, low: figure, high: figure };
  return object({
    objective: object({
      lambda: number,
      l1Ratio: number,
      C: figure,
      standardize: boolean,
      firth: optional(boolean),
      firthErrors: optional(word('augmented')),
    }),
    weightKind: optional(word('sampling', 'count')),
    fit: object({
      solver: string,
      choice: string,
      converged: boolean,
      reason: string,
      iterations: count,
      gradNorm: figure,
      objective: figure,
      logLik: figure,
      nullLogLik: figure,
      rows: count,
      totalWeight: figure,
    }),
    decision: object({ chosen: optional(object(CHOSEN)) }),
    calibration: optional(
      nullable(
        object({
          by: nullable(object({ folds: nullable(count), rows: count })),
          prior: optional(list(figure)),
        }),
      ),
    ),
    aliased: list(parameter),
    inference: optional(
      nullable(
        object({
          covariance: nullable(word('model', 'robust', 'cluster')),
          cluster: nullable(object({ column: string, count })),
          reason: nullable(string),
          statistics: nullable(object(STATISTICS)),
          tests: nullable(list(object({ feature: string, ...CHI_SQUARE }))),
          profile: nullable(list(object({ ...INTERVAL, chi2: figure, p: figure }))),
          bootstrap: nullable(
            object({
              replicates: count,
              failed: count,
              seed: figure,
              cluster: nullable(string),
              intervals: list(
                object({ ...INTERVAL, replicates: count, stdError: figure, bcaLow: figure, bcaHigh: figure }),
              ),
            }),
          ),
        }),
      ),
    ),
    stack: optional(
      object({
        intercept: number,
        bases: list(
          object({
            name: string,
            weight: number,
            sha256: nullable(string),
            producer: string,
            rows: count,
            calibrated: boolean,
          }),
        ),
      }),
    ),
    baseline: optional(
      object({
        columns: list(nullable(object(BINS))),
        scores: list(object(BINS)),
        without: optional(list(string)),
        of: optional(count),
        scoredBy: string,
        parts: list(object({ label: nullable(string), rows: count })),
      }),
    ),
    warnings: list(object(WARNING)),
  });
}

/**
 * Checks what a model file only reports: how it was fitted, what was found about its estimates, why its threshold. Scoring reads none of
 * it, so `logodds/score` does not ship this.
 * @returns model
 * @throws ERR_FORMAT naming the first field that is not as it must be
 */
export function checkReported<M extends Model>(model: M): M {
  const wrong = reported(model.weights.length + model.intercept.length)(model.manifest);
  if (wrong === null) return model;
  throw new LogoddsError(
    'ERR_FORMAT',
    `model file: expected a valid manifest${wrong}, got something else; train the model again`,
    { reason: 'invalid' },
  );
}
