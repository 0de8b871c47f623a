import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../bindings/engine.ts';
import type { Table } from '../../src/encode/table.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { fitPath } from '../../src/train/path.ts';
import { engines } from '../engine/engines.ts';

/** rows of two features and a target of two or three classes that depend on the seed alone */
function tableOf(seed: number, classes: 2 | 3): Table {
  const rows = 60 + (seed % 3) * 10;
  const next = (i: number, k: number) => (((i + 1) * (7919 + seed) * (k + 3)) % 1009) / 1009;
  const codes = Uint8Array.from({ length: rows }, (_, i) => Math.floor(next(i, 1) * 4));
  const values = Float64Array.from({ length: rows }, (_, i) => 4 * next(i, 2) - 2);
  const y = Uint8Array.from({ length: rows }, (_, i) => Math.floor((next(i, 5) * 3 + next(i, 2)) * 10) % classes);
  return {
    rows,
    columns: [
      { name: 'x', kind: 'numeric', values },
      { name: 'c', kind: 'coded', codes, levels: ['north', 'south', 'east', 'west'] },
      { name: 'y', kind: 'coded', codes: y, levels: ['a', 'b', 'c'].slice(0, classes) },
    ],
  };
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? [...(v as Float64Array)] : v));

describe.each(engines)('%s', (_, make) => {
  test('a model of a path has the baseline of its rows, whenever it is asked for', () => {
    const engine = make();
    const path = fitPath(tableOf(1, 2), { target: 'y', count: 3, engine });
    const at = path.model(1).baseline;
    expect([...at!]).toEqual([...fitTable(tableOf(1, 2), { target: 'y', engine }).model.baseline!]);
    // takes the memory that the path had
    const rest = engine.rows(1000, 8);
    rest.view.fill(1e9);
    fitTable(tableOf(2, 2), { target: 'y', engine });
    expect([...path.model(1).baseline!]).toEqual([...at!]);
    expect([...path.model(2).baseline!]).toEqual([...at!]);
  });

  test('fits and paths, with anything between them that is allocated, kept, freed once or twice, give the bits of fresh engines', () => {
    type Step = readonly ['fit' | 'path' | 'score' | 'stream' | 'fail' | 'take' | 'free' | 'again', number];
    const step: fc.Arbitrary<Step> = fc.tuple(
      fc.constantFrom('fit', 'path', 'score', 'stream', 'fail', 'take', 'take', 'free', 'again'),
      fc.nat(5),
    );
    const known = new Map<string, string>();
    const scored = [0, 1].map((n) => fitTable(tableOf(n, n ? 3 : 2), { target: 'y' }).model);
    const result = (kind: 'fit' | 'path', n: number, engine: Engine): (() => string) => {
      const table = tableOf(n, n % 2 ? 3 : 2);
      const options = { target: 'y', engine, multiclass: n > 3 ? ('ovr' as const) : undefined };
      if (kind === 'fit') {
        const { model } = fitTable(table, { ...options, C: 2 });
        return () => text(model.score({ x: 0.5, c: 'south' })) + text([model.weights, model.intercept, model.baseline]);
      }
      const path = fitPath(table, { ...options, count: 4, l1Ratio: n === 2 ? 0.5 : 0 });
      return () => text(path.steps) + text([2, 3].map((k) => [path.model(k).weights, path.model(k).baseline]));
    };
    const fresh = (kind: 'fit' | 'path', n: number) => {
      const key = `${kind} ${n}`;
      if (!known.has(key)) known.set(key, result(kind, n, make())());
      return known.get(key);
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const engine = make();
        const taken: { free(): void }[] = [];
        const later: (() => void)[] = [];
        // the kept scorers of a stream: one at a time, in whatever order they come
        const streams = scored.map((model) => model.scorer(engine, { reuse: true, capacity: 16 }));
        for (const [kind, n] of steps) {
          if (kind === 'score' || kind === 'stream') {
            const table = tableOf(n, 2);
            const scorer = kind === 'stream' ? streams[n % 2] : scored[n % 2].scorer(engine);
            const other = scored[n % 2].scorer(make()).score(table);
            const got = scorer.score(table);
            expect(text(got)).toBe(text(other));
            // scores without reuse are the caller's: they are the same at the end
            if (kind === 'score') later.push(() => expect(text(got)).toBe(text(other)));
          } else if (kind === 'fit' || kind === 'path') {
            const got = result(kind, n, engine);
            later.push(() => expect(got()).toBe(fresh(kind, n)));
            if (n % 2) later[later.length - 1]();
          } else if (kind === 'fail') {
            expect(() => fitTable(tableOf(n, 2), { target: 'y', engine, weight: 'c' })).toThrow();
          } else if (kind === 'take') {
            const vector = engine.vector(100 * (n + 1));
            vector.view.fill(Number.NaN);
            const batch = engine.columns(50, [{ kind: 'numeric' }, { kind: 'coded', slots: 9 }]);
            batch.codes(1).fill(8);
            taken.push(vector, batch);
          } else if (kind === 'free') taken.splice(n % Math.max(1, taken.length), 1)[0]?.free();
          else taken[n % Math.max(1, taken.length)]?.free();
        }
        for (const check of later) check();
        for (const part of [...taken, ...streams]) part.free();
        expect(engine.bytesInUse).toBe(0);
      }),
      { numRuns: 40, seed: 12 },
    );
  });
});

test.each([
  ['-1', Int32Array.of(0, -1, 1, 0, 1, 0)],
  ['NaN', Float64Array.of(0, Number.NaN, 1, 0, 1, 0)],
  ['a half', Float64Array.of(0, 0.5, 1, 0, 1, 0)],
])('a code that is none is refused by row and column: %s', (_, codes) => {
  const y = { name: 'y', kind: 'coded', codes: Uint8Array.of(0, 1, 0, 1, 0, 1), levels: ['a', 'b'] } as const;
  const x = { name: 'x', kind: 'numeric', values: Float64Array.of(1, 2, 3, 4, 5, 6) } as const;
  const bad = { name: 'c', kind: 'coded', codes: codes as never, levels: ['p', 'q'] } as const;
  const message = /^row 1 \(from 0\), column "c": expected a whole number from 0 on as code/;
  expect(() => fitTable({ rows: 6, columns: [x, bad, y] }, { target: 'y' })).toThrow(message);
  expect(() => fitTable({ rows: 6, columns: [x, bad, y] }, { target: 'c' })).toThrow(message);
  expect(() =>
    fitTable(
      { rows: 6, columns: [x, bad, y] },
      {
        target: 'y',
        schema: {
          features: [
            { name: 'x', kind: 'numeric' },
            { name: 'c', kind: 'categorical' },
          ],
        },
      },
    ),
  ).toThrow(message);
  // a column that takes no part may hold anything
  expect(fitTable({ rows: 6, columns: [x, bad, y] }, { target: 'y', features: ['x'] }).model.encoder.slots).toBe(1);
});
