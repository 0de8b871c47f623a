import { solo } from './blocks.ts';
import { told } from './check.ts';
import { type Spawn, Team } from './crew.ts';
import { Engine } from './engine.ts';
import { LogoddsError } from './errors.ts';
import { Heap } from './heap.ts';
import { jsKernels } from './js/kernels.ts';
import type { Kernels } from './kernels.ts';
import { trainingModule } from './modules/training.ts';
import { cutByRows } from './rowwise.ts';
import { pick } from './scoring.ts';
import { sharedText } from './shared.generated.ts';
import { compile } from './wasm.ts';
import { workerSource } from './worker.generated.ts';

export type { Spawn } from './crew.ts';

/** How many threads `threadedEngine` uses, and how it starts them. */
export interface ThreadOptions {
  /** number of threads, the calling one included, 1 to 256 */
  readonly threads: number;
  /** starts a worker; default with node:worker_threads (Node, Deno, Bun), else as a Web Worker from a blob */
  readonly spawn?: Spawn;
}

const MOST_THREADS = 256;
const MOST_PAGES = 65536;

/**
 * An engine on several threads, with the same bits as on one. `threadedEngine` makes one. **It holds worker threads until `close`.**
 * @example
 * const engine = threadedEngine({ threads: 2 });
 * await engine.ready();
 * engine.threads; // 2
 * engine.close();
 * engine.threads; // 1
 */
export class ThreadedEngine extends Engine {
  readonly #team: Team | undefined;

  /** @internal use `threadedEngine` */
  constructor(why: string, kernels: Kernels, heap: Heap, team?: Team, name: 'wasm' | 'js' = 'wasm') {
    super(name, why, team ? cutByRows(kernels, team) : kernels, heap, team ?? solo(kernels));
    this.#team = team;
  }

  /**
   * Resolves when all threads take part. Waiting is optional: until then the threads that have started do the work.
   * @throws ERR_ENGINE when a worker could not start
   */
  async ready(): Promise<void> {
    await this.#team?.ready();
  }

  /** Ends the workers. **The engine continues with one thread;** batches, vectors and results stay as they are. */
  close(): void {
    this.#team?.close();
  }
}

/**
 * Returns a new engine for scoring and training that computes with several threads over one shared memory. **It starts workers.**
 *
 * Large scoring calls are cut by rows. Training sums are cut into blocks of 32,768 rows or more, whose results are added in order. Any number of
 * threads therefore gives the same bits. Every method stays synchronous: the calling thread does its share, then sleeps until the others are done.
 *
 * Where threads are not available (no SharedArrayBuffer, no workers, the main thread of a page, which may not sleep) the engine has one thread and
 * `why` says the reason. Idle workers sleep, do not keep the program running, and end with it. Views of batches and vectors are over a
 * SharedArrayBuffer.
 * @throws ERR_RANGE when `threads` is not a whole number from 1 to 256; later ERR_ENGINE from any method when a worker died
 * @example
 * const engine = threadedEngine({ threads: 2 });
 * fit(records, { target: 'late', engine }).model.score(flight).probability; // 0.7770
 * engine.close();
 */
export function threadedEngine(options: ThreadOptions): ThreadedEngine {
  const { threads, spawn } = options ?? {};
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `threads: expected a whole number from 1 to ${MOST_THREADS}, got ${told(threads)}`,
    );
  }
  if (threads === 1) return alone('one thread was asked for');
  let team: Team;
  let kernels: Kernels;
  let heap: Heap;
  try {
    mustSleep();
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
    compiled ??= compile(sharedText);
    const module = compiled;
    kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
    heap = new Heap(memory, kernels.heapBase!());
    const own = heap;
    team = new Team(threads, spawn ?? spawnHere, workerSource, module, memory, kernels, () => own.keep());
  } catch (cause) {
    return alone(`threads cannot be had here: ${cause instanceof Error ? cause.message : cause}`);
  }
  return new ThreadedEngine(`WebAssembly SIMD on ${threads} threads`, kernels, heap, team);
}

function alone(cause: string): ThreadedEngine {
  class Alone extends ThreadedEngine {
    constructor(name: 'wasm' | 'js', why: string, kernels: Kernels, heap: Heap) {
      super(`${why}; one thread: ${cause}`, kernels, heap, undefined, name);
    }
  }
  return pick({ module: trainingModule, js: jsKernels }, 'auto', Alone);
}

/** @throws if there is no shared memory, or if this thread may not sleep */
function mustSleep(): void {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new Error('there is no SharedArrayBuffer (a page must be cross-origin isolated)');
  }
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
  } catch {
    throw new Error('this thread may not sleep (the main thread of a page): use a worker');
  }
}

/** The parts of the host that are used; nothing is imported. */
interface Host {
  readonly process?: { getBuiltinModule?(name: string): { Worker?: NodeWorker } | undefined };
}
type NodeWorker = new (
  source: string,
  options: object,
) => ReturnType<Spawn> & { on(event: string, listener: (argument: unknown) => void): void };

const spawnHere: Spawn = (source, onUp, onEnd) => {
  const NodeWorker = (globalThis as Host).process?.getBuiltinModule?.('node:worker_threads')?.Worker;
  if (NodeWorker) {
    // without the program's own command line, its loaders and its preloaded modules
    const worker = new NodeWorker(source, { eval: true, execArgv: [], name: 'logodds' });
    worker.on('message', onUp);
    worker.on('error', (error) => onEnd(String(error)));
    worker.on('exit', (code) => onEnd(`exit code ${code}`));
    return worker;
  }
  if (typeof Worker === 'undefined') throw new Error('there are no workers');
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'logodds' });
  const up = () => {
    URL.revokeObjectURL(url);
    onUp();
  };
  worker.addEventListener('message', up, { once: true });
  worker.addEventListener('error', (event) => onEnd(event.message || 'it could not start'));
  return worker;
};

/** once for all engines */
let compiled: WebAssembly.Module | undefined;
