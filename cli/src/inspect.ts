import { coefficients, type Model } from '../../src/index.ts';
import { describeFeatures } from './report/features.ts';

/** The object of `inspect --json`. */
export function inspectJson(model: Model): object {
  const { format, classes, positive, objective, fit, calibration = null, decision, schema } = model.manifest;
  const { lambda, l1Ratio, C, firth = false } = objective;
  return {
    format,
    sha256: model.sha256,
    classes,
    positive,
    objective: { lambda, l1Ratio, C, firth },
    coefficients: coefficients(model),
    fit,
    inference: model.manifest.inference ?? null,
    calibration,
    decision,
    features: describeFeatures(schema.features),
  };
}
