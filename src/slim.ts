/**
 * Scoring with a module that the caller supplies: `logodds/kernels.wasm`, as the host imports or reads it. Nothing is inlined. Where a host imports it as
 * a compiled module, call `pickEngine(module)`.
 * @module
 */
export { scoringEngineOn as pickEngine } from '../bindings/scoring.ts';
export * from './scoring.ts';
