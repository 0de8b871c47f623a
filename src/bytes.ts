/**
 * Scoring from bytes: JSON records, JSON lines and CSV, without a value of JavaScript for each cell. And what a service does with JSON before it is parsed.
 * @module
 */
export type { JsonLimits, NumberArray, SplitJson } from '../bindings/jsonMemory.ts';
export { type ByteScorer, type ByteScorerOptions, byteScorer } from './bytes/byteScorer.ts';
export type { Bytes } from './bytes/input.ts';
export { type JsonScan, jsonScan } from './bytes/jsonScan.ts';
export { type ByteScores, NO_LABEL, RowError } from './bytes/scores.ts';
