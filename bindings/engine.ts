import type { Batch } from './batch.ts';
import { BinomialLikelihood, type BinomialTarget } from './binomial.ts';
import type { Heap } from './heap.ts';
import { jsKernels } from './js/kernels.ts';
import { kernelsBase64 } from './kernels.generated.ts';
import type { Kernels } from './kernels.ts';
import type { Likelihood } from './likelihood.ts';
import { type EngineName, pick, ScoringEngine } from './scoring.ts';

/** A scoring engine that also has the kernels of training. */
export class Engine extends ScoringEngine {
  readonly #kernels: Kernels;

  /** @internal use `pickEngine` */
  constructor(name: 'wasm' | 'js', reason: string, kernels: Kernels, heap: Heap) {
    super(name, reason, kernels, heap);
    this.#kernels = kernels;
  }

  /** The binomial likelihood of a batch of this engine; the batch must outlive it. @throws ERR_SHAPE, ERR_MEMORY, ERR_ENGINE */
  likelihood(batch: Batch, target: BinomialTarget): Likelihood {
    this.own('batch', batch);
    return new BinomialLikelihood(this.#kernels, this.heap, batch, target);
  }
}

/**
 * A new engine for scoring and training, with a memory of its own.
 * @param wanted  'auto' (WebAssembly SIMD where the host has it, else JavaScript), or the engine that must be taken
 * @throws ERR_ENGINE when 'wasm' is wanted and the host cannot run it
 */
export function pickEngine(wanted: EngineName = 'auto'): Engine {
  return pick({ base64: kernelsBase64, js: jsKernels }, wanted, Engine);
}
