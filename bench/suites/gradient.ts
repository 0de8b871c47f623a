import type { Batch } from '../../bindings/batch.ts';
import type { Precision } from '../../bindings/layout.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';
import { local } from '../harness.ts';
import { type Lab, labels, shape } from '../lab.ts';
import type { Rival } from '../timings.ts';
import { flights } from './columns.ts';
import { entries, sparseBatch } from './sparse.ts';

export const notes = [
  'logodds: likelihood.at, one pass over the data, all sums in f64, the curvature of every row written for the Hessian.',
  'numpy, two passes: X @ w, then X.T @ (p - y), in the precision of the data and without the loss; scikit-learn: its loss_gradient, both.',
  'Sums of f32 rivals run in f32: they had to agree to 1e-3 of the largest gradient.',
];

/** what f32 sums over millions of rows can hold */
const SUMS = { f32: 1e-3, f64: 1e-9 };

export async function run(lab: Lab): Promise<void> {
  if (lab.quick) {
    await rows(lab, 'f32', 65536, 32);
    await columns(lab, 100_000);
    return;
  }
  await rows(lab, 'f32', 2 ** 23, 32);
  await rows(lab, 'f64', 1_000_000, 32);
  await rows(lab, 'f32', 2 ** 17, 256);
  await columns(lab, 3_000_000);
  await sparse(lab, 1_000_000, 2 ** 18);
  await multinomial(lab, 'f32', 1_000_000, 32, 8);
}

/** an evaluation, and hessianVector at its point */
function mine(lab: Lab, batch: Batch, params: Float64Array, y: Float64Array) {
  const likelihood = lab.wasm.likelihood(batch, { y });
  return { likelihood, ...rivalsOf(likelihood, params) };
}

function rivalsOf(likelihood: Likelihood, params: Float64Array) {
  const out = new Float64Array(params.length);
  let point = likelihood.at(params, out);
  const gradient = () => {
    point = likelihood.at(params, out);
    return point.loss;
  };
  const product = () => {
    point.hessianVector(params, out);
    return out[0];
  };
  const output = () => {
    gradient();
    return out;
  };
  return { gradient: local('logodds', gradient, { output }), product: local('logodds, Hessian times vector', product) };
}

function plainRival(length: number, run: (g: Float64Array) => number): Rival {
  const g = new Float64Array(length);
  const output = () => {
    run(g);
    return g;
  };
  return local('plain JavaScript', () => run(g), { output });
}

async function rows(lab: Lab, precision: Precision, n: number, features: number): Promise<void> {
  const { batch, block } = lab.dense(n, features, precision);
  const { weights, params, w, b } = lab.point(batch, features);
  const y = labels(n);
  const { likelihood, gradient, product } = mine(lab, batch, params, y);
  // everything is allocated: views hold from here
  const x = batch.view;
  const python = await lab.rivals('gradient', { rows: n, features, precision }, { x: block, w, b, y });
  const plain = plainRival(params.length, (g) => lab.plain(precision).lossGradientRows(x, features, n, params, y, g));
  const bytes = x.byteLength;
  await lab.add(
    { name: `gradient, rows ${precision}, ${shape(n, features)}`, rows: n, bytes, tolerance: SUMS[precision] },
    precision,
    [gradient, plain, ...python, product, ...lab.reading(batch.address, bytes)],
  );
  for (const part of [likelihood, batch, weights]) part.free();
}

async function columns(lab: Lab, n: number): Promise<void> {
  const { batch, table, bytes } = flights(lab, n, 'f64');
  const { weights, params } = lab.point(batch, 5);
  const y = labels(n);
  const { likelihood, gradient, product } = mine(lab, batch, params, y);
  const plain = plainRival(params.length, (g) => lab.plain('f64').lossGradientColumns(table, params, y, g));
  await lab.add({ name: `gradient, coded columns f64, ${shape(n, 5)}`, rows: n, bytes }, 'f64', [
    gradient,
    plain,
    product,
  ]);
  for (const part of [likelihood, batch, weights]) part.free();
}

async function sparse(lab: Lab, n: number, width: number): Promise<void> {
  const data = entries(n, width);
  const { batch, numbers, arrays, bytes } = sparseBatch(lab, data, 'f32', false);
  const { weights, params, w, b } = lab.point(batch, 40);
  const y = labels(n);
  const { likelihood, gradient, product } = mine(lab, batch, params, y);
  const python = await lab.rivals('sparse', { ...numbers, gradient: true }, { ...arrays, w, b, y });
  await lab.add(
    { name: `gradient, sparse values f32, ${shape(n, width)}, 40 a row`, rows: n, bytes, tolerance: SUMS.f32 },
    'f32',
    [gradient, ...python, product],
  );
  for (const part of [likelihood, batch, weights]) part.free();
}

async function multinomial(lab: Lab, precision: Precision, n: number, features: number, k: number): Promise<void> {
  const { batch, block } = lab.dense(n, features, precision);
  const { weights, params, w, b } = lab.point(batch, features, k);
  const y = labels(n, k);
  const likelihood = lab.wasm.multinomial(batch, { y, classes: k });
  const { gradient, product } = rivalsOf(likelihood, params);
  const python = await lab.rivals('multinomial', { rows: n, features, precision, k }, { x: block, w, b, y });
  const bytes = batch.view.byteLength;
  await lab.add(
    {
      name: `gradient of ${k} classes, rows ${precision}, ${shape(n, features)}`,
      rows: n,
      bytes,
      flops: 4 * n * features * k,
      tolerance: SUMS[precision],
    },
    precision,
    [gradient, ...python, product],
  );
  for (const part of [likelihood, batch, weights]) part.free();
}
