import type { Engine } from '../../bindings/engine.ts';
import type { Precision } from '../../bindings/layout.ts';
import { coefficients, fit, tableFromRecords } from '../../src/index.ts';
import { local, random, SEED } from '../harness.ts';
import type { Lab } from '../lab.ts';

export const notes = [
  'One row as a caller has it: an array of its own in, a probability out; weights stay resident.',
  'One record: an object of named fields, half of them categories; by the model, by the loop an engineer would write for it, and as a batch of one row.',
  'The row changes before each call, so that no rival can keep a result.',
];

export async function run(lab: Lab): Promise<void> {
  for (const features of [8, 32, 256]) {
    for (const precision of ['f32', 'f64'] as const) await oneRow(lab, precision, features);
  }
  await oneRecord(lab, 20);
}

/** `model.score(record)`: the engine it takes, JavaScript, and the one it does not */
async function oneRecord(lab: Lab, fields: number): Promise<void> {
  const next = random(SEED);
  const level = () => `level ${Math.floor((next() + 1) * 5)}`;
  const record = () =>
    Object.fromEntries(Array.from({ length: fields }, (_, j) => [`x${j}`, j % 2 ? level() : next()] as const));
  const rows = Array.from({ length: 2000 }, () => ({ ...record(), target: next() > 0 ? 1 : 0 }));
  const { model } = fit(tableFromRecords(rows), { target: 'target', engine: lab.wasm });
  const given = record();
  const names = Object.keys(given);
  const weights = coefficients(model);
  const numbers = new Map(weights.filter(({ level }) => level === null).map((c) => [c.feature, c.value ?? 0]));
  const levels = new Map(weights.map((c) => [`${c.feature}=${c.level}`, c.value ?? 0]));
  const change = () => {
    given.x0 = (given.x0 as number) + 1e-12;
    return given;
  };
  const plain = () => {
    const it = change();
    let z = model.intercept[0];
    for (const name of names) {
      const value = it[name];
      z += typeof value === 'number' ? value * (numbers.get(name) ?? 0) : (levels.get(`${name}=${value}`) ?? 0);
    }
    return 1 / (1 + Math.exp(-z));
  };
  const scorer = model.scorer(lab.wasm, { capacity: 1, reuse: true });
  const batch = () => scorer.score(tableFromRecords([change()])).probabilities[0];
  const rival = (name: string, work: () => number) => local(name, work, { output: () => [work()] });
  await lab.add({ name: `one record of ${fields} fields`, rows: 1, bytes: fields * 8, tolerance: 1e-9 }, 'f64', [
    rival('logodds', () => model.score(change()).probability),
    rival('plain JavaScript', plain),
    rival('logodds, a batch of one row in WebAssembly', batch),
  ]);
  scorer.free();
}

async function oneRow(lab: Lab, precision: Precision, features: number): Promise<void> {
  const { wasm, js } = lab;
  const batch = wasm.rows(1, features, precision);
  const out = wasm.vector(1, precision);
  const { weights, w, b } = lab.point(batch, features);
  const row = Float64Array.from({ length: features }, random(SEED));
  const z = new Float64Array(1);
  const view = out.view;
  const run = (engine: Engine) => () => {
    row[0] += 1e-12;
    batch.set(row);
    engine.logits(batch, weights, out);
    engine.sigmoid(out, out);
    return view[0];
  };
  const plain = () => {
    row[0] += 1e-12;
    lab.plain('f64').probabilitiesRows(row, features, 1, w, b[0], z);
    return z[0];
  };
  const rival = (name: string, work: () => number) => local(name, work, { output: () => [work()] });
  await lab.add(
    {
      name: `one row copied in and out, ${precision}, 1 × ${features}`,
      rows: 1,
      bytes: features * 8,
      // the row moves between calls
      tolerance: precision === 'f32' ? 1e-6 : 1e-9,
    },
    precision,
    [rival('logodds', run(wasm)), rival('plain JavaScript', plain), rival('logodds, JavaScript engine', run(js))],
  );
  for (const part of [batch, out, weights]) part.free();
}
