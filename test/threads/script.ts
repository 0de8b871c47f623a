/*
 * Run by life.test.ts, each time in a process of its own: the part that argv names, which prints one JSON value.
 */
import * as nodeWorkers from 'node:worker_threads';
import { pickEngine } from '../../bindings/engine.ts';
import { type Spawn, threadedEngine } from '../../bindings/threads.ts';

const N = 8 * 65536;

/** a likelihood of N rows of one feature, and its gradient */
function gradientOn(engine: ReturnType<typeof pickEngine>): number[] {
  const batch = engine.rows(N, 1);
  const { view } = batch;
  for (let i = 0; i < N; i++) view[i * 4] = (i % 1000) / 1000;
  const likelihood = engine.likelihood(batch, { y: Float64Array.from({ length: N }, (_, i) => i & 1) });
  const gradient = new Float64Array(2);
  try {
    const { loss } = likelihood.at(Float64Array.of(1, -0.5), gradient);
    return [loss, ...gradient];
  } finally {
    likelihood.free();
    batch.free();
  }
}

/** a worker whose program is `before` and then its own, with the ends handed on */
const changed =
  (before: string): Spawn =>
  (source, onUp, onEnd) => {
    const worker = new nodeWorkers.Worker(before + source, { eval: true });
    worker.on('message', onUp).on('error', (error) => onEnd(String(error)));
    worker.on('exit', (code) => onEnd(`exit code ${code}`));
    return worker;
  };

/** the claim of a block by a worker, and then `what` instead of its work */
const onClaim = (what: string) => `
  const { compareExchange } = Atomics;
  Atomics.compareExchange = (...args) => {
    const found = compareExchange(...args);
    if (found === args[2]) { ${what} }
    return found;
  };`;

const attempt = (work: () => unknown): string => {
  try {
    return String(work());
  } catch (error) {
    return `${(error as { code?: string }).code} ${(error as Error).message}`;
  }
};

/** two threads of which the worker dies of `what` in the middle of a job; what this job and the next one say */
async function dying(what: string) {
  const engine = threadedEngine({ threads: 2, spawn: changed(onClaim(what)) });
  await engine.ready();
  const started = performance.now();
  const during = attempt(() => gradientOn(engine));
  const seconds = (performance.now() - started) / 1000;
  const after = attempt(() => gradientOn(engine));
  engine.close();
  const closed = attempt(() => gradientOn(engine));
  return { during, seconds, after, closed, expected: String(gradientOn(pickEngine('wasm'))) };
}

const parts: Record<string, () => unknown> = {
  /** blocks that each of two workers claimed in ten jobs */
  async shares() {
    const told = `process.getBuiltinModule('node:worker_threads').parentPort.postMessage('claimed');`;
    const claimed = [0, 0];
    let worker = 0;
    const spawn: Spawn = (source, onUp, onEnd) => {
      const index = worker++;
      const up = () => {
        claimed[index]++;
        onUp();
      };
      return changed(onClaim(told))(source, up, onEnd);
    };
    const engine = threadedEngine({ threads: 3, spawn });
    await engine.ready();
    for (let job = 0; job < 10; job++) gradientOn(engine);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // the first message of each said that it is up
    return claimed.map((count) => count - 1);
  },

  /** works, then ends without a word to its workers */
  async ends() {
    const engine = threadedEngine({ threads: 4 });
    await engine.ready();
    return gradientOn(engine).length;
  },

  /** never waits for its workers at all */
  endsAtOnce: () => threadedEngine({ threads: 4 }).threads,

  async idle() {
    const engine = threadedEngine({ threads: 4 });
    await engine.ready();
    gradientOn(engine);
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  },

  exits: () => dying('process.exit(3)'),

  throws: () => dying(`throw new Error('broken on purpose')`),

  /** a worker that ended between two jobs */
  async terminated() {
    const workers: { terminate(): unknown }[] = [];
    const spawn: Spawn = (...args) => {
      const worker = changed('')(...args);
      workers.push(worker);
      return worker;
    };
    const engine = threadedEngine({ threads: 3, spawn });
    await engine.ready();
    const before = attempt(() => gradientOn(engine));
    await workers[1].terminate();
    const after = attempt(() => gradientOn(engine));
    return { before, after, expected: String(gradientOn(pickEngine('wasm'))) };
  },

  /** a worker that is terminated while jobs run one after another, and no event can be heard */
  async terminatedUnheard() {
    const workers: { terminate(): unknown }[] = [];
    const spawn: Spawn = (...args) => {
      const worker = changed('')(...args);
      workers.push(worker);
      return worker;
    };
    const engine = threadedEngine({ threads: 3, spawn });
    await engine.ready();
    gradientOn(engine);
    workers[0].terminate();
    return { after: attempt(() => gradientOn(engine)), expected: String(gradientOn(pickEngine('wasm'))) };
  },

  async doesNotStart() {
    const engine = threadedEngine({ threads: 2, spawn: changed(`throw new Error('not today');`) });
    const ready = await engine.ready().then(
      () => 'up',
      (error) => `${error.code} ${error.message}`,
    );
    return { ready, job: attempt(() => gradientOn(engine)) };
  },

  withoutSharedMemory() {
    Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
    return found();
  },

  withoutWorkers() {
    process.getBuiltinModule = (() => undefined) as never;
    return found();
  },

  /** as the main thread of a page: Atomics.wait throws */
  withoutSleep() {
    Atomics.wait = () => {
      throw new TypeError('Atomics.wait cannot be called in this context');
    };
    return found();
  },

  withoutSimd: () => found(),
};

function found() {
  const engine = threadedEngine({ threads: 2 });
  return { name: engine.name, threads: engine.threads, reason: engine.why, gradient: gradientOn(engine) };
}

console.log(JSON.stringify(await parts[process.argv[2]]()));
