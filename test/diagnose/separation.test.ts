import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { certifiesOverlap, type SignedRows, separation, signedRows } from '../../src/diagnose/separation.ts';
import { leastCombination } from '../../src/math/simplex.ts';
import { random } from '../train/oracles.ts';

const rowsOf = (rows: number[][]): SignedRows => ({
  values: Float64Array.from(rows.flat()),
  rows: rows.length,
  columns: rows[0].length,
});

/** (x, 1) of the positive rows, −(x, 1) of the others */
const signed = (x: number[][], y: number[]) =>
  rowsOf(x.map((row, i) => [...row, 1].map((value) => (y[i] === 1 ? value : -value || 0))));

const dot = (a: readonly number[] | Float64Array, b: readonly number[] | Float64Array) =>
  Array.from(a).reduce((sum, value, j) => sum + value * b[j], 0);

describe('separation of cases worked by hand', () => {
  it.each<[string, number[][], number[], string, number[] | null]>([
    ['a number with a gap', [[1], [2], [3], [4]], [0, 0, 1, 1], 'complete', [0, 1]],
    ['a number whose classes touch', [[1], [2], [2], [3]], [0, 0, 1, 1], 'quasi', [0, 1]],
    ['a number that overlaps', [[1], [3], [2], [4]], [0, 0, 1, 1], 'none', null],
    ['a level of one class', [[1], [1], [0], [0]], [1, 1, 0, 1], 'quasi', [0]],
    [
      'a level of one class beside a number',
      [
        [1, 5],
        [1, 3],
        [0, 1],
        [0, 3],
        [0, 2],
      ],
      [1, 1, 0, 0, 1],
      'quasi',
      [0],
    ],
    ['a reference level of one class', [[1], [1], [0], [0]], [0, 1, 0, 0], 'quasi', [0, 1]],
    [
      'the exclusive or',
      [
        [0, 0],
        [1, 1],
        [0, 1],
        [1, 0],
      ],
      [0, 0, 1, 1],
      'none',
      null,
    ],
    [
      'a diagonal',
      [
        [0, 0],
        [1, 1],
        [2, 2.1],
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      [0, 0, 0, 1, 1, 1],
      'complete',
      [0, 1, 2],
    ],
    [
      'two steps: a direction, and one among the rows left',
      [
        [1, 9],
        [1, -9],
        [0, 1],
        [0, 2],
      ],
      [1, 1, 0, 1],
      'complete',
      [0, 1, 2],
    ],
  ])('%s', (_, x, y, kind, parameters) => {
    const found = separation(signed(x, y))!;
    expect(found.kind).toBe(kind);
    expect(found.kind === 'none' ? null : found.parameters).toEqual(parameters);
  });
});

/** Vectors that are 0 on all rows but one choice of columns − 1 of them: the edges of the cone {b: a·b ≥ 0} are among these, up to their sign. */
function edges(rows: number[][]): number[][] {
  const columns = rows[0].length;
  const found: number[][] = [];
  const take = (from: number, chosen: number[][]): void => {
    if (chosen.length === columns - 1) {
      const ray =
        columns === 2
          ? [-chosen[0][1], chosen[0][0]]
          : [0, 1, 2].map((j) => {
              const [p, q] = [(j + 1) % 3, (j + 2) % 3];
              return chosen[0][p] * chosen[1][q] - chosen[0][q] * chosen[1][p];
            });
      if (ray.some((value) => value !== 0))
        found.push(
          ray,
          ray.map((value) => -value),
        );
      return;
    }
    for (let i = from; i < rows.length; i++) take(i + 1, [...chosen, rows[i]]);
  };
  take(0, []);
  return found.filter((ray) => rows.every((row) => dot(row, ray) >= 0));
}

const rank = (rows: number[][]): number => {
  const a = rows.map((row) => [...row]);
  let done = 0;
  for (let j = 0; j < a[0].length; j++) {
    const pivot = a.findIndex((row, i) => i >= done && row[j] !== 0);
    if (pivot < 0) continue;
    [a[done], a[pivot]] = [a[pivot], a[done]];
    for (let i = done + 1; i < a.length; i++) {
      const [f, g] = [a[done][j], a[i][j]];
      for (let k = 0; k < a[i].length; k++) a[i][k] = a[i][k] * f - a[done][k] * g;
    }
    done++;
  }
  return done;
};

describe('separation agrees with the edges of the cone, in whole numbers', () => {
  for (const features of [1, 2]) {
    it(`${features + 1} columns`, () => {
      const cell = fc.integer({ min: -3, max: 3 });
      const row = fc.tuple(fc.array(cell, { minLength: features, maxLength: features }), fc.boolean());
      const kinds = { none: 0, quasi: 0, complete: 0 };
      fc.assert(
        fc.property(fc.array(row, { minLength: 3, maxLength: 12 }), (data) => {
          const rows = data.map(([x, positive]) => [...x, 1].map((value) => (positive ? value : -value || 0)));
          fc.pre(rank(rows) === features + 1);
          const rays = edges(rows);
          const interior = rows[0].map((_, j) => rays.reduce((sum, ray) => sum + ray[j], 0));
          const above = rows.filter((a) => dot(a, interior) > 0).length;
          const found = separation(rowsOf(rows))!;
          kinds[found.kind]++;
          expect(found.kind).toBe(rays.length === 0 ? 'none' : above === rows.length ? 'complete' : 'quasi');
          if (found.kind === 'none') {
            const { weights } = found;
            expect(Math.min(...weights)).toBeGreaterThan(0);
            for (let j = 0; j <= features; j++) {
              expect(
                Math.abs(
                  dot(
                    rows.map((a) => a[j]),
                    weights,
                  ),
                ),
              ).toBeLessThan(1e-9 * Math.max(...weights));
            }
          } else {
            expect(found.separated).toBe(above);
            for (const a of rows) expect(dot(a, found.direction)).toBeGreaterThan(-1e-9);
            expect(rows.filter((a) => dot(a, found.direction) > 1e-6).length).toBe(above);
            // with `complete` the edges span all columns
            expect(found.parameters).toEqual(rows[0].flatMap((_, j) => (rays.some((ray) => ray[j] !== 0) ? [j] : [])));
          }
        }),
        { seed: 5, numRuns: 3000 },
      );
      for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(100);
    });
  }
});

describe('separation proves what it says, on rows of many columns', () => {
  const draw = random(7);
  const normal = () => Math.sqrt(-2 * Math.log(draw() + 1e-12)) * Math.cos(2 * Math.PI * draw());
  for (const [columns, count] of [
    [5, 40],
    [12, 300],
    [30, 2000],
  ]) {
    it.each(['noise', 'a plane', 'a pure level', 'a plane but for one row', 'flags'])(
      `${count} rows of ${columns} columns: %s`,
      (how) => {
        const plane = Array.from({ length: columns }, normal);
        const rows = Array.from({ length: count }, (_, i) => {
          const x = plane.map((_, j) => (j === columns - 1 ? 1 : how === 'flags' ? Number(draw() < 0.3) : normal()));
          const z = dot(x, plane);
          let positive = how.startsWith('a plane') ? z > 0 : draw() < 1 / (1 + Math.exp(-z / 2));
          if (how === 'a plane but for one row' && i === 0) positive = !positive;
          if (how === 'a pure level') {
            x[0] = Number(draw() < 0.1);
            positive ||= x[0] === 1;
          }
          return x.map((value) => (positive ? value : -value));
        });
        const found = separation(rowsOf(rows))!;
        const scale = rows.map((row) => Math.max(...row.map(Math.abs)));
        if (found.kind === 'none') {
          expect(how).not.toBe('a plane');
          expect(how).not.toBe('a pure level');
          expect(Math.min(...found.weights)).toBeGreaterThan(0);
          const total = rows.reduce((sum, _, i) => sum + found.weights[i] * scale[i], 0);
          // sums of up to 2000 terms, each rounded
          for (let j = 0; j < columns; j++) {
            expect(Math.abs(rows.reduce((sum, row, i) => sum + row[j] * found.weights[i], 0))).toBeLessThan(
              1e-10 * total,
            );
          }
        } else {
          const margins = rows.map((row, i) => dot(row, found.direction) / scale[i]);
          expect(Math.min(...margins)).toBeGreaterThan(-1e-9);
          expect(margins.filter((margin) => margin > 1e-9).length).toBe(found.separated);
          if (how === 'a plane') expect(found.kind).toBe('complete');
          if (how === 'a pure level') expect(found).toMatchObject({ kind: 'quasi', parameters: [0] });
        }
      },
    );
  }

  it('both problems of the linear program have the same value', () => {
    for (let round = 0; round < 500; round++) {
      const [rows, columns] = [10 + Math.floor(40 * draw()), 2 + Math.floor(6 * draw())];
      const a = Float64Array.from({ length: rows * columns }, () => Math.round(8 * draw() - 4) / 4);
      const plane = Float64Array.from({ length: columns }, () => draw() - 0.5);
      for (let i = 0; i < rows && round % 5 > 0; i++) {
        const row = a.subarray(i * columns, (i + 1) * columns);
        if (dot(row, plane) < 0) for (let j = 0; j < columns; j++) row[j] = -row[j];
      }
      const { weights, direction } = leastCombination(a, rows, columns)!;
      let [primal, dual] = [0, 0];
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += a[i * columns + j] * weights[i];
        primal += Math.abs(sum);
      }
      for (let i = 0; i < rows; i++) dual += dot(a.subarray(i * columns, (i + 1) * columns), direction);
      expect(Math.min(...weights)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...direction.map(Math.abs))).toBeLessThanOrEqual(1 + 1e-9);
      expect(Math.abs(primal - dual)).toBeLessThan(1e-8 * rows);
    }
  });
});

describe('signedRows', () => {
  const batchOf = (x: number[], codes: number[]) => {
    const batch = pickEngine('js').columns(x.length, [{ kind: 'numeric' }, { kind: 'coded', slots: 3 }], 'f64');
    batch.numeric(0).set(x);
    batch.codes(1).set(codes);
    return batch;
  };
  const read = ({ values, rows, columns }: SignedRows) =>
    Array.from({ length: rows }, (_, i) => Array.from(values.subarray(i * columns, (i + 1) * columns), (v) => v || 0));

  it('signs distinct rows of positive weight, levels without a parameter alike', () => {
    const batch = batchOf([2, 2, 3, 2, 2, 5], [0, 0, 1, 2, 1, 1]);
    const y = Float64Array.of(1, 1, 0, 1, 1, 0);
    // slot 0 the number, slots 1 … 3 the levels, of which the second and the third have none; 4 the intercept
    const found = signedRows(batch, [0, 1, 4], y, Float64Array.of(1, 2, 1, 1, 1, 0))!;
    expect(read(found)).toEqual([
      [2, 1, 1],
      [-3, 0, -1],
      [2, 0, 1],
    ]);
    expect(signedRows(batch, [0, 1, 4], y, null, { most: 26 })).toBeNull();
  });

  it('a row of counts with both outcomes is on both sides', () => {
    const found = signedRows(batchOf([2, 2, 3], [0, 0, 1]), [0, 4], Float64Array.of(0, 0.25, 1), null)!;
    expect(read(found)).toEqual([
      [-2, -1],
      [-2, -1],
      [2, 1],
      [3, 1],
    ]);
  });

  it('of three classes each row is compared with the two others', () => {
    const found = signedRows(batchOf([2, 3, 5], [0, 1, 1]), [0, 4], Float64Array.of(0, 1, 2), null, { classes: 3 })!;
    expect(read(found)).toEqual([
      [-2, -1, 0, 0],
      [0, 0, -2, -1],
      [3, 1, 0, 0],
      [3, 1, -3, -1],
      [0, 0, 5, 1],
      [-5, -1, 5, 1],
    ]);
  });
});

describe('certifiesOverlap', () => {
  it('a Newton step of small changes exists only where the classes overlap', () => {
    const draw = random(3);
    const seen = { certified: 0, separated: 0 };
    for (let round = 0; round < 400; round++) {
      const n = 6 + Math.floor(14 * draw());
      const x = Array.from({ length: n }, () => Math.round(10 * draw()));
      const y = x.map((value) => Number(round % 2 === 0 ? value > 5 : draw() < 0.5));
      // Newton steps by hand, from a random point
      let [slope, intercept] = [(2 * draw() - 1) / 5, 2 * draw() - 1];
      let change = new Float64Array(n);
      for (let k = 0; k < 1 + (round % 5); k++) {
        const p = x.map((value) => 1 / (1 + Math.exp(-slope * value - intercept)));
        const sum = (f: (i: number) => number) => x.reduce((total, _, i) => total + f(i), 0);
        const w = p.map((value) => value * (1 - value));
        const [a, b, c] = [sum((i) => w[i] * x[i] ** 2), sum((i) => w[i] * x[i]), sum((i) => w[i])];
        const [g, h] = [sum((i) => (y[i] - p[i]) * x[i]), sum((i) => y[i] - p[i])];
        const step = [(c * g - b * h) / (a * c - b * b), (a * h - b * g) / (a * c - b * b)];
        change = Float64Array.from(x, (value) => step[0] * value + step[1]);
        slope += step[0];
        intercept += step[1];
      }
      const found = separation(
        signed(
          x.map((value) => [value]),
          y,
        ),
      )!;
      if (certifiesOverlap(change, n, null)) {
        seen.certified++;
        expect(found.kind).toBe('none');
      }
      seen.separated += Number(found.kind !== 'none');
    }
    expect(seen.certified).toBeGreaterThan(20);
    expect(seen.separated).toBeGreaterThan(100);
  });

  it('looks at changes relative to each other, in rows that count', () => {
    const planes = (...cells: number[]) => Float64Array.from(cells);
    expect(certifiesOverlap(planes(0.4, -0.4), 2, null)).toBe(true);
    expect(certifiesOverlap(planes(0.4, -0.6), 2, null)).toBe(false);
    expect(certifiesOverlap(planes(0.4, -0.6), 2, Float64Array.of(1, 0))).toBe(true);
    // two planes, the reference at 0
    expect(certifiesOverlap(planes(0.3, -0.3), 1, null)).toBe(false);
    expect(certifiesOverlap(planes(0.2, Number.NaN), 2, null)).toBe(false);
  });
});
