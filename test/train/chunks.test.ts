import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Engine, pickEngine } from '../../bindings/engine.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';
import { Encoder } from '../../src/encode/encoder.ts';
import { inferSchema, SchemaDraft } from '../../src/encode/infer.ts';
import { sliceTable } from '../../src/encode/split.ts';
import type { Column, Table } from '../../src/encode/table.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { fitProblem, fit as fitTable } from '../../src/train/fit.ts';
import { codingOf, type FitOptions, readOptions } from '../../src/train/fitOptions.ts';
import {
  type Cells,
  ChunkedLikelihood,
  Chunks,
  cellsOf,
  profileChunks,
  type RowStore,
} from '../../src/train/problem/chunks.ts';
import { TableInParts } from '../../src/train/problem/parts.ts';
import { profileSlots } from '../../src/train/problem/slotProfile.ts';

const engines: [string, () => Engine][] = [
  ['js', () => pickEngine('js')],
  ['wasm', () => pickEngine('wasm')],
];

/** Columns in JavaScript memory, and how many reads there were of each. */
class ArrayStore implements RowStore {
  readonly #columns = new Map<number, number[]>();
  readonly reads = new Map<number, number>();

  write(column: number, first: number, cells: Cells): void {
    const kept = this.#columns.get(column) ?? [];
    this.#columns.set(column, kept);
    cells.forEach((cell, i) => {
      kept[first + i] = cell;
    });
  }

  read(column: number, first: number, cells: Cells): void {
    this.reads.set(column, (this.reads.get(column) ?? 0) + 1);
    const kept = this.#columns.get(column)!;
    if (first + cells.length > kept.length) throw new Error('rows that were not written');
    for (let i = 0; i < cells.length; i++) cells[i] = kept[first + i];
  }
}

const ROWS = 1003;

/** Numbers with gaps, categories with gaps, a rare level at the end, weights with zeros, an offset, targets of 2 and 3 classes. */
function data(rows = ROWS): Table {
  const next = splitmix32(7);
  const numbers = (name: string, of: () => number, gaps = 0): Column => ({
    name,
    kind: 'numeric',
    values: Float64Array.from({ length: rows }, of),
    missing: gaps > 0 ? Uint8Array.from({ length: rows }, () => Number(next() < gaps)) : null,
  });
  const coded = (name: string, levels: string[], of: (i: number) => number): Column => ({
    name,
    kind: 'coded',
    codes: Uint8Array.from({ length: rows }, (_, i) => of(i)),
    levels,
    missing: Uint8Array.from({ length: rows }, () => Number(next() < 0.05)),
  });
  const age = numbers('age', () => 40 + 20 * (next() - 0.5));
  const income = numbers('income', () => 1e6 * next(), 0.1);
  const values = (column: Column) => (column as { values: Float64Array }).values;
  const signal = (i: number) => (values(age)[i] - 40) / 10 + values(income)[i] / 1e6;
  const target = (name: string, levels: string[], cuts: number[]): Column => ({
    name,
    kind: 'coded',
    codes: Uint8Array.from({ length: rows }, (_, i) => {
      const z = signal(i) + 3 * (next() - 0.5);
      return cuts.filter((cut) => z > cut).length;
    }),
    levels,
  });
  return {
    rows,
    columns: [
      age,
      income,
      coded('city', ['b', 'a', 'c', 'rare'], (i) => (i >= rows - 30 ? 3 : Math.floor(3 * next()))),
      coded('kind', ['u', 'v'], () => Math.floor(2 * next())),
      numbers('one', () => 3),
      numbers('s', () => Math.floor(4 * next())),
      numbers('o', () => next() - 0.5),
      target('y', ['no', 'yes'], [0.5]),
      target('k', ['low', 'mid', 'high'], [0, 1]),
    ],
  };
}

const pick = (table: Table, names: readonly string[]): Table => ({
  rows: table.rows,
  columns: names.map((name) => table.columns.find((column) => column.name === name)!),
});
const FEATURES = ['age', 'income', 'city', 'kind'];
const ROLES = ['s', 'o', 'y', 'k'];

function* partsOf(table: Table, most: number): Generator<Table> {
  for (let first = 0; first < table.rows; first += most)
    yield sliceTable(table, first, Math.min(table.rows, first + most));
}

/** The rows as a batch, and as chunks of at most `capacity` rows. */
function encoded(engine: Engine, capacity: number) {
  const table = data();
  const features = pick(table, FEATURES);
  const schema = inferSchema(features, { exclude: [], coding: 'onehot' });
  const encoder = new Encoder(schema);
  const batch = engine.columns(ROWS, encoder.specs, 'f64');
  encoder.encode(features, batch, { standardize: true });
  const store = new ArrayStore();
  batch.specs.forEach((_, j) => {
    store.write(j, 0, cellsOf(batch, j));
  });
  const chunks = new Chunks(store, ROWS, engine.columns(capacity, encoder.specs, 'f64'));
  const cells = (name: string) => {
    const column = table.columns.find((one) => one.name === name)!;
    return Float64Array.from(column.kind === 'numeric' ? column.values : column.codes);
  };
  return { batch, store, chunks, cells };
}

const next = splitmix32(3);
const noise = (length: number, size = 1) => Float64Array.from({ length }, () => size * (next() - 0.5));

/** largest difference, relative to the largest number */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let [difference, size] = [0, 1e-300];
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs(a[i] - b[i]));
    size = Math.max(size, Math.abs(b[i]));
  }
  return Number.isFinite(difference) ? difference / size : Number.POSITIVE_INFINITY;
}

/** Sums in another order: some hundred additions. */
const ROUNDING = 1e-13;

/** Every method gives what the likelihood of the whole batch gives. */
function agree(chunked: Likelihood, whole: Likelihood): void {
  const { parameters, classes, rows } = whole;
  expect([chunked.rows, chunked.classes, chunked.parameters, chunked.totalWeight]).toEqual([
    ...[rows, classes, parameters, whole.totalWeight],
  ]);
  const point = noise(parameters);
  const both = (call: (likelihood: Likelihood, out: Float64Array) => void, length: number) => {
    const [a, b] = [new Float64Array(length).fill(9), new Float64Array(length).fill(9)];
    call(chunked, a);
    call(whole, b);
    return apart(a, b);
  };
  expect(Math.abs(chunked.loss(point) / whole.loss(point) - 1)).toBeLessThan(ROUNDING);
  expect(both((one, out) => one.logits(point, out), classes * rows)).toBe(0);
  expect(both((one, out) => one.at(point, out), parameters)).toBeLessThan(ROUNDING);
  expect(Math.abs(chunked.at(point, noise(parameters)).loss / whole.loss(point) - 1)).toBeLessThan(ROUNDING);
  // neither a loss elsewhere nor an evaluation elsewhere, nor new values in the array, move the point of the Hessian
  const lent = point.slice();
  const points = new Map([chunked, whole].map((one) => [one, one.at(lent, noise(parameters))]));
  lent.fill(Number.NaN);
  chunked.loss(noise(parameters));
  chunked.at(noise(parameters), noise(parameters));
  expect(both((one, out) => points.get(one)!.hessian(out), parameters ** 2)).toBeLessThan(ROUNDING);
  expect(both((one, out) => points.get(one)!.hessian(out, 300), parameters ** 2)).toBeLessThan(ROUNDING);
  const width = parameters / classes;
  for (let j = 0; j < classes; j++) {
    for (const most of [undefined, 300]) {
      expect(both((one, out) => points.get(one)!.classHessian(j, out, most), width ** 2)).toBeLessThan(ROUNDING);
    }
  }
  const v = noise(parameters);
  expect(both((one, out) => points.get(one)!.hessianVector(v, out), parameters)).toBeLessThan(ROUNDING);
  const c = noise(rows);
  expect(both((one, out) => one.gram(c, out), width ** 2)).toBeLessThan(ROUNDING);
  expect(both((one, out) => one.transpose(c, out), width)).toBeLessThan(ROUNDING);
  const vectors = noise(40 * width);
  expect(both((one, out) => one.squares(vectors, out), rows)).toBe(0);
  expect(both((one, out) => one.gram(c, out, 300), width ** 2)).toBeLessThan(ROUNDING);
}

describe.each(engines)('a likelihood over chunks, %s', (_, makeEngine) => {
  it.each([1, 7, 64, 500, ROWS - 1, ROWS])('of %i rows at a time is that of all rows', (capacity) => {
    const engine = makeEngine();
    const { batch, chunks, cells } = encoded(engine, capacity);
    const [y, k, weight, offset] = [cells('y'), cells('k'), cells('s'), cells('o')];
    const before = engine.bytesInUse;
    for (const vectors of [
      { y, weight: null, offset: null },
      { y, weight, offset },
    ]) {
      const whole = engine.likelihood(batch, vectors);
      agree(new ChunkedLikelihood(engine, chunks, vectors, 1), whole);
      whole.free();
    }
    const whole = engine.multinomial(batch, { y: k, weight, classes: 3 });
    agree(new ChunkedLikelihood(engine, chunks, { y: k, weight, offset: null }, 3), whole);
    whole.free();
    expect(engine.bytesInUse).toBe(before);
  });

  it('of some columns reads these alone, and can be selected from again', () => {
    const engine = makeEngine();
    const { batch, store, chunks, cells } = encoded(engine, 100);
    const vectors = { y: cells('y'), weight: cells('s'), offset: cells('o') };
    const whole = engine.likelihood(batch, vectors);
    const chunked = new ChunkedLikelihood(engine, chunks, vectors, 1);
    // a number, and a level of the first category: all its levels come along
    const slots = Int32Array.of(0, batch.offsets[3] + 1);
    const [a, b] = [chunked.select(slots), whole.select(slots)];
    expect(a.from).toEqual(b.from);
    agree(a.likelihood, b.likelihood);
    expect([...store.reads.keys()].sort()).toEqual([0, 3]);
    const inner = Int32Array.of(1);
    const [c, d] = [a.likelihood.select(inner), b.likelihood.select(inner)];
    expect(c.from).toEqual(d.from);
    agree(c.likelihood, d.likelihood);
    agree(chunked, whole);
  });

  it('reads what is in the window already no second time', () => {
    const engine = makeEngine();
    const { store, chunks, cells } = encoded(engine, 2 * ROWS);
    const likelihood = new ChunkedLikelihood(engine, chunks, { y: cells('y'), weight: null, offset: null }, 1);
    const point = noise(likelihood.parameters);
    for (let k = 0; k < 3; k++) likelihood.loss(point);
    expect([...store.reads.values()]).toEqual(chunks.batch.specs.map(() => 1));
  });

  it('profiles slots with the same bits', () => {
    const engine = makeEngine();
    for (const capacity of [1, 99, ROWS]) {
      const { batch, chunks, cells } = encoded(engine, capacity);
      for (const [y, weight] of [
        [cells('y'), null],
        [cells('y'), cells('s')],
        [null, cells('s')],
      ]) {
        expect(profileChunks(chunks, y, weight)).toEqual(profileSlots(batch, y, weight));
      }
    }
  });

  it('refuses vectors of another length', () => {
    const engine = makeEngine();
    const { chunks } = encoded(engine, 10);
    const vectors = { y: new Float64Array(ROWS - 1), weight: null, offset: null };
    expect(() => new ChunkedLikelihood(engine, chunks, vectors, 1)).toThrow(
      `y: expected ${ROWS} values (rows), got ${ROWS - 1}`,
    );
  });
});

describe('a schema from parts', () => {
  const draftOf = (table: Table, cuts: readonly number[], weight: Float64Array | null) => {
    const draft = new SchemaDraft({ exclude: [], coding: 'treatment' });
    const ends = [...cuts, table.rows];
    let first = 0;
    for (const end of ends) {
      draft.add(sliceTable(table, first, end), weight?.subarray(first, end) ?? null, first);
      first = end;
    }
    return draft.finish();
  };

  it('is that of the whole, to 1e-12 of the scale', () => {
    const table = pick(data(), FEATURES.concat('one'));
    const weight = Float64Array.from((pick(data(), ['s']).columns[0] as { values: Float64Array }).values);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: ROWS })), fc.boolean(), (cuts, weighted) => {
        const s = weighted ? weight : null;
        const parts = draftOf(
          table,
          cuts.sort((a, b) => a - b),
          s,
        );
        const whole = inferSchema(table, { exclude: [], coding: 'treatment', weight: s });
        expect(parts.features.length).toBe(whole.features.length);
        parts.features.forEach((feature, j) => {
          const other = whole.features[j];
          if (feature.kind !== 'numeric' || other.kind !== 'numeric') {
            expect(feature).toEqual(other);
            return;
          }
          expect(Math.abs(feature.mean - other.mean)).toBeLessThan(1e-12 * other.scale);
          expect(Math.abs(feature.scale - other.scale)).toBeLessThan(1e-12 * other.scale);
          expect({ ...feature, mean: 0, scale: 0 }).toEqual({ ...other, mean: 0, scale: 0 });
        });
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('neither overflows nor vanishes, and a column of one value has no spread', () => {
    const of = (...values: number[]): Table => ({
      rows: values.length,
      columns: [{ name: 'x', kind: 'numeric', values: Float64Array.from(values) }],
    });
    const scaleOf = (table: Table) => (draftOf(table, [2], null).features[0] as { scale: number }).scale;
    expect(scaleOf(of(-8e307, -8e307, 8e307, 8e307))).toBeCloseTo(8e307, -300);
    expect(scaleOf(of(1e-200, 1e-200, 3e-200, 3e-200)) / 1e-200).toBeCloseTo(1, 12);
    expect(draftOf(of(0.1, 0.1, 0.1), [1, 2], null).features[0]).toMatchObject({ mean: 0.1, scale: 1 });
    expect(() => draftOf(of(-1e308, -1e308, 1e308), [2], null)).toThrow('expected a spread below 1.8e308');
  });

  it('names the row of a bad cell in the whole input', () => {
    const bad: Table = {
      rows: 5,
      columns: [{ name: 'x', kind: 'numeric', values: Float64Array.of(1, 2, 3, Number.NaN, 5) }],
    };
    expect(() => draftOf(bad, [2], null)).toThrow('row 3 (from 0), column "x"');
  });
});

/** Fits in parts of 100 rows, with so many in memory. */
function fitInParts(table: Table, options: FitOptions, capacity: number) {
  const engine = options.engine!;
  const spec = readOptions(options);
  const draft = new TableInParts(pick(table, ROLES), options, codingOf(spec.penalty), engine);
  const features = pick(table, FEATURES);
  for (const part of partsOf(features, 100)) draft.learn(part);
  draft.open(100);
  const store = new ArrayStore();
  for (const part of partsOf(features, 100)) draft.encode(part, store);
  const problem = draft.problem(store, capacity);
  try {
    return fitProblem(problem, spec);
  } finally {
    problem.free();
  }
}

describe.each(engines)('a fit in parts, %s', (_, makeEngine) => {
  const CASES: Record<string, FitOptions> = {
    L2: { target: 'y', weight: 's', offset: 'o' },
    'no penalty, with inference': { target: 'y', weight: 's', offset: 'o', penalty: 'none', inference: true },
    'robust errors': { target: 'y', penalty: 'none', inference: { covariance: 'robust' } },
    'profile intervals': { target: 'y', penalty: 'none', inference: { profile: true } },
    Firth: { target: 'y', penalty: 'firth', inference: true },
    L1: { target: 'y', weight: 's', l1Ratio: 1, C: 0.02 },
    bounds: { target: 'y', penalty: { l1Ratio: 0.5, C: 0.1, bounds: { age: [0, 0.05] } } },
    'class weights': { target: 'y', classWeight: 'balanced', solver: 'lbfgs' },
    multinomial: { target: 'k', weight: 's' },
    'multinomial without a penalty': { target: 'k', penalty: 'none', inference: true },
    'multinomial L1': { target: 'k', l1Ratio: 1, C: 0.02 },
    'one against the rest': { target: 'k', multiclass: 'ovr' },
    'newton-cg': { target: 'y', solver: 'newton-cg', tol: 1e-11 },
  };

  it.each(Object.entries(CASES))('%s: that in memory to 1e-9', (_name, given) => {
    const engine = makeEngine();
    const table = data();
    const options: FitOptions = { ...given, engine, features: FEATURES };
    const used = [options.target, ...['s', 'o'].filter((role) => role === given.weight || role === given.offset)];
    const whole = fitTable(pick(table, [...FEATURES, ...used]), options).model;
    const inParts = fitInParts(table, options, 130);
    const close = (a: unknown, b: unknown, what: string): void => {
      if (typeof b === 'number') {
        const away = a === b ? 0 : Math.abs((a as number) - b) / Math.max(1, Math.abs(b));
        expect(away, `${what}: ${a}, in memory ${b}`).toBeLessThan(1e-9);
      } else if (ArrayBuffer.isView(b)) close([...(a as Float64Array)], [...(b as Float64Array)], what);
      else if (b !== null && typeof b === 'object') {
        expect(Object.keys(a as object), what).toEqual(Object.keys(b));
        for (const key of Object.keys(b)) close((a as never)[key], (b as never)[key], `${what}.${key}`);
      } else expect(a, what).toBe(b);
    };
    const of = ({ manifest, weights, intercept, covariance }: typeof whole) => ({
      ...{ weights, intercept, covariance },
      // gradients at the end are rounding
      fit: { ...manifest.fit, gradNorm: 0 },
      ...{ schema: manifest.schema, inference: manifest.inference ?? null, warnings: manifest.warnings },
    });
    close(of(inParts), of(whole), 'model');
    expect(engine.bytesInUse).toBe(0);
  });

  it('that fits into memory has its bits', () => {
    const engine = makeEngine();
    const table = data();
    const options: FitOptions = { target: 'y', engine, features: FEATURES, penalty: 'none', inference: true };
    const whole = fitTable(pick(table, [...FEATURES, 'y']), options).model;
    const spec = readOptions(options);
    // parts have other rounding in the schema: one part
    const draft = new TableInParts(pick(table, ROLES), options, codingOf(spec.penalty), engine);
    draft.learn(pick(table, FEATURES));
    draft.open(ROWS);
    const store = new ArrayStore();
    draft.encode(pick(table, FEATURES), store);
    const problem = draft.problem(store, ROWS);
    const model = fitProblem(problem, spec);
    problem.free();
    expect([model.weights, model.covariance]).toEqual([whole.weights, whole.covariance]);
  });

  it('cannot have errors by cluster', () => {
    const inference = { covariance: { cluster: 'kind' } };
    const options: FitOptions = { target: 'y', engine: makeEngine(), penalty: 'none', inference };
    expect(() => fitInParts(data(), options, 130)).toThrow(
      'covariance: expected model or robust for rows that stay in a file, got clusters of "kind"',
    );
  });
});
