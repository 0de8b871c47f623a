import { jsScoringKernels } from './js/scoring.ts';
import { loadingModule } from './modules/loading.ts';
import { type EngineName, pick, ScoringEngine } from './scoring.ts';

/**
 * Returns a new scoring engine with a memory of its own.
 * @param wanted  `auto` (default): WebAssembly SIMD where the host has it, else JavaScript. `wasm`, `js`: that engine and no other.
 * @throws ERR_ENGINE when `wasm` is wanted and the host cannot run it
 * @example
 * const engine = pickEngine('js');
 * engine.name; // 'js'
 * loadModel(bytes).scorer(engine).score(table).rows; // 30
 */
export function pickLoadingEngine(wanted: EngineName = 'auto'): ScoringEngine {
  return pick({ module: loadingModule, js: jsScoringKernels }, wanted, ScoringEngine);
}
