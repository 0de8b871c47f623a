import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { type ThreadedEngine, threadedEngine } from '../../bindings/threads.ts';
import { simd } from '../engine/kernels.ts';
import { sweep } from '../full.ts';
import { LAYOUTS, results } from './results.ts';

const COUNTS = [1, 2, 3, 4];

describe.runIf(simd)('the same bits for any number of threads, and as on one without shared memory', () => {
  const engines = COUNTS.map((threads) => threadedEngine({ threads }));
  const wasm = pickEngine('wasm');
  beforeAll(async () => {
    await Promise.all(engines.map((engine) => engine.ready()));
  });
  afterAll(() => {
    for (const engine of engines) engine.close();
  });

  describe.each(LAYOUTS)('%s', (layout) => {
    test.each(['f32', 'f64'] as const)('%s', (precision) => {
      const expected = results(wasm, layout, precision);
      expect(Object.keys(expected).length).toBe(15);
      // in part: one and three threads in f32, two and four in f64
      const some = engines.filter(({ threads }) => (threads % 2 === 1) === (precision === 'f32'));
      for (const engine of sweep(some, engines)) {
        const before = engine.bytesInUse;
        expect(results(engine, layout, precision), `${engine.threads} threads`).toEqual(expected);
        expect(engine.bytesInUse, 'memory left behind').toBe(before);
      }
    });

    test('and in JavaScript', () => {
      expect(results(engines[2], layout, 'f64')).toEqual(results(pickEngine('js'), layout, 'f64'));
    });
  });

  test('a hundred jobs of other sizes, one after another', () => {
    const [alone, , three] = engines;
    for (let rows = 0; rows < 100; rows++) {
      const n = 200_000 + 997 * rows;
      const [a, b] = [alone, three].map((engine) => {
        const z = engine.vector(n);
        z.view.fill(rows - 50);
        engine.sigmoid(z, z);
        const { view } = z;
        z.free();
        return [view[0], view[n >> 1], view[n - 1]];
      });
      expect(b).toEqual(a);
    }
  });
});

describe.runIf(simd)('an engine of two threads', () => {
  let engine: ThreadedEngine;
  beforeAll(async () => {
    engine = threadedEngine({ threads: 2 });
    await engine.ready();
  });
  afterAll(() => engine.close());

  test('says what it is', () => {
    expect(engine.name).toBe('wasm');
    expect(engine.threads).toBe(2);
    expect(engine.why).toBe('WebAssembly SIMD on 2 threads');
  });

  test('memory that grew after the workers began is theirs too, past 2 GiB as well', () => {
    const z = engine.vector(2 ** 28, 'f64');
    const last = z.length - 300_000;
    expect(z.length * 8).toBe(2 ** 31);
    const tail = engine.vector(300_000, 'f64');
    tail.view.fill(0);
    engine.sigmoid(tail, tail);
    expect(tail.view.every((value) => value === 0.5)).toBe(true);
    expect(z.view[last]).toBe(0);
    for (const part of [z, tail]) part.free();
  });

  test('memory of another engine is refused', () => {
    expect(() => engine.sigmoid(pickEngine('wasm').vector(1), engine.vector(1))).toThrow(LogoddsError);
  });
});

test.each([0, 1.5, -1, 257, Number.NaN])('%d threads are refused', (threads) => {
  expect(() => threadedEngine({ threads })).toThrow(`threads: expected a whole number from 1 to 256, got ${threads}`);
});

test.runIf(simd)('jobs may begin before the workers are up, and go on with one thread after they were closed', () => {
  const engine = threadedEngine({ threads: 4 });
  const expected = results(pickEngine('wasm'), 'columns', 'f32');
  expect(results(engine, 'columns', 'f32')).toEqual(expected);
  engine.close();
  expect(results(engine, 'columns', 'f32')).toEqual(expected);
});
