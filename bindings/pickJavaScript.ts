import { jsScoringKernels } from './js/scoring.ts';
import { onJavaScript, ScoringEngine } from './scoring.ts';

/** A new scoring engine in JavaScript alone. */
export function javascriptScoringEngine(): ScoringEngine {
  return onJavaScript(jsScoringKernels, ScoringEngine, 'this entry has the JavaScript engine only');
}
