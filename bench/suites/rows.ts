import type { Precision } from '../../bindings/layout.ts';
import { planeStride } from '../../bindings/layout.ts';
import { local } from '../harness.ts';
import { mlLogisticRegression, onnxNode, onnxWeb, tensorflow } from '../javascript.ts';
import { type Lab, shape, typed } from '../lab.ts';

export const notes = [
  'logits: X·w + b. probabilities: the sigmoid of it; logodds makes two calls, logits and sigmoid, over the whole vector.',
  'f32 rivals hold rows and weights as f32; plain JavaScript sums in f64 whatever the storage, in one running sum.',
  'onnxruntime-web copies rows in and out at each call, as its interface does; TensorFlow.js has them in its memory before.',
];

export async function run(lab: Lab): Promise<void> {
  for (const precision of ['f32', 'f64'] as const) {
    for (const rows of lab.quick ? [1, 16, 1024, 65536] : [1, 16, 1024, 1_000_000]) {
      await logits(lab, precision, rows, 32);
      await probabilities(lab, precision, rows, 32);
    }
    if (lab.quick) continue;
    // beyond every cache: 1 GiB
    await logits(lab, precision, precision === 'f32' ? 2 ** 23 : 2 ** 22, 32);
    if (precision === 'f64') continue;
    for (const [rows, features] of [
      [2 ** 17, 256],
      [2 ** 13, 4096],
    ]) {
      await probabilities(lab, precision, rows, features);
    }
  }
  if (lab.quick) {
    await vectors(lab, 'f32', 65536, 8);
    return;
  }
  await probabilities(lab, 'f32', 2 ** 16, 4096);
  for (const k of [8, 64]) await vectors(lab, 'f32', 1_000_000, k);
  await vectors(lab, 'f64', 1_000_000, 8);
  await vectors(lab, 'f32', 2 ** 23, 8);
}

async function logits(lab: Lab, precision: Precision, rows: number, features: number): Promise<void> {
  const { wasm } = lab;
  const { batch } = lab.dense(rows, features, precision);
  const out = wasm.vector(rows, precision);
  const { weights, w, b } = lab.point(batch, features);
  const z = typed(precision, rows);
  const x = batch.view;
  const plain = lab.plain(precision);
  const [mine, js] = lab.engines(out, rows, (engine) => engine.logits(batch, weights, out));
  const work = () => {
    plain.logitsRows(x, features, rows, w, b[0], z);
    return z[rows - 1];
  };
  const output = () => {
    work();
    return z;
  };
  const bytes = x.byteLength;
  await lab.add(
    { name: `logits, rows ${precision}, ${shape(rows, features)}`, rows, bytes, flops: 2 * rows * features },
    precision,
    [
      mine,
      local('plain JavaScript', work, { output }),
      // slow where the data are large, and nothing new
      ...(bytes < 2 ** 26 || lab.quick ? [js] : []),
      ...lab.reading(batch.address, bytes),
    ],
  );
  for (const part of [batch, out, weights]) part.free();
}

async function probabilities(lab: Lab, precision: Precision, rows: number, features: number): Promise<void> {
  const { wasm, quick } = lab;
  const { batch, block } = lab.dense(rows, features, precision);
  const out = wasm.vector(rows, precision);
  const { weights, w, b } = lab.point(batch, features);
  const p = typed(precision, rows);
  const x = batch.view;
  const plain = lab.plain(precision);
  const [mine] = lab.engines(out, rows, (engine) => {
    engine.logits(batch, weights, out);
    engine.sigmoid(out, out);
  });
  const work = () => {
    plain.probabilitiesRows(x, features, rows, w, b[0], p);
    return p[rows - 1];
  };
  const output = () => {
    work();
    return p;
  };
  const small = x.byteLength <= 2 ** 28;
  const rivals = small ? [mine, local('plain JavaScript', work, { output })] : [mine];
  if (precision === 'f32' && small) {
    const problem = { x: Float32Array.from(x), rows, features, w: w as Float32Array, b: b as Float32Array };
    rivals.push(await onnxNode(problem));
    if (rows <= 2 ** 16 || features === 32) rivals.push(await onnxWeb(problem), await tensorflow(problem));
    if (rows <= 1024) rivals.push(await mlLogisticRegression(problem));
  }
  rivals.push(
    ...(await lab.rivals(
      'probabilities',
      { rows, features, precision, all: !quick && rows * features >= 2 ** 24 && precision === 'f32' },
      { x: block, w, b },
    )),
  );
  await lab.add(
    { name: `probabilities, rows ${precision}, ${shape(rows, features)}`, rows, bytes: x.byteLength },
    precision,
    rivals,
  );
  for (const part of [batch, out, weights]) part.free();
}

/** k weight vectors in one pass over the data, and one pass for each */
async function vectors(lab: Lab, precision: Precision, rows: number, k: number): Promise<void> {
  const features = 32;
  const { wasm } = lab;
  const { batch, block } = lab.dense(rows, features, precision);
  const plane = planeStride(rows);
  if (plane !== rows) throw new Error('rows: expected a multiple of 4');
  const out = wasm.vector(k * plane, precision);
  const { weights, params, w, b } = lab.point(batch, features, k);
  const singles = Array.from({ length: k }, (_, j) => {
    const one = wasm.weights(batch);
    one.set(0, params.subarray(j * (features + 1), (j + 1) * (features + 1)));
    return one;
  });
  const single = wasm.vector(rows, precision);
  const passes = () => {
    for (const one of singles) wasm.logits(batch, one, single);
    return 1;
  };
  const bytes = batch.view.byteLength;
  const [mine] = lab.engines(out, k * plane, (engine) => engine.logits(batch, weights, out));
  const rivals = [mine, local(`logodds, ${k} passes`, passes)];
  if (rows <= 1_000_000)
    rivals.push(...(await lab.rivals('logits', { rows, features, precision, k }, { x: block, w, b })));
  await lab.add(
    {
      name: `logits, rows ${precision}, ${shape(rows, features)}, ${k} weight vectors`,
      rows,
      bytes,
      flops: 2 * rows * features * k,
    },
    precision,
    [...rivals, ...lab.reading(batch.address, bytes)],
  );
  for (const part of [batch, out, weights, single, ...singles]) part.free();
}
