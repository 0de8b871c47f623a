import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exp, log1p, softplus } from '../../bindings/js/math.ts';
import { arena, implementations } from './kernels.ts';

/**
 * The elementary functions against mpmath (test/fixtures/make_math.py): thousands of points, the hard regions among
 * them. The WebAssembly kernels have no exp or log1p of their own to call; their sigmoid and loss stand for both.
 */

interface Table {
  readonly x: Float64Array;
  readonly value: Float64Array;
  /** true result − value, in units of the last place of value */
  readonly fraction: Float64Array;
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/math.json', import.meta.url), 'utf8'));

function table(name: 'exp' | 'log1p' | 'sigmoid' | 'softplus' | 'sigmoidF32'): Table {
  const { count, x, value, fraction } = fixture[name];
  const buffer = (text: string) => Uint8Array.from(Buffer.from(text, 'base64')).buffer;
  const out = {
    x: new Float64Array(buffer(x)),
    value: new Float64Array(buffer(value)),
    fraction: Float64Array.from(new Int16Array(buffer(fraction)), (part) => part / 20000),
  };
  expect(out.x.length).toBe(count);
  return out;
}

/** distance to the next larger number of the same width */
function ulp64(value: number): number {
  const bits = new BigUint64Array(Float64Array.of(Math.abs(value)).buffer);
  bits[0] += 1n;
  return new Float64Array(bits.buffer)[0] - Math.abs(value);
}

function ulp32(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(value) || 1e-300)));
  return 2 ** (exponent - 23);
}

/** the largest error in units of the last place, and where */
function worst({ x, value, fraction }: Table, actual: ArrayLike<number>): { ulp: number; x: number } {
  let at = { ulp: 0, x: Number.NaN };
  for (let i = 0; i < x.length; i++) {
    const ulp = Math.abs((actual[i] - value[i]) / ulp64(value[i]) - fraction[i]);
    if (!(ulp <= at.ulp)) at = { ulp, x: x[i] };
  }
  return at;
}

function worst32({ x, value }: Table, actual: ArrayLike<number>): { ulp: number; x: number } {
  let at = { ulp: 0, x: Number.NaN };
  for (let i = 0; i < x.length; i++) {
    const ulp = Math.abs(actual[i] - value[i]) / ulp32(value[i]);
    if (!(ulp <= at.ulp)) at = { ulp, x: x[i] };
  }
  return at;
}

describe('the functions of the JavaScript engine', () => {
  test('exp: at most 0.95 units of the last place, one more rounding where the result is subnormal', () => {
    const all = table('exp');
    const normal = [...all.x.keys()].filter((i) => all.value[i] >= 2 ** -1022);
    const part = (keep: number[]): Table => ({
      x: Float64Array.from(keep, (i) => all.x[i]),
      value: Float64Array.from(keep, (i) => all.value[i]),
      fraction: Float64Array.from(keep, (i) => all.fraction[i]),
    });
    expect(worst(part(normal), part(normal).x.map(exp)).ulp).toBeLessThanOrEqual(0.95);
    // the fixture is about the double nearest to the true value, and a subnormal is rounded twice: once to 53 bits
    expect(worst(all, all.x.map(exp)).ulp).toBeLessThanOrEqual(1.45);
  });

  test('log1p on [0, 1]: below 1 unit', () => {
    const points = table('log1p');
    expect(worst(points, points.x.map(log1p)).ulp).toBeLessThan(1);
  });

  test('softplus: at most 2 units', () => {
    const points = table('softplus');
    expect(worst(points, points.x.map(softplus)).ulp).toBeLessThanOrEqual(2);
  });
});

describe.each(implementations)('%s', (_, make) => {
  const implementation = make();
  const { kernels } = implementation;

  function sigmoid<V extends Float32Array | Float64Array>(x: V): V {
    const memory = arena(implementation);
    const z = memory.put(x);
    kernels[x instanceof Float32Array ? 'sigmoidF32' : 'sigmoidF64'](z, x.length, z);
    const out = memory.get(z, x);
    memory.free();
    return out;
  }

  test('sigmoid in f64: at most 2.5 units of the last place', () => {
    const points = table('sigmoid');
    expect(worst(points, sigmoid(points.x)).ulp).toBeLessThanOrEqual(2.5);
  });

  test('sigmoid in f32: at most 0.505 units, which is the nearest f32 but for near ties', () => {
    const points = table('sigmoidF32');
    expect(worst32(points, sigmoid(Float32Array.from(points.x))).ulp).toBeLessThanOrEqual(0.505);
  });

  test('the loss of label 0 is softplus: at most 2 units', () => {
    const points = table('softplus');
    const memory = arena(implementation);
    const y = memory.put(Float64Array.of(0));
    const z = memory.put(Float64Array.of(0));
    const loss = points.x.map((x) => {
      implementation.heap.f64[z / 8] = x;
      return kernels.binomialLoss(z, y, 0, 1, 0, 0);
    });
    memory.free();
    expect(worst(points, loss).ulp).toBeLessThanOrEqual(2);
  });

  test('sigmoid in f64 never falls over steps of 10⁻³, and stays in [0, 1]', () => {
    const x = Float64Array.from({ length: 800_001 }, (_, i) => -750 + i / 1000);
    const p = sigmoid(x);
    expect(p[0]).toBe(0);
    expect(p[p.length - 1]).toBe(1);
    expect(p.findIndex((value, i) => i > 0 && value < p[i - 1])).toBe(-1);
  });

  test('sigmoid in f32 never falls from one float to the next, wherever the reduction of exp changes', () => {
    const next = new Float32Array(1);
    const steps = new Int32Array(next.buffer);
    for (let n = -150; n <= 30; n++) {
      next[0] = (n + 0.5) * Math.LN2;
      const middle = steps[0];
      // ascending: bits of a negative float fall as it rises
      const x = Float32Array.from({ length: 2001 }, (_, i) => {
        steps[0] = middle + (n < 0 ? 1000 - i : i - 1000);
        return next[0];
      });
      const p = sigmoid(x);
      expect(p.findIndex((value, i) => i > 0 && value < p[i - 1])).toBe(-1);
    }
  });

  test('σ(−z) = 1 − σ(z) to 2 units of the smaller', () => {
    const x = Float64Array.from({ length: 4001 }, (_, i) => (i - 2000) / 100);
    const p = sigmoid(x);
    const q = sigmoid(x.map((value) => -value));
    // 1 − σ(z) itself is rounded to half a unit of 1
    p.forEach((value, i) => {
      expect(Math.abs(q[i] - (1 - value))).toBeLessThanOrEqual(2 * 2 ** -53);
    });
  });
});
