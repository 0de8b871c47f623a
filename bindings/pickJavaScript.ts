import { jsScoringKernels } from './js/scoring.ts';
import { onJavaScript, ScoringEngine } from './scoring.ts';

/**
 * Returns a new scoring engine in JavaScript alone.
 * @example
 * const engine = pickEngine();
 * engine.name; // 'js'
 * loadModel(bytes).scorer(engine).score(table).rows; // 30
 */
export function javascriptScoringEngine(): ScoringEngine {
  return onJavaScript(jsScoringKernels, ScoringEngine, 'this entry has the JavaScript engine only');
}
