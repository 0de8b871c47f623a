import { LogoddsError } from '../../bindings/errors.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import { findWrongCalibration } from '../calibrate/check.ts';
import { wrongInDecision } from '../decide/apply.ts';
import type { Decision } from '../decide/decision.ts';
import { distinct, type Manifest, type Warning } from './manifest.ts';

/** The manifest with this calibration in place of its own. @throws ERR_RANGE one that a model file could not hold */
export function calibratedManifest(manifest: Manifest, calibration: Calibration): Manifest {
  const wrong = findWrongCalibration(calibration, manifest.classes.length);
  if (wrong !== null) throw refusal(`calibration${wrong}`, 'Calibration', manifest);
  const rest = manifest.warnings.filter(({ code }) => code !== FEW_ROWS);
  return { ...manifest, calibration, warnings: distinct([...rest, ...fewRows(calibration)]) };
}

/** The manifest with this decision in place of its own. @throws ERR_RANGE a decision that a model file could not hold */
export function decidedManifest(manifest: Manifest, decision: Decision): Manifest {
  const wrong = wrongInDecision(decision, manifest.classes.length);
  if (wrong !== null) throw refusal(`decision${wrong}`, 'Decision', manifest);
  return { ...manifest, decision };
}

const refusal = (what: string, type: string, { classes }: Manifest): LogoddsError =>
  new LogoddsError(
    'ERR_RANGE',
    `${what}: expected numbers as ${type} has them for ${classes.length} classes, got others; correct it`,
  );

/** Fewer rows than this make an isotonic calibrator that follows chance. */
const ENOUGH_FOR_ISOTONIC = 1000;

const FEW_ROWS = 'CALIBRATION_ROWS';

function fewRows({ method, by }: Calibration): Warning[] {
  if (method !== 'isotonic' || by === null || by.rows >= ENOUGH_FOR_ISOTONIC) return [];
  return [
    {
      code: FEW_ROWS,
      message: `isotonic calibration on ${by.rows} rows fits noise; use platt or beta below ${ENOUGH_FOR_ISOTONIC} rows`,
      features: [],
    },
  ];
}
