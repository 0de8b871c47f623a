import { describe, expect, test } from 'vitest';
import { Engine, pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { planeStride } from '../../bindings/layout.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import { expectWorking, thrown } from './checks.ts';
import { columnsOn, numbers, onHeap, precisionsOf, scoringEngines } from './engines.ts';
import { bits, simd } from './kernels.ts';

describe.each(scoringEngines)('%s', (name, make) => {
  test('names itself and says why it was picked', () => {
    const engine = make();
    expect(name.startsWith(engine.name)).toBe(true);
    expect(engine.why).toBe(
      engine.name === 'js' ? 'the JavaScript engine was asked for' : 'WebAssembly SIMD is available',
    );
  });

  describe.each(precisionsOf(name))('%s', (precision) => {
    test('logits of rows, worked by hand', () => {
      const engine = make();
      const batch = engine.rows(3, 5, precision);
      expect(batch.stride).toBe(8);
      expect([...batch.view]).toEqual(new Array(24).fill(0));
      batch.set([1, 2, 3, 4, 5, -1, 0, 0, 0, 0.5, 0, 0, 0, 0, 0]);
      const weights = engine.weights(batch, 2);
      weights.set(0, [1, 10, 100, 1000, 10000, 0.5]);
      weights.set(1, [2, 0, 0, 0, 0, -1]);
      const out = engine.vector(planeStride(3) + 3, precision);
      engine.logits(batch, weights, out);
      expect([...out.view.subarray(0, 3)]).toEqual([54321.5, 4999.5, 0.5]);
      expect([...out.view.subarray(4, 7)]).toEqual([1, -3, -1]);
    });

    test('logits of columns, worked by hand', () => {
      const engine = make();
      const batch = columnsOn(
        engine,
        4,
        [
          { kind: 'numeric' },
          { kind: 'coded', slots: 3 },
          { kind: 'coded', slots: 300 },
          { kind: 'coded', slots: 70000 },
        ],
        precision,
      );
      expect(batch.offsets).toEqual([0, 1, 4, 304]);
      expect(batch.slots).toBe(70304);
      expect(batch.codes(1)).toBeInstanceOf(Uint8Array);
      expect(batch.codes(2)).toBeInstanceOf(Uint16Array);
      expect(batch.codes(3)).toBeInstanceOf(Uint32Array);
      batch.numeric(0).set([1, -2, 0.5, 0]);
      batch.codes(1).set([2, 1, 0, 0]);
      batch.codes(2).set([299, 256, 0, 1]);
      batch.codes(3).set([69999, 65536, 0, 1]);
      const weights = engine.weights(batch);
      const params = new Float64Array(70305);
      params[0] = 2;
      params.set([10, 20, 30], 1);
      params[4] = 100;
      params[4 + 256] = 200;
      params[4 + 299] = 300;
      params[304] = 1000;
      params[304 + 65536] = 2000;
      params[304 + 69999] = 3000;
      params[70304] = 0.25;
      weights.set(0, params);
      const out = engine.vector(4, precision);
      engine.logits(batch, weights, out);
      expect([...out.view]).toEqual([3332.25, 2216.25, 1111.25, 10.25]);
      batch.setRows(1);
      out.view.fill(9);
      engine.logits(batch, weights, out);
      expect(out.view[0]).toBe(3332.25);
      expect(batch.codes(1).length).toBe(1);
    });

    test('rows as wide as whole vectors are set in one piece, and from any row on', () => {
      const batch = make().rows(3, 4, precision);
      batch.set([1, 2, 3, 4, 5, 6, 7, 8], 1);
      expect([...batch.view]).toEqual([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    });

    test('sigmoid: exact at 0 and at the ends, in place or not, as many as asked for', () => {
      const engine = make();
      const z = engine.vector(5, precision);
      const out = engine.vector(5, precision);
      z.view.set([0, -0, 200, -1e30, Number.NaN]);
      engine.sigmoid(z, out);
      expect([...out.view]).toEqual([0.5, 0.5, 1, 0, Number.NaN]);
      out.view.fill(7);
      engine.sigmoid(z, out, 4);
      expect([...out.view.subarray(0, 4)]).toEqual([0.5, 0.5, 1, 0]);
      engine.sigmoid(z, z);
      expect([...z.view]).toEqual([0.5, 0.5, 1, 0, Number.NaN]);
      z.view[0] = 3;
      engine.sigmoid(z, z, 0);
      expect(z.view[0]).toBe(3);
    });

    test('empty batches: no rows, no features, no columns', () => {
      const engine = make();
      const out = engine.vector(3, precision);
      for (const rows of [0, 3]) {
        for (const batch of [engine.rows(rows, 0, precision), columnsOn(engine, rows, [], precision)]) {
          const weights = engine.weights(batch);
          weights.set(0, [-4]);
          out.view.fill(9);
          engine.logits(batch, weights, out);
          expect([...out.view.subarray(0, rows)]).toEqual(new Array(rows).fill(-4));
        }
      }
      const narrow = engine.rows(0, 3, precision);
      engine.logits(narrow, engine.weights(narrow), engine.vector(0, precision));
    });

    test('a row has the same bits alone, in a batch, and in a batch read as four streams', () => {
      const engine = make();
      const features = 30;
      const many = precision === 'f32' ? 17_003 : 9_003;
      const next = numbers(7);
      const values = Float64Array.from({ length: many * features }, next);
      const params = Float64Array.from({ length: features + 1 }, next);
      const batch = engine.rows(many, features, precision);
      // the kernel reads from four places above 2 MiB
      expect(batch.view.byteLength).toBeGreaterThan(2 ** 21);
      batch.set(values);
      const weights = engine.weights(batch);
      weights.set(0, params);
      const out = engine.vector(many, precision);
      engine.logits(batch, weights, out);
      const together = bits(out.view);
      const single = engine.rows(1, features, precision);
      const seven = engine.rows(7, features, precision);
      for (const i of [0, 1, 2, 3, 4250, 4251, 8500, 8501, many - 3, many - 2, many - 1]) {
        single.set(values.subarray(i * features, (i + 1) * features));
        engine.logits(single, weights, out);
        expect(bits(out.view.subarray(0, 1))[0]).toBe(together[i]);
        for (let r = 0; r < 7; r++) seven.set(values.subarray(i * features, (i + 1) * features), r);
        engine.logits(seven, weights, out);
        expect(bits(out.view.subarray(0, 7))).toEqual(new Array(7).fill(together[i]));
      }
    });

    test('several weight vectors in one pass give the bits of one at a time', () => {
      const engine = make();
      const next = numbers(11);
      const dense = engine.rows(21, 6, precision);
      dense.set(Float64Array.from({ length: 126 }, next));
      const table = columnsOn(engine, 21, [{ kind: 'numeric' }, { kind: 'coded', slots: 5 }], precision);
      table.numeric(0).set(Float64Array.from({ length: 21 }, next));
      table.codes(1).set(Uint8Array.from({ length: 21 }, (_, i) => (i * 3) % 5));
      for (const batch of [dense, table]) {
        const vectors = [0, 1, 2].map(() => Float64Array.from({ length: batch.slots + 1 }, next));
        const three = engine.weights(batch, 3);
        vectors.forEach((params, j) => {
          three.set(j, params);
        });
        const out = engine.vector(3 * planeStride(21), precision);
        engine.logits(batch, three, out);
        const alone = engine.vector(21, precision);
        const one = engine.weights(batch);
        vectors.forEach((params, j) => {
          one.set(0, params);
          engine.logits(batch, one, alone);
          expect(bits(out.view.subarray(j * 24, j * 24 + 21))).toEqual(bits(alone.view));
        });
      }
    });
  });

  test('views and batches survive growth of the memory', () => {
    const engine = make();
    const batch = engine.rows(2, 3);
    const table = columnsOn(engine, 2, [{ kind: 'numeric' }, { kind: 'coded', slots: 2 }]);
    const weights = engine.weights(batch);
    const out = engine.vector(2);
    weights.set(0, [1, 10, 100, 0.5]);
    batch.set([1, 2, 3, 4, 5, 6]);
    table.numeric(0).set([7, 8]);
    table.codes(1).set([0, 1]);
    const stale = batch.view;
    const before = engine.heap.memory.buffer.byteLength;
    const large = engine.vector(2 ** 20);
    expect(engine.heap.memory.buffer.byteLength).toBeGreaterThan(before + 2 ** 22);
    expect(batch.view.buffer).not.toBe(stale.buffer);
    expect([...batch.view]).toEqual([1, 2, 3, 0, 4, 5, 6, 0]);
    expect([...table.numeric(0)]).toEqual([7, 8]);
    expect([...table.codes(1)]).toEqual([0, 1]);
    large.view.fill(Number.NaN);
    engine.logits(batch, weights, out);
    expect([...out.view]).toEqual([321.5, 654.5]);
    batch.view[0] = 2;
    engine.logits(batch, weights, out);
    expect([...out.view]).toEqual([322.5, 654.5]);
  });

  test('a batch in reused memory starts from zero: values, padding, codes, weights', () => {
    const engine = make();
    const dirty = engine.vector(4096);
    dirty.view.fill(Number.NaN);
    dirty.free();
    const batch = engine.rows(5, 6);
    expect(batch.address).toBe(dirty.address);
    expect([...batch.view]).toEqual(new Array(40).fill(0));
    const table = columnsOn(engine, 9, [{ kind: 'coded', slots: 3 }]);
    expect([...table.codes(0)]).toEqual(new Array(9).fill(0));
    const weights = engine.weights(batch);
    const out = engine.vector(5);
    engine.logits(batch, weights, out);
    expect([...out.view]).toEqual([0, 0, 0, 0, 0]);
  });

  test('ten thousand batches, scored and freed, do not grow the memory', () => {
    const engine = make();
    const weights = engine.weights({ layout: 'rows', slots: 7, precision: 'f64' });
    weights.set(0, [1, 1, 1, 1, 1, 1, 1, 0]);
    const inUse = engine.bytesInUse;
    let bytes = 0;
    for (let cycle = 0; cycle < 10_000; cycle++) {
      const rows = 1 + (cycle % 97);
      const batch = engine.rows(rows, 7);
      const out = engine.vector(rows);
      batch.view[0] = cycle;
      engine.logits(batch, weights, out);
      expect(out.view[0]).toBe(cycle);
      // in either order
      if (cycle & 1) {
        batch.free();
        out.free();
      } else {
        out.free();
        batch.free();
      }
      if (cycle === 100) bytes = engine.heap.memory.buffer.byteLength;
    }
    expect(engine.heap.memory.buffer.byteLength).toBe(bytes);
    expect(engine.bytesInUse).toBe(inUse);
    weights.free();
    expect(engine.bytesInUse).toBe(0);
  });

  test('freeing twice is harmless', () => {
    const engine = make();
    const first = engine.vector(4);
    first.free();
    first.free();
    expect(engine.bytesInUse).toBe(0);
    expectWorking(engine);
  });

  describe('says what is wrong and stays usable', () => {
    const engine = make();
    const batch = engine.rows(3, 2);
    const table = columnsOn(engine, 3, [{ kind: 'numeric' }, { kind: 'coded', slots: 2 }]);
    const weights = engine.weights(batch);
    const out = engine.vector(3);
    const cases: [string, () => unknown, string, string][] = [
      [
        'a negative number of rows',
        () => engine.rows(-1, 2),
        'ERR_RANGE',
        'rows: expected a whole number from 0 to 4294967280, got -1',
      ],
      [
        'half a row',
        () => columnsOn(engine, 1.5, []),
        'ERR_RANGE',
        'rows: expected a whole number from 0 to 4294967280, got 1.5',
      ],
      [
        'not a number of features',
        () => engine.rows(1, Number.NaN),
        'ERR_RANGE',
        'features: expected a whole number from 0 to 4294967280, got NaN',
      ],
      [
        'infinitely long',
        () => engine.vector(Number.POSITIVE_INFINITY),
        'ERR_RANGE',
        'vector length: expected a whole number from 0 to 4294967280, got Infinity',
      ],
      [
        'weight vectors',
        () => engine.weights(batch, -2),
        'ERR_RANGE',
        'weight vectors: expected a whole number from 0 to 4294967280, got -2',
      ],
      [
        'a weight vector that is not there',
        () => weights.set(1, [1, 2, 3]),
        'ERR_RANGE',
        'weight vector: expected a whole number from 0 to 0, got 1',
      ],
      [
        'weights of another length',
        () => weights.set(0, [1, 2]),
        'ERR_SHAPE',
        'weights and intercept: expected 3 numbers, got 2',
      ],
      [
        'part of a row',
        () => batch.set([1, 2, 3]),
        'ERR_SHAPE',
        'rows: expected at most 3 rows of 2 values, got 3 values',
      ],
      [
        'more rows than there is room for',
        () => batch.set([1, 2, 3, 4], 2),
        'ERR_SHAPE',
        'rows: expected at most 1 rows of 2 values, got 4 values',
      ],
      [
        'rows before the first',
        () => batch.set([1, 2], -1),
        'ERR_RANGE',
        'first: expected a whole number from 0 to 3, got -1',
      ],
      [
        'weights of another width',
        () => engine.logits(batch, engine.weights({ layout: 'rows', slots: 3, precision: 'f64' }), out),
        'ERR_SHAPE',
        'weights: expected 2 slots, rows, f64 (as the batch), got 3, rows, f64',
      ],
      [
        'weights of another layout',
        () => engine.logits(table, engine.weights({ layout: 'rows', slots: 3, precision: 'f64' }), out),
        'ERR_SHAPE',
        'weights: expected 3 slots, columns, f64 (as the batch), got 3, rows, f64',
      ],
      [
        'too short an out',
        () => engine.logits(batch, weights, engine.vector(2)),
        'ERR_SHAPE',
        'out: expected at least 3 f64 values, got 2 f64',
      ],
      [
        'more probabilities than logits',
        () => engine.sigmoid(out, out, 4),
        'ERR_RANGE',
        'count: expected a whole number from 0 to 3, got 4',
      ],
      [
        'a negative count',
        () => engine.sigmoid(out, out, -1),
        'ERR_RANGE',
        'count: expected a whole number from 0 to 3, got -1',
      ],
      [
        'more than 32 bits address',
        () => engine.rows(2 ** 28, 8),
        'ERR_MEMORY',
        'a batch of 268435456 × 8 f64: needs 17179869184 more bytes, past the 4 GiB of WebAssembly; use smaller batches or free those that are done',
      ],
    ];
    if (engine instanceof Engine) {
      const open = engine.columns(3, [{ kind: 'numeric' }, { kind: 'coded', slots: 2 }]);
      cases.push(
        [
          'numbers of a coded column',
          () => open.numeric(1),
          'ERR_SHAPE',
          'column 1: expected a numeric one, got coded',
        ],
        [
          'codes of a column that is not there',
          () => open.codes(2),
          'ERR_SHAPE',
          'column 2: expected a coded one, got absent',
        ],
        [
          'weights of another precision',
          () => engine.logits(batch, engine.weights({ layout: 'rows', slots: 2, precision: 'f32' }), out),
          'ERR_SHAPE',
          'weights: expected 2 slots, rows, f64 (as the batch), got 2, rows, f32',
        ],
        [
          'an out of another precision',
          () => engine.logits(batch, weights, engine.vector(3, 'f32')),
          'ERR_SHAPE',
          'out: expected at least 3 f64 values, got 3 f32',
        ],
        [
          'slots of column 0',
          () => engine.columns(3, [{ kind: 'coded', slots: 2.5 }]),
          'ERR_RANGE',
          'slots of column 0: expected a whole number from 1 to 4294967280, got 2.5',
        ],
        [
          'more rows than the capacity',
          () => open.setRows(4),
          'ERR_RANGE',
          'rows (at most the capacity): expected a whole number from 0 to 3, got 4',
        ],
      );
    } else {
      cases.push([
        'f32 of an engine for scoring alone',
        () => engine.rows(1, 1, 'f32'),
        'ERR_RANGE',
        'precision (f32: by pickEngine of "logodds"): expected f64, got f32',
      ]);
    }
    test.each(cases)('%s', (_, call, code, message) => {
      const guard = engine.vector(64);
      guard.view.fill(42);
      expect(thrown(call)).toEqual({ code, message });
      expect([...guard.view]).toEqual(new Array(64).fill(42));
      guard.free();
      expectWorking(engine);
    });
  });

  test('what belongs to another engine is refused', () => {
    const engine = make();
    const other = make();
    const batch = engine.rows(1, 2);
    const weights = engine.weights(batch);
    const out = engine.vector(1);
    const message = 'expected memory of this engine, got that of another';
    expect(thrown(() => other.logits(batch, weights, out))).toEqual({
      code: 'ERR_ENGINE',
      message: `batch: ${message}`,
    });
    expect(thrown(() => engine.logits(batch, other.weights(batch), out))).toEqual({
      code: 'ERR_ENGINE',
      message: `weights: ${message}`,
    });
    expect(thrown(() => engine.logits(batch, weights, other.vector(1)))).toEqual({
      code: 'ERR_ENGINE',
      message: `out: ${message}`,
    });
    expect(thrown(() => engine.sigmoid(other.vector(1), out))).toEqual({
      code: 'ERR_ENGINE',
      message: `z: ${message}`,
    });
  });
});

describe.each(onHeap)('%s with a limit on its memory', (_, build) => {
  test('refuses what passes it, names the thing, keeps what was there, and takes what fits', () => {
    const { engine, heap } = build();
    const kept = engine.rows(4, 4);
    kept.set(Array.from({ length: 16 }, (_v, i) => i));
    heap.limit = 1 << 20;
    const inUse = engine.bytesInUse;
    expect(thrown(() => engine.rows(100_000, 8, 'f32'))).toEqual({
      code: 'ERR_MEMORY',
      message:
        'a batch of 100000 × 8 f32: needs 3200000 more bytes, past the limit of 1048576 bytes; use smaller batches or free those that are done',
    });
    expect(thrown(() => engine.vector(200_000)).message).toContain('a vector of 200000 f64: needs 1600000 more bytes');
    const table = () =>
      engine.columns(100_000, [{ kind: 'coded', slots: 4 }, { kind: 'numeric' }, { kind: 'numeric' }]);
    expect(thrown(table).message).toContain('a batch of 100000 rows and 3 columns: needs 1701392 more bytes');
    // nothing of it was kept
    expect(engine.bytesInUse).toBe(inUse);
    expect([...kept.view]).toEqual(Array.from({ length: 16 }, (_v, i) => i));
    expect(heap.memory.buffer.byteLength).toBeLessThanOrEqual(1 << 20);
    expectWorking(engine);
    engine.rows(10_000, 8, 'f32').free();
  });

  test('a likelihood that does not fit gives everything back', () => {
    const { engine, heap } = build();
    const batch = engine.rows(50_000, 1, 'f32');
    const inUse = engine.bytesInUse;
    const y = new Float64Array(50_000);
    const size = heap.memory.buffer.byteLength;
    // weights and offsets take 800,000 bytes, the curvature, at the first evaluation, 400,000
    heap.limit = size + 700_000;
    expect(thrown(() => engine.likelihood(batch, { y, weight: y, offset: y })).code).toBe('ERR_MEMORY');
    expect(engine.bytesInUse).toBe(inUse);
    heap.limit = size + 1_100_000;
    const likelihood = engine.likelihood(batch, { y, weight: y, offset: y });
    expect(thrown(() => likelihood.at(new Float64Array(2), new Float64Array(2))).code).toBe('ERR_MEMORY');
    likelihood.free();
    expect(engine.bytesInUse).toBe(inUse);
    expectWorking(engine);
  });

  test('a host that refuses to grow is an error with its cause', () => {
    const { engine, heap } = build();
    const grow = heap.memory.grow;
    heap.memory.grow = () => {
      throw new RangeError('the host said no');
    };
    let error: unknown;
    try {
      engine.vector(10 ** 6);
    } catch (caught) {
      error = caught;
    }
    heap.memory.grow = grow;
    expect(error).toBeInstanceOf(LogoddsError);
    expect((error as LogoddsError).message).toBe(
      'a vector of 1000000 f64: needs 8000000 more bytes, past what this host allows; use smaller batches or free those that are done',
    );
    expect((error as LogoddsError).cause).toBeInstanceOf(RangeError);
    engine.vector(10 ** 6).free();
    expectWorking(engine);
  });
});

describe('pickEngine', () => {
  const flags = ['--no-enable-sse4-1', '--no-enable-ssse3'];
  const off = flags.every((flag) => process.execArgv.includes(flag));

  test('this run has SIMD unless it was switched off, so no suite is skipped by accident', () => {
    expect(simd).toBe(!off);
    // the name that npm sets: proof that the flags of the script reach the process the tests run in
    if (process.env.npm_lifecycle_event === 'test:nosimd') expect(off).toBe(true);
  });

  test.each([
    ['pickEngine', pickEngine],
    ['pickScoringEngine', pickScoringEngine],
  ])('%s takes WebAssembly where the host has SIMD, else JavaScript, and says why', (_, pick) => {
    const engine = pick();
    expect(engine.name).toBe(off ? 'js' : 'wasm');
    if (off) {
      expect(engine.why).toMatch(/^WebAssembly SIMD is not available here \(.*SIMD.*\)$/);
      expect(thrown(() => pick('wasm')).code).toBe('ERR_ENGINE');
      expect(thrown(() => pick('wasm')).message).toMatch(
        /^engine: expected a host with WebAssembly SIMD; WebAssembly SIMD is not available here \(.*\); use engine "auto"$/,
      );
    } else expect(engine.why).toBe('WebAssembly SIMD is available');
    expectWorking(engine);
  });

  test('engines do not share memory', () => {
    const one = pickEngine();
    const two = pickEngine();
    const a = one.vector(1);
    const b = two.vector(1);
    a.view[0] = 1;
    b.view[0] = 2;
    expect(a.view[0]).toBe(1);
    expect(b.view[0]).toBe(2);
  });
});
