import { readFileSync } from 'node:fs';
import type { Batch, Precision, RowsBatch } from '../bindings/batch.ts';
import { Engine, pickEngine } from '../bindings/engine.ts';
import { jsKernels } from '../bindings/js/kernels.ts';
import { type Case, compare, type Rival, random, type Settings } from './harness.ts';
import * as plain from './plain.ts';

/**
 * The kernels against plain JavaScript, against the JavaScript engine, and against the rate at which this machine can
 * read the same bytes of the same memory.
 */

const SEED = 20010101;

export const notes = [
  'All rivals read the same bytes of the same linear memory; it was written, with seed 20010101, before any timing.',
  'Before timing, the engines were checked equal bit for bit, and plain JavaScript equal to them (f64 1e-9, f32 1e-4 of the largest value).',
  'Left out: compiling the module, filling the batch and reading the results, except where a case says "copied in and out".',
  'A time is the median over rounds of the median of a round; rivals take turns within a round. A ratio is of two such times.',
  'Plain JavaScript sums in f64 whatever the storage, in one running sum; it uses Math.exp and Math.log1p.',
  'logodds: loss and gradient also writes the curvature of every row; the Hessian is copied out as both triangles.',
  'read ×k: WebAssembly SIMD loads with xor over the block, k places at once; the best of k = 1, 2, 4, 8 is the read rate.',
];

type Read = (address: number, bytes: number) => bigint;

export function kernels(settings: Settings): Case[] {
  const cases: Case[] = [];
  const add = (name: string, work: Pick<Case, 'rows' | 'bytes' | 'flops'>, rivals: Rival[]) => {
    const timings = compare(rivals, settings);
    cases.push({ name, ...work, timings });
    const [first, ...rest] = timings;
    const others = rest.map(({ name: other, median }) => `${other} ${(median / first.median).toFixed(2)}×`).join(', ');
    console.error(`  ${name}: ${(first.median * 1e3).toPrecision(4)} µs; ${others}`);
  };

  for (const precision of ['f32', 'f64'] as const) {
    for (const rows of [1, 16, 1024, 1_000_000]) rowLogits(add, precision, rows, 32);
    // beyond every cache: at least 1 GiB
    const large = precision === 'f32' ? 2 ** 23 : 2 ** 22;
    if (settings.quick) console.error(`  left out by --quick: rows ${precision}, ${large} × 32 (1 GiB)`);
    else rowLogits(add, precision, large, 32);
    oneRow(add, precision, 32);
  }
  rowTraining(add, 'f32', 100_000, 32);
  rowTraining(add, 'f64', 100_000, 32);
  for (const precision of ['f32', 'f64'] as const) columns(add, precision, 3_000_000);
  return cases;
}

type Add = (name: string, work: Pick<Case, 'rows' | 'bytes' | 'flops'>, rivals: Rival[]) => void;

/** the engine, the JavaScript engine over the same memory, and the read loop over it */
function engines() {
  const wasm = pickEngine('wasm');
  const js = new Engine('js', 'the rival', jsKernels(wasm.heap), wasm.heap);
  const module = new WebAssembly.Module(readFileSync('bench/build/read.wasm'));
  const memory = wasm.heap.memory as unknown as WebAssembly.Memory;
  const read = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Record<string, Read>;
  const reading = (address: number, bytes: number): Rival[] =>
    [1, 2, 4, 8].map((streams) => {
      const loop = read[`read${streams}`];
      return { name: `read ×${streams}`, run: () => Number(loop(address, bytes) & 1n) };
    });
  return { wasm, js, reading };
}

function fill(batch: RowsBatch): void {
  const next = random(SEED);
  const { view } = batch;
  const block = Math.min(view.length, 2 ** 20);
  for (let i = 0; i < block; i++) view[i] = next();
  for (let done = block; done < view.length; done *= 2) {
    view.copyWithin(done, 0, Math.min(done, view.length - done));
  }
}

function rowLogits(add: Add, precision: Precision, rows: number, features: number): void {
  const { wasm, js, reading } = engines();
  const batch = wasm.rows(rows, features, precision);
  fill(batch);
  const out = wasm.vector(rows, precision);
  const { params, weights } = point(wasm, batch);
  const z = out.view.slice();
  const w = params.slice(0, features);
  const b = params[features];
  const x = batch.view;
  const view = out.view;

  const run = (engine: Engine) => () => {
    engine.logits(batch, weights, out);
    return view[rows - 1];
  };
  const rivals: Rival[] = [
    { name: 'logodds', run: run(wasm) },
    {
      name: 'plain JavaScript',
      run: () => {
        plain.logitsRows(x, batch.stride, rows, w, b, z);
        return z[rows - 1];
      },
    },
    { name: 'logodds, JavaScript engine', run: run(js) },
    ...reading(batch.address, x.byteLength),
  ];
  rivals[0].run();
  const expected = view.slice();
  view.fill(0);
  rivals[2].run();
  same(view, expected);
  rivals[1].run();
  near(z, expected);
  add(
    `logits, rows ${precision}, ${rows} × ${features}`,
    { rows, bytes: x.byteLength, flops: 2 * rows * features },
    rivals,
  );
}

/** one row as a caller has it: an array of its own in, a probability out */
function oneRow(add: Add, precision: Precision, features: number): void {
  const { wasm, js } = engines();
  const batch = wasm.rows(1, features, precision);
  const out = wasm.vector(1, precision);
  const { params, weights } = point(wasm, batch);
  const next = random(SEED);
  const row = Float64Array.from({ length: features }, next);
  const w = params.slice(0, features);
  const z = new Float64Array(1);
  const run = (engine: Engine) => () => {
    row[0] += 1e-9;
    batch.set(row);
    engine.logits(batch, weights, out);
    engine.sigmoid(out, out);
    return out.view[0];
  };
  const rivals: Rival[] = [
    { name: 'logodds', run: run(wasm) },
    {
      name: 'plain JavaScript',
      run: () => {
        row[0] += 1e-9;
        plain.logitsRows(row, features, 1, w, params[features], z);
        return 1 / (1 + Math.exp(-z[0]));
      },
    },
    { name: 'logodds, JavaScript engine', run: run(js) },
  ];
  near([rivals[0].run()], [rivals[1].run()], precision === 'f32' ? 1e-4 : 1e-7);
  add(
    `one row copied in and out, with sigmoid, ${precision}, 1 × ${features}`,
    { rows: 1, bytes: row.byteLength },
    rivals,
  );
}

function rowTraining(add: Add, precision: Precision, rows: number, features: number): void {
  const { wasm, js, reading } = engines();
  const batch = wasm.rows(rows, features, precision);
  fill(batch);
  const { params } = point(wasm, batch);
  const y = labels(rows);
  const x = batch.view.slice();
  const c = curvature((z) => plain.logitsRows(x, features, rows, params, params[features], z), rows);
  training(
    add,
    `rows ${precision}, ${rows} × ${features}`,
    { batch, wasm, js, params, y },
    reading(batch.address, x.byteLength),
    { rows, bytes: x.byteLength, flops: rows * features * (features + 1) },
    (g) => plain.lossGradientRows(x, features, rows, params, y, g),
    (h) => plain.hessianRows(x, features, rows, c, h),
  );
}

/** one number and four codes, as wide as those of three million flights: 304 origins and destinations, hours, weekdays */
function columns(add: Add, precision: Precision, rows: number): void {
  const { wasm, js, reading } = engines();
  const levels = [304, 304, 24, 7];
  const batch = wasm.columns(
    rows,
    [{ kind: 'numeric' }, ...levels.map((slots) => ({ kind: 'coded' as const, slots }))],
    precision,
  );
  const next = random(SEED);
  const first = batch.numeric(0);
  for (let i = 0; i < rows; i++) first[i] = next();
  levels.forEach((slots, j) => {
    const codes = batch.codes(j + 1);
    // the square makes some levels common and most of them rare, as airports are
    for (let i = 0; i < rows; i++) codes[i] = Math.floor(next() ** 2 * slots);
  });
  const out = wasm.vector(rows, precision);
  const { params, weights } = point(wasm, batch);
  const y = labels(rows);
  const table: plain.Table = {
    number: batch.numeric(0).slice(),
    codes: levels.map((_, j) => batch.codes(j + 1).slice() as Uint8Array | Uint16Array),
    offsets: batch.offsets.slice(1),
    slots: batch.slots,
    rows,
  };
  const z = out.view.slice();
  const view = out.view;
  const bytes = table.number.byteLength + table.codes.reduce((sum, codes) => sum + codes.byteLength, 0);
  const start = batch.numeric(0).byteOffset;
  const run = (engine: Engine) => () => {
    engine.logits(batch, weights, out);
    return view[rows - 1];
  };
  const rivals: Rival[] = [
    { name: 'logodds', run: run(wasm) },
    {
      name: 'plain JavaScript',
      run: () => {
        plain.logitsColumns(table, params, params[batch.slots], z);
        return z[rows - 1];
      },
    },
    { name: 'logodds, JavaScript engine', run: run(js) },
    ...reading(start, bytes),
  ];
  rivals[0].run();
  const expected = view.slice();
  view.fill(0);
  rivals[2].run();
  same(view, expected);
  rivals[1].run();
  near(z, expected);
  add(`logits, columns ${precision}, ${rows} × 5`, { rows, bytes }, rivals);

  if (precision === 'f32') return;
  const c = curvature((logits) => plain.logitsColumns(table, params, params[batch.slots], logits), rows);
  training(
    add,
    `columns ${precision}, ${rows} × 5`,
    { batch, wasm, js, params, y },
    reading(start, bytes),
    { rows, bytes },
    (g) => plain.lossGradientColumns(table, params, y, g),
    (h) => plain.hessianColumns(table, c, h),
  );
}

function training(
  add: Add,
  name: string,
  { batch, wasm, js, params, y }: { batch: Batch; wasm: Engine; js: Engine; params: Float64Array; y: Float64Array },
  reading: Rival[],
  { rows, bytes, flops }: Pick<Case, 'rows' | 'bytes' | 'flops'>,
  plainGradient: (g: Float64Array) => number,
  plainHessian: (h: Float64Array) => void,
): void {
  const p = params.length;
  const likelihoods = [wasm, js].map((engine) => engine.likelihood(batch, { y }));
  const gradient = new Float64Array(p);
  const hessian = new Float64Array(p * p);
  const results = likelihoods.map((likelihood) => {
    const loss = likelihood.lossGradient(params, gradient);
    likelihood.hessian(hessian);
    return { loss, gradient: gradient.slice(), hessian: hessian.slice() };
  });
  same([results[0].loss], [results[1].loss]);
  same(results[0].gradient, results[1].gradient);
  same(results[0].hessian, results[1].hessian);
  near([plainGradient(gradient)], [results[0].loss]);
  near(gradient, results[0].gradient);
  plainHessian(hessian);
  for (let a = 0; a < p; a++) for (let b = 0; b < a; b++) hessian[b * p + a] = hessian[a * p + b];
  near(hessian, results[0].hessian);

  const gradients = likelihoods.map((likelihood) => () => likelihood.lossGradient(params, gradient));
  add(`loss and gradient, ${name}`, { rows, bytes }, [
    { name: 'logodds', run: gradients[0] },
    { name: 'plain JavaScript', run: () => plainGradient(gradient) },
    { name: 'logodds, JavaScript engine', run: gradients[1] },
    ...reading,
  ]);
  const hessians = likelihoods.map((likelihood) => () => {
    likelihood.hessian(hessian);
    return hessian[0];
  });
  add(`Hessian, ${name}`, { rows, bytes, flops }, [
    { name: 'logodds', run: hessians[0] },
    {
      name: 'plain JavaScript',
      run: () => {
        plainHessian(hessian);
        return hessian[0];
      },
    },
    { name: 'logodds, JavaScript engine', run: hessians[1] },
    ...reading,
  ]);
  for (const likelihood of likelihoods) likelihood.free();
}

/** weights of a size that leaves logits between −5 and 5 or so; slots weights, then the intercept */
function point(engine: Engine, batch: Batch) {
  const next = random(SEED + 1);
  const params = Float64Array.from({ length: batch.slots + 1 }, next);
  if (batch.precision === 'f32') params.set(Float32Array.from(params));
  const weights = engine.weights(batch);
  weights.set(0, params);
  return { params, weights };
}

function labels(rows: number): Float64Array {
  const next = random(SEED + 2);
  return Float64Array.from({ length: rows }, () => (next() > 0 ? 1 : 0));
}

function curvature(logits: (z: Float64Array) => void, rows: number): Float64Array {
  const z = new Float64Array(rows);
  logits(z);
  return z.map((value) => {
    const t = Math.exp(-Math.abs(value));
    return t / (1 + t) ** 2;
  });
}

function same(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) throw new Error(`engines differ at ${i}: ${actual[i]}, ${expected[i]}`);
  }
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance?: number): void {
  const limit = tolerance ?? (expected instanceof Float32Array ? 1e-4 : 1e-9);
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i] - expected[i]) <= limit * scale)) {
      throw new Error(`plain JavaScript differs at ${i}: ${actual[i]}, ${expected[i]}`);
    }
  }
}
