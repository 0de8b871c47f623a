import type { Batch } from '../../bindings/batch.ts';
import type { Precision } from '../../bindings/layout.ts';
import { local } from '../harness.ts';
import { type Lab, labels, shape, typed } from '../lab.ts';
import type { Rival } from '../timings.ts';
import { flights } from './columns.ts';

export const notes = [
  'XᵀSX. logodds: sums in f64 whatever the storage, intercept included, both triangles copied out; the others without intercept, in the precision of the data.',
  'numpy: X.T @ (X*s), OpenBLAS; numpy in blocks: the same over blocks of rows whose scaled copy stays in the cache.',
  'tabmat: sandwich of a SplitMatrix of a dense and four categorical columns.',
];

export async function run(lab: Lab): Promise<void> {
  for (const precision of ['f32', 'f64'] as const) {
    await rows(lab, precision, lab.quick ? 65536 : 1_000_000, 32);
    if (!lab.quick) await rows(lab, precision, 2 ** 16, 32);
    if (!lab.quick) await rows(lab, precision, 2 ** 16, 256);
  }
  await columns(lab, lab.quick ? 100_000 : 3_000_000);
}

/** the Hessian at `params` of a likelihood, its part without the intercept as output */
function mine(lab: Lab, batch: Batch, params: Float64Array) {
  const likelihood = lab.wasm.likelihood(batch, { y: labels(batch.rows) });
  const p = params.length;
  const point = likelihood.at(params, new Float64Array(p));
  const h = new Float64Array(p * p);
  const work = () => {
    point.hessian(h);
    return h[0];
  };
  const output = () => {
    work();
    return h.filter((_, i) => i % p < p - 1 && i < p * (p - 1));
  };
  return { likelihood, rival: local('logodds', work, { output }) };
}

/** a loop that fills the lower triangle of a p × p matrix, intercept last */
function plainRival(p: number, run: (h: Float64Array) => void): Rival {
  const h = new Float64Array(p * p);
  const work = () => {
    run(h);
    return h[0];
  };
  const output = () => {
    work();
    const full = h.map((_, i) => h[Math.max(Math.floor(i / p), i % p) * p + Math.min(Math.floor(i / p), i % p)]);
    return full.filter((_, i) => i % p < p - 1 && i < p * (p - 1));
  };
  return local('plain JavaScript', work, { output });
}

function curvature(z: Float64Array): Float64Array {
  return z.map((value) => {
    const t = Math.exp(-Math.abs(value));
    return t / (1 + t) ** 2;
  });
}

async function rows(lab: Lab, precision: Precision, n: number, features: number): Promise<void> {
  const { batch, block } = lab.dense(n, features, precision);
  const { weights, params } = lab.point(batch, features);
  const { likelihood, rival } = mine(lab, batch, params);
  const z = new Float64Array(n);
  likelihood.logits(params, z);
  const c = curvature(z);
  const stored = typed(precision, n);
  stored.set(c);
  const python = await lab.rivals(
    'hessian',
    { rows: n, features, precision, all: precision === 'f32' && n > 2 ** 16 },
    { x: block, c: stored },
  );
  const rivals = [rival];
  // seconds a call where the data are large
  if (n <= 2 ** 16 && features <= 32) {
    rivals.push(plainRival(features + 1, (h) => lab.plain(precision).hessianRows(batch.view, features, n, c, h)));
  }
  await lab.add(
    {
      name: `Hessian, rows ${precision}, ${shape(n, features)}`,
      rows: n,
      bytes: block.BYTES_PER_ELEMENT * n * features,
      flops: n * features * (features + 1),
    },
    precision,
    [...rivals, ...python],
  );
  for (const part of [likelihood, batch, weights]) part.free();
}

async function columns(lab: Lab, n: number): Promise<void> {
  const { batch, table, numbers, arrays, bytes } = flights(lab, n, 'f64');
  const { weights, params } = lab.point(batch, 5);
  const { likelihood, rival } = mine(lab, batch, params);
  const z = new Float64Array(n);
  likelihood.logits(params, z);
  const c = curvature(z);
  const python = await lab.rivals('hessian_columns', numbers, { ...arrays, c });
  await lab.add({ name: `Hessian, coded columns f64, ${shape(n, 5)}`, rows: n, bytes }, 'f64', [
    rival,
    plainRival(params.length, (h) => lab.plain('f64').hessianColumns(table, c, h)),
    ...python,
  ]);
  for (const part of [likelihood, batch, weights]) part.free();
}
