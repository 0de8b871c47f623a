/**
 * Scoring from bytes: JSON records, JSON lines and CSV, without a value of JavaScript for each cell. Writing rows of text as bytes, and what a service does
 * with JSON before it is parsed.
 * @module
 */
export type { JsonLimits, NumberArray, SplitJson } from '../bindings/jsonMemory.ts';
export { type ByteScorer, type ByteScorerOptions, byteScorer } from './bytes/byteScorer.ts';
export type { Bytes } from './bytes/input.ts';
export { type JsonScan, jsonScan } from './bytes/jsonScan.ts';
export { type RowPart, type RowRange, type RowWriter, rowWriter } from './bytes/rowWriter.ts';
export { type ByteScores, NO_LABEL, RowError } from './bytes/scores.ts';
