import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lnBeta, lnGamma } from '../../src/math/gamma.ts';
import {
  type Alternative,
  meanSequence,
  meanTest,
  rateDifference,
  sampleRatioMismatch,
  shareTest,
} from '../../src/monitor.ts';

type Counts = readonly (readonly [share: number, champion: number, challenger: number])[];
const oracle = JSON.parse(readFileSync(new URL('../fixtures/sequential.json', import.meta.url), 'utf8')) as {
  gamma: [number, number][];
  share: [Counts, number, Alternative, number][];
  robbins: [number, number, boolean, number][];
  bernstein: { x: number[]; at: number[]; low: number[]; high: number[] };
  betting: { mean: number; greater: number[]; less: number[] };
  multinomial: [number[], number[], number, number, number, number][];
  rates: [number, number, number, number, number][];
};

describe('log Γ', () => {
  test('is within 2e-14, absolute or relative, of 50 digits from 1e-9 to 1e15', () => {
    for (const [x, value] of oracle.gamma)
      expect(Math.abs(lnGamma(x) - value), String(x)).toBeLessThan(2e-14 * Math.max(1, Math.abs(value)));
  });

  test('is infinite at 0, NaN below; B(1, 1) is 1 and B(2, 3) 1/12', () => {
    expect(lnGamma(0)).toBe(Number.POSITIVE_INFINITY);
    expect(lnGamma(-0.5)).toBeNaN();
    expect(lnGamma(Number.NaN)).toBeNaN();
    expect(Math.abs(lnBeta([1, 1]))).toBeLessThan(1e-14);
    expect(Math.exp(-lnBeta([2, 3]))).toBeCloseTo(12, 12);
  });
});

describe('shareTest', () => {
  // the quadrature is exact to 1e-11; 1e-15 a nat is lost where a log-likelihood of thousands is added up
  test.each(oracle.share)('%j, ratio %f, %s: the mixture of mpmath', (counts, ratio, alternative, logE) => {
    const of = shareTest({ share: 0.5, ratio, alternative });
    for (const [share, champion, challenger] of counts) of.addCounts({ champion, challenger }, share);
    expect(Math.abs(of.logE - logE)).toBeLessThan(2e-11 + 1e-13 * Math.abs(logE));
  });

  // confseq chooses its beta distribution by a number that the fixture finds to 1e-15, and evaluates it to some 1e-10
  test.each(oracle.robbins)(
    '%i events, %i of the challenger, one-sided %s: the mixture of confseq',
    (n, k, one, logE) => {
      const of = shareTest({ share: 0.5, alternative: one ? 'greater' : 'two-sided' });
      of.addCounts({ champion: n - k, challenger: k });
      expect(Math.abs(of.logE - logE)).toBeLessThan(1e-8);
    },
  );
});

test('meanSequence has the ends of confseq: sums of some hundred terms agree to 1e-12', () => {
  const { x, at, low, high } = oracle.bernstein;
  const sequence = meanSequence({ alpha: 0.05 });
  const lower = meanSequence({ alpha: 0.025, alternative: 'greater' });
  x.forEach((value, i) => {
    sequence.add(value);
    lower.add(value);
    const k = at.indexOf(i);
    if (k < 0) return;
    expect(Math.abs(sequence.interval.low - low[k])).toBeLessThan(1e-12);
    expect(Math.abs(sequence.interval.high - Math.min(1, high[k]))).toBeLessThan(1e-12);
    // one side at alpha/2 is the side of both at alpha
    expect(lower.interval).toEqual({ low: sequence.interval.low, high: 1 });
  });
});

test('meanTest has the capital of confseq, in the scale of the values too', () => {
  const { x, at } = oracle.bernstein;
  const tests = [
    { of: meanTest({ mean: 0.3 }), scale: 1, logs: oracle.betting.greater },
    { of: meanTest({ mean: 0.3, alternative: 'less' }), scale: 1, logs: oracle.betting.less },
    { of: meanTest({ mean: -1.2, low: -3, high: 3, alternative: 'greater' }), scale: 6, logs: oracle.betting.greater },
  ];
  x.forEach((value, i) => {
    for (const { of, scale, logs } of tests) {
      of.add(scale === 1 ? value : -3 + 6 * value);
      if (at.includes(i)) expect(Math.abs(of.logE - logs[at.indexOf(i)])).toBeLessThan(1e-11);
    }
  });
});

test.each(oracle.multinomial)(
  'sampleRatioMismatch %j of %j: odds of savvi, χ² of SciPy',
  (counts, shares, k, odds, chi2, p) => {
    const found = sampleRatioMismatch(counts, shares, { concentration: k });
    // logs of gamma functions of 1e5 have errors of 1e-9 in both
    expect(Math.abs(found.logE - odds)).toBeLessThan(1e-8);
    expect(found.chi2).toBeCloseTo(chi2, 9);
    expect(Math.abs(found.fixedP / p - 1)).toBeLessThan(1e-9);
  },
);

test.each(oracle.rates)(
  'the exact sequence of %i rows with %i outcomes at %f has the ends that brentq finds',
  (n, k, alpha, low, high) => {
    const rates = rateDifference({ share: 0.5, alpha: 2 * alpha });
    rates.addCounts({ control: [n, k], treatment: [0, 0] });
    const found = rates.control;
    // betaln of 1e5 rows is exact to 1e-10, and at the ends the height changes by some units a unit of log odds
    expect(Math.abs(found.low - low)).toBeLessThan(1e-9 * Math.max(low, 1e-3));
    expect(Math.abs(found.high - high)).toBeLessThan(1e-9);
  },
);
