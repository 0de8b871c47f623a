import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../bindings/engine.ts';
import { Ftrl, type FtrlOptions } from '../../bindings/ftrl.ts';
import { LogoddsError } from '../../src/index.ts';
import { engines, numbers } from '../engine/engines.ts';

interface Row {
  readonly x: ReadonlyMap<number, number>;
  readonly y: number;
  readonly s: number;
  readonly offset: number;
}

/**
 * Algorithm 1 of McMahan et al. 2013 line by line, in the paper's own arithmetic; the intercept is a coordinate with x = 1 and
 * without penalty. @returns weights with the intercept last, and the loss of each row before its update
 */
function algorithm1(rows: readonly Row[], slots: number, { alpha = 0.1, beta = 1, l1 = 0, l2 = 0 }: FtrlOptions) {
  const z = new Array<number>(slots + 1).fill(0);
  const n = new Array<number>(slots + 1).fill(0);
  const weight = (i: number): number => {
    const [lambda1, lambda2] = i === slots ? [0, 0] : [l1, l2];
    if (Math.abs(z[i]) <= lambda1) return 0;
    return (-1 / ((beta + Math.sqrt(n[i])) / alpha + lambda2)) * (z[i] - Math.sign(z[i]) * lambda1);
  };
  const losses = rows.map(({ x, y, s, offset }) => {
    const active = [...x, [slots, 1] as const].map(([i, xi]) => ({ i, xi, w: weight(i) }));
    const logit = active.reduce((sum, { xi, w }) => sum + xi * w, offset);
    const p = 1 / (1 + Math.exp(-logit));
    for (const { i, xi, w } of active) {
      const g = s * (p - y) * xi;
      const sigma = (Math.sqrt(n[i] + g * g) - Math.sqrt(n[i])) / alpha;
      z[i] += g - sigma * w;
      n[i] += g * g;
    }
    return s * (Math.log1p(Math.exp(-Math.abs(logit))) + Math.max(logit, 0) - y * logit);
  });
  return { weights: Array.from(z, (_, i) => weight(i)), losses };
}

/** random rows over few columns, entries in any order; `repeats` lets columns repeat within a row */
function sparseRows(seed: number, count: number, slots: number, repeats: boolean) {
  const next = numbers(seed);
  const pick = (n: number) => Math.floor(((next() + 1) / 2) * n);
  const rowPtr = [0];
  const colIdx: number[] = [];
  const values: number[] = [];
  const rows = Array.from({ length: count }, (): Row => {
    const x = new Map<number, number>();
    for (let e = pick(9); e > 0; e--) {
      const column = pick(slots);
      if (!repeats && x.has(column)) continue;
      const value = next() * 2;
      colIdx.push(column);
      values.push(value);
      x.set(column, (x.get(column) ?? 0) + value);
    }
    rowPtr.push(colIdx.length);
    return { x, y: pick(2), s: pick(4), offset: next() };
  });
  const of = (name: 'y' | 's' | 'offset') => rows.map((row) => row[name]);
  return { rows, sparse: { rowPtr, colIdx, values }, y: of('y'), s: of('s'), offset: of('offset') };
}

/** The difference is rounding alone: 1/α is multiplied with instead of dividing by α, and sums fold two lanes. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-11): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i]), `${i}: ${actual[i]}, expected ${expected[i]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected[i])),
    );
  }
}

const SLOTS = 12;

describe.each(engines)('FTRL-Proximal, %s', (_, make) => {
  const engine: Engine = make();

  test('one row by hand: g = −1/2, n = 1/4, z = −1/2, w = 1/2 / ((1 + 1/2)/1), loss ln 2', () => {
    const ftrl = new Ftrl(engine, { slots: 2, alpha: 1 });
    const logLoss = ftrl.learn(engine.sparse({ rowPtr: [0, 1], colIdx: [1] }, 2), [1]);
    expect(logLoss).toBe(Math.LN2);
    expect(ftrl.state()).toEqual({
      z: Float64Array.of(0, -0.5, -0.5),
      n: Float64Array.of(0, 0.25, 0.25),
      rows: 1,
      totalWeight: 1,
      loss: Math.LN2,
    });
    expectClose(ftrl.weights(), [0, 1 / 3, 1 / 3], 1e-15);
  });

  test.each([
    ['no penalty', {}],
    ['large steps', { alpha: 2, beta: 0.5 }],
    ['both penalties', { l1: 0.7, l2: 0.4 }],
  ] as const)('is algorithm 1 of the paper: %s', (_, options) => {
    for (const [seed, repeats] of [
      [1, false],
      [2, true],
    ] as const) {
      const { rows, sparse, y, s, offset } = sparseRows(seed, 400, SLOTS, repeats);
      const ftrl = new Ftrl(engine, { slots: SLOTS, ...options });
      const mean = ftrl.learn(engine.sparse(sparse, SLOTS), y, s, offset)!;
      const { weights, losses } = algorithm1(rows, SLOTS, options);
      const total = s.reduce((sum, si) => sum + si, 0);
      expectClose(ftrl.weights(), weights);
      expectClose([mean], [losses.reduce((sum, loss) => sum + loss, 0) / total]);
      ftrl.free();
    }
  });

  test('an L1 penalty leaves weights that are exactly 0, the more the larger it is, and never the intercept', () => {
    const { sparse, y } = sparseRows(3, 300, SLOTS, false);
    const zeros = [0, 4, 8, 1000].map((l1) => {
      const ftrl = new Ftrl(engine, { slots: SLOTS, l1 });
      ftrl.learn(engine.sparse(sparse, SLOTS), y);
      const weights = ftrl.weights();
      expect(weights[SLOTS]).not.toBe(0);
      return weights.subarray(0, SLOTS).filter((w) => Object.is(w, 0)).length;
    });
    expect(zeros[0]).toBe(0);
    expect(zeros[1]).toBeGreaterThan(0);
    expect(zeros[2]).toBeGreaterThan(zeros[1]);
    expect(zeros[3]).toBe(SLOTS);
  });

  test('columns, and sparse rows of the same numbers, in f64 and f32, leave the same bits', () => {
    const next = numbers(4);
    const n = 300;
    const specs = [
      { kind: 'numeric' },
      { kind: 'coded', slots: 300 },
      { kind: 'numeric' },
      { kind: 'coded', slots: 3 },
    ] as const;
    const cells = [
      Float32Array.from({ length: n }, next),
      Uint16Array.from({ length: n }, () => Math.floor((next() + 1) * 150)),
      Float32Array.from({ length: n }, next),
      Uint8Array.from({ length: n }, () => Math.floor((next() + 1) * 1.5)),
    ];
    const y = Array.from({ length: n }, () => (next() > 0 ? 1 : 0));
    const states = (['f64', 'f32'] as const).flatMap((precision) => {
      const columns = engine.columns(n, specs, precision);
      specs.forEach(({ kind }, j) => {
        (kind === 'numeric' ? columns.numeric(j) : columns.codes(j)).set(cells[j]);
      });
      const rowPtr = Array.from({ length: n + 1 }, (_, i) => 4 * i);
      const colIdx = Array.from({ length: n }, (_, i) => [0, 1 + cells[1][i], 301, 302 + cells[3][i]]).flat();
      const values = Array.from({ length: n }, (_, i) => [cells[0][i], 1, cells[2][i], 1]).flat();
      return [columns, engine.sparse({ rowPtr, colIdx, values }, columns.slots, precision)].map((batch) => {
        const ftrl = new Ftrl(engine, { slots: batch.slots });
        ftrl.learn(batch, y);
        return ftrl.state();
      });
    });
    for (const state of states.slice(1)) expect(state).toEqual(states[0]);
  });

  test('how the rows are cut into batches changes no bit, nor does a restored state in between', () => {
    const options = { slots: SLOTS, l1: 0.2, l2: 0.1 };
    const { sparse, y, s, offset } = sparseRows(5, 200, SLOTS, true);
    const { rowPtr, colIdx, values } = sparse;
    const whole = new Ftrl(engine, options);
    whole.learn(engine.sparse(sparse, SLOTS), y, s, offset);
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 6 }), fc.boolean(), (cuts, stop) => {
        const ends = [...new Set([...cuts, 200])].sort((a, b) => a - b);
        let ftrl = new Ftrl(engine, options);
        let from = 0;
        for (const to of ends) {
          const part = (list: number[]) => list.slice(rowPtr[from], rowPtr[to]);
          const starts = rowPtr.slice(from, to + 1).map((at) => at - rowPtr[from]);
          const batch = engine.sparse({ rowPtr: starts, colIdx: part(colIdx), values: part(values) }, SLOTS);
          ftrl.learn(batch, y.slice(from, to), s.slice(from, to), offset.slice(from, to));
          batch.free();
          if (stop) {
            const state = ftrl.state();
            ftrl.free();
            ftrl = new Ftrl(engine, options);
            ftrl.restore(state);
          }
          from = to;
        }
        expect(ftrl.state()).toEqual(whole.state());
        ftrl.free();
      }),
      { numRuns: 30 },
    );
  });

  test('a weight scales the gradient: weight 0 leaves no trace, weight 2 is not the row twice', () => {
    const row = () => engine.sparse({ rowPtr: [0, 2], colIdx: [0, 3], values: [1.5, -1] }, SLOTS);
    const twice = engine.sparse({ rowPtr: [0, 2, 4], colIdx: [0, 3, 0, 3], values: [1.5, -1, 1.5, -1] }, SLOTS);
    const learnt = (learn: (ftrl: Ftrl) => void) => {
      const ftrl = new Ftrl(engine, { slots: SLOTS });
      learn(ftrl);
      const { z, n } = ftrl.state();
      return { z, n };
    };
    const blank = new Float64Array(SLOTS + 1);
    expect(learnt((ftrl) => expect(ftrl.learn(row(), [1], [0])).toBe(null))).toEqual({ z: blank, n: blank });
    const heavy = learnt((ftrl) => ftrl.learn(row(), [1], [2]));
    expect(heavy.z[0]).toBe(-1.5);
    expect(heavy.n[0]).toBe(2.25);
    const repeated = learnt((ftrl) => ftrl.learn(twice, [1, 1]));
    expect(repeated.n[0]).toBeGreaterThan(2 * 0.75 ** 2 * 0.9);
    expect(repeated.n[0]).toBeLessThan(2 * 0.75 ** 2);
  });

  test('what is not finite or beyond 1e60 is refused before anything is learnt; up to there every number stays finite', () => {
    const batch = (x: number) => engine.sparse({ rowPtr: [0, 1, 2], colIdx: [0, 1], values: [1, x] }, 2);
    const ftrl = new Ftrl(engine, { slots: 2, alpha: 1e6, beta: 1e-6 });
    const code = (learn: () => unknown) => {
      try {
        learn();
      } catch (error) {
        if (error instanceof LogoddsError) return error.code;
      }
      return 'none';
    };
    const columns = engine.columns(2, [{ kind: 'numeric' }, { kind: 'numeric' }]);
    columns.numeric(1)[1] = Number.NaN;
    expect(code(() => ftrl.learn(columns, [0, 1]))).toBe('ERR_RANGE');
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY, 1.1e60]) {
      expect(code(() => ftrl.learn(batch(x), [0, 1]))).toBe('ERR_RANGE');
      expect(code(() => ftrl.learn(batch(1), [0, 1], [1, x]))).toBe('ERR_RANGE');
      expect(code(() => ftrl.learn(batch(1), [0, 1], null, [0, -x]))).toBe('ERR_RANGE');
      expect(code(() => ftrl.learn(batch(1), [0, x]))).toBe('ERR_RANGE');
    }
    expect(code(() => ftrl.learn(batch(1), [0, 1], [1, -1]))).toBe('ERR_RANGE');
    expect(code(() => ftrl.learn(batch(1), [0]))).toBe('ERR_SHAPE');
    expect(code(() => ftrl.learn(engine.sparse({ rowPtr: [0], colIdx: [] }, 3), []))).toBe('ERR_SHAPE');
    expect(code(() => ftrl.learn(engine.rows(1, 2) as never, [1]))).toBe('ERR_SHAPE');
    expect(code(() => ftrl.learn(make().sparse({ rowPtr: [0], colIdx: [] }, 2), []))).toBe('ERR_ENGINE');
    expect(ftrl.state().rows).toBe(0);
    expect(ftrl.state().n).toEqual(new Float64Array(3));
    for (let i = 0; i < 50; i++) ftrl.learn(batch(1e60), [i % 2, i % 3 ? 0 : 1], [1e60, 1e60]);
    const { z, n, loss } = ftrl.state();
    expect([...z, ...n, loss, ...ftrl.weights()].every(Number.isFinite)).toBe(true);
  });

  test.each([
    ['alpha', 0],
    ['alpha', Number.NaN],
    ['beta', 0],
    ['l1', -1],
    ['l2', Number.POSITIVE_INFINITY],
  ])('%s %s is refused by name', (name, value) => {
    expect(() => new Ftrl(engine, { slots: 1, [name]: value })).toThrow(new RegExp(`^${name}: expected a number from`));
  });

  test('every byte of linear memory comes back', () => {
    const own = make();
    const before = own.bytesInUse;
    const batch = own.sparse({ rowPtr: [0, 1], colIdx: [0] }, 4);
    const ftrl = new Ftrl(own, { slots: 4 });
    ftrl.learn(batch, [1], [1], [0]);
    for (const part of [ftrl, batch]) part.free();
    expect(own.bytesInUse).toBe(before);
  });
});
