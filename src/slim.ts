/**
 * Scoring with a module of the caller: `logodds/wasm`, as the host imports or reads it. Nothing is inlined.
 * Where a host imports it as a compiled module: `pickEngine(module)`.
 */
export { scoringEngineOn as pickEngine } from '../bindings/scoring.ts';
export * from './scoring.ts';
