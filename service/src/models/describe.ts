import type { Served } from './served.ts';
import type { Shelf } from './shelf.ts';
import { signatureOf } from './trust.ts';

/** A model as it is told. */
export function describe(served: Served, shelf: Shelf) {
  const { name, version, sha256, fields, model, signed } = served;
  const { classes, positive, decision, calibration = null, fit, objective, stack = null } = model.manifest;
  return {
    name,
    version,
    versions: shelf.versions(name),
    sha256,
    signature: signed && signatureOf(signed, shelf.doubt(served)),
    classes,
    positive,
    fields,
    decision,
    calibration: calibration?.method ?? null,
    objective,
    fit,
    intervals: model.covariance !== null,
    stack,
  };
}
