import { fileURLToPath } from 'node:url';
import type { Precision } from '../bindings/layout.ts';
import { SEED } from './harness.ts';
import { typed } from './lab.ts';

/** Three million flights of 2001; what is taken of them stands in `FLIGHTS_SQL`. */
export const FLIGHTS = fileURLToPath(
  new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
);

/** numbers in [0, 1), the same on every machine: mulberry32, without the lattice of `random` in many dimensions */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** normal of mean 0 and variance 1 (Box and Muller) */
export function normal(next: () => number): () => number {
  let kept = Number.NaN;
  return () => {
    if (!Number.isNaN(kept)) {
      const value = kept;
      kept = Number.NaN;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

export interface Dense {
  readonly x: Float32Array | Float64Array;
  /** class codes */
  readonly y: Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
}

/**
 * Rows of normal features of mean 0 and variance 1, neighbours correlated at 0.5, and classes drawn from a model over the
 * first `active` features whose logits have a standard deviation of about 2.
 */
export function dense(
  rows: number,
  columns: number,
  { precision = 'f64' as Precision, classes = 2, active = columns } = {},
): Dense {
  const next = uniform(SEED);
  const gauss = normal(next);
  const k = classes === 2 ? 1 : classes;
  const truth = Float64Array.from({ length: k * columns }, (_, i) =>
    i % columns < active ? (2 / Math.sqrt(active)) * gauss() : 0,
  );
  const x = typed(precision, rows * columns);
  const y = new Float64Array(rows);
  const z = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    z.fill(0);
    let before = gauss();
    for (let j = 0; j < columns; j++) {
      before = 0.5 * before + Math.sqrt(0.75) * gauss();
      x[i * columns + j] = before;
      for (let c = 0; c < k; c++) z[c] += truth[c * columns + j] * before;
    }
    y[i] = k === 1 ? Number(next() < sigmoid(z[0])) : draw(z, next());
  }
  return { x, y, rows, columns, classes };
}

/** a class by the softmax of z, at quantile u */
function draw(z: Float64Array, u: number): number {
  const p = z.map(Math.exp);
  let left = u * p.reduce((sum, value) => sum + value, 0);
  let c = 0;
  while (c < p.length - 1 && left >= p[c]) left -= p[c++];
  return c;
}

/** Standardised features shaped as word frequencies are: mostly zero, else log-normal; a few of them decide. */
export function spam(rows: number, columns: number): Dense {
  const next = uniform(SEED + 3);
  const gauss = normal(next);
  const x = new Float64Array(rows * columns);
  for (let i = 0; i < x.length; i++) x[i] = next() < 0.7 ? 0 : Math.exp(gauss());
  for (let j = 0; j < columns; j++) standardise(x, j, columns);
  const truth = Float64Array.from({ length: columns }, (_, j) => (j % 3 ? 0 : gauss()));
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let z = -0.5;
    for (let j = 0; j < columns; j++) z += truth[j] * x[i * columns + j];
    y[i] = Number(next() < sigmoid(z));
  }
  return { x, y, rows, columns, classes: 2 };
}

/** every `step`-th value from `from` on to mean 0 and variance 1 */
function standardise(x: Float64Array, from: number, step: number): void {
  const count = Math.ceil((x.length - from) / step);
  let mean = 0;
  for (let i = from; i < x.length; i += step) mean += x[i] / count;
  let variance = 0;
  for (let i = from; i < x.length; i += step) variance += (x[i] - mean) ** 2 / count;
  const sd = Math.sqrt(variance) || 1;
  for (let i = from; i < x.length; i += step) x[i] = (x[i] - mean) / sd;
}

export interface Sparse {
  readonly rowPtr: Uint32Array;
  readonly colIdx: Uint32Array;
  /** null: all ones */
  readonly values: Float64Array | null;
  readonly y: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

const ENTRIES = 40;

/**
 * Rows as hashing of text gives them: 40 ascending columns a row, few of them common and most rare; values of length 1 a row,
 * or all ones. Classes are drawn from a model whose logits have a standard deviation of about 2.
 */
export function hashed(rows: number, columns: number, ones: boolean): Sparse {
  const next = uniform(SEED + 4);
  const gauss = normal(next);
  const width = Math.floor(columns / ENTRIES);
  const rowPtr = Uint32Array.from({ length: rows + 1 }, (_, i) => i * ENTRIES);
  const colIdx = new Uint32Array(rows * ENTRIES);
  const values = ones ? null : new Float64Array(rows * ENTRIES);
  const scale = ones ? 2 / Math.sqrt(ENTRIES) : 2;
  const truth = Float64Array.from({ length: columns }, () => scale * gauss());
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let z = 0;
    let square = 0;
    for (let e = i * ENTRIES; e < (i + 1) * ENTRIES; e++) {
      colIdx[e] = (e % ENTRIES) * width + Math.floor(next() ** 3 * width);
      const value = values ? 0.2 + next() : 1;
      if (values) values[e] = value;
      square += value * value;
      z += truth[colIdx[e]] * value;
    }
    const norm = values ? Math.sqrt(square) : 1;
    if (values) for (let e = i * ENTRIES; e < (i + 1) * ENTRIES; e++) values[e] /= norm;
    y[i] = Number(next() < sigmoid(z / norm));
  }
  return { rowPtr, colIdx, values, y, rows, columns };
}

export interface Coded {
  readonly name: string;
  readonly codes: Uint16Array;
  readonly levels: readonly string[];
}

export interface Flights {
  readonly rows: number;
  /** more than 15 minutes late */
  readonly y: Float64Array;
  /** of mean 0 and variance 1 */
  readonly numeric: readonly { readonly name: string; readonly values: Float64Array }[];
  readonly coded: readonly Coded[];
}

const NUMERIC = { distance: 'distance', time: 'hour(date) + minute(date) / 60', day: 'dayofyear(date)' };
const CODED = {
  origin: 'origin',
  destination: 'destination',
  hour: 'hour(date)::varchar',
  weekday: `strftime(date, '%a')`,
};

/** The flights, columns as arrays; `every`: one row of so many. */
export async function flights(every: number): Promise<Flights> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const coded = Object.entries(CODED).map(([name, sql]) => `${sql} as ${name}`);
    const numeric = Object.entries(NUMERIC).map(([name, sql]) => `(${sql})::double as ${name}`);
    await connection.run(
      `create view flights as select (delay > 15)::utinyint as late, ${[...numeric, ...coded].join(', ')}
       from read_parquet('${FLIGHTS.replaceAll("'", "''")}', file_row_number = true) where file_row_number % ${every} = 0`,
    );
    const levels: string[][] = [];
    for (const name of Object.keys(CODED)) {
      const found = await connection.runAndReadAll(`select distinct ${name} from flights order by 1`);
      levels.push(found.getRows().map(([level]) => String(level)));
      const list = levels.at(-1)!.map((level) => `'${level.replaceAll("'", "''")}'`);
      await connection.run(`create type ${name}_level as enum (${list.join(', ')})`);
    }
    const counted = await connection.runAndReadAll('select count(*)::int from flights');
    const rows = counted.getRows()[0][0] as number;
    const y = new Float64Array(rows);
    const numbers = Object.keys(NUMERIC).map((name) => ({ name, values: new Float64Array(rows) }));
    const codes = Object.keys(CODED).map((name, j) => ({ name, codes: new Uint16Array(rows), levels: levels[j] }));
    const wanted = ['late', ...Object.keys(NUMERIC), ...codes.map(({ name }) => `enum_code(${name}::${name}_level)`)];
    const into = [y, ...numbers.map(({ values }) => values), ...codes.map((column) => column.codes)];
    const result = await connection.stream(`select ${wanted.join(', ')} from flights`);
    let at = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk?.rowCount) break;
      for (const [j, array] of into.entries()) array.set(chunk.getColumnValues(j) as number[], at);
      at += chunk.rowCount;
    }
    for (const { values } of numbers) standardise(values, 0, 1);
    return { rows, y, numeric: numbers, coded: codes };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
