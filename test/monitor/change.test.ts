import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { changeTest, meanSequence, performanceWatch } from '../../src/monitor.ts';
import { sweep } from '../full.ts';

const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 });

describe('changeTest', () => {
  test('is the mean of CUSUMs of the bets, written as its definition', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (list, mean) => {
        const found = changeTest({ mean, runLength: 1e300 });
        const bets = [1, -1].flatMap((sign) =>
          Array.from({ length: 10 }, (_, k) => (sign * 2 ** -(k + 1)) / (sign > 0 ? mean : 1 - mean)),
        );
        const capitals = bets.map(() => 0);
        for (const x of list) {
          found.add(x);
          bets.forEach((bet, k) => {
            capitals[k] = Math.max(capitals[k], 1) * (1 + bet * (x - mean));
          });
        }
        const e = list.length ? capitals.reduce((sum, one) => sum + one, 0) / 20 : 1;
        expect(Math.abs(found.logE - Math.log(e))).toBeLessThan(1e-9 * Math.max(1, Math.abs(found.logE)));
      }),
      { seed: 23, numRuns: sweep(200, 2000) },
    );
  });

  test('goes on from a saved state with the same bits', () => {
    fc.assert(
      fc.property(values, fc.nat(200), (list, cut) => {
        const whole = changeTest({ mean: { low: 0.4, high: 0.45 }, runLength: 30 });
        let part = changeTest({ mean: { low: 0.4, high: 0.45 }, runLength: 30 });
        list.forEach((x, i) => {
          if (i === cut) part = changeTest(JSON.parse(JSON.stringify(part)));
          expect(part.add(x, 1000 * i)).toBe(whole.add(x, 1000 * i));
        });
        expect(JSON.stringify(part)).toBe(JSON.stringify(whole));
      }),
      { seed: 24, numRuns: sweep(200, 2000) },
    );
  });

  test('finds a change with its place, time, direction and means, and goes on after a restart', () => {
    const random = splitmix32(1);
    const of = changeTest({ mean: 0.2, low: 0, high: 2, clip: true, runLength: 1000, alternative: 'greater' });
    const draw = (p: number): number => (random() < p ? 1 : 0);
    for (let i = 0; i < 1000; i++) expect(of.add(draw(0.2), i)).toBe(false);
    let alarms = 0;
    for (let i = 1000; i < 1300; i++) if (of.add(draw(0.6), i)) alarms++;
    expect(alarms).toBe(1);
    const change = of.change!;
    expect(Math.abs(change.since - 1000)).toBeLessThan(15);
    expect(change).toMatchObject({ direction: 'greater', sinceAt: change.since, foundAt: change.found - 1 });
    expect(change.before).toBeCloseTo(0.2, 1);
    expect(change.after).toBeCloseTo(0.6, 0);
    of.restart();
    expect(of).toMatchObject({ change: null, count: 0, logE: 0 });
    expect(of.add(5)).toBe(false);
    expect(of.clipped).toBe(1);
  });

  test('an interval for the mean before is tested at its ends', () => {
    const [wide, low, high] = [{ low: 0.3, high: 0.5 }, 0.3, 0.5].map((mean) => changeTest({ mean, runLength: 100 }));
    const random = splitmix32(2);
    for (let i = 0; i < 600; i++) for (const of of [wide, low, high]) of.add(random() < 0.4 ? 1 : 0);
    expect(wide.change).toBeNull();
    expect(low.change?.direction).toBe('greater');
    expect(high.change?.direction).toBe('less');
  });

  test('constant values at the mean say nothing', () => {
    const of = changeTest({ mean: 0.5, runLength: 2 });
    for (let i = 0; i < 1000; i++) of.add(0.5);
    expect(of.logE).toBe(0);
    expect(of.change).toBeNull();
  });

  test.each([
    [{ mean: 0 }, /mean/],
    [{ mean: 1 }, /mean/],
    [{ mean: Number.NaN }, /mean/],
    [{ mean: { low: 0.6, high: 0.5 } }, /low is at most/],
    [{ mean: null }, /mean/],
    [{ mean: 0.5, runLength: 1 }, /runLength/],
    [{ mean: 0.5, low: 1 }, /low/],
    [{ mean: 0.5, alpha: 0.1 }, /alpha/],
    [{ kind: 'meanTest', mean: 0.5 }, /changeTest/],
    [{ ...changeTest({ mean: 0.5 }).toJSON(), bets: [] }, /20 bets/],
  ])('%j is refused', (options, message) => {
    expect(() => changeTest(options as never)).toThrow(message);
  });

  test('a value outside, or none, is not counted', () => {
    const of = changeTest({ mean: 0.5 });
    expect(() => of.add(2)).toThrow(/from 0 to 1/);
    expect(() => of.add(Number.NaN)).toThrow(/finite/);
    expect(() => of.add(0.5, Number.NaN)).toThrow(/at: /);
    expect(of.count).toBe(0);
  });
});

describe('performanceWatch', () => {
  const row = (random: () => number, bias: number) => {
    const probability = 0.05 + 0.9 * random();
    return { probability, y: random() < Math.min(1, probability + bias) ? 1 : 0, called: probability > 0.5 ? 1 : 0 };
  };

  test('has the sequence of each figure, over the rows that it is of', () => {
    const random = splitmix32(3);
    const watch = performanceWatch();
    const own = {
      precision: meanSequence({ alpha: 0.05 / 6, clip: true }),
      fpr: meanSequence({ alpha: 0.05 / 6, clip: true }),
    };
    for (let i = 0; i < 500; i++) {
      const one = row(random, 0);
      watch.add(one);
      if (one.called) own.precision.add(one.y);
      if (!one.y) own.fpr.add(one.called);
    }
    const { figures } = watch;
    for (const name of ['precision', 'fpr'] as const)
      expect(figures[name]).toMatchObject({
        count: own[name].count,
        mean: own[name].mean,
        interval: own[name].interval,
        isTested: false,
      });
    expect(figures.calibration).toMatchObject({ isTested: true, change: null });
    expect(figures.calibration.interval.low).toBeLessThan(0);
    expect(figures.calibration.interval.high).toBeGreaterThan(0);
  });

  test('tells a lost calibration and a risen loss, with the time since', () => {
    const random = splitmix32(4);
    const watch = performanceWatch({ reference: { brier: { low: 0.15, high: 0.2 } } });
    const alarms: string[] = [];
    for (let i = 0; i < 4000; i++) alarms.push(...watch.add({ ...row(random, i < 2000 ? 0 : 0.3), at: i }));
    expect(alarms).toContain('calibration');
    const change = watch.figures.calibration.change!;
    expect(change.direction).toBe('greater');
    expect(Math.abs(change.sinceAt! - 2000)).toBeLessThan(100);
  });

  test('a certain and wrong score is clipped and counted', () => {
    const watch = performanceWatch({ greatestLoss: 3 });
    watch.add({ probability: 0, y: 1, called: 0 });
    expect(watch.figures.logLoss).toMatchObject({ count: 1, mean: 3, clipped: 1 });
    expect(watch.figures.precision.mean).toBeNull();
    expect(watch.figures.precision.interval).toEqual({ low: 0, high: 1 });
  });

  test.each([
    [{ probability: 2, y: 1, called: 1 }, /probability/],
    [{ probability: 0.5, y: 2, called: 1 }, /y: /],
    [{ probability: 0.5, y: 1, called: undefined }, /called/],
    [{ probability: 0.5, y: 1, called: 1, at: Number.NaN }, /at: /],
  ])('%j is refused and not counted', (one, message) => {
    const watch = performanceWatch();
    expect(() => watch.add(one as never)).toThrow(message);
    expect(watch.figures.brier.count).toBe(0);
  });

  test('options that are none are refused', () => {
    expect(() => performanceWatch({ reference: { recal: 0.5 } as never })).toThrow(/recal/);
    expect(() => performanceWatch({ alpha: 0 })).toThrow(/alpha/);
    expect(() => performanceWatch({ reference: { recall: 1 } })).toThrow(/mean/);
  });
});

test('a block of one value is that value, and of many their number in any order', () => {
  const [one, blocks, many, turned] = Array.from({ length: 4 }, () => changeTest({ mean: 0.4, runLength: 1000 }));
  const values = Array.from({ length: 300 }, (_, i) => (i % 10 < (i < 200 ? 4 : 8) ? 1 : 0));
  values.forEach((value, i) => {
    one.add(value, i);
    blocks.addBlock([[value, 1]], i);
  });
  expect(blocks.toJSON()).toEqual(one.toJSON());
  for (let k = 0; k < 3; k++) {
    const ones = k < 2 ? 40 : 80;
    many.addBlock(
      [
        [0, 100 - ones],
        [1, ones],
      ],
      k,
    );
    turned.addBlock(
      [
        [1, ones],
        [0, 100 - ones],
      ],
      k,
    );
  }
  expect(many.change).toMatchObject({ since: 200, sinceAt: 2, foundAt: 2, direction: 'greater', before: 0.4 });
  expect(turned.change!.since).toBe(200);
  expect(() => many.addBlock([[2, 1]])).toThrow();
  expect(many.count).toBe(300);
});
