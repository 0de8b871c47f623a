import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KINDS, type Kind } from '../../bindings/layout.ts';
import { sweep } from '../full.ts';
import { arena, bits, type Implementation, javascript, simd, type Values, wasm } from './kernels.ts';

/**
 * Promise 1: the engines agree bit for bit. Each property runs one kernel of both engines on the same input and
 * compares every bit it wrote. Lengths include 0 and 1 and numbers that no vector width divides; values include
 * subnormals, signed zeros, infinities and NaN.
 */

const RUNS = { numRuns: sweep(100, 300) };
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

/** the rows of a square matrix up to the diagonal: what lies above it is the kernels' own */
const lower = (matrix: Float64Array, ld: number) =>
  Array.from({ length: Math.floor(matrix.length / ld) }, (_, p) => matrix.slice(p * ld, p * ld + p + 1));

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
  test.each(['sigmoid', 'exp', 'softplus'] as const)('%s', (name) => {
    const shape = fc.tuple(precision, fc.nat(40)).chain(([type, n]) => fc.tuple(fc.constant(type), values(n)));
    fc.assert(
      fc.property(shape, ([type, numbers]) => {
        const z = array(type, numbers);
        agree(({ kernels }, memory) => {
          const from = memory.put(z);
          const to = memory.put(z.map(() => 7));
          kernels[`${name}${type === 'f32' ? 'F32' : 'F64'}`](from, z.length, to);
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

  test.each([3, 4, 5, 6, 7, 63, 64, 67, 130])('binomial loss of %i rows near 0, four rows at a time', (n) => {
    let state = n;
    const numbers = (scale: number) =>
      Float64Array.from({ length: n }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return (scale * state) / 2 ** 31;
      });
    const [z, y] = [numbers(3), numbers(1).map(Math.abs)];
    agree(({ kernels }, memory) => {
      const blank = new Float64Array(n);
      // the residuals take the place of the logits, as in a fit
      const logits = memory.put(z);
      const curvature = memory.put(blank);
      const loss = kernels.binomialLoss(logits, memory.put(y), 0, n, logits, curvature);
      return [Float64Array.of(loss), memory.get(logits, blank), memory.get(curvature, blank)];
    });
  });

  test('bytes as f64, in whole groups of four', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);
    for (const n of [0, 1, 4, 7, 256]) {
      agree(({ kernels }, memory) => {
        const from = memory.put(bytes);
        const blank = new Float64Array(256).fill(9);
        const to = memory.put(blank);
        kernels.widenU8(from, n, to);
        const found = memory.get(to, blank);
        expect([...found]).toEqual(Array.from(bytes, (byte, i) => (i < Math.ceil(n / 4) * 4 ? byte : 9)));
        return [found];
      });
    }
  });

  test('sums, additions, products', () => {
    fc.assert(
      fc.property(fc.nat(70).chain(values), (x) => {
        agree(({ kernels }, memory) => {
          const from = memory.put(Float64Array.from(x));
          const to = memory.put(Float64Array.from(x, (v) => v / 3));
          kernels.addF64(from, x.length, to);
          const sum = kernels.sumF64(from, x.length);
          kernels.multiplyF64(to, x.length, from);
          return [Float64Array.of(sum), memory.get(to, Float64Array.from(x)), memory.get(from, Float64Array.from(x))];
        });
      }),
      RUNS,
    );
  });

  test('softmax, multinomial loss, probabilities, curvature', () => {
    const shape = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 5 })).chain(([n, k]) => {
      const plane = Math.ceil(n / 4) * 4;
      return fc.record({
        n: fc.constant(n),
        k: fc.constant(k),
        plane: fc.constant(plane),
        z: values(k * plane),
        v: values(k * plane),
        y: fc.array(fc.nat(k - 1), { minLength: n, maxLength: n }),
        s: fc.option(fc.array(positive, { minLength: n, maxLength: n })),
      });
    });
    fc.assert(
      fc.property(shape, ({ n, k, plane, z, v, y, s }) => {
        agree(({ kernels }, memory) => {
          const planes = (address: number, like: Values) => {
            const all = memory.get(address, like);
            return Array.from({ length: k }, (_, j) => all.subarray(j * plane, j * plane + n));
          };
          const narrow = Float32Array.from(z);
          const f32 = memory.put(narrow);
          kernels.softmaxF32(f32, plane, k, n);
          const wide = Float64Array.from(z);
          const f64 = memory.put(wide);
          kernels.softmaxF64(f64, plane, k, n);
          const residual = memory.put(wide);
          const p = memory.put(new Float64Array(k * plane));
          const weight = s ? memory.put(Float64Array.from(s)) : 0;
          const target = memory.put(Float64Array.from(y));
          const loss = kernels.multinomialLoss(residual, plane, k, target, weight, n, p, plane);
          const q = memory.put(Float64Array.from(v));
          kernels.multinomialCurvature(p, plane, k, weight, n, q, plane);
          return [
            Float64Array.of(loss),
            ...planes(f32, narrow),
            ...planes(f64, wide),
            ...planes(residual, wide),
            ...planes(p, wide),
            ...planes(q, wide),
          ];
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

  test('rows: logits in f64, transposed products of k vectors, Hessian', () => {
    fc.assert(
      fc.property(rows, ({ name, n, k, stride, x, w, b, y }) => {
        agree(({ kernels }, memory) => {
          const f32 = name === 'f32';
          const data = memory.put(array(name, x));
          const wide = (numbers: number[]) => memory.put(Float64Array.from(numbers));
          const out = new Float64Array(n * k).fill(9);
          const z = memory.put(out);
          kernels[f32 ? 'logitsRowsWide' : 'logitsRowsF64'](data, stride, n, wide(w), wide(b), k, z, n);
          const gradient = new Float64Array(k * (stride + 1)).fill(0.5);
          const g = memory.put(gradient);
          kernels[f32 ? 'transposeRowsF32' : 'transposeRowsF64'](data, stride, n, z, n, k, g, stride + 1);
          const ld = stride + 2;
          const matrix = new Float64Array((stride + 1) * ld);
          const h = memory.put(matrix);
          const scratch = memory.put(new Float64Array(2 * 64 * stride));
          kernels[f32 ? 'hessianRowsF32' : 'hessianRowsF64'](data, stride, n, wide(y), h, ld, scratch);
          return [memory.get(z, out), memory.get(g, gradient), ...lower(memory.get(h, matrix), ld)];
        });
      }),
      RUNS,
    );
  });

  test('rows: moments, and standardising in place', () => {
    fc.assert(
      fc.property(rows, fc.boolean(), ({ name, n, stride, x, w, y }, weighted) => {
        agree(({ kernels }, memory) => {
          const end = name === 'f32' ? 'F32' : 'F64';
          const cells = array(name, x);
          const data = memory.put(cells);
          const wide = (numbers: number[]) => memory.put(Float64Array.from(numbers));
          const origin = wide(w.slice(0, stride));
          const sums = new Float64Array(2 * stride).fill(0.25);
          const out = memory.put(sums);
          kernels[`momentsRows${end}`](data, stride, n, weighted ? wide(y) : 0, origin, out);
          kernels[`scaleRows${end}`](data, stride, n, origin, wide(w.slice(0, stride).reverse()));
          return [memory.get(out, sums), memory.get(data, cells)];
        });
      }),
      RUNS,
    );
  });

  type ColumnInput = { kind: Kind; values: number[]; slots: number };
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
      return [memory.put(ARRAYS[kind].from(numbers)), KINDS.indexOf(kind), slot - slots, 0];
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

  test('columns: transposed products of k vectors, Hessian', () => {
    fc.assert(
      fc.property(columns, ({ n, k, columns: list, slots, first, y, w }) => {
        const m = n - first;
        agree(({ kernels }, memory) => {
          const table = putTable(list, memory);
          const wide = (numbers: number[]) => memory.put(Float64Array.from(numbers));
          const plane = Math.ceil(m / 2) * 2;
          const r = wide(Array.from({ length: k * plane }, (_, i) => w[i % (w.length || 1)] ?? 1));
          const gradient = new Float64Array(k * (slots + 1)).fill(0.5);
          const g = memory.put(gradient);
          kernels.transposeColumns(table, list.length, first, m, r, plane, k, g, slots + 1, slots);
          const scratch = memory.put(new Float64Array(1024 * 8));
          const ld = slots + 1 + ((slots + 1) & 1);
          const matrix = new Float64Array((slots + 1) * ld);
          const h = memory.put(matrix);
          kernels.hessianColumns(table, list.length, first, m, wide(y), h, slots, ld, scratch);
          return [memory.get(g, gradient), ...lower(memory.get(h, matrix), ld)];
        });
      }),
      RUNS,
    );
  });

  test.each([
    ['ffffDDDDD', 63],
    ['fDDDDfffff', 64],
    ['ffcDDDDcDfDDDDDDDD', 57],
    ['DDDDDDDDDDD', 1],
    ['ccccc', 63],
    ['DDccccchhhhhffcwwwwDc', 50],
    ['hhhhwwwccc', 1],
  ])('columns side by side, four at a time (f32 f, f64 D, codes of 8 bits c, 16 h, 32 w): %s, %i rows', (kinds, n) => {
    const codes: Partial<Record<string, Kind>> = { c: 'u8', h: 'u16', w: 'u32' };
    const list = Array.from(kinds, (kind, j): ColumnInput => {
      const code = codes[kind];
      if (code) return { kind: code, slots: 3, values: Array.from({ length: n }, (_, i) => ((i >> 1) * (j + 2)) % 3) };
      const cells = Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i * 12.9 + j)));
      return { kind: kind === 'f' ? 'f32' : 'f64', slots: 1, values: cells };
    });
    const slots = list.reduce((sum, column) => sum + column.slots, 0);
    agree(({ kernels }, memory) => {
      const table = putTable(list, memory);
      const r = memory.put(Float64Array.from({ length: 2 * 64 }, (_, i) => Math.cos(i * 7.7)));
      const gradient = new Float64Array(2 * (slots + 1)).fill(0.5);
      const g = memory.put(gradient);
      kernels.transposeColumns(table, list.length, 0, n, r, 64, 2, g, slots + 1, slots);
      const ld = slots + 1 + ((slots + 1) & 1);
      const matrix = new Float64Array((slots + 1) * ld);
      const h = memory.put(matrix);
      const scratch = memory.put(new Float64Array(1024 * (2 + list.length / 2)));
      kernels.hessianColumns(table, list.length, 0, n, r, h, slots, ld, scratch);
      return [memory.get(g, gradient), ...lower(memory.get(h, matrix), ld)];
    });
  });

  const sparse = fc
    .record({
      n: fc.nat(20),
      slots: fc.integer({ min: 1, max: 12 }),
      k: fc.integer({ min: 1, max: 3 }),
      name: precision,
      ones: fc.boolean(),
    })
    .chain(({ n, slots, k, name, ones }) =>
      fc.array(fc.nat(11), { minLength: n, maxLength: n }).chain((counts) => {
        const rowPtr = [0];
        for (const count of counts) rowPtr.push(rowPtr[rowPtr.length - 1] + count);
        const entries = rowPtr[n];
        return fc.record({
          n: fc.constant(n),
          slots: fc.constant(slots),
          k: fc.constant(k),
          name: fc.constant(name),
          ones: fc.constant(ones),
          rowPtr: fc.constant(rowPtr),
          colIdx: fc.array(fc.nat(slots - 1), { minLength: entries, maxLength: entries }),
          x: values(entries),
          w: values(k * slots),
          b: values(k),
          r: values(k * n),
        });
      }),
    );

  test('sparse: logits of k weight vectors, transposed products, Hessian', () => {
    fc.assert(
      fc.property(sparse, ({ n, slots, k, name, ones, rowPtr, colIdx, x, w, b, r }) => {
        agree(({ kernels }, memory) => {
          const f32 = name === 'f32';
          const offsets = memory.put(Uint32Array.from(rowPtr));
          const columnsAt = memory.put(Uint32Array.from(colIdx));
          const data = ones ? 0 : memory.put(array(name, x));
          const out = array(name, new Array(n * k).fill(9));
          const z = memory.put(out);
          const own = kernels[f32 ? 'logitsSparseF32' : 'logitsSparseF64'];
          own(offsets, columnsAt, data, n, memory.put(array(name, w)), slots, memory.put(array(name, b)), k, z, n);
          const wideOut = new Float64Array(n * k).fill(9);
          const zWide = memory.put(wideOut);
          const wide = (numbers: number[]) => memory.put(Float64Array.from(numbers));
          const training = kernels[f32 ? 'logitsSparseWide' : 'logitsSparseF64'];
          training(offsets, columnsAt, data, n, wide(w), slots, wide(b), k, zWide, n);
          const kind = f32 ? 0 : 1;
          const gradient = new Float64Array(k * (slots + 1)).fill(0.5);
          const g = memory.put(gradient);
          kernels.transposeSparse(offsets, columnsAt, data, kind, n, wide(r), n, k, g, slots + 1, slots);
          const ld = slots + 1;
          const matrix = new Float64Array(ld * ld);
          const h = memory.put(matrix);
          kernels.hessianSparse(offsets, columnsAt, data, kind, n, wide(r.slice(0, n)), h, slots, ld);
          return [
            memory.get(z, out),
            memory.get(zWide, wideOut),
            memory.get(g, gradient),
            ...lower(memory.get(h, matrix), ld),
          ];
        });
      }),
      RUNS,
    );
  });

  const online = fc.record({
    alpha: fc.constantFrom(0.05, 0.3, 2),
    beta: fc.constantFrom(0.5, 1),
    l1: fc.constantFrom(0, 0.1, 3),
    l2: fc.constantFrom(0, 0.5),
    loss: fc.constantFrom(0, 123.456),
    passes: fc.integer({ min: 1, max: 3 }),
  });
  const finite = fc.oneof(fc.double({ min: -5, max: 5, noNaN: true }), fc.constantFrom(0, -0, 1, 1e30, -1e30, 5e-324));
  const labels = (n: number) => fc.array(fc.constantFrom(0, 1, 0.25), { minLength: n, maxLength: n });
  const share = (n: number) => fc.option(fc.array(positive, { minLength: n, maxLength: n }));
  const offsets = (n: number) => fc.option(fc.array(finite, { minLength: n, maxLength: n }));

  test('sparse: FTRL, columns repeating within rows included', () => {
    const shape = sparse.chain((data) => {
      const entries = data.colIdx.length;
      return fc.record({
        data: fc.constant(data),
        x: fc.array(finite, { minLength: entries, maxLength: entries }),
        y: labels(data.n),
        s: share(data.n),
        offset: offsets(data.n),
        options: online,
      });
    });
    fc.assert(
      fc.property(shape, ({ data, x, y, s, offset, options }) => {
        agree(({ kernels }, memory) => {
          const { n, slots, name, ones, rowPtr, colIdx } = data;
          const wide = (numbers: number[] | null) => (numbers ? memory.put(Float64Array.from(numbers)) : 0);
          const rows = memory.put(Uint32Array.from(rowPtr));
          const columnsAt = memory.put(Uint32Array.from(colIdx));
          const cells = ones ? 0 : memory.put(array(name, x));
          const kind = name === 'f32' ? 0 : 1;
          const blank = new Float64Array(2 * (slots + 2));
          const state = memory.put(blank);
          const scratch = memory.put(new Uint8Array(80 * 8));
          const [target, weight, shift] = [wide(y), wide(s), wide(offset)];
          const { alpha, beta, l1, l2, passes } = options;
          const losses: number[] = [options.loss];
          for (let pass = 0; pass < passes; pass++) {
            losses.push(
              kernels.ftrlSparse(
                rows,
                columnsAt,
                cells,
                kind,
                n,
                target,
                weight,
                shift,
                state,
                slots,
                alpha,
                beta,
                l1,
                l2,
                losses[pass],
                scratch,
              ),
            );
          }
          return [Float64Array.from(losses), memory.get(state, blank)];
        });
      }),
      RUNS,
    );
  });

  test('columns: FTRL', () => {
    const shape = columns.chain((data) => {
      const cells = fc.array(finite, { minLength: data.n, maxLength: data.n });
      return fc.record({
        data: fc.constant(data),
        numbers: fc.array(cells, { minLength: data.columns.length, maxLength: data.columns.length }),
        y: labels(data.n),
        s: share(data.n),
        offset: offsets(data.n),
        options: online,
      });
    });
    fc.assert(
      fc.property(shape, ({ data, numbers, y, s, offset, options }) => {
        agree(({ kernels }, memory) => {
          const { n, slots, columns: list } = data;
          const wide = (values: number[] | null) => (values ? memory.put(Float64Array.from(values)) : 0);
          const own = list.map((column, j) =>
            column.kind === 'f32' || column.kind === 'f64' ? { ...column, values: numbers[j] } : column,
          );
          const blank = new Float64Array(2 * (slots + 2));
          const state = memory.put(blank);
          const scratch = memory.put(new Uint8Array(80 * (list.length / 2 + 1) + 12 * list.length + 8));
          const { alpha, beta, l1, l2 } = options;
          const table = putTable(own, memory);
          const loss = kernels.ftrlColumns(
            table,
            list.length,
            n,
            wide(y),
            wide(s),
            wide(offset),
            state,
            slots,
            alpha,
            beta,
            l1,
            l2,
            options.loss,
            scratch,
          );
          return [Float64Array.of(loss), memory.get(state, blank)];
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
      const table = memory.put(Uint32Array.from([column, KINDS.indexOf('f64'), 0, 0, memory.put(codes), 3, 1, 0]));
      const g = memory.put(new Float64Array(302));
      const curvature = memory.put(out);
      const scratch = memory.put(new Float64Array(1024 * 8));
      const residual = memory.put(out);
      const margins = memory.put(out);
      kernels.logitsColumnsF64(table, 2, 0, n, memory.put(params), 301, memory.put(params.slice(-1)), 1, margins, n);
      const loss = kernels.binomialLoss(margins, memory.put(y), 0, n, residual, curvature);
      kernels.transposeColumns(table, 2, 0, n, residual, n, 1, g, 302, 301);
      const h = memory.put(new Float64Array(302 * 302));
      kernels.hessianColumns(table, 2, 0, n, curvature, h, 301, 302, scratch);
      return [
        logits,
        Float64Array.of(loss),
        memory.get(g, new Float64Array(302)),
        ...lower(memory.get(h, new Float64Array(302 * 302)), 302),
      ];
    });
  });

  test.each([7, 8, 9, 15, 16, 17, 23, 31])('%i rows so long that they are read as eight streams', (n) => {
    const stride = 70_000;
    let state = n;
    const x = Float32Array.from({ length: n * stride }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state / 2 ** 31;
    });
    agree(({ kernels }, memory) => {
      const out = new Float32Array(n);
      const z = memory.put(out);
      kernels.logitsRowsF32(memory.put(x), stride, n, memory.put(x.slice(0, stride)), memory.put(x.slice(-1)), 1, z, n);
      return [memory.get(z, out)];
    });
  });

  test.each([
    [7, 4096],
    [8, 1024],
    [9, 1024],
    [15, 1024],
    [23, 512],
    [512, 16],
    [513, 32],
    [1021, 20],
  ])('%i rows of %i values, a block of training that is read as eight streams', (n, stride) => {
    let state = n;
    const x = Float32Array.from({ length: n * stride }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state / 2 ** 31;
    });
    agree(({ kernels }, memory) => {
      const out = new Float64Array(2 * n).fill(9);
      const [wide, own] = [memory.put(out), memory.put(out)];
      const w = memory.put(Float64Array.from(x.subarray(0, 2 * stride)));
      const b = memory.put(Float64Array.of(0.25, -0.5));
      kernels.logitsRowsWide(memory.put(x), stride, n, w, b, 2, wide, n);
      kernels.logitsRowsF64(memory.put(Float64Array.from(x)), stride, n, w, b, 1, own, n);
      return [memory.get(wide, out), memory.get(own, out)];
    });
  });
});
