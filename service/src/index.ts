/**
 * Scoring over HTTP: models behind every protocol that clients of other servers speak, on web standards alone.
 * @module
 */
export type { AccessOptions } from './access/access.ts';
export type { JwtOptions } from './access/jwt.ts';
export type { PolicyOptions } from './access/policy.ts';
export { Tokens } from './access/tokens.ts';
export type { AdmissionOptions } from './admission/admission.ts';
export type { RateOptions } from './admission/rate.ts';
export type { Peers } from './core.ts';
export type { Asked, Gate, LogLine, Witness } from './hooks.ts';
export type { Served } from './models/served.ts';
export type { Listed, ModelSource, Shelf, State } from './models/shelf.ts';
export { Metrics } from './observation/metrics.ts';
export { type Gauge, type Gauges, type Numbers, totalOf } from './observation/numbers.ts';
export { type Caller, callerName, callerOf } from './requests/caller.ts';
export type { Limits } from './requests/limits.ts';
export { type Peer, peerOf } from './requests/peer.ts';
export { createService, type Service, type ServiceOptions } from './service.ts';
