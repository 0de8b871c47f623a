import { describe, expect, test } from 'vitest';
import { type Precision, planeStride } from '../../bindings/layout.ts';
import type { SparseRows } from '../../bindings/sparseBatch.ts';
import { expectNear, expectWorking, thrown } from './checks.ts';
import { engines, numbers, onHeap } from './engines.ts';
import { bits } from './kernels.ts';
import { batch, FEATURES, LAYOUTS, mixed } from './layouts.ts';

const precisions: Precision[] = ['f64', 'f32'];

/** rows (2, 0, 3, 0), nothing, (0, 5, 0, −1) with column 1 in two parts, and (2, 3, 4, 6) out of order */
const FOUR: SparseRows = {
  rowPtr: [0, 2, 2, 5, 10],
  colIdx: [0, 2, 1, 1, 3, 3, 0, 1, 2, 3],
  values: [2, 3, 1, 4, -1, 1, 2, 3, 4, 5],
};

describe.each(engines)('%s', (_, make) => {
  describe.each(precisions)('%s', (precision) => {
    test('logits worked by hand: values, ones, an empty row, repeated columns, two weight vectors', () => {
      const engine = make();
      const weights = engine.weights({ layout: 'sparse', slots: 4, precision }, 2);
      weights.set(0, [1, 10, 100, 1000, 0.5]);
      weights.set(1, [1, 1, 1, 1, -1]);
      const out = engine.vector(8, precision);
      const valued = engine.sparse(FOUR, 4, precision);
      expect(valued.rows).toBe(4);
      expect(valued.slots).toBe(4);
      engine.logits(valued, weights, out);
      expect([...out.view]).toEqual([302.5, 0.5, -949.5, 6432.5, 4, -1, 3, 14]);
      for (const values of [undefined, null]) {
        engine.logits(engine.sparse({ ...FOUR, values }, 4, precision), weights, out);
        expect([...out.view]).toEqual([101.5, 0.5, 1020.5, 2111.5, 1, -1, 2, 4]);
      }
    });

    test('logits are those of the same data as rows and as columns, for k weight vectors at once or one by one', () => {
      const engine = make();
      const data = mixed(203);
      const next = numbers(3);
      const vectors = Array.from({ length: 3 }, () => Float64Array.from({ length: FEATURES + 1 }, next));
      const plane = planeStride(203);
      const [rows, columns, sparse] = LAYOUTS.map((layout) => {
        const x = batch(engine, data, layout, precision);
        const three = engine.weights(x, 3);
        vectors.forEach((params, j) => {
          three.set(j, params);
        });
        const out = engine.vector(3 * plane, precision);
        engine.logits(x, three, out);
        const one = engine.weights(x);
        const alone = engine.vector(203, precision);
        return vectors.map((params, j) => {
          one.set(0, params);
          engine.logits(x, one, alone);
          const together = out.view.slice(j * plane, j * plane + 203);
          expect(bits(together)).toEqual(bits(alone.view));
          return together;
        });
      });
      // five terms in another order: a few roundings of the largest
      const tolerance = precision === 'f32' ? 4e-7 : 1e-15;
      sparse.forEach((z, j) => {
        expectNear(z, rows[j], tolerance);
        expectNear(z, columns[j], tolerance);
      });
    });

    test('a row has the same bits alone and in a batch', () => {
      const engine = make();
      const x = engine.sparse(FOUR, 4, precision);
      const weights = engine.weights(x);
      weights.set(0, Array.from({ length: 5 }, numbers(5)));
      const out = engine.vector(4, precision);
      engine.logits(x, weights, out);
      const together = bits(out.view);
      for (let i = 0; i < 4; i++) {
        const [from, to] = [FOUR.rowPtr[i], FOUR.rowPtr[i + 1]];
        const part = (list: ArrayLike<number>) => Array.from(list).slice(from, to);
        const single = { rowPtr: [0, to - from], colIdx: part(FOUR.colIdx), values: part(FOUR.values ?? []) };
        engine.logits(engine.sparse(single, 4, precision), weights, out);
        expect(bits(out.view)[0]).toBe(together[i]);
      }
    });

    test('no rows, or rows of nothing', () => {
      const engine = make();
      const out = engine.vector(2, precision);
      for (const rowPtr of [[0], [0, 0, 0]]) {
        const x = engine.sparse({ rowPtr, colIdx: [], values: [] }, 3, precision);
        const weights = engine.weights(x);
        weights.set(0, [1, 2, 3, -4]);
        out.view.fill(9);
        engine.logits(x, weights, out);
        expect([...out.view]).toEqual(rowPtr.length === 1 ? [9, 9] : [-4, -4]);
      }
    });
  });

  test('the arrays are copied: what is done to them later changes nothing', () => {
    const engine = make();
    const data = { rowPtr: [0, 1], colIdx: [1], values: [3] };
    const x = engine.sparse(data, 2);
    data.rowPtr[1] = 0;
    data.colIdx[0] = 0;
    data.values[0] = 7;
    const weights = engine.weights(x);
    weights.set(0, [10, 1, 0]);
    const out = engine.vector(1);
    engine.logits(x, weights, out);
    expect(out.view[0]).toBe(3);
  });

  describe('says what is wrong with the arrays and keeps no memory', () => {
    const engine = make();
    const good = { rowPtr: [0, 1, 3], colIdx: [2, 0, 1], values: [1, 2, 3] };
    const cases: [string, Partial<SparseRows>, number, string, string][] = [
      [
        'values of another length',
        { values: [1, 2] },
        3,
        'ERR_SHAPE',
        'values: expected 3 (one per entry of colIdx), got 2',
      ],
      [
        'a first offset that is not 0',
        { rowPtr: [1, 1, 3] },
        3,
        'ERR_SHAPE',
        'rowPtr: expected 0 first and 3 (entries of colIdx) last, got 1 and 3',
      ],
      [
        'a last offset that is not the number of entries',
        { rowPtr: [0, 1, 2] },
        3,
        'ERR_SHAPE',
        'rowPtr: expected 0 first and 3 (entries of colIdx) last, got 0 and 2',
      ],
      [
        'offsets that fall',
        { rowPtr: [0, 4, 3] },
        3,
        'ERR_SHAPE',
        'rowPtr: expected whole offsets that never fall, got 4 then 3 at row 1',
      ],
      [
        'an offset that is no number',
        { rowPtr: [0, Number.NaN, 3] },
        3,
        'ERR_SHAPE',
        'rowPtr: expected whole offsets that never fall, got 0 then NaN at row 0',
      ],
      [
        'half an entry',
        { rowPtr: [0, 1.5, 3] },
        3,
        'ERR_SHAPE',
        'rowPtr: expected whole offsets that never fall, got 0 then 1.5 at row 0',
      ],
      [
        'a column past the last',
        { colIdx: [2, 3, 1] },
        3,
        'ERR_RANGE',
        'colIdx: expected columns from 0 to 2, got 3 at entry 1; hash into fewer columns or widen the weights',
      ],
      [
        'a negative column',
        { colIdx: [2, 0, -1] },
        3,
        'ERR_RANGE',
        'colIdx: expected columns from 0 to 2, got -1 at entry 2; hash into fewer columns or widen the weights',
      ],
      [
        'half a column',
        { colIdx: [0.5, 0, 1] },
        3,
        'ERR_RANGE',
        'colIdx: expected columns from 0 to 2, got 0.5 at entry 0; hash into fewer columns or widen the weights',
      ],
      ['no offsets', { rowPtr: [] }, 3, 'ERR_RANGE', 'rows: expected a whole number from 0 to 4294967280, got -1'],
      [
        'half a number of columns',
        {},
        2.5,
        'ERR_RANGE',
        'columns: expected a whole number from 0 to 4294967280, got 2.5',
      ],
      [
        'a negative number of columns',
        {},
        -1,
        'ERR_RANGE',
        'columns: expected a whole number from 0 to 4294967280, got -1',
      ],
    ];
    test.each(cases)('%s', (_, change, columns, code, message) => {
      const before = engine.bytesInUse;
      expect(thrown(() => engine.sparse({ ...good, ...change }, columns))).toEqual({ code, message });
      expect(engine.bytesInUse).toBe(before);
      expectWorking(engine);
    });

    test('the same arrays, right, are taken, and freed leave nothing', () => {
      const before = engine.bytesInUse;
      const x = engine.sparse(good, 3);
      expect(engine.bytesInUse).toBeGreaterThan(before);
      x.free();
      x.free();
      expect(engine.bytesInUse).toBe(before);
    });
  });

  test('weights of another shape, an out too short, memory of another engine are refused', () => {
    const engine = make();
    const x = engine.sparse(FOUR, 4);
    const weights = engine.weights(x);
    const out = engine.vector(4);
    expect(thrown(() => engine.logits(x, engine.weights({ ...x, slots: 3 }), out)).message).toBe(
      'weights: expected 4 slots, sparse, f64 (as the batch), got 3, sparse, f64',
    );
    expect(thrown(() => engine.logits(x, engine.weights({ ...x, layout: 'rows' }), out)).message).toBe(
      'weights: expected 4 slots, sparse, f64 (as the batch), got 4, rows, f64',
    );
    expect(thrown(() => engine.logits(x, engine.weights({ ...x, precision: 'f32' }), out)).message).toBe(
      'weights: expected 4 slots, sparse, f64 (as the batch), got 4, sparse, f32',
    );
    expect(thrown(() => engine.logits(x, weights, engine.vector(3))).message).toBe(
      'out: expected at least 4 f64 values, got 3 f64',
    );
    expect(thrown(() => make().logits(x, weights, out)).message).toBe(
      'batch: expected memory of this engine, got that of another',
    );
  });
});

describe.each(onHeap)('%s with a limit on its memory', (_, build) => {
  test('a sparse batch that does not fit gives everything back, whichever of its arrays passes the limit', () => {
    const { engine, heap } = build();
    const rowPtr = new Uint32Array(1001).fill(50_000, 1);
    const data = { rowPtr, colIdx: new Uint32Array(50_000), values: new Float64Array(50_000) };
    const before = engine.bytesInUse;
    const start = heap.memory.buffer.byteLength;
    const large = { rowPtr: new Uint32Array(100_001), colIdx: [], values: [] };
    const refused: [SparseRows, number, string][] = [
      [large, start, 'offsets of 100000 sparse rows: needs 400004 more bytes'],
      [data, start, 'columns of 50000 entries: needs 200000 more bytes'],
      [data, start + 250_000, 'values of 50000 entries: needs 400000 more bytes'],
    ];
    for (const [input, limit, sentence] of refused) {
      heap.limit = limit;
      const { code, message } = thrown(() => engine.sparse(input, 1));
      expect(code).toBe('ERR_MEMORY');
      expect(message).toContain(sentence);
      expect(engine.bytesInUse).toBe(before);
      expectWorking(engine);
    }
    heap.limit = 2 ** 32;
    engine.sparse(data, 1).free();
  });
});
