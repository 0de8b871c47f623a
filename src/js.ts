/**
 * Scoring without WebAssembly, the smallest entry. The JavaScript engine gives the same bits.
 * @module
 */
export { javascriptScoringEngine as pickEngine } from '../bindings/pickJavaScript.ts';
export * from './scoring.ts';
