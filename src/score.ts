/**
 * Scoring alone: engine, encoder, model file. Nothing of training, saving or metrics is reachable from here;
 * test/package/size.test.ts holds its size.
 */
export { pickScoringEngine as pickEngine } from '../bindings/pickScoring.ts';
export * from './scoring.ts';
