import type { Target } from '../routing/route.ts';
import type { RouteState } from '../routing/routing.ts';
import type { Served } from './served.ts';
import type { Shelf } from './shelf.ts';
import { signatureOf } from './trust.ts';

/** A model as it is told. @param followed  its route; null: it has none */
export function describe(served: Served, shelf: Shelf, followed: RouteState | null) {
  const { name, version, sha256, fields, model, signed } = served;
  const { classes, positive, decision, calibration = null, fit, objective } = model.manifest;
  return {
    name,
    version,
    versions: shelf.versions(name),
    sha256,
    rollout: followed && rolloutOf(followed),
    signature: signed && signatureOf(signed, shelf.doubt(served)),
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

/** Which version answers which part of the traffic. */
function rolloutOf({ route, requests, breach }: RouteState) {
  const { champion, arms, shadow = null } = route;
  const target = ({ model, version }: Target) => ({ model, version });
  return {
    champion: target(champion),
    arms: arms.map(({ name, share, ...to }) => ({ name, share, ...target(to) })),
    shadow: shadow && target(shadow),
    requests,
    breach: breach && breach.why,
  };
}
