import type { Batch } from './batch.ts';
import { among, index } from './check.ts';
import { type ColumnSpec, ColumnsBatch } from './columnsBatch.ts';
import { LogoddsError } from './errors.ts';
import { Handle, refuseFreed } from './handle.ts';
import { Heap, PlainMemory } from './heap.ts';
import { jsScoringKernels } from './js/scoring.ts';
import { ABI_VERSION, type Elementwise, type ScoringKernels } from './kernels.ts';
import { type BatchShape, type Precision, planeStride } from './layout.ts';
import type { CompiledModule } from './moduleFile.ts';
import { RowsBatch } from './rowsBatch.ts';
import { Vector } from './vector.ts';
import { instantiate } from './wasm.ts';
import { Weights } from './weights.ts';

/**
 * An engine for scoring: kernels over a linear memory of its own. `pickEngine` makes one. Every method is synchronous.
 *
 * WebAssembly and JavaScript give the same bits and differ in speed.
 * @example
 * const engine = pickEngine();
 * const batch = engine.rows(2, 2);
 * batch.set([1, 2, 3, 4]);
 * const weights = engine.weights(batch);
 * weights.set(0, [1, 0.5, -2]);
 * const z = engine.vector(2);
 * engine.logits(batch, weights, z);
 * z.view; // [0, 3]
 */
export class ScoringEngine {
  readonly name: 'wasm' | 'js';
  /** why this engine was chosen, in one sentence */
  readonly why: string;
  /** @internal */
  readonly kernels: ScoringKernels;
  /** @internal */
  readonly heap: Heap;

  /** @internal use `pickEngine` */
  constructor(name: 'wasm' | 'js', why: string, kernels: ScoringKernels, heap: Heap) {
    this.name = name;
    this.why = why;
    this.kernels = kernels;
    this.heap = heap;
  }

  /** Bytes of linear memory in use by batches, vectors and weights that were not freed. */
  get bytesInUse(): number {
    return this.heap.bytesInUse;
  }

  /**
   * Makes a `rows` batch of zeros. Fill it through `view` or `set`.
   * @param precision  default `f64`; `f32` needs an engine of `logodds`
   * @throws ERR_RANGE, ERR_MEMORY
   */
  rows<P extends Precision = 'f64'>(rows: number, features: number, precision = 'f64' as P): RowsBatch<P> {
    return new RowsBatch(this.heap, rows, features, precision);
  }

  /** A `columns` batch that an encoder fills. @internal */
  encoded<P extends Precision = 'f64'>(
    rows: number,
    specs: readonly ColumnSpec[],
    precision = 'f64' as P,
  ): ColumnsBatch<P> {
    return new ColumnsBatch(this.heap, rows, specs, precision);
  }

  /**
   * Makes a vector of zeros in linear memory.
   * @param precision  default `f64`; `f32` needs an engine of `logodds`
   * @throws ERR_RANGE, ERR_MEMORY
   */
  vector<P extends Precision = 'f64'>(length: number, precision = 'f64' as P): Vector<P> {
    return new Vector(this.heap, length, precision);
  }

  /**
   * Makes weight vectors of zeros for batches of the given layout, width and precision.
   * @param shape  a batch, or its layout, slots and precision
   * @param count  number of weight vectors; default 1
   * @throws ERR_RANGE, ERR_MEMORY
   */
  weights(shape: BatchShape, count = 1): Weights {
    return new Weights(this.heap, shape, count);
  }

  /**
   * Computes the logits of every row for every weight vector, in one pass over the data:
   *
   *   out[j · planeStride(rows) + i] = xᵢ·wⱼ + interceptⱼ
   *
   * @param out  **written;** at least (weights.count − 1) · planeStride(rows) + rows values of the batch's precision
   * @throws ERR_SHAPE when layout, width, precision or length do not fit; ERR_ENGINE when an argument is of another engine or was freed
   * @throws ERR_RANGE for a code that is not below the slots of its column; `out` then holds the rows before it
   */
  logits(batch: Batch, weights: Weights, out: Vector): void {
    this.own('batch', batch, 'batch');
    this.own('weights', weights, 'weights');
    this.own('out', out);
    const { layout, slots, precision } = batch;
    if (weights.layout !== layout || weights.slots !== slots || weights.precision !== precision) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `weights: expected ${slots} slots, ${layout}, ${precision} (as the batch), got ${weights.slots}, ${weights.layout}, ${weights.precision}`,
      );
    }
    checkOut(out, (weights.count - 1) * planeStride(batch.rows) + batch.rows, precision);
    batch.logits(this.kernels, weights, out);
  }

  /**
   * Writes out[i] = σ(z[i]) = 1/(1 + exp(−z[i])). `out` may be `z`.
   * @param count  number of values, from the start; default all of z. **Values of `out` behind them, up to a multiple of four, may be overwritten.**
   * @throws ERR_RANGE when z has fewer values; ERR_SHAPE when `out` does not fit; ERR_ENGINE
   */
  sigmoid(z: Vector, out: Vector, count?: number): void {
    this.elementwise(z, out, count, this.kernels.sigmoidF32!, this.kernels.sigmoidF64);
  }

  /** @internal */
  protected elementwise(z: Vector, out: Vector, given: number | undefined, f32: Elementwise, f64: Elementwise): void {
    this.own('z', z);
    this.own('out', out);
    const count = index('count', given ?? z.length, z.length);
    checkOut(out, count, z.precision);
    (z.precision === 'f32' ? f32 : f64)(z.address, count, out.address);
  }

  /** An address means nothing in the memory of another engine, nor after it was freed. @internal */
  protected own(what: string, part: Handle, kind = 'vector'): void {
    const heap = Handle.heapOf(part, kind);
    if (heap === this.heap) return;
    if (heap === null) refuseFreed(kind);
    const got = heap ? 'that of another' : 'something else';
    throw new LogoddsError('ERR_ENGINE', `${what}: expected memory of this engine, got ${got}`);
  }
}

/** @internal */
export function checkOut(out: Vector, length: number, precision: Precision, name = 'out'): void {
  if (out.precision !== precision || out.length < length) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `${name}: expected at least ${length} ${precision} values, got ${out.length} ${out.precision}`,
    );
  }
}

/** Which engine is wanted: `auto` is WebAssembly where the host has it, else JavaScript. */
export type EngineName = 'auto' | 'wasm' | 'js';

/** Where an engine comes from: both implementations of one table of kernels. */
export interface EngineSource<K extends ScoringKernels> {
  /** @throws what the host throws when it lacks SIMD or WebAssembly, or refuses to compile */
  readonly module: () => CompiledModule;
  readonly js: (heap: Heap) => K;
}

type EngineClass<K, E> = new (name: 'wasm' | 'js', why: string, kernels: K, heap: Heap) => E;

/** @internal */
export function onJavaScript<K extends ScoringKernels, E>(
  js: EngineSource<K>['js'],
  engine: EngineClass<K, E>,
  why = 'the JavaScript engine was asked for',
): E {
  const heap = new Heap(new PlainMemory(), 16);
  return new engine('js', why, js(heap), heap);
}

/**
 * The one place that picks: WebAssembly SIMD where the host has it, else JavaScript.
 * @throws ERR_ENGINE when 'wasm' is wanted and the host cannot run it, ERR_RANGE for another name
 * @internal
 */
export function pick<K extends ScoringKernels, E>(
  source: EngineSource<K>,
  wanted: EngineName,
  engine: EngineClass<K, E>,
): E {
  if (among('engine', wanted, 'auto', 'wasm', 'js') === 'js') return onJavaScript(source.js, engine);
  try {
    const { kernels, heap } = instantiate<K>(source.module());
    return new engine('wasm', 'WebAssembly SIMD is available', kernels, heap);
  } catch (cause) {
    const why = `WebAssembly SIMD is not available here (${(cause as Error)?.message ?? cause})`;
    if (wanted === 'auto') return onJavaScript(source.js, engine, why);
    throw new LogoddsError('ERR_ENGINE', `engine: expected a host with WebAssembly SIMD; ${why}; use engine "auto"`, {
      cause,
    });
  }
}

/**
 * Returns a new scoring engine on a module of the caller: `logodds/kernels.wasm`, as compiled module or as bytes. Where the host cannot run it the engine
 * is in JavaScript. Hosts that forbid compiling bytes need the compiled module.
 * @throws ERR_ENGINE when it is another module
 * @example
 * const engine = pickEngine(module);
 * loadModel(bytes).scorer(engine).score(table).rows; // 30
 */
export function scoringEngineOn(module: CompiledModule | ArrayBuffer | ArrayBufferView): ScoringEngine {
  // not instanceof: a module may be of another realm
  const given = () => ('byteLength' in module ? new WebAssembly.Module(module as BufferSource) : module);
  const engine = pick({ module: given, js: jsScoringKernels }, 'auto', ScoringEngine);
  const version = engine.name === 'wasm' ? engine.kernels.abiVersion?.() : ABI_VERSION;
  if (version === ABI_VERSION) return engine;
  throw new LogoddsError(
    'ERR_ENGINE',
    `module: expected logodds/wasm of this version (ABI ${ABI_VERSION}), got ${version === undefined ? 'another module' : `ABI ${version}`}; import the file from the same package`,
  );
}
