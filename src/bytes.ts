/**
 * Scoring from bytes: JSON records, JSON lines and CSV, without a value of JavaScript for each cell. Writing rows of text as bytes.
 * @module
 */
export { type ByteScorer, type ByteScorerOptions, byteScorer } from './bytes/byteScorer.ts';
export type { Bytes } from './bytes/input.ts';
export { type RowPart, type RowRange, type RowWriter, rowWriter } from './bytes/rowWriter.ts';
export { type ByteScores, NO_LABEL, RowError } from './bytes/scores.ts';
