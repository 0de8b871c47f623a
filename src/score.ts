/**
 * Scoring alone: engine, encoder, model file. It contains nothing of training, saving or metrics; test/package/size.test.ts holds its size.
 * @module
 */
export { pickScoringEngine as pickEngine } from '../bindings/pickScoring.ts';
export * from './scoring.ts';
