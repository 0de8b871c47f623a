import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import type { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import type { Engine } from '../../bindings/engine.ts';
import { pickEngine } from '../../bindings/engine.ts';
import { Ftrl } from '../../bindings/ftrl.ts';
import { threadedEngine } from '../../bindings/threads.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { thrown } from './checks.ts';
import { engines } from './engines.ts';
import { simd } from './kernels.ts';

/** what hosts have and the types of ES2023 lack */
type Resizable = new (bytes: number, options: { readonly maxByteLength: number }) => ArrayBuffer;

/** three rows of one coded column of three slots */
const codedBatch = (engine: Engine): ColumnsBatch => engine.columns(3, [{ kind: 'coded', slots: 3 }]);

describe.each(engines)('%s', (_, make) => {
  // as an Uint8Array holds them
  test.each([
    [-1, 255],
    [3, 3],
    [60000, 96],
  ])('a code that was set to %d is refused by logits, likelihood and learn', (code, held) => {
    const engine = make();
    const batch = codedBatch(engine);
    const weights = engine.weights(batch);
    const out = engine.vector(3);
    const likelihood = engine.likelihood(batch, { y: [0, 1, 1] });
    const ftrl = new Ftrl(engine, { slots: 3 });
    batch.codes(0)[1] = code;
    for (const use of [
      () => engine.logits(batch, weights, out),
      () => likelihood.loss(new Float64Array(4)),
      () => likelihood.select(Int32Array.of(0)),
      () => ftrl.learn(batch, [0, 1, 1]),
    ]) {
      expect(thrown(use)).toEqual({
        code: 'ERR_RANGE',
        message: `codes of column 0: expected whole numbers below 3 (its slots), got ${held} at row 1`,
      });
    }
    expect(ftrl.rows).toBe(0);
  });

  test.each([5, -1, Number.NaN])('y of %d is refused by likelihood, multinomial and learn', (y) => {
    const engine = make();
    const batch = codedBatch(engine);
    const before = engine.bytesInUse;
    const target = { y: [0, y, 1] };
    expect(thrown(() => engine.likelihood(batch, target))).toEqual({
      code: 'ERR_RANGE',
      message: `y: expected numbers from 0 to 1, got ${y} at 1; correct it or leave the row out`,
    });
    expect(thrown(() => engine.multinomial(batch, { ...target, classes: 2 })).code).toBe('ERR_RANGE');
    expect(engine.bytesInUse).toBe(before);
    expect(thrown(() => new Ftrl(engine, { slots: 3 }).learn(batch, target.y)).code).toBe('ERR_RANGE');
  });

  test('lengths that do not fit are refused by moments, scale, select and set', () => {
    const engine = make();
    const batch = engine.rows(3, 2);
    const likelihood = engine.likelihood(batch, { y: [0, 1, 1] });
    const two = new Float64Array(2);
    for (const [use, message] of [
      [() => engine.moments(batch, two), 'weight: expected 3 numbers, got 2'],
      [() => engine.scale(batch, new Float64Array(3), two), 'shift: expected 2 numbers, got 3'],
      [() => engine.scale(batch, two, new Float64Array(1)), 'factor: expected 2 numbers, got 1'],
      [() => likelihood.select({ length: 2 } as Int32Array), 'slots: expected 2 numbers, got others'],
      [() => batch.set({ length: 4 }), 'rows: expected 4 numbers, got others'],
      [() => batch.set({ length: 3 }), 'rows: expected at most 3 rows of 2 values, got 3 values'],
    ] as const) {
      expect(thrown(use)).toEqual({ code: 'ERR_SHAPE', message });
    }
  });

  test('a precision that does not exist is refused', () => {
    const engine = make();
    const u8 = 'u8' as 'f64';
    for (const use of [
      () => engine.vector(3, u8),
      () => engine.rows(1, 1, u8),
      () => engine.columns(1, [], u8),
      () => engine.sparse({ rowPtr: [0], colIdx: [] }, 1, u8),
      () => engine.weights({ layout: 'rows', slots: 1, precision: u8 }),
    ]) {
      expect(thrown(use)).toEqual({ code: 'ERR_RANGE', message: 'precision: expected f32 or f64, got u8' });
    }
    expect(engine.bytesInUse).toBe(0);
  });

  test('a getter that frees, shrinks or changes what was checked reaches no memory of others', () => {
    const engine = make();
    const rows = engine.rows(2, 2);
    const columns = codedBatch(engine);
    const ftrl = new Ftrl(engine, { slots: 3 });
    const asks = (values: number[], then: () => void) =>
      Object.defineProperty([...values], 0, {
        get() {
          then();
          return values[0];
        },
      });
    expect(
      thrown(() =>
        ftrl.learn(
          columns,
          asks([0, 1, 1], () => columns.codes(0).fill(200)),
        ),
      ).code,
    ).toBe('ERR_RANGE');
    columns.codes(0).fill(0);
    expect(
      thrown(() =>
        ftrl.learn(
          columns,
          asks([0, 1, 1], () => columns.setRows(1)),
        ),
      ).code,
    ).toBe('ERR_SHAPE');
    const y = new Float64Array(new (ArrayBuffer as unknown as Resizable)(16, { maxByteLength: 64 }));
    const shrink = asks([1, 1], () => (y.buffer as unknown as { resize(n: number): void }).resize(0));
    expect(thrown(() => engine.likelihood(rows, { y, weight: shrink })).code).toBe('ERR_SHAPE');
    const free = asks([1, 1], () => rows.free());
    expect(thrown(() => engine.scale(rows, free as never, new Float64Array(2))).code).toBe('ERR_ENGINE');
  });

  test('an array that says to be shorter than it is writes nothing behind its place', () => {
    const engine = make();
    const batch = engine.rows(8, 4);
    const next = engine.vector(8);
    const lie = Object.defineProperty(new Float64Array(64).fill(9), 'length', { value: 32 });
    batch.set(lie);
    expect([...next.view]).toEqual(new Array(8).fill(0));
    expect(
      thrown(() =>
        engine.likelihood(batch, { y: Object.defineProperty(new Float64Array(64), 'length', { value: 8 }) }),
      ),
    ).toEqual({
      code: 'ERR_SHAPE',
      message: 'y: expected 8 numbers, got 64',
    });
  });

  test('a view of before the memory grew has nothing any more', () => {
    const engine = make();
    const { view } = engine.vector(3);
    engine.vector(100_000);
    expect(view.length).toBe(0);
  });
});

test('an engine that does not exist is refused by name', () => {
  const table = { rows: 0, columns: [] };
  expect(thrown(() => pickEngine('gpu' as 'js'))).toEqual({
    code: 'ERR_RANGE',
    message: 'engine: expected auto or wasm or js, got gpu',
  });
  const y = { name: 'y', kind: 'coded', codes: Uint8Array.of(0, 1), levels: ['a', 'b'] } as const;
  const x = { name: 'x', kind: 'numeric', values: Float64Array.of(1, 2) } as const;
  expect(
    thrown(() => fitTable({ ...table, rows: 2, columns: [x, y] }, { target: 'y', engine: 'gpu' as never })).code,
  ).toBe('ERR_ENGINE');
  expect(thrown(() => new Ftrl('gpu' as never, { slots: 1 })).code).toBe('ERR_ENGINE');
});

test.each([[undefined], [null], [{}], [{ threads: 1.5 }]])('threadedEngine(%o) is refused', (options) => {
  const { code, message } = thrown(() => threadedEngine(options as never));
  expect(code).toBe('ERR_RANGE');
  expect(message).toMatch(/^threads: expected a whole number from 1 to 256, got (undefined|1\.5)$/);
});

test.runIf(simd)('a closed engine has one thread', () => {
  const engine = threadedEngine({ threads: 2 });
  expect(engine.threads).toBe(2);
  engine.close();
  expect(engine.threads).toBe(1);
});

test('a fit of several classes that runs out of memory between its likelihoods leaves none of them behind', () => {
  const engine = pickEngine('js');
  const rows = 2000;
  const table = {
    rows,
    columns: [
      { name: 'x', kind: 'numeric', values: Float64Array.from({ length: rows }, (_, i) => (i * 7) % 13) },
      { name: 'y', kind: 'coded', codes: Uint8Array.from({ length: rows }, (_, i) => i % 3), levels: ['a', 'b', 'c'] },
    ],
  } as const;
  // the batch and one likelihood fit, three do not
  engine.heap.limit = 90_000;
  expect(thrown(() => fitTable(table, { target: 'y', multiclass: 'ovr', engine })).code).toBe('ERR_MEMORY');
  expect(engine.bytesInUse).toBe(0);
});

test('what is lost without free() gives its memory back, and one warning says so', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { pickEngine } from './bindings/engine.ts';
        const engine = pickEngine('js');
        (() => { for (let i = 0; i < 10; i++) { engine.vector(1000); engine.rows(10, 10); } })();
        const before = engine.bytesInUse;
        for (let i = 0; i < 100 && engine.bytesInUse > 0; i++) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          globalThis.gc();
        }
        console.log(JSON.stringify([before > 80000, engine.bytesInUse]));`,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-'], {
    input: outputFiles[0].text,
    env: { ...process.env, NODE_OPTIONS: '' },
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '[true,0]\n' });
  expect(stderr.split('\n').filter(Boolean)).toEqual(['logodds: a batch or vector was lost; call its free()']);
});
