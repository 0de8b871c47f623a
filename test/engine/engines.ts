import { Engine, pickEngine } from '../../bindings/engine.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { implementations, simd } from './kernels.ts';

/** every engine that runs here, scoring and training */
export const engines: [string, () => Engine][] = [['js', () => pickEngine('js')]];

/** every engine that scores: the full ones, and those of `logodds/score` */
export const scoringEngines: [string, () => ScoringEngine][] = [
  ['js', () => pickEngine('js')],
  ['js, scoring only', () => pickScoringEngine('js')],
];

if (simd) {
  engines.push(['wasm', () => pickEngine('wasm')]);
  scoringEngines.push(['wasm', () => pickEngine('wasm')], ['wasm, scoring only', () => pickScoringEngine('wasm')]);
}

/** each engine over a heap that the test can reach */
export const onHeap = implementations.map(([name, make]) => {
  const build = () => {
    const { kernels, heap } = make();
    return { engine: new Engine(name as 'js' | 'wasm', 'a test', kernels, heap), heap };
  };
  return [name, build] as const;
});

/** a small generator of numbers in [-1, 1) that is the same everywhere */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}
