import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COLUMN_KIND } from '../../bindings/kernels.ts';
import { arena, bits, type Implementation, javascript, simd, type Values, wasm } from './kernels.ts';

/**
 * Promise 1: the engines agree bit for bit. Each property runs one kernel of both engines on the same input and
 * compares every bit it wrote. Lengths include 0 and 1 and numbers that no vector width divides; values include
 * subnormals, signed zeros, infinities and NaN.
 */

const RUNS = { numRuns: 300 };
const SPECIAL = [0, -0, 1, -1, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-45, 1.1754943508222875e-38, 700, -745.2];
const EXTREME = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e308, -1e308, 3.4e38, 1e20, -1e20];

/** plain numbers, one in five a hard one */
const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -50, max: 50, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(...SPECIAL) },
  { weight: 1, arbitrary: fc.constantFrom(...EXTREME) },
);
const precision = fc.constantFrom('f32' as const, 'f64' as const);
const array = (name: 'f32' | 'f64', values: number[]) => (name === 'f32' ? Float32Array : Float64Array).from(values);
const values = (length: number) => fc.array(value, { minLength: length, maxLength: length });
const positive = fc.oneof(fc.constantFrom(0, 1, 2, 1e-3), fc.double({ min: 0, max: 10, noNaN: true }));

type Call = (implementation: Implementation, memory: ReturnType<typeof arena>) => Values[];

const engines = simd ? [javascript(), wasm()] : [];

function agree(call: Call): void {
  const [expected, actual] = engines.map((implementation) => {
    const memory = arena(implementation);
    try {
      return call(implementation, memory).map(bits);
    } finally {
      memory.free();
    }
  });
  expect(actual).toEqual(expected);
}

describe.runIf(simd)('WebAssembly and JavaScript kernels give the same bits', () => {
  test('sigmoid', () => {
    const shape = fc.tuple(precision, fc.nat(40)).chain(([name, n]) => fc.tuple(fc.constant(name), values(n)));
    fc.assert(
      fc.property(shape, ([name, numbers]) => {
        const z = array(name, numbers);
        agree(({ kernels }, memory) => {
          const from = memory.put(z);
          const to = memory.put(z.map(() => 7));
          kernels[name === 'f32' ? 'sigmoidF32' : 'sigmoidF64'](from, z.length, to);
          return [memory.get(to, z)];
        });
      }),
      RUNS,
    );
  });

  test('binomial loss, residual, curvature', () => {
    const shape = fc.nat(70).chain((n) =>
      fc.record({
        z: values(n),
        y: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: n, maxLength: n }),
        s: fc.option(fc.array(positive, { minLength: n, maxLength: n })),
        wantResidual: fc.boolean(),
        wantCurvature: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(shape, ({ z, y, s, wantResidual, wantCurvature }) => {
        agree(({ kernels }, memory) => {
          const blank = new Float64Array(z.length);
          const residual = memory.put(blank);
          const curvature = memory.put(blank);
          const loss = kernels.binomialLoss(
            memory.put(Float64Array.from(z)),
            memory.put(Float64Array.from(y)),
            s ? memory.put(Float64Array.from(s)) : 0,
            z.length,
            wantResidual ? residual : 0,
            wantCurvature ? curvature : 0,
          );
          return [Float64Array.of(loss), memory.get(residual, blank), memory.get(curvature, blank)];
        });
      }),
      RUNS,
    );
  });

  test('sums and additions', () => {
    fc.assert(
      fc.property(fc.nat(70).chain(values), (x) => {
        agree(({ kernels }, memory) => {
          const from = memory.put(Float64Array.from(x));
          const to = memory.put(Float64Array.from(x, (v) => v / 3));
          kernels.addF64(from, x.length, to);
          return [Float64Array.of(kernels.sumF64(from, x.length)), memory.get(to, Float64Array.from(x))];
        });
      }),
      RUNS,
    );
  });

  const rows = fc
    .record({ name: precision, n: fc.nat(150), d: fc.integer({ min: 1, max: 21 }), k: fc.integer({ min: 1, max: 5 }) })
    .chain(({ name, n, d, k }) => {
      const stride = Math.ceil(d / 4) * 4;
      const padded = (count: number) =>
        values(count * d).map((flat) => {
          const out = new Array(count * stride).fill(0);
          for (let i = 0; i < count * d; i++) out[Math.floor(i / d) * stride + (i % d)] = flat[i];
          return out;
        });
      return fc.record({
        name: fc.constant(name),
        n: fc.constant(n),
        k: fc.constant(k),
        stride: fc.constant(stride),
        x: padded(n),
        w: padded(k),
        b: values(k),
        y: fc.array(fc.constantFrom(0, 1, 0.25), { minLength: n, maxLength: n }),
        s: fc.option(fc.array(positive, { minLength: n, maxLength: n })),
        offset: fc.option(values(n)),
      });
    });

  test('rows: logits of k weight vectors', () => {
    fc.assert(
      fc.property(rows, ({ name, n, k, stride, x, w, b }) => {
        const out = array(name, new Array(n * k).fill(9));
        agree(({ kernels }, memory) => {
          const z = memory.put(out);
          kernels[name === 'f32' ? 'logitsRowsF32' : 'logitsRowsF64'](
            memory.put(array(name, x)),
            stride,
            n,
            memory.put(array(name, w)),
            memory.put(array(name, b)),
            k,
            z,
            n,
          );
          return [memory.get(z, out)];
        });
      }),
      RUNS,
    );
  });

  test('rows: loss, gradient, curvature, Hessian', () => {
    fc.assert(
      fc.property(rows, ({ name, n, stride, x, w, b, y, s, offset }) => {
        agree(({ kernels }, memory) => {
          const data = memory.put(array(name, x));
          const wide = (numbers: number[] | null) => (numbers ? memory.put(Float64Array.from(numbers)) : 0);
          const params = wide([...w.slice(0, stride), b[0]]);
          const blank = new Float64Array(n);
          const curvature = memory.put(blank);
          const scratch = memory.put(new Float64Array(Math.max(n, 2 * 64 * stride)));
          const gradient = new Float64Array(stride + 1).fill(0.5);
          const g = memory.put(gradient);
          const f32 = name === 'f32';
          const loss = kernels[f32 ? 'lossGradientRowsF32' : 'lossGradientRowsF64'](
            data,
            stride,
            n,
            params,
            wide(offset),
            wide(y),
            wide(s),
            g,
            curvature,
            scratch,
          );
          const alone = kernels[f32 ? 'lossGradientRowsF32' : 'lossGradientRowsF64'](
            data,
            stride,
            n,
            params,
            wide(offset),
            wide(y),
            wide(s),
            0,
            0,
            scratch,
          );
          const ld = stride + 2;
          const matrix = new Float64Array((stride + 1) * ld);
          const h = memory.put(matrix);
          kernels[f32 ? 'hessianRowsF32' : 'hessianRowsF64'](data, stride, n, curvature, h, ld, scratch);
          return [
            Float64Array.of(loss, alone),
            memory.get(g, gradient),
            memory.get(curvature, blank),
            memory.get(h, matrix),
          ];
        });
      }),
      RUNS,
    );
  });

  type ColumnInput = { kind: keyof typeof COLUMN_KIND; values: number[]; slots: number };
  const columns = fc
    .record({ n: fc.nat(60), k: fc.integer({ min: 1, max: 3 }), name: precision, training: fc.boolean() })
    .chain(({ n, k, name, training }) => {
      const coded = (kind: 'u8' | 'u16' | 'u32') =>
        fc.integer({ min: 1, max: 9 }).chain((slots) =>
          fc.record({
            kind: fc.constant(kind),
            slots: fc.constant(slots),
            values: fc.array(fc.nat(slots - 1), { minLength: n, maxLength: n }),
          }),
        );
      const numeric = (kind: 'f32' | 'f64') =>
        fc.record({ kind: fc.constant(kind), slots: fc.constant(1), values: values(n) });
      const kinds: fc.Arbitrary<ColumnInput>[] = [coded('u8'), coded('u16'), coded('u32'), numeric('f32')];
      // f64 sums take both storages, f32 sums only their own
      if (name === 'f64' || training) kinds.push(numeric('f64'));
      return fc.array(fc.oneof(...kinds), { maxLength: 6 }).chain((list) => {
        const slots = list.reduce((sum, c) => sum + c.slots, 0);
        return fc.record({
          n: fc.constant(n),
          k: fc.constant(k),
          name: fc.constant(name),
          columns: fc.constant(list),
          slots: fc.constant(slots),
          first: fc.nat(Math.floor(n / 2)).map((i) => i & ~1),
          w: values(k * slots),
          b: values(k),
          y: fc.array(fc.constantFrom(0, 1, 0.25), { minLength: n, maxLength: n }),
          s: fc.option(fc.array(positive, { minLength: n, maxLength: n })),
          offset: fc.option(values(n)),
        });
      });
    });

  const ARRAYS = { f32: Float32Array, f64: Float64Array, u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };

  function putTable(list: ColumnInput[], memory: ReturnType<typeof arena>): number {
    let slot = 0;
    const entries = list.flatMap(({ kind, values: numbers, slots }) => {
      slot += slots;
      return [memory.put(ARRAYS[kind].from(numbers)), COLUMN_KIND[kind], slot - slots, 0];
    });
    return memory.put(Uint32Array.from(entries));
  }

  test('columns: logits of k weight vectors', () => {
    const scoring = columns.filter((c) => c.name === 'f64' || c.columns.every((column) => column.kind !== 'f64'));
    fc.assert(
      fc.property(scoring, ({ n, k, name, columns: list, slots, first, w, b }) => {
        const m = n - first;
        const plane = Math.ceil(m / 4) * 4;
        const out = array(name, new Array(plane * k).fill(9));
        agree(({ kernels }, memory) => {
          const z = memory.put(out);
          kernels[name === 'f32' ? 'logitsColumnsF32' : 'logitsColumnsF64'](
            putTable(list, memory),
            list.length,
            first,
            m,
            memory.put(array(name, w)),
            slots,
            memory.put(array(name, b)),
            k,
            z,
            plane,
          );
          const written = memory.get(z, out);
          return Array.from({ length: k }, (_, j) => written.subarray(j * plane, j * plane + m));
        });
      }),
      RUNS,
    );
  });

  test('columns: loss, gradient, curvature, Hessian', () => {
    fc.assert(
      fc.property(columns, ({ n, columns: list, slots, first, w, b, y, s, offset }) => {
        const m = n - first;
        agree(({ kernels }, memory) => {
          const table = putTable(list, memory);
          const wide = (numbers: number[] | null) => (numbers ? memory.put(Float64Array.from(numbers)) : 0);
          const blank = new Float64Array(n);
          const curvature = memory.put(blank);
          const gradient = new Float64Array(slots + 1).fill(0.5);
          const g = memory.put(gradient);
          const scratch = memory.put(new Float64Array(1.5 * 4096));
          const params = wide([...w.slice(0, slots), b[0]]);
          const run = (to: number, c: number) =>
            kernels.lossGradientColumns(
              table,
              list.length,
              first,
              m,
              params,
              slots,
              wide(offset),
              wide(y),
              wide(s),
              to,
              c,
              scratch,
            );
          const loss = run(g, curvature);
          const alone = run(0, 0);
          const ld = slots + 1 + ((slots + 1) & 1);
          const matrix = new Float64Array((slots + 1) * ld);
          const h = memory.put(matrix);
          kernels.hessianColumns(table, list.length, first, m, curvature, h, slots, ld, scratch);
          return [
            Float64Array.of(loss, alone),
            memory.get(g, gradient),
            memory.get(curvature, blank),
            memory.get(h, matrix),
          ];
        });
      }),
      RUNS,
    );
  });

  test('batches larger than every block, and rows read as four streams', () => {
    const n = 70_003;
    const d = 30;
    let state = 12345;
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state / 2 ** 31;
    };
    const stride = 32;
    const x = new Float64Array(n * stride);
    for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) x[i * stride + j] = next();
    const codes = Uint16Array.from({ length: n }, () => Math.floor((next() + 1) * 150));
    const y = Float64Array.from({ length: n }, () => (next() > 0 ? 1 : 0));
    const params = Float64Array.from({ length: 302 }, next);
    agree(({ kernels }, memory) => {
      const out = new Float64Array(n);
      const z = memory.put(out);
      const data = memory.put(x);
      const w = memory.put(params.slice(0, stride).fill(0, d));
      kernels.logitsRowsF64(data, stride, n, w, memory.put(params.slice(-1)), 1, z, n);
      const logits = memory.get(z, out);
      const column = memory.put(Float64Array.from({ length: n }, (_, i) => x[i * stride]));
      const table = memory.put(Uint32Array.from([column, COLUMN_KIND.f64, 0, 0, memory.put(codes), 3, 1, 0]));
      const g = memory.put(new Float64Array(302));
      const curvature = memory.put(out);
      const scratch = memory.put(new Float64Array(6144));
      const loss = kernels.lossGradientColumns(
        table,
        2,
        0,
        n,
        memory.put(params),
        301,
        0,
        memory.put(y),
        0,
        g,
        curvature,
        scratch,
      );
      const h = memory.put(new Float64Array(302 * 302));
      kernels.hessianColumns(table, 2, 0, n, curvature, h, 301, 302, scratch);
      return [
        logits,
        Float64Array.of(loss),
        memory.get(g, new Float64Array(302)),
        memory.get(h, new Float64Array(302 * 302)),
      ];
    });
  });
});
