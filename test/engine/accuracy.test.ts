import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exp, log1p, softplus } from '../../bindings/js/math.ts';
import { arena, implementations, simd } from './kernels.ts';

/**
 * The elementary functions against mpmath (test/fixtures/make_math.py): thousands of points, the hard regions among
 * them. `npm run accuracy` tries every f32 and many more f64 (bench/accuracy).
 */

interface Table {
  readonly x: Float64Array;
  readonly value: Float64Array;
  /** true result − value, in units of the last place of value */
  readonly fraction: Float64Array;
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/math.json', import.meta.url), 'utf8'));

type Name = 'exp' | 'log1p' | 'sigmoid' | 'softplus' | 'sigmoidF32' | 'expF32' | 'softplusF32';

function table(name: Name | 'softmax' | 'softmaxF32'): Table {
  const { count, x, value, fraction } = fixture[name];
  const buffer = (text: string) => Uint8Array.from(Buffer.from(text, 'base64')).buffer;
  const out = {
    x: new Float64Array(buffer(x)),
    value: new Float64Array(buffer(value)),
    fraction: Float64Array.from(new Int16Array(buffer(fraction)), (part) => part / 20000),
  };
  expect(out.value.length).toBe(count);
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
  for (let i = 0; i < value.length; i++) {
    const ulp = Math.abs((actual[i] - value[i]) / ulp64(value[i]) - fraction[i]);
    if (!(ulp <= at.ulp)) at = { ulp, x: x[i] };
  }
  return at;
}

function worst32({ x, value }: Table, actual: ArrayLike<number>): { ulp: number; x: number } {
  let at = { ulp: 0, x: Number.NaN };
  for (let i = 0; i < value.length; i++) {
    const ulp = Math.abs(actual[i] - value[i]) / ulp32(value[i]);
    if (!(ulp <= at.ulp)) at = { ulp, x: x[i] };
  }
  return at;
}

describe('the functions of the JavaScript engine', () => {
  test('exp: at most 0.95 units of the last place at these points, one more rounding where the result is subnormal', () => {
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

  function run<V extends Float32Array | Float64Array>(name: 'sigmoid' | 'exp' | 'softplus', x: V): V {
    const memory = arena(implementation);
    const z = memory.put(x);
    kernels[`${name}${x instanceof Float32Array ? 'F32' : 'F64'}`](z, x.length, z);
    const out = memory.get(z, x);
    memory.free();
    return out;
  }
  const sigmoid = <V extends Float32Array | Float64Array>(x: V): V => run('sigmoid', x);

  test('sigmoid in f64: at most 2.5 units of the last place', () => {
    const points = table('sigmoid');
    expect(worst(points, sigmoid(points.x)).ulp).toBeLessThanOrEqual(2.5);
  });

  test('exp in f64: at most 1 unit, half a unit more where the result is subnormal', () => {
    const points = table('exp');
    const error = worst(points, run('exp', points.x));
    expect(error.ulp).toBeLessThanOrEqual(error.x < -708 ? 1.5 : 1);
  });

  test('softplus in f64: at most 2 units', () => {
    const points = table('softplus');
    expect(worst(points, run('softplus', points.x)).ulp).toBeLessThanOrEqual(2);
  });

  test.each(['sigmoid', 'exp', 'softplus'] as const)(
    '%s in f32: at most 0.505 units, which is the nearest f32 but for near ties',
    (name) => {
      const points = table(`${name}F32`);
      expect(worst32(points, run(name, Float32Array.from(points.x))).ulp).toBeLessThanOrEqual(0.505);
    },
  );

  function softmax(name: 'softmax' | 'softmaxF32') {
    const points = table(name);
    const k: number = fixture.classes;
    const n = points.value.length;
    const planes = new (name === 'softmax' ? Float64Array : Float32Array)(k * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) planes[j * n + i] = points.x[i * k + j];
    const memory = arena(implementation);
    const z = memory.put(planes);
    kernels[name === 'softmax' ? 'softmaxF64' : 'softmaxF32'](z, n, k, n);
    const p = memory.get(z, planes).subarray(0, n);
    memory.free();
    return { points, k, p };
  }

  test('softmax in f64: at most 5 units, and one more for every unit of the spread of the logits', () => {
    const { points, k, p } = softmax('softmax');
    // a difference d of two logits is rounded to |d|·2⁻⁵³, and exp makes a relative error of that
    const spread = Array.from(points.value, (_v, i) => {
      const row = points.x.subarray(i * k, (i + 1) * k);
      return Math.max(...row) - Math.min(...row);
    });
    const excess = Array.from(points.value, (value, i) => {
      return Math.abs((p[i] - value) / ulp64(value) - points.fraction[i]) - spread[i];
    });
    expect(Math.max(...excess)).toBeLessThanOrEqual(5);
  });

  test('softmax in f32: at most 0.505 units', () => {
    const { points, p } = softmax('softmaxF32');
    expect(worst32(points, p).ulp).toBeLessThanOrEqual(0.505);
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

  test.each(['sigmoid', 'exp', 'softplus'] as const)('%s in f64 never falls over steps of 10⁻³', (name) => {
    const x = Float64Array.from({ length: 800_001 }, (_, i) => -750 + i / 1000);
    const p = run(name, x);
    expect(p[0]).toBe(0);
    expect(p[p.length - 1]).toBe({ sigmoid: 1, exp: Math.exp(50), softplus: 50 }[name]);
    expect(p.findIndex((value, i) => i > 0 && value < p[i - 1])).toBe(-1);
  });

  /** neighbouring floats around `middle`, rising: bits of a negative float fall as it rises */
  function neighbours(middle: number, count: number): Float32Array {
    const next = new Float32Array([middle]);
    const steps = new Int32Array(next.buffer);
    const from = steps[0];
    return Float32Array.from({ length: count }, (_, i) => {
      steps[0] = from + (middle < 0 ? (count >> 1) - i : i - (count >> 1));
      return next[0];
    });
  }

  function neighbours64(middle: number, count: number): Float64Array {
    const next = new Float64Array([middle]);
    const steps = new BigInt64Array(next.buffer);
    const from = steps[0];
    return Float64Array.from({ length: count }, (_, i) => {
      steps[0] = from + BigInt(middle < 0 ? (count >> 1) - i : i - (count >> 1));
      return next[0];
    });
  }

  test.each(['sigmoid', 'exp', 'softplus'] as const)(
    '%s in f32 never falls from one float to the next, wherever the reduction of exp changes',
    (name) => {
      for (let n = -150; n <= 30; n++) {
        const p = run(name, neighbours((n + 0.5) * Math.LN2, 2001));
        expect(p.findIndex((value, i) => i > 0 && value < p[i - 1])).toBe(-1);
      }
    },
  );

  test.each(['sigmoid', 'exp'] as const)('%s in f64 never falls from one double to the next', (name) => {
    const middles = Array.from({ length: 200 }, (_, i) => (i - 100.5) / 20);
    for (let n = -60; n <= 60; n++) middles.push((n + 0.5) * Math.LN2);
    // where t/(1 + t) falls, t = exp(z), because 1 + t is rounded; and where the kernel changes its formula
    middles.push(-1.7328679513998697, -4, 4);
    for (const middle of middles) {
      const p = run(name, neighbours64(middle, 1001));
      expect(
        p.findIndex((value, i) => i > 0 && value < p[i - 1]),
        `near ${middle}`,
      ).toBe(-1);
    }
  });

  test('σ(z) = 1 − σ(−z), rounded once, for z >= 0; and 1 − σ(z) is σ(−z) to half a unit of σ(z)', () => {
    const x = Float64Array.from({ length: 80_001 }, (_, i) => i / 1000);
    const p = sigmoid(x);
    const q = sigmoid(x.map((value) => -value));
    expect(p.findIndex((value, i) => value !== 1 - q[i])).toBe(-1);
    // a unit of σ(z) in [½, 1) is 2⁻⁵³
    expect(p.findIndex((value, i) => Math.abs(q[i] - (1 - value)) > 2 ** -54)).toBe(-1);
  });

  test('in f32, 1 − σ(z) is σ(−z) to one unit of σ(z)', () => {
    const x = Float32Array.from({ length: 40_001 }, (_, i) => i / 1000);
    const p = sigmoid(x);
    const q = sigmoid(x.map((value) => -value));
    // each is half a unit off, and so is the difference from one: 1 − σ(z) is exact
    expect(p.findIndex((value, i) => Math.abs(q[i] - (1 - value)) > 2 ** -24)).toBe(-1);
  });
});

test.runIf(simd)(
  'the accuracy program holds every bound on a sample, and its reference has 100 bits',
  { timeout: 300_000 },
  () => {
    const { status, stdout } = spawnSync(process.execPath, ['bench/accuracy/run.mjs', '--quick'], { encoding: 'utf8' });
    expect(stdout).not.toContain('BROKEN');
    expect(status).toBe(0);
    const { referenceBits, results } = JSON.parse(readFileSync('bench/build/accuracy.json', 'utf8'));
    for (const bits of Object.values(referenceBits)) expect(bits).toBeGreaterThanOrEqual(100);
    for (const name of ['sigmoid', 'exp', 'softplus']) {
      for (const type of ['F32', 'F64']) expect(results[name + type].points).toBeGreaterThan(3e5);
    }
  },
);
