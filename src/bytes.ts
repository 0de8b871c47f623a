/**
 * Scoring from bytes: JSON records, JSON lines and CSV, without a value of JavaScript for each cell.
 * @module
 */
export { type ByteScorer, type ByteScorerOptions, byteScorer } from './bytes/byteScorer.ts';
export type { Bytes } from './bytes/input.ts';
export { type ByteScores, NO_LABEL, RowError } from './bytes/scores.ts';
