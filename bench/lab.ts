import { readFileSync } from 'node:fs';
import type { Batch } from '../bindings/batch.ts';
import { Engine, pickEngine } from '../bindings/engine.ts';
import { jsKernels } from '../bindings/js/kernels.ts';
import type { Precision } from '../bindings/layout.ts';
import type { RowsBatch } from '../bindings/rowsBatch.ts';
import type { Vector } from '../bindings/vector.ts';
import { compare, local, random, SEED } from './harness.ts';
import type { Peer } from './peer.ts';
import { type Contestant, type Goal, race } from './race.ts';
import type { Case, Rival, Settings } from './timings.ts';

export type Plain = typeof import('./plain.ts');
type Read = (address: number, bytes: number) => bigint;

/** Rivals in other languages, where they are installed. */
export interface Peers {
  readonly python: Peer | null;
  readonly r: Peer | null;
  readonly rust: Peer | null;
}

/** What a suite works with: engines over one memory, the read loop over it, the rivals, and the list of its results. */
export class Lab {
  readonly settings: Settings;
  readonly peers: Peers;
  readonly wasm: Engine = pickEngine('wasm');
  /** the JavaScript engine over the same memory */
  readonly js: Engine = new Engine('js', 'the rival', jsKernels(this.wasm.heap), this.wasm.heap);
  readonly cases: Case[] = [];
  readonly #plain: Record<Precision, Plain>;
  readonly #read: Record<string, Read>;

  private constructor(settings: Settings, peers: Peers, plain: Record<Precision, Plain>) {
    this.settings = settings;
    this.peers = peers;
    this.#plain = plain;
    const memory = this.wasm.heap.memory as unknown as WebAssembly.Memory;
    const module = new WebAssembly.Module(readFileSync('bench/build/read.wasm'));
    this.#read = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Record<string, Read>;
  }

  static async open(settings: Settings, peers: Peers): Promise<Lab> {
    // two copies of one module: each sees arrays of one kind only, as in a program that has made up its mind
    const load = (precision: Precision) => import(new URL(`./plain.mjs?${precision}`, import.meta.url).href);
    return new Lab(settings, peers, { f32: await load('f32'), f64: await load('f64') });
  }

  get quick(): boolean {
    return this.settings.quick;
  }

  plain(precision: Precision): Plain {
    return this.#plain[precision];
  }

  /** the read rate over these bytes: the fastest of the streams counts */
  reading(address: number, bytes: number): Rival[] {
    return [1, 2, 4, 8].map((streams) => {
      const loop = this.#read[`read${streams}`];
      return local(`read ×${streams}`, () => Number(loop(address, bytes) & 1n));
    });
  }

  /** the Python rivals of a case; none when there is no Python */
  async rivals(
    kind: string,
    numbers: Record<string, unknown>,
    arrays: Record<string, ArrayBufferView>,
  ): Promise<Rival[]> {
    return this.peers.python ? this.peers.python.open(kind, numbers, arrays) : [];
  }

  /** those who train in a case, in the languages that are there */
  async contestants(
    kind: string,
    numbers: Record<string, unknown>,
    arrays: Record<string, ArrayBufferView>,
    languages: readonly (keyof Peers)[] = ['python'],
  ): Promise<Contestant[]> {
    const found: Contestant[] = [];
    for (const language of languages) found.push(...((await this.peers[language]?.train(kind, numbers, arrays)) ?? []));
    return found;
  }

  /** A case of training: time until the goal. */
  async train(name: string, rows: number, goal: Goal, contestants: readonly Contestant[]): Promise<void> {
    const work = { name, rows, bytes: 0, tolerance: goal.limit };
    const say = (line: string) => console.error(`    ${line}`);
    this.cases.push(await compare(work, race(goal, contestants, say), this.settings));
  }

  async add(
    work: Pick<Case, 'name' | 'rows' | 'bytes' | 'flops'> & { tolerance?: number },
    precision: Precision,
    rivals: readonly Rival[],
  ): Promise<void> {
    this.cases.push(await compare({ tolerance: precision === 'f32' ? 1e-4 : 1e-9, ...work }, rivals, this.settings));
  }

  /**
   * Rows of random numbers: a block of 2²⁰ values at most, repeated, so that another process can have the same ones.
   * @returns the batch and the block
   */
  dense(
    rows: number,
    features: number,
    precision: Precision,
    engine: Engine = this.wasm,
  ): { batch: RowsBatch; block: Float32Array | Float64Array } {
    const batch = engine.rows(rows, features, precision);
    if (batch.stride !== features) throw new Error(`features: expected a multiple of 4, got ${features}`);
    return { batch, block: fill(batch.view) };
  }

  /** k weight vectors that give logits of a few units either way when rows have `active` random entries */
  point(batch: Pick<Batch, 'layout' | 'slots' | 'precision'>, active: number, k = 1, engine: Engine = this.wasm) {
    const { slots, precision } = batch;
    const weights = engine.weights(batch, k);
    const next = random(SEED + 1);
    const scale = 4 / Math.sqrt(active);
    /** slots weights, then the intercept, of each vector; values that the precision can hold */
    const params = typed(precision, k * (slots + 1), () => next() * scale);
    const w = typed(precision, k * slots);
    const b = typed(precision, k);
    for (let j = 0; j < k; j++) {
      const one = params.subarray(j * (slots + 1), (j + 1) * (slots + 1));
      weights.set(j, one);
      w.set(one.subarray(0, slots), j * slots);
      b[j] = one[slots];
    }
    return { weights, params: Float64Array.from(params), w, b };
  }

  /** Engine calls that write to `out`, as rivals: with WebAssembly, and with JavaScript over the same memory. */
  engines(out: Vector, count: number, run: (engine: Engine) => void): [Rival, Rival] {
    const view = out.view;
    const make = (name: string, engine: Engine) => {
      const work = () => {
        run(engine);
        return view[count - 1];
      };
      const output = () => {
        view.fill(0);
        run(engine);
        return view.subarray(0, count);
      };
      return local(name, work, { output, exact: true });
    };
    return [make('logodds', this.wasm), make('logodds, JavaScript engine', this.js)];
  }
}

/** Array of this precision. */
export function typed(precision: Precision, length: number, value?: () => number): Float32Array | Float64Array {
  const out = precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
  if (value) for (let i = 0; i < length; i++) out[i] = value();
  return out;
}

/** Fills it with random numbers, in blocks of 2²⁰ that repeat. @returns a copy of the block */
export function fill(view: Float32Array | Float64Array, seed = SEED): Float32Array | Float64Array {
  const next = random(seed);
  const block = Math.min(view.length, 2 ** 20);
  for (let i = 0; i < block; i++) view[i] = next();
  for (let done = block; done < view.length; done *= 2) {
    view.copyWithin(done, 0, Math.min(done, view.length - done));
  }
  return view.slice(0, block);
}

/** zeros and ones */
export function labels(rows: number, classes = 2): Float64Array {
  const next = random(SEED + 2);
  return Float64Array.from({ length: rows }, () => Math.floor(((next() + 1) / 2) * classes));
}

/** a name of a shape: 1024 × 32, 1M × 32 */
export function shape(rows: number, features: number): string {
  return `${count(rows)} × ${count(features)}`;
}

function count(n: number): string {
  if (n >= 2 ** 18 && n % 2 ** 18 === 0) return n % 2 ** 20 === 0 ? `${n / 2 ** 20}Mi` : `${n / 1024}Ki`;
  if (n >= 1e6 && n % 1e6 === 0) return `${n / 1e6}M`;
  return n >= 8192 && n % 1024 === 0 ? `${n / 1024}Ki` : `${n}`;
}
