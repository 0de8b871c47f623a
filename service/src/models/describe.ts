import type { Served } from './served.ts';

/** A model as it is told. */
export function describe({ name, version, sha256, fields, model }: Served, versions: readonly string[]) {
  const { classes, positive, decision, calibration = null, fit, objective } = model.manifest;
  return {
    name,
    version,
    versions,
    sha256,
    classes,
    positive,
    fields,
    decision,
    calibration: calibration?.method ?? null,
    objective,
    fit,
    intervals: model.covariance !== null,
  };
}
