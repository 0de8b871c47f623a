import { LogoddsError } from '../../bindings/errors.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import { wrongInDecision } from '../decide/apply.ts';
import type { Decision } from '../decide/decision.ts';
import { distinct, type Warning } from './manifest.ts';
import { Model } from './model.ts';

/** The model with this calibration in place of its own; it comes from no file. Its threshold is on calibrated probabilities from then on. */
export function withCalibration(model: Model, calibration: Calibration): Model {
  const { manifest, weights, intercept, covariance, baseline, stages } = model;
  const warnings = distinct([...manifest.warnings.filter(({ code }) => code !== FEW_ROWS), ...fewRows(calibration)]);
  const parts = { weights, intercept, covariance, baseline, stages };
  return new Model({ ...parts, manifest: { ...manifest, calibration, warnings } });
}

/**
 * The model with this decision in place of its own; it comes from no file. What it says of its probabilities is untouched.
 * @throws ERR_RANGE a decision that a model file could not hold: costs of another shape, in which a mistake is cheaper than the hit, or a band
 * whose ends are no numbers in order
 */
export function withDecision(model: Model, decision: Decision): Model {
  const { manifest, weights, intercept, covariance, baseline, stages } = model;
  const wrong = wrongInDecision(decision, manifest.classes.length);
  if (wrong !== null) {
    throw new LogoddsError(
      'ERR_RANGE',
      `decision${wrong}: expected numbers as Decision has them for ${manifest.classes.length} classes, got others; correct it`,
    );
  }
  return new Model({
    manifest: { ...manifest, decision },
    weights,
    intercept,
    covariance,
    baseline,
    stages,
  });
}

/** Fewer rows than this make an isotonic calibrator that follows chance. */
const ENOUGH_FOR_ISOTONIC = 1000;

const FEW_ROWS = 'CALIBRATION_ROWS';

function fewRows({ method, by }: Calibration): Warning[] {
  if (method !== 'isotonic' || by === null || by.rows >= ENOUGH_FOR_ISOTONIC) return [];
  return [
    {
      code: FEW_ROWS,
      message: `isotonic calibration by ${by.rows} rows follows chance; use platt or beta below ${ENOUGH_FOR_ISOTONIC} rows`,
      features: [],
    },
  ];
}
