import type { Precision } from '../../bindings/layout.ts';
import { local, random, SEED } from '../harness.ts';
import { type Lab, shape, typed } from '../lab.ts';

export const notes = [
  'Compressed sparse rows, 40 ascending columns a row, spread evenly over 2¹⁸; values stored, or all one and not stored.',
  'SciPy stores the ones as well (its formats know no implicit value).',
];

const ENTRIES = 40;

export async function run(lab: Lab): Promise<void> {
  const data = entries(lab.quick ? 20_000 : 1_000_000, 2 ** 18);
  for (const precision of ['f32', 'f64'] as const) {
    for (const ones of [true, false]) {
      if (lab.quick || !ones || precision === 'f32') await probabilities(lab, data, precision, ones);
    }
  }
  await vectors(lab, data, 'f32', 8);
}

/** rows with one random column in each of 40 even parts */
export function entries(rows: number, columns: number) {
  const next = random(SEED);
  const rowPtr = Uint32Array.from({ length: rows + 1 }, (_, i) => i * ENTRIES);
  const colIdx = new Uint32Array(rows * ENTRIES);
  const width = columns / ENTRIES;
  for (let e = 0; e < colIdx.length; e++) colIdx[e] = Math.floor(((e % ENTRIES) + (next() + 1) / 2) * width);
  const values = Float32Array.from(colIdx, next);
  return { rowPtr, colIdx, values, rows, columns };
}

type Data = ReturnType<typeof entries>;

export function sparseBatch(lab: Lab, data: Data, precision: Precision, ones: boolean) {
  const { rowPtr, colIdx, rows, columns } = data;
  const values = ones ? null : precision === 'f32' ? data.values : Float64Array.from(data.values);
  const batch = lab.wasm.sparse({ rowPtr, colIdx, values }, columns, precision);
  const numbers = { rows, features: columns, precision, ones, entries: colIdx.length };
  const arrays = { rowPtr, colIdx, ...(values ? { values } : {}) };
  const bytes = rowPtr.byteLength + colIdx.byteLength + (values?.byteLength ?? 0);
  return { batch, values, numbers, arrays, bytes };
}

function kindOf(ones: boolean): string {
  return ones ? 'ones' : 'values';
}

async function probabilities(lab: Lab, data: Data, precision: Precision, ones: boolean): Promise<void> {
  const { rowPtr, colIdx, rows, columns } = data;
  const { batch, values, numbers, arrays, bytes } = sparseBatch(lab, data, precision, ones);
  const out = lab.wasm.vector(rows, precision);
  const { weights, w, b } = lab.point(batch, ENTRIES);
  const p = typed(precision, rows);
  const plain = lab.plain(precision);
  const [mine, js] = lab.engines(out, rows, (engine) => {
    engine.logits(batch, weights, out);
    engine.sigmoid(out, out);
  });
  const work = () => {
    plain.probabilitiesSparse(rowPtr, colIdx, values, w, b[0], p);
    return p[rows - 1];
  };
  const output = () => {
    work();
    return p;
  };
  const python = await lab.rivals('sparse', numbers, { ...arrays, w, b });
  await lab.add(
    {
      name: `probabilities, sparse ${kindOf(ones)} ${precision}, ${shape(rows, columns)}, ${ENTRIES} a row`,
      rows,
      bytes,
    },
    precision,
    // seconds a call where the data are large
    [mine, local('plain JavaScript', work, { output }), ...(lab.quick ? [js] : []), ...python],
  );
  for (const part of [batch, out, weights]) part.free();
}

async function vectors(lab: Lab, data: Data, precision: Precision, k: number): Promise<void> {
  const { rows, columns } = data;
  const { batch, numbers, arrays, bytes } = sparseBatch(lab, data, precision, false);
  const out = lab.wasm.vector(k * rows, precision);
  const { weights, params, w, b } = lab.point(batch, ENTRIES, k);
  const one = lab.wasm.weights(batch);
  one.set(0, params.subarray(0, columns + 1));
  const single = lab.wasm.vector(rows, precision);
  const passes = () => {
    for (let j = 0; j < k; j++) lab.wasm.logits(batch, one, single);
    return 1;
  };
  const [mine] = lab.engines(out, k * rows, (engine) => engine.logits(batch, weights, out));
  const python = await lab.rivals('sparse', { ...numbers, k }, { ...arrays, w, b });
  await lab.add(
    { name: `logits, sparse values ${precision}, ${shape(rows, columns)}, ${k} weight vectors`, rows, bytes },
    precision,
    [mine, local(`logodds, ${k} passes`, passes), ...python],
  );
  for (const part of [batch, out, weights, one, single]) part.free();
}
