import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { DictionaryColumns } from '../../bindings/dictionaryColumns.ts';
import { pickEngine } from '../../bindings/engine.ts';
import type { Table } from '../../src/index.ts';
import { prepare } from '../../src/train/problem/prepare.ts';

/** More rows than a table has without dictionaries: two numbers of few values, one of many, a category. */
const ROWS = 2 ** 17 + 700;
const random = (() => {
  let state = 1;
  return () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return (state >>> 8) / 2 ** 24;
  };
})();
const few = Float64Array.from({ length: ROWS }, () => Math.floor(random() * 300) / 7 - 20);
const shares = Float32Array.from({ length: ROWS }, () => Math.floor(random() * 100) / 100);
const many = Float64Array.from({ length: ROWS }, () => random());
const codes = Uint8Array.from({ length: ROWS }, () => Math.floor(random() * 5));
const y = Float64Array.from({ length: ROWS }, (_, i) =>
  Number(random() < 1 / (1 + Math.exp(0.8 + few[i] / 9 - many[i] - shares[i] - codes[i] / 4))),
);
const weight = Float64Array.from({ length: ROWS }, (_, i) => i % 3);

const gaps = Uint8Array.from({ length: ROWS }, (_, i) => Number(i % 11 === 0));

const numeric = (name: string, values: Float64Array | Float32Array, missing: Uint8Array | null = null) =>
  ({ name, kind: 'numeric', values, missing }) as const;
const table: Table = {
  rows: ROWS,
  columns: [
    numeric('y', y),
    numeric('few', few),
    numeric('shares', shares),
    numeric('many', many),
    numeric('gappy', few, gaps),
    numeric('weight', weight),
    { name: 'code', kind: 'coded', codes, levels: ['a', 'b', 'c', 'd', 'e'] },
  ],
};
const options = { target: 'y', exclude: ['weight'] };

/** the same bytes; `toEqual` takes seconds for so many */
function expectSame(a: Float64Array, b: Float64Array): void {
  const [left, right] = [a, b].map((of) => Buffer.from(of.buffer, of.byteOffset, of.byteLength));
  expect(left.equals(right)).toBe(true);
}

describe.each(['wasm', 'js'] as const)('numbers of few values, %s', (name) => {
  test('have places in a dictionary, and likelihoods the bits of the numbers', () => {
    const engine = pickEngine(name);
    const problem = prepare(table, { ...options, engine });
    const batch = problem.batch as DictionaryColumns;
    expect(batch).toBeInstanceOf(DictionaryColumns);
    const other = engine.encoded(ROWS, problem.encoder.specs);
    problem.encoder.encode(table, other, { standardize: true });
    const placed = problem.encoder.specs.map((_, j) => batch.dictionary(j) !== null);
    // few, shares, many, gappy and its indicator, code
    expect(placed).toEqual([true, true, false, true, false, false]);
    placed.forEach((_, j) => {
      if (other.specs[j].kind === 'numeric') expectSame(batch.numeric(j), other.numeric(j));
      else expect(Buffer.from(batch.codes(j)).equals(Buffer.from(other.codes(j)))).toBe(true);
    });
    const offset = many.map((x) => x / 3);
    for (const target of [{ y: problem.rows.y }, { y, weight, offset }]) {
      const both = [batch, other].map((of) => engine.likelihood(of, target));
      const { parameters } = both[0];
      const params = Float64Array.from({ length: parameters }, (_, j) => Math.sin(j + 1));
      /** what both write is the same, and what they return */
      const same = (length: number, write: (k: number, out: Float64Array) => unknown) => {
        const outs = both.map((_, k) => {
          const out = new Float64Array(length);
          return { returned: write(k, out), out };
        });
        expectSame(outs[0].out, outs[1].out);
        expect(outs[0].returned).toBe(outs[1].returned);
      };
      same(parameters, (k, out) => both[k].at(params, out).loss);
      same(0, (k) => both[k].loss(params));
      same(parameters ** 2, (k, out) => both[k].at(params, new Float64Array(parameters)).hessian(out));
      same(parameters ** 2, (k, out) => both[k].at(params, new Float64Array(parameters)).hessian(out, 5001));
      same(parameters, (k, out) => both[k].at(params, new Float64Array(parameters)).hessianVector(params, out));
      same(ROWS, (k, out) => both[k].logits(params, out));
      same(ROWS, (k, out) => both[k].squares(params, out));
      same(parameters, (k, out) => both[k].transpose(many, out));
      same(parameters ** 2, (k, out) => both[k].gram(many, out));
      const parts = both.map((of) => [of.sample!(9001), of.select(Int32Array.of(1, 2, 4)).likelihood]);
      for (const part of [0, 1]) {
        const own = params.subarray(0, parts[0][part].parameters);
        same(own.length, (k, out) => parts[k][part].at(own, out).loss);
      }
      for (const likelihood of [...parts.flat(), ...both]) likelihood.free();
    }
    other.free();
    problem.free();
    expect(engine.bytesInUse).toBe(0);
  });
});

describe('a curvature of many rows', () => {
  test('is computed again for a Hessian, with the bits of the one that is kept', () => {
    // one row more than are kept; the last has no weight
    const rows = 2 ** 18 + 1;
    const engine = pickEngine();
    const batches = [rows - 1, rows].map((count) => {
      const batch = engine.columns(count, [{ kind: 'numeric' }, { kind: 'coded', slots: 3 }]);
      batch.numeric(0).set(Float64Array.from({ length: count }, (_, i) => Math.sin(i)));
      batch.codes(1).set(Uint8Array.from({ length: count }, (_, i) => i % 3));
      return batch;
    });
    const found = batches.map((batch) => {
      const weight = Float64Array.from({ length: batch.rows }, (_, i) => Number(i < rows - 1) + (i % 2));
      weight[rows - 1] = 0;
      const likelihood = engine.likelihood(batch, { y: weight.map((_, i) => (i % 5) / 4), weight });
      const gradient = new Float64Array(5);
      const params = Float64Array.of(0.5, 1, -1, 0.25, 0.1);
      const before = engine.bytesInUse;
      const point = likelihood.at(params, gradient);
      const grown = engine.bytesInUse - before;
      // the caller's own
      params.fill(9);
      const hessian = new Float64Array(25);
      point.hessian(hessian);
      point.hessianVector(gradient, gradient);
      return { grown, hessian, gradient };
    });
    expect(found[0].grown).toBeGreaterThan(8 * 2 ** 18 - 1);
    expect(found[1].grown).toBe(0);
    expect(found[1].hessian).toEqual(found[0].hessian);
    expect(found[1].gradient).toEqual(found[0].gradient);
  });
});
