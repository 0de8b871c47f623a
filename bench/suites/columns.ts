import type { Precision } from '../../bindings/layout.ts';
import { local, random, SEED } from '../harness.ts';
import { fill, type Lab, shape, typed } from '../lab.ts';
import type { Table } from '../plain.ts';

export const notes = [
  'Coded: one number and four codes, as wide as those of three million flights (304, 304, 24 and 7 levels), rare levels included.',
  'Numeric: 32 columns of numbers, each contiguous.',
];

export const LEVELS = [304, 304, 24, 7];

export async function run(lab: Lab): Promise<void> {
  for (const precision of ['f32', 'f64'] as const) await coded(lab, precision, lab.quick ? 100_000 : 3_000_000);
  await numeric(lab, 'f32', lab.quick ? 65536 : 2 ** 23);
}

/** the batch of flights, filled; its arrays as plain JavaScript and Python have them */
export function flights(lab: Lab, rows: number, precision: Precision) {
  const coded = LEVELS.map((slots) => ({ kind: 'coded' as const, slots }));
  const batch = lab.wasm.columns(rows, [{ kind: 'numeric' }, ...coded], precision);
  const next = random(SEED);
  const number = batch.numeric(0);
  for (let i = 0; i < rows; i++) number[i] = next();
  LEVELS.forEach((slots, j) => {
    const codes = batch.codes(j + 1);
    // the square makes some levels common and most of them rare, as airports are
    for (let i = 0; i < rows; i++) codes[i] = Math.floor(next() ** 2 * slots);
  });
  const codes = LEVELS.map((_, j) => batch.codes(j + 1).slice() as Uint8Array | Uint16Array);
  const table: Table = { number: number.slice(), codes, offsets: batch.offsets.slice(1), slots: batch.slots, rows };
  const numbers = {
    rows,
    precision,
    levels: LEVELS,
    offsets: table.offsets,
    kinds: codes.map((code) => (code instanceof Uint8Array ? 'u1' : 'u2')),
  };
  const arrays = { x: table.number, ...Object.fromEntries(codes.map((code, j) => [`codes${j}`, code])) };
  const bytes = table.number.byteLength + codes.reduce((sum, code) => sum + code.byteLength, 0);
  return { batch, table, numbers, arrays, bytes, start: number.byteOffset };
}

async function coded(lab: Lab, precision: Precision, rows: number): Promise<void> {
  const { batch, table, numbers, arrays, bytes, start } = flights(lab, rows, precision);
  const out = lab.wasm.vector(rows, precision);
  const { weights, w, b } = lab.point(batch, 5);
  const z = typed(precision, rows);
  const plain = lab.plain(precision);
  const [mine, js] = lab.engines(out, rows, (engine) => engine.logits(batch, weights, out));
  const work = () => {
    plain.logitsColumns(table, w, b[0], z);
    return z[rows - 1];
  };
  const output = () => {
    work();
    return z;
  };
  const python = await lab.rivals('columns', numbers, { ...arrays, w, b });
  await lab.add({ name: `logits, coded columns ${precision}, ${shape(rows, 5)}`, rows, bytes }, precision, [
    mine,
    local('plain JavaScript', work, { output }),
    ...(lab.quick || precision === 'f64' ? [js] : []),
    ...python,
    ...lab.reading(start, bytes),
  ]);
  for (const part of [batch, out, weights]) part.free();
}

async function numeric(lab: Lab, precision: Precision, rows: number): Promise<void> {
  const features = 32;
  const specs = Array.from({ length: features }, () => ({ kind: 'numeric' as const }));
  const batch = lab.wasm.columns(rows, specs, precision);
  const first = batch.numeric(0);
  const block = fill(first, SEED);
  for (let j = 1; j < features; j++) {
    const column = batch.numeric(j);
    for (let at = 0; at < rows; at += block.length)
      column.set(block.subarray(0, Math.min(block.length, rows - at)), at);
    column[0] = j;
  }
  const out = lab.wasm.vector(rows, precision);
  const { weights, w, b } = lab.point(batch, features);
  const columns = specs.map((_, j) => batch.numeric(j));
  const bytes = features * columns[0].byteLength;
  const last = columns[features - 1];
  const apart = last.byteOffset + last.byteLength - columns[0].byteOffset - bytes;
  if (apart < 0 || apart > features * 512) throw new Error('columns are not one block');
  const z = typed(precision, rows);
  const plain = lab.plain(precision);
  const [mine] = lab.engines(out, rows, (engine) => engine.logits(batch, weights, out));
  const work = () => {
    plain.logitsNumeric(columns, rows, w, b[0], z);
    return z[rows - 1];
  };
  const output = () => {
    work();
    return z;
  };
  await lab.add({ name: `logits, numeric columns ${precision}, ${shape(rows, features)}`, rows, bytes }, precision, [
    mine,
    local('plain JavaScript', work, { output }),
    ...lab.reading(columns[0].byteOffset, bytes),
  ]);
  for (const part of [batch, out, weights]) part.free();
}
