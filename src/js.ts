/** Scoring without WebAssembly: the same bits from the JavaScript engine, the smallest of the entries. */
export { javascriptScoringEngine as pickEngine } from '../bindings/pickJavaScript.ts';
export * from './scoring.ts';
