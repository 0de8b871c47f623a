import { jsScoringKernels } from './js/scoring.ts';
import { scoringModule } from './modules/scoring.ts';
import { type EngineName, pick, ScoringEngine } from './scoring.ts';

/**
 * A new scoring engine with a memory of its own.
 * @param wanted  'auto' (WebAssembly SIMD where the host has it, else JavaScript), or the engine that must be taken
 * @throws ERR_ENGINE when 'wasm' is wanted and the host cannot run it
 */
export function pickScoringEngine(wanted: EngineName = 'auto'): ScoringEngine {
  return pick({ module: scoringModule, js: jsScoringKernels }, wanted, ScoringEngine);
}
