import type { Precision } from '../../bindings/batch.ts';
import type { Engine } from '../../bindings/engine.ts';
import { local, random, SEED } from '../harness.ts';
import type { Lab } from '../lab.ts';

export const notes = [
  'One row as a caller has it: an array of its own in, a probability out; weights stay resident.',
  'The row changes before each call, so that no rival can keep a result.',
];

export async function run(lab: Lab): Promise<void> {
  for (const features of [8, 32, 256]) {
    for (const precision of ['f32', 'f64'] as const) await oneRow(lab, precision, features);
  }
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
