/**
 * Scoring over HTTP: models behind every protocol that clients of other servers speak, on web standards alone.
 * @module
 */
export type { LogLine } from './core.ts';
export type { Served } from './models/served.ts';
export type { Listed, ModelSource, Shelf, State } from './models/shelf.ts';
export { Metrics } from './observation/metrics.ts';
export { createService, type Service, type ServiceOptions } from './service.ts';
