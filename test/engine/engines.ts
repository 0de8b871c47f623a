import type { ColumnSpec, ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { Engine, pickEngine } from '../../bindings/engine.ts';
import type { Precision } from '../../bindings/layout.ts';
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

/** Storage types of an engine: those of `logodds/score` have f64 alone. */
export const precisionsOf = (name: string): Precision[] => (name.endsWith('only') ? ['f64'] : ['f64', 'f32']);

/** A `columns` batch of zeros; on an engine for scoring alone the one that an encoder fills. */
export function columnsOn(
  engine: ScoringEngine,
  rows: number,
  specs: readonly ColumnSpec[],
  precision: Precision = 'f64',
): ColumnsBatch {
  if (engine instanceof Engine) return engine.columns(rows, specs, precision);
  const batch = engine.encoded(rows, specs, precision);
  specs.forEach(({ kind }, j) => void (kind === 'numeric' ? batch.numeric(j) : batch.codes(j)).fill(0));
  return batch;
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
