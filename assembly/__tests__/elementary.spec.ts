import {
  addF64, expF32, expF64, multiplyF64, sigmoidF32, sigmoidF64, softplusF32, softplusF64, sumF64,
} from '../elementwise';
import { exp2lanes, expForFloat2lanes, log1p2lanes, log2lanes } from '../exp';
import { at, f32s, f64s, ulps } from './memory';

function exp(x: f64): f64 {
  const both = exp2lanes(f64x2.splat(x));
  const a = f64x2.extract_lane(both, 0);
  const b = f64x2.extract_lane(both, 1);
  expect(reinterpret<u64>(a)).toBe(reinterpret<u64>(b), 'both lanes are equal');
  return a;
}

function log1p(t: f64): f64 {
  return f64x2.extract_lane(log1p2lanes(f64x2.splat(t)), 0);
}

function log(x: f64): f64 {
  return f64x2.extract_lane(log2lanes(f64x2.splat(x)), 0);
}

function sigmoid(z: f64): f64 {
  const buffer = f64s([z, 0]);
  sigmoidF64(at(buffer), 1, at(buffer));
  return buffer[0];
}

function sigmoidFloat(z: f32): f32 {
  const buffer = f32s([z]);
  sigmoidF32(at(buffer), 1, at(buffer));
  return buffer[0];
}

describe('exp', () => {
  it('is exact where the result is', () => {
    expect(exp(0)).toBe(1);
    expect(exp(-0.0)).toBe(1);
    expect(exp(-Infinity)).toBe(0);
    expect(exp(Infinity)).toBe(Infinity);
  });
  it('is NaN for NaN', () => {
    expect(exp(NaN)).toBeNaN();
  });
  it('is within one unit of the last place', () => {
    // mpmath, 60 digits
    expect(ulps(exp(1), 2.718281828459045)).toBeLessThanOrEqual(1);
    expect(ulps(exp(-1), 0.36787944117144233)).toBeLessThanOrEqual(1);
    expect(ulps(exp(1e-8), 1.00000001)).toBeLessThanOrEqual(1);
    expect(ulps(exp(-37), 8.533047625744066e-17)).toBeLessThanOrEqual(1);
    expect(ulps(exp(100), 2.6881171418161356e43)).toBeLessThanOrEqual(1);
    expect(ulps(exp(-700), 9.859676543759770e-305)).toBeLessThanOrEqual(1);
    expect(ulps(exp(709.7), 1.6549840276802644e308)).toBeLessThanOrEqual(1);
  });
  it('goes through the subnormals down to the least, then to zero', () => {
    expect(ulps(exp(-708.5), 2.006132305331306e-308)).toBeLessThanOrEqual(1);
    expect(exp(-745.0)).toBe(5e-324);
    expect(exp(-745.13)).toBe(5e-324);
    expect(exp(-745.14)).toBe(0);
    expect(exp(-1e308)).toBe(0);
  });
  it('overflows to Infinity where the result does', () => {
    expect(exp(709.79)).toBe(Infinity);
    expect(exp(709.78)).toBeFinite();
    expect(exp(1e308)).toBe(Infinity);
  });
});

describe('expForFloat', () => {
  it('is exact at 0 and within 3e-10 elsewhere', () => {
    expect(f64x2.extract_lane(expForFloat2lanes(f64x2.splat(0)), 0)).toBe(1);
    for (let x: f64 = -160; x <= 0; x += 0.0625) {
      const wide = exp(x);
      const short = f64x2.extract_lane(expForFloat2lanes(f64x2.splat(x)), 0);
      expect(abs(short - wide)).toBeLessThanOrEqual(3e-10 * wide);
    }
  });
  it('is NaN for NaN', () => {
    expect(f64x2.extract_lane(expForFloat2lanes(f64x2.splat(NaN)), 0)).toBeNaN();
  });
});

describe('log1p', () => {
  it('keeps relative accuracy as t goes to 0', () => {
    expect(log1p(0)).toBe(0);
    expect(log1p(5e-324)).toBe(5e-324);
    expect(log1p(1e-300)).toBe(1e-300);
    expect(ulps(log1p(1e-17), 1e-17)).toBeLessThanOrEqual(1);
    expect(ulps(log1p(1e-8), 9.9999999500000003e-9)).toBeLessThanOrEqual(1);
  });
  it('is within one unit of the last place on both sides of the switch at √2 − 1', () => {
    expect(ulps(log1p(0.25), 0.22314355131420976)).toBeLessThanOrEqual(1);
    expect(ulps(log1p(0.41), 0.3435897043900769)).toBeLessThanOrEqual(1);
    expect(ulps(log1p(0.42), 0.35065687161316933)).toBeLessThanOrEqual(1);
    expect(ulps(log1p(0.5), 0.4054651081081644)).toBeLessThanOrEqual(1);
    expect(ulps(log1p(1), 0.6931471805599453)).toBeLessThanOrEqual(1);
  });
});

describe('log', () => {
  it('is 0 at 1, and within one unit of the last place up to 2¹⁰²³', () => {
    expect(log(1)).toBe(0);
    // mpmath, 60 digits
    expect(ulps(log(1.0000000000000002), 2.220446049250313e-16)).toBeLessThanOrEqual(1);
    expect(ulps(log(1.4142135623730951), 0.34657359027997271)).toBeLessThanOrEqual(1);
    expect(ulps(log(1.9999999999999998), 0.69314718055994520)).toBeLessThanOrEqual(1);
    expect(ulps(log(2), 0.69314718055994529)).toBeLessThanOrEqual(1);
    expect(ulps(log(3), 1.0986122886681098)).toBeLessThanOrEqual(1);
    expect(ulps(log(1000), 6.9077552789821368)).toBeLessThanOrEqual(1);
    expect(ulps(log(1e300), 690.77552789821371)).toBeLessThanOrEqual(1);
  });
});

describe('exp and softplus over vectors', () => {
  it('exp, f64: both ends, the rest in order, apart from the input', () => {
    const z = f64s([0, -Infinity, Infinity, NaN, 1, -745.13, -745.14, 709.79, 709.78]);
    const out = new StaticArray<f64>(12);
    expF64(at(z), 9, at(out));
    expect(out[0]).toBe(1);
    expect(out[1]).toBe(0);
    expect(out[2]).toBe(Infinity);
    expect(out[3]).toBeNaN();
    expect(ulps(out[4], 2.718281828459045)).toBeLessThanOrEqual(1);
    expect(out[5]).toBe(5e-324);
    expect(out[6]).toBe(0);
    expect(out[7]).toBe(Infinity);
    expect(out[8]).toBeFinite();
    expect(z[4]).toBe(1);
  });

  it('exp, f32: both ends, subnormals, the rest rounded to nearest', () => {
    const z = f32s([0, -Infinity, Infinity, <f32>NaN, 1, -1, -103.28, -104, 88.72284, 88.72283, -100]);
    expF32(at(z), 11, at(z));
    expect(z[0]).toBe(1);
    expect(z[1]).toBe(0);
    expect(z[2]).toBe(Infinity);
    expect(z[3]).toBeNaN();
    expect(z[4]).toBe(<f32>2.718281828459045);
    expect(z[5]).toBe(<f32>0.36787944117144233);
    expect(z[6]).toBe(<f32>1.401298464324817e-45);
    expect(z[7]).toBe(0);
    expect(z[8]).toBe(Infinity);
    expect(z[9]).toBeFinite();
    expect(z[10]).toBe(<f32>3.720075976020836e-44);
  });

  it('softplus, f64: exp(z) far to the left, z far to the right, ln 2 between', () => {
    const z = f64s([0, -Infinity, Infinity, NaN, -745, -800, 800, 1e308, -37, 1, -0.0]);
    const out = new StaticArray<f64>(12);
    softplusF64(at(z), 11, at(out));
    expect(out[0]).toBe(0.6931471805599453);
    expect(out[1]).toBe(0);
    expect(out[2]).toBe(Infinity);
    expect(out[3]).toBeNaN();
    expect(out[4]).toBe(5e-324);
    expect(out[5]).toBe(0);
    expect(out[6]).toBe(800);
    expect(out[7]).toBe(1e308);
    // mpmath, 60 digits
    expect(ulps(out[8], 8.5330476257440654e-17)).toBeLessThanOrEqual(2);
    expect(ulps(out[9], 1.3132616875182228)).toBeLessThanOrEqual(2);
    expect(out[10]).toBe(0.6931471805599453);
  });

  it('softplus, f32: the same, rounded to nearest', () => {
    const z = f32s([0, -Infinity, Infinity, <f32>NaN, -103, -104, 200, 3e38, -1, 1, -100]);
    softplusF32(at(z), 11, at(z));
    expect(z[0]).toBe(<f32>0.6931471805599453);
    expect(z[1]).toBe(0);
    expect(z[2]).toBe(Infinity);
    expect(z[3]).toBeNaN();
    expect(z[4]).toBe(<f32>1.401298464324817e-45);
    expect(z[5]).toBe(0);
    expect(z[6]).toBe(200);
    expect(z[7]).toBe(<f32>3e38);
    expect(z[8]).toBe(<f32>0.31326168751822283);
    expect(z[9]).toBe(<f32>1.3132616875182228);
    expect(z[10]).toBe(<f32>3.720075976020836e-44);
  });

  it('none asked for, none written', () => {
    const z = f64s([3]);
    expF64(at(z), 0, at(z));
    softplusF64(at(z), 0, at(z));
    expect(z[0]).toBe(3);
  });
});

describe('sigmoid, f64', () => {
  it('is exact where the result is', () => {
    expect(sigmoid(0)).toBe(0.5);
    expect(sigmoid(-0.0)).toBe(0.5);
    expect(sigmoid(Infinity)).toBe(1);
    expect(sigmoid(-Infinity)).toBe(0);
    expect(sigmoid(1e20)).toBe(1);
    expect(sigmoid(-1e20)).toBe(0);
    expect(sigmoid(710)).toBe(1);
  });
  it('is NaN for NaN', () => {
    expect(sigmoid(NaN)).toBeNaN();
  });
  it('keeps relative accuracy in both tails', () => {
    // mpmath, 60 digits
    expect(sigmoid(-745)).toBe(5e-324);
    expect(ulps(sigmoid(-100), 3.720075976020836e-44)).toBeLessThanOrEqual(2.5);
    expect(ulps(sigmoid(-37), 8.5330476257440651e-17)).toBeLessThanOrEqual(2.5);
    expect(ulps(sigmoid(-20), 2.0611536181902036e-9)).toBeLessThanOrEqual(2.5);
    expect(ulps(sigmoid(-1), 0.26894142136999512)).toBeLessThanOrEqual(2.5);
    expect(ulps(sigmoid(-1e-8), 0.4999999975)).toBeLessThanOrEqual(2.5);
    expect(ulps(sigmoid(1), 0.73105857863000488)).toBeLessThanOrEqual(2.5);
    expect(ulps(sigmoid(18), 0.99999998477002049)).toBeLessThanOrEqual(2.5);
    expect(ulps(sigmoid(33.3), 0.99999999999999655)).toBeLessThanOrEqual(2.5);
  });
  it('writes n values, apart from the input', () => {
    const z = f64s([0, 1, -1]);
    const out = f64s([9, 9, 9, 9]);
    sigmoidF64(at(z), 3, at(out));
    expect(out[0]).toBe(0.5);
    expect(out[1] + out[2]).toBe(1);
    expect(z[1]).toBe(1);
    sigmoidF64(at(z), 0, at(z));
    expect(z[0]).toBe(0);
  });
});

describe('sigmoid, f32', () => {
  it('is exact where the result is', () => {
    expect(sigmoidFloat(0)).toBe(0.5);
    expect(sigmoidFloat(Infinity)).toBe(1);
    expect(sigmoidFloat(-Infinity)).toBe(0);
    expect(sigmoidFloat(-200)).toBe(0);
    expect(sigmoidFloat(200)).toBe(1);
  });
  it('is NaN for NaN', () => {
    expect(sigmoidFloat(<f32>NaN)).toBeNaN();
  });
  it('is the f64 result rounded, subnormals included', () => {
    expect(sigmoidFloat(-1)).toBe(<f32>0.26894142136999512);
    expect(sigmoidFloat(1)).toBe(<f32>0.73105857863000488);
    expect(sigmoidFloat(-20)).toBe(<f32>2.0611536181902036e-9);
    expect(sigmoidFloat(-100)).toBe(<f32>3.720075976020836e-44);
  });
  it('keeps the four lanes in their order', () => {
    const buffer = f32s([-3, -1, 0, 1, 5, -20]);
    sigmoidF32(at(buffer), 6, at(buffer));
    expect(buffer[0]).toBe(<f32>0.04742587317756678);
    expect(buffer[1]).toBe(<f32>0.2689414213699951);
    expect(buffer[2]).toBe(<f32>0.5);
    expect(buffer[3]).toBe(<f32>0.7310585786300049);
    expect(buffer[4]).toBe(<f32>0.9933071490757152);
    expect(buffer[5]).toBe(<f32>2.0611536181902036e-9);
  });
});

describe('sums, additions, products', () => {
  it('adds even entries, odd entries, then both', () => {
    expect(sumF64(at(f64s([])), 0)).toBe(0);
    expect(sumF64(at(f64s([3])), 1)).toBe(3);
    expect(sumF64(at(f64s([1, 2, 4, 8, 16])), 5)).toBe(31);
    // (1e16 + -1e16) + (1 + 1): any other order loses a one
    expect(sumF64(at(f64s([1e16, 1, -1e16, 1])), 4)).toBe(2);
  });
  it('ignores what stands behind the last entry', () => {
    expect(sumF64(at(f64s([1, 2, 3, 100])), 3)).toBe(6);
  });
  it('adds one vector to another', () => {
    const y = f64s([1, 2, 3]);
    addF64(at(f64s([10, 20, 30])), 3, at(y));
    expect(y[0]).toBe(11);
    expect(y[1]).toBe(22);
    expect(y[2]).toBe(33);
  });
  it('multiplies one vector by another', () => {
    const z = f64s([1, 2, 3]);
    const c = f64s([10, -0.5, 0]);
    multiplyF64(at(c), 3, at(z));
    expect(z[0]).toBe(10);
    expect(z[1]).toBe(-1);
    expect(z[2]).toBe(0);
    expect(c[0]).toBe(10);
  });
});
