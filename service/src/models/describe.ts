import type { Served } from './served.ts';
import type { Shelf } from './shelf.ts';
import { signatureOf } from './trust.ts';

/** A model as it is told. @param segments  by which its records are divided, where it is asked by its name alone; null: there are none */
export function describe(served: Served, shelf: Shelf, segments: object | null) {
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
    ...(segments && { segments }),
  };
}
