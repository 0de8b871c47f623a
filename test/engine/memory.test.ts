import { describe, expect, test } from 'vitest';
import type { Block } from '../../bindings/heap.ts';
import { sweep } from '../full.ts';
import { expectWorking, thrown } from './checks.ts';
import { engines, numbers, onHeap } from './engines.ts';
import { implementations } from './kernels.ts';

describe.each(implementations)('the heap of %s', (_, make) => {
  const steps = sweep(500_000, 2_000_000);
  test(`${steps} allocations and releases of mixed sizes, a few dozen alive at a time, do not grow the memory`, () => {
    const { heap } = make();
    const next = numbers(41);
    const alive = new Array<Block | undefined>(48);
    let early = 0;
    for (let step = 0; step < steps; step++) {
      const i = Math.floor((next() + 1) * 24);
      const old = alive[i];
      if (old) heap.release(old);
      // mostly small, now and then large
      alive[i] = heap.allocate((step & 63) === 0 ? 100_000 : 16 + Math.floor((next() + 1) * 2000), 'a block');
      if (step === 200_000) early = heap.memory.buffer.byteLength;
    }
    expect(heap.memory.buffer.byteLength).toBe(early);
    // 48 blocks of at most 100,000 bytes, with what lies between them
    expect(early).toBeLessThan(2 * 48 * 100_016);
    for (const block of alive) heap.release(block!);
    expect(heap.bytesInUse).toBe(0);
  });
});

describe.each(engines)('%s', (_, make) => {
  const times = sweep(20_000, 100_000);
  test(`${times} of everything, allocated and freed, do not grow the memory`, () => {
    const engine = make();
    const before = engine.bytesInUse;
    const target = { y: [0, 1] };
    let bytes = 0;
    for (let i = 0; i < times; i++) {
      const rows = engine.rows(2, 3, i & 1 ? 'f32' : 'f64');
      const table = engine.columns(2 + (i % 5), [{ kind: 'numeric' }, { kind: 'coded', slots: 300 }]);
      const sparse = engine.sparse({ rowPtr: [0, 1, 2], colIdx: [0, 1], values: i & 2 ? [1, 2] : null }, 2);
      const weights = engine.weights(rows, 2);
      const out = engine.vector(i % 17);
      const likelihood = i % 100 === 0 ? engine.likelihood(rows, target) : undefined;
      for (const part of i & 4 ? [out, sparse, rows, weights, table] : [rows, table, sparse, weights, out]) part.free();
      likelihood?.free();
      if (i === 1000) bytes = engine.heap.memory.buffer.byteLength;
    }
    expect(engine.heap.memory.buffer.byteLength).toBe(bytes);
    expect(engine.bytesInUse).toBe(before);
    expectWorking(engine);
  });

  describe('refuses sizes that 32 bits cannot address, and stays usable', () => {
    const engine = make();
    const most = 4294967280;
    // products that are small again modulo 2³²
    const cases: [string, () => unknown, string][] = [
      ['rows: 2³⁴ bytes', () => engine.rows(2 ** 30, 4, 'f32'), 'a batch of 1073741824 × 4 f32: needs 17179869184'],
      [
        'rows: 2³² + 64 bytes',
        () => engine.rows(2 ** 28 + 4, 4, 'f32'),
        'a batch of 268435460 × 4 f32: needs 4294967360',
      ],
      [
        'rows: the largest of both',
        () => engine.rows(most, most),
        `a batch of ${most} × ${most} f64: needs ${most * most * 8}`,
      ],
      ['rows: one row too wide', () => engine.rows(1, 2 ** 30), 'a batch of 1 × 1073741824 f64: needs 8589934592'],
      ['vector', () => engine.vector(2 ** 29 + 2), 'a vector of 536870914 f64: needs 4294967312'],
      ['vector: the longest', () => engine.vector(most), `a vector of ${most} f64: needs ${most * 8}`],
      [
        'columns',
        () => engine.columns(2 ** 30 + 4, [{ kind: 'numeric' }], 'f32'),
        'a batch of 1073741828 rows and 1 columns: needs 4294967776',
      ],
      [
        'weights',
        () => engine.weights({ layout: 'sparse', slots: 2 ** 20 - 1, precision: 'f64' }, 2 ** 12 + 1),
        '4097 weight vectors of 1048575: needs 34368126976',
      ],
      [
        'weights: columns whose slots add up beyond 32 bits',
        () => {
          const slots = 2 ** 31;
          const table = engine.columns(0, [
            { kind: 'coded', slots },
            { kind: 'coded', slots },
          ]);
          try {
            engine.weights(table);
          } finally {
            table.free();
          }
        },
        '1 weight vectors of 4294967296: needs 34359738376',
      ],
    ];
    test.each(cases)('%s', (_, call, sentence) => {
      const before = engine.bytesInUse;
      const size = engine.heap.memory.buffer.byteLength;
      expect(thrown(call)).toEqual({
        code: 'ERR_MEMORY',
        message: `${sentence} more bytes, past the 4 GiB of WebAssembly; use smaller batches or free those that are done`,
      });
      expect(engine.bytesInUse).toBe(before);
      expect(engine.heap.memory.buffer.byteLength).toBe(size);
      expectWorking(engine);
    });

    test.each([
      ['rows', () => engine.rows(2 ** 32, 1)],
      ['columns', () => engine.columns(2 ** 32, [])],
      ['vector', () => engine.vector(2 ** 32)],
      ['weights', () => engine.weights({ layout: 'rows', slots: 1, precision: 'f64' }, 2 ** 32)],
      ['sparse', () => engine.sparse({ rowPtr: { length: 2 ** 32 + 1 }, colIdx: [] }, 1)],
    ])('%s: a count that does not fit 32 bits', (_, call) => {
      const { code, message } = thrown(call);
      expect(code).toBe('ERR_RANGE');
      expect(message).toContain('expected a whole number from 0 to 4294967280, got 4294967296');
      expectWorking(engine);
    });
  });
});

describe.each(onHeap)('%s', (name, build) => {
  test('at its limit: ERR_MEMORY again and again, what is there keeps its values, what is freed can be had again', () => {
    const { engine, heap } = build();
    heap.limit = 1 << 20;
    const batches = [];
    while (batches.length < 1000) {
      try {
        const batch = engine.rows(100, 16, 'f32');
        batch.view.fill(batches.length);
        batches.push(batch);
      } catch (error) {
        expect((error as { code: string }).code).toBe('ERR_MEMORY');
        break;
      }
    }
    // 6400 bytes each: all that fit
    expect(batches.length).toBeGreaterThan(150);
    const inUse = engine.bytesInUse;
    for (let i = 0; i < 1000; i++) expect(thrown(() => engine.rows(100, 16, 'f32')).code).toBe('ERR_MEMORY');
    expect(engine.bytesInUse).toBe(inUse);
    expect(heap.memory.buffer.byteLength).toBeLessThanOrEqual(1 << 20);
    batches.forEach((batch, i) => {
      expect(batch.view.every((value) => value === i)).toBe(true);
    });
    // scoring goes on in what was freed
    batches.pop()?.free();
    expectWorking(engine);
    const again = engine.rows(100, 16, 'f32');
    expect(again.view.every((value) => value === 0)).toBe(true);
    for (const batch of [...batches, again]) batch.free();
    expect(engine.bytesInUse).toBe(0);
    expectWorking(engine);
  });

  // the JavaScript engine copies its memory when it grows: 4 GiB of it would take seconds
  test.runIf(name === 'wasm')('the whole 4 GiB: the last block works, and nothing follows it', () => {
    const { engine, heap } = build();
    const start = heap.allocate(16, 'the first').address;
    // never touched, so the host need not have them
    heap.allocate(2 ** 32 - (start + 16) - 1024, 'almost all');
    expect(thrown(() => engine.vector(128)).message).toBe(
      'a vector of 128 f64: needs 1024 more bytes, past the 4 GiB of WebAssembly; use smaller batches or free those that are done',
    );
    // 126 values end 16 bytes before 2³², where an end address would be 0 to a kernel
    const last = engine.vector(126);
    expect(last.address + 126 * 8).toBe(2 ** 32 - 16);
    last.view.fill(Number.POSITIVE_INFINITY);
    engine.sigmoid(last, last);
    expect([...last.view]).toEqual(new Array(126).fill(1));
    expect(thrown(() => engine.vector(1)).code).toBe('ERR_MEMORY');
    last.free();
    expectWorking(engine);
  });
});
