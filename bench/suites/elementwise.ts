import { local } from '../harness.ts';
import { fill, type Lab, typed } from '../lab.ts';

export const notes = ['sigmoid of a vector of numbers in [-8, 8), not in place.'];

export async function run(lab: Lab): Promise<void> {
  const n = lab.quick ? 65536 : 2 ** 20;
  for (const precision of ['f32', 'f64'] as const) {
    const z = lab.wasm.vector(n, precision);
    const out = lab.wasm.vector(n, precision);
    fill(z.view);
    const values = z.view;
    for (let i = 0; i < n; i++) values[i] *= 8;
    const p = typed(precision, n);
    const [mine, js] = lab.engines(out, n, (engine) => engine.sigmoid(z, out));
    const plain = lab.plain(precision);
    const work = () => {
      plain.sigmoid(values, n, p);
      return p[n - 1];
    };
    const output = () => {
      work();
      return p;
    };
    const python = await lab.rivals('sigmoid', { precision }, { z: values });
    await lab.add({ name: `sigmoid ${precision}, ${n}`, rows: n, bytes: values.byteLength }, precision, [
      mine,
      local('plain JavaScript', work, { output }),
      js,
      ...python,
    ]);
    for (const part of [z, out]) part.free();
  }
}
