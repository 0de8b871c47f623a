import { describe, expect, test } from 'vitest';
import type { LogoddsError } from '../../bindings/errors.ts';
import { splitmix32 } from '../../src/math/random.ts';
import {
  cuped,
  meanDifference,
  meanSequence,
  meanTest,
  rateDifference,
  type SequentialTest,
  sampleRatioMismatch,
  shareTest,
} from '../../src/monitor.ts';

const code = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return (error as LogoddsError).code;
  }
  return undefined;
};

describe('values worked by hand', () => {
  test('shareTest, half of the requests: ∫ 2·(p/½) dp over [½, 1] is 3/2, then ∫ 2·4·p(1 − p) dp is 2/3; p keeps the best', () => {
    const of = shareTest({ share: 0.5 });
    expect([of.eValue, of.p, of.isRejected, of.estimate]).toEqual([1, 1, false, null]);
    of.add(true);
    expect(of.eValue).toBeCloseTo(3 / 2, 12);
    of.add(false);
    expect(of.eValue).toBeCloseTo(2 / 3, 12);
    expect(of.p).toBeCloseTo(2 / 3, 12);
    expect(of.events).toEqual({ champion: 1, challenger: 1 });
    expect(of.estimate).toBeCloseTo(1, 12);
  });

  test('shareTest: eight events of the challenger alone give (2⁹ − 1)·2/9·… = 2·(2⁹ − 1)/(9·2): rejected at 1/20', () => {
    // ∫ 2·(2p)⁸ dp over [½, 1] = 2⁹·(1 − 2⁻⁹)/9
    const of = shareTest({ share: 0.5, alpha: 0.05 });
    for (let i = 0; i < 5; i++) of.add(true);
    expect(of.eValue).toBeCloseTo((2 ** 6 - 1) / 6, 9);
    expect(of.isRejected).toBe(false);
    for (let i = 0; i < 3; i++) of.add(true);
    expect(of.eValue).toBeCloseTo((2 ** 9 - 1) / 9, 9);
    expect(of.isRejected).toBe(true);
    expect(of.estimate).toBe(Number.POSITIVE_INFINITY);
    expect(of.interval.high).toBe(Number.POSITIVE_INFINITY);
    // it stays rejected
    for (let i = 0; i < 100; i++) of.add(false);
    expect(of.eValue).toBeLessThan(1);
    expect(of.isRejected).toBe(true);
  });

  test('shareTest: the ends of the ratio are where e at this ratio is 1/alpha', () => {
    const counts = { champion: 30, challenger: 25 };
    const of = shareTest({ share: 0.2, alternative: 'two-sided' });
    of.addCounts(counts);
    expect(of.estimate).toBeCloseTo((25 / 30) * 4, 9);
    const { low, high } = of.interval;
    // likelihood ratio of the end to ρ = 1, times 1/alpha, is the mixture
    for (const theta of [low, high]) {
      const p = (0.2 * theta) / (0.2 * theta + 0.8);
      const ratio = 25 * Math.log(p / 0.2) + 30 * Math.log((1 - p) / 0.8);
      expect(of.logE - ratio).toBeCloseTo(Math.log(20), 8);
    }
  });

  test('meanSequence: the first bet of 0.5 on 1', () => {
    const of = meanSequence({ alpha: 0.05 });
    expect(of.interval).toEqual({ low: 0, high: 1 });
    expect(of.mean).toBe(null);
    of.add(1);
    // λ = ½, v·ψ = ¼·(log 2 − ½), centre 1
    const half = (Math.log(40) + 0.25 * (Math.log(2) - 0.5)) / 0.5;
    expect(of.interval.low).toBeCloseTo(Math.max(0, 1 - half), 12);
    expect(of.count).toBe(1);
  });

  test('meanTest: bets 0, then (¾ − ½)/(V + 1/16)', () => {
    const of = meanTest({ mean: 0.5 });
    of.add(1); // no opinion yet
    expect(of.eValue).toBe(1);
    of.add(1);
    // μ̂ = ¾, V = (¼ + 1/16)/2
    const bet = 0.25 / (5 / 32 + 1 / 16);
    expect(of.eValue).toBeCloseTo(1 + Math.min(bet, 1) * 0.5, 12);
  });

  test('meanDifference: two rows a unit apart', () => {
    const of = meanDifference({ least: 2, tightestAt: 4, alpha: 0.05 });
    for (const [isTreatment, value] of [
      [false, 0],
      [false, 2],
      [true, 1],
      [true, 3],
    ] as const)
      of.add(isTreatment, value);
    const found = of.estimate!;
    // variances 2, standard error √(2/2 + 2/2)
    expect(found.difference).toBe(1);
    expect(found.stdError).toBeCloseTo(Math.SQRT2, 12);
    const level = 2 * Math.log(20);
    const r = level + Math.log(1 + level);
    expect(found.interval.high - 1).toBeCloseTo(Math.SQRT2 * Math.sqrt(((1 + r) / r) * (Math.log(1 + r) + level)), 12);
    expect(found.logE).toBeCloseTo(0.25 * (r / (1 + r)) - Math.log(1 + r) / 2, 12);
    expect(found.fixed.high).toBeCloseTo(1 + 1.959963984540054 * Math.SQRT2, 12);
    expect(of.adjusted).toBe(null);
  });

  test('Newcombe 1998, table II: 56 of 70 and 48 of 80, method 10: 0.0524 to 0.3339', () => {
    const of = rateDifference({ share: 0.5 });
    of.addCounts({ control: [80, 48], treatment: [70, 56] });
    expect(of.fixed!.low).toBeCloseTo(0.0524, 4);
    expect(of.fixed!.high).toBeCloseTo(0.3339, 4);
    expect(of.difference).toBeCloseTo(0.2, 12);
  });

  test('sampleRatioMismatch: two rows in one arm, uniform mixture: B(3, 1)/(¼) = 4/3; χ² = 2', () => {
    const found = sampleRatioMismatch([2, 0], [0.5, 0.5], { concentration: 2 });
    expect(Math.exp(found.logE)).toBeCloseTo(4 / 3, 12);
    expect(found.chi2).toBe(2);
    expect(found.p).toBeCloseTo(0.75, 12);
    expect(sampleRatioMismatch([0, 0], [0.5, 0.5])).toMatchObject({ chi2: 0, fixedP: 1, p: 1, isMismatch: false });
  });

  test('cuped: the slope within the arms, not between them', () => {
    // between the arms x and y go opposite ways
    const found = cuped([10, 11, 0, 1], [0, 1, 5, 6], ['a', 'a', 'b', 'b']);
    expect(found.theta).toBe(1);
    expect(found.removed).toBe(1);
    expect([...found.values]).toEqual([13, 13, -2, -2]);
    expect(cuped([1, 2], [3, 3])).toMatchObject({ theta: 0, removed: 0 });
    expect(cuped([], [])).toMatchObject({ theta: 0, removed: 0 });
  });
});

describe('laws', () => {
  const random = splitmix32(4);

  test('under the hypothesis the mean of the e-value over all sequences of events is 1, at every length', () => {
    // all 2⁶ sequences with their probabilities, with shares that change
    const shares = [0.1, 0.1, 0.5, 0.5, 0.3, 0.9];
    for (const alternative of ['greater', 'less', 'two-sided'] as const) {
      for (let length = 1; length <= 6; length++) {
        let mean = 0;
        for (let bits = 0; bits < 1 << length; bits++) {
          const of = shareTest({ share: 0.5, ratio: 1.5, alternative });
          let probability = 1;
          for (let i = 0; i < length; i++) {
            const isChallenger = (bits & (1 << i)) > 0;
            const p = (1.5 * shares[i]) / (1.5 * shares[i] + 1 - shares[i]);
            probability *= isChallenger ? p : 1 - p;
            of.add(isChallenger, shares[i]);
          }
          mean += probability * of.eValue;
        }
        expect(mean).toBeCloseTo(1, 10);
      }
    }
  });

  test('below the allowed ratio the mean of the e-value is at most 1', () => {
    let mean = 0;
    for (let bits = 0; bits < 64; bits++) {
      const of = shareTest({ share: 0.5, ratio: 2 });
      for (let i = 0; i < 6; i++) of.add((bits & (1 << i)) > 0);
      mean += of.eValue / 64;
    }
    expect(mean).toBeLessThan(0.7);
  });

  test('challenger and champion exchanged, greater is less and the ratio its inverse', () => {
    const one = shareTest({ share: 0.2, ratio: 2 });
    const other = shareTest({ share: 0.8, ratio: 0.5, alternative: 'less' });
    one.addCounts({ champion: 40, challenger: 37 });
    other.addCounts({ champion: 37, challenger: 40 });
    expect(one.logE).toBeCloseTo(other.logE, 10);
    expect(one.interval.low * other.interval.high).toBeCloseTo(1, 8);
    expect(one.estimate! * other.estimate!).toBeCloseTo(1, 10);
  });

  const events = Array.from({ length: 300 }, () => ({
    is: random() < 0.4,
    share: [0.1, 0.3, 0.5][Math.floor(random() * 3)],
  }));

  test('a test saved and restored at any event goes on as if it had not been', () => {
    const rows = events.map(({ is, share }) => ({ is, share, value: random() }));
    const makers: readonly [
      (state?: never) => SequentialTest & { toJSON(): object },
      (of: never, row: (typeof rows)[0]) => void,
    ][] = [
      [
        (state) => shareTest(state ?? { share: 0.5 }),
        (of: ReturnType<typeof shareTest>, { is, share }) => of.add(is, share),
      ],
      [
        (state) => meanTest(state ?? { mean: 0.4, low: -1, alternative: 'two-sided' }),
        (of: ReturnType<typeof meanTest>, { value }) => of.add(value),
      ],
      [
        (state) => rateDifference(state ?? { share: 0.3 }),
        (of: ReturnType<typeof rateDifference>, { is, value, share }) => of.add(is, value < 0.5, share),
      ],
      [
        (state) => rateDifference(state ?? { method: 'mixture', tau: 0.1, least: 5 }),
        (of: ReturnType<typeof rateDifference>, { is, value }) => of.add(is, value < 0.5),
      ],
      [
        (state) => meanDifference(state ?? { least: 5 }),
        (of: ReturnType<typeof meanDifference>, { is, value, share }) => of.add(is, value, share),
      ],
    ];
    for (const [make, add] of makers) {
      const whole = make();
      let parts = make();
      rows.forEach((row, i) => {
        add(whole as never, row);
        add(parts as never, row);
        if (i % 50 === 7) parts = make(JSON.parse(JSON.stringify(parts)) as never);
      });
      expect(JSON.stringify(parts)).toBe(JSON.stringify(whole));
      expect([parts.p, parts.logE, parts.isRejected]).toEqual([whole.p, whole.logE, whole.isRejected]);
    }
    const sequence = meanSequence({ low: -2, high: 2, clip: true });
    for (const { value } of rows) sequence.add(value * 5);
    const again = meanSequence(JSON.parse(JSON.stringify(sequence)));
    expect(again.interval).toEqual(sequence.interval);
    expect(again.clipped).toBeGreaterThan(50);
    expect(JSON.stringify(again)).toBe(JSON.stringify(sequence));
  });

  test('merged parts are the whole, in any order and split', () => {
    const whole = shareTest({ share: 0.5, alternative: 'two-sided' });
    const parts = [0, 1, 2].map(() => shareTest({ share: 0.5, alternative: 'two-sided' }));
    const rates = rateDifference({ share: 0.5 });
    const rateParts = [0, 1, 2].map(() => rateDifference({ share: 0.5 }));
    const means = meanDifference({ least: 5 });
    const meanParts = [0, 1, 2].map(() => meanDifference({ least: 5 }));
    events.forEach(({ is, share }, i) => {
      for (const of of [whole, parts[(i * i) % 3]]) of.add(is, share);
      for (const of of [rates, rateParts[(i * i) % 3]]) of.add(is, i % 4 === 0, share);
      for (const of of [means, meanParts[(i * i) % 3]]) of.add(is, i % 7, i % 3);
    });
    const merged = shareTest({ share: 0.5, alternative: 'two-sided' });
    const mergedRates = rateDifference({ share: 0.5 });
    const mergedMeans = meanDifference({ least: 5 });
    for (const part of [2, 0, 1]) {
      merged.merge(parts[part]);
      mergedRates.merge(JSON.parse(JSON.stringify(rateParts[part])));
      mergedMeans.merge(meanParts[part]);
    }
    expect(merged.toJSON().counts).toEqual(whole.toJSON().counts);
    expect([merged.logE, merged.interval]).toEqual([whole.logE, whole.interval]);
    expect([mergedRates.logE, mergedRates.interval]).toEqual([rates.logE, rates.interval]);
    // sums in another order
    expect(mergedMeans.estimate!.difference).toBeCloseTo(means.estimate!.difference, 12);
    expect(mergedMeans.adjusted!.removed).toBeCloseTo(means.adjusted!.removed, 12);
    expect(mergedMeans.logE).toBeCloseTo(means.logE, 10);
  });

  test('the adjusted difference is that of values adjusted by cuped', () => {
    const rows = events.map(({ is }, i) => ({ is, x: i % 11, y: 3 * (i % 11) + (i % 5) + (is ? 1 : 0) }));
    const of = meanDifference({ least: 2 });
    for (const { is, x, y } of rows) of.add(is, y, x);
    const { values, theta, removed } = cuped(
      rows.map(({ y }) => y),
      rows.map(({ x }) => x),
      rows.map(({ is }) => String(is)),
    );
    const plain = meanDifference({ least: 2 });
    values.forEach((value, i) => {
      plain.add(rows[i].is, value);
    });
    const [adjusted, known] = [of.adjusted!, plain.estimate!];
    expect(adjusted.theta).toBeCloseTo(theta, 12);
    expect(adjusted.removed).toBeCloseTo(removed, 12);
    for (const field of ['difference', 'stdError', 'control', 'treatment', 'logE'] as const)
      expect(adjusted[field], field).toBeCloseTo(known[field], 9);
    expect(adjusted.stdError).toBeLessThan(of.estimate!.stdError / 5);
  });

  test('a shift and a scale of values move meanSequence and meanTest along', () => {
    const plain = meanSequence();
    const scaled = meanSequence({ low: 10, high: 30 });
    for (let i = 0; i < 200; i++) {
      plain.add((i % 9) / 9);
      scaled.add(10 + (20 * (i % 9)) / 9);
    }
    expect(scaled.interval.low).toBeCloseTo(10 + 20 * plain.interval.low, 9);
    expect(scaled.interval.high).toBeCloseTo(10 + 20 * plain.interval.high, 9);
  });

  test('the asymptotic sequence is narrowest, for its root of rows, near tightestAt', () => {
    const width = (rows: number, tightestAt: number): number => {
      const of = meanDifference({ tightestAt });
      for (let i = 0; i < rows; i++) of.add(i % 2 === 1, i % 3);
      const { low, high } = of.estimate!.interval;
      return high - low;
    };
    expect(width(6000, 6000)).toBeLessThan(width(6000, 600));
    expect(width(6000, 6000)).toBeLessThan(width(6000, 60_000));
  });

  test('billions of events, shares near 0 and 1, and the smallest alpha give finite numbers', () => {
    for (const share of [1e-9, 1e-4, 0.5, 1 - 1e-9]) {
      for (const [champion, challenger] of [
        [2e9, 0],
        [0, 2e9],
        [1e9, 1e9],
        [3e9, 3],
        [1, 0],
        [0, 1],
      ]) {
        for (const alternative of ['greater', 'less', 'two-sided'] as const) {
          const of = shareTest({ share, alternative, alpha: 1e-300 });
          of.addCounts({ champion, challenger });
          const what = `${share} ${champion} ${challenger} ${alternative}`;
          expect(Number.isFinite(of.logE), what).toBe(true);
          expect(of.interval.low, what).toBeLessThanOrEqual(of.estimate!);
          expect(of.interval.high, what).toBeGreaterThanOrEqual(of.estimate!);
          expect(of.p >= 0 && of.p <= 1, what).toBe(true);
        }
      }
    }
  });
});

describe('what is refused, with nothing counted', () => {
  const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '1', null, undefined] as never[];

  test('values that are no finite numbers', () => {
    const sequence = meanSequence();
    const betting = meanTest({ mean: 0.5 });
    const difference = meanDifference();
    for (const value of bad) {
      expect(code(() => sequence.add(value))).toBe('ERR_RANGE');
      expect(code(() => betting.add(value))).toBe('ERR_RANGE');
      expect(code(() => difference.add(true, value))).toBe('ERR_RANGE');
      if (value !== undefined) expect(code(() => difference.add(true, 1, value))).toBe('ERR_RANGE');
      expect(code(() => cuped([value], [1]))).toBe('ERR_RANGE');
      expect(code(() => sampleRatioMismatch([value, 1], [0.5, 0.5]))).toBe('ERR_RANGE');
    }
    expect(code(() => sequence.add(1.5))).toBe('ERR_RANGE');
    expect([sequence.count, betting.count, difference.rows]).toEqual([0, 0, { control: 0, treatment: 0 }]);
    const clipping = meanSequence({ clip: true });
    expect(code(() => clipping.add(Number.NaN))).toBe('ERR_RANGE');
    clipping.add(-5);
    expect([clipping.clipped, clipping.mean]).toEqual([1, 0]);
  });

  test('shares, counts and arms', () => {
    const of = shareTest({ share: 0.5 });
    for (const value of [...bad, 0, 1, -0.1, 1.1] as never[]) {
      if (value !== undefined)
        expect(
          code(() => of.add(true, value)),
          String(value),
        ).toBe('ERR_RANGE');
      expect(code(() => shareTest({ share: value }))).toBe('ERR_RANGE');
    }
    for (const value of [1, 'yes', null, undefined, Number.NaN] as never[])
      expect(code(() => of.add(value))).toBe('ERR_RANGE');
    for (const value of [-1, 0.5, 2 ** 60, ...bad] as never[])
      expect(code(() => of.addCounts({ champion: 1, challenger: value }))).toBe('ERR_RANGE');
    expect(of.events).toEqual({ champion: 0, challenger: 0 });
    for (let i = 1; i <= 100; i++) of.add(true, i / 1000);
    expect(code(() => of.add(true, 0.7))).toBe('ERR_RANGE');
    of.add(true, 0.05);
    expect(of.events.challenger).toBe(101);
    const rates = rateDifference({ share: 0.5 });
    expect(code(() => rates.addCounts({ control: [3, 4], treatment: [1, 1] }))).toBe('ERR_RANGE');
    expect(code(() => rates.addCounts({ control: [3, 1], treatment: [1, 1] }, 2))).toBe('ERR_RANGE');
    for (let i = 1; i <= 100; i++) rates.add(true, true, i / 1000);
    expect(code(() => rates.add(true, false, 0.7))).toBe('ERR_RANGE');
    expect([rates.control.rows, rates.treatment.rows]).toEqual([0, 100]);
  });

  test('options that do not exist or are outside their range', () => {
    for (const alpha of [0, 1, -1, Number.NaN, '0.05' as never]) {
      for (const make of [
        () => shareTest({ share: 0.5, alpha }),
        () => meanSequence({ alpha }),
        () => meanTest({ mean: 0.5, alpha }),
        () => rateDifference({ share: 0.5, alpha }),
        () => meanDifference({ alpha }),
        () => sampleRatioMismatch([1, 1], [0.5, 0.5], { alpha }),
      ])
        expect(code(make)).toBe('ERR_RANGE');
    }
    for (const make of [
      () => shareTest({ share: 0.5, shares: 1 } as never),
      () => shareTest({ share: 0.5, ratio: 0 }),
      () => shareTest({ share: 0.5, alternative: 'more' as never }),
      () => shareTest(undefined as never),
      () => meanSequence({ low: 1, high: 1 }),
      () => meanSequence({ low: Number.NEGATIVE_INFINITY }),
      () => meanTest({} as never),
      () => meanTest({ mean: 1 }),
      () => rateDifference({} as never),
      () => rateDifference(null as never),
      () => rateDifference({ share: 0.5, tau: 1 } as never),
      () => rateDifference({ method: 'mixture', tau: 0 }),
      () => rateDifference({ method: 'wald', share: 0.5 } as never),
      () => rateDifference({ method: 'mixture', tau: 0.1 }).add(true, true, 0.5),
      () => meanDifference({ tightestAt: 0 }),
      () => meanDifference({ least: 1 }),
      () => sampleRatioMismatch([1, 2], [0.5, 0.6]),
      () => sampleRatioMismatch([1, 2], [0, 1]),
    ])
      expect(code(make), String(make)).toBe('ERR_RANGE');
    expect(code(() => sampleRatioMismatch([1], [1]))).toBe('ERR_SHAPE');
    expect(code(() => cuped([1, 2], [1]))).toBe('ERR_SHAPE');
  });

  test('a covariate on some rows only, and merging what does not belong together', () => {
    const of = meanDifference();
    of.add(true, 1, 2);
    expect(code(() => of.add(true, 1))).toBe('ERR_RANGE');
    const plain = meanDifference();
    plain.add(true, 1);
    expect(code(() => of.merge(plain))).toBe('ERR_RANGE');
    expect(code(() => shareTest({ share: 0.5 }).merge(shareTest({ share: 0.5, ratio: 2 })))).toBe('ERR_RANGE');
    expect(code(() => rateDifference({ share: 0.5 }).merge(rateDifference({ method: 'mixture', tau: 1 })))).toBe(
      'ERR_RANGE',
    );
  });

  test('states of other kinds or with other content', () => {
    const state = shareTest({ share: 0.5 }).toJSON();
    expect(code(() => meanTest(state as never))).toBe('ERR_FORMAT');
    expect(code(() => shareTest({ ...state, counts: 3 } as never))).toBe('ERR_FORMAT');
    expect(code(() => shareTest({ ...state, counts: [[0.5, -1, 0]] } as never))).toBe('ERR_RANGE');
    expect(code(() => shareTest({ ...state, peak: Number.NaN }))).toBe('ERR_RANGE');
    expect(code(() => meanSequence({ ...meanSequence().toJSON(), sums: [1, 2] } as never))).toBe('ERR_FORMAT');
    expect(code(() => meanDifference({ ...meanDifference().toJSON(), control: [1, 2] }))).toBe('ERR_FORMAT');
    expect(code(() => meanDifference({ ...meanDifference().toJSON(), control: [-1, 0, 0, 0, 0, 0] }))).toBe(
      'ERR_FORMAT',
    );
    expect(code(() => rateDifference({ ...rateDifference({ share: 0.5 }).toJSON(), tests: undefined }))).toBe(
      'ERR_FORMAT',
    );
    expect(code(() => shareTest({ ...state, extra: 1 } as never))).toBe('ERR_RANGE');
    // a made-up sum of bets of nothing would divide by it
    expect(code(() => meanSequence({ ...meanSequence().toJSON(), count: 3 }))).toBe('ERR_FORMAT');
    const broken = { ...meanTest({ mean: 0.5 }).toJSON(), sums: [1, -9, 0, 0, 0] as const };
    expect(code(() => meanTest(broken))).toBe('ERR_FORMAT');
  });
});
