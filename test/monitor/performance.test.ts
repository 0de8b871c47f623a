import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { brierDecomposition, ece } from '../../src/metrics.ts';
import {
  estimatePerformance,
  fitEstimator,
  labelSelection,
  type PerformanceHistogram,
  performanceByGroup,
  performanceHistogram,
  performanceOf,
  performanceWindows,
} from '../../src/monitor.ts';
import { sweep } from '../full.ts';
import { differences, type PerformanceCase } from './performanceOracle.ts';

const oracle = JSON.parse(readFileSync(new URL('../fixtures/performance.json', import.meta.url), 'utf8')) as {
  cases: PerformanceCase[];
};

describe('figures with and without labels', () => {
  test.each(differences(oracle.cases).map((one) => [one.what, one] as const))(
    '%s is that of scikit-learn or NannyML',
    (_, { ours, theirs, within }) => {
      expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(within);
    },
  );

  const p = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 0.95, 0.95];
  const y = [0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1];
  test('the vectors of calibration error and of the parts of the Brier score', () => {
    const found = performanceOf({ probabilities: p }, y);
    // sums of twelve terms round to some 1e-16
    expect(found.ece).toBeCloseTo(0.3, 14);
    expect(performanceOf({ probabilities: p }, y, null, { bins: 5 }).ece).toBeCloseTo(0.158333333333333, 14);
    expect(ece({ probabilities: p }, y, null, 4, 'quantile')).toBeCloseTo(0.225, 14);
    expect(found.brier).toBeCloseTo(0.16916666666666666, 15);
    const parts = brierDecomposition({ probabilities: p }, y);
    expect(parts.reliability).toBeCloseTo(0.11361111111111111, 14);
    expect(parts.resolution).toBeCloseTo(0.1875, 14);
    expect(parts.uncertainty).toBeCloseTo(0.24305555555555555, 14);
  });

  test('many rows have nearly the floor that drawing each outcome has', () => {
    const random = splitmix32(5);
    const rows = Float64Array.from({ length: 20_001 }, () => random() ** 2);
    const labels = Uint8Array.from(rows, (one) => (random() < one ? 1 : 0));
    const many = performanceOf({ probabilities: rows }, labels, null, { replicates: 1000 }).eceFloor!;
    const drawn = performanceOf({ probabilities: rows.slice(1) }, labels.slice(1), null, { replicates: 1000 })
      .eceFloor!;
    // quantiles of a thousand draws have errors of some 5 %
    expect(Math.abs(many.median / drawn.median - 1)).toBeLessThan(0.1);
    expect(Math.abs(many.high / drawn.high - 1)).toBeLessThan(0.1);
  });

  test('cost, precision and recall among the top, by group', () => {
    const found = performanceOf({ probabilities: p }, y, null, {
      top: [3, { share: 0.5 }, 50],
      costs: { fp: 2, fn: 10, tp: -1 },
    });
    expect(found.counts).toEqual({ truePositives: 6, falsePositives: 1, falseNegatives: 1, trueNegatives: 4 });
    expect(found.cost).toEqual({ total: 6 * -1 + 2 + 10, mean: 6 / 12 });
    expect(found.top[0]).toEqual({ top: 3, precision: 2 / 3, recall: 2 / 7 });
    expect(found.top[2]).toEqual({ top: 50, precision: null, recall: null });
    const groups = { names: ['a', 'b', 'empty'], codes: y.map((_, i) => i % 2) };
    const by = performanceByGroup({ probabilities: p }, y, groups);
    const even = p.filter((_, i) => i % 2 === 0);
    const alone = performanceOf(
      { probabilities: even },
      y.filter((_, i) => i % 2 === 0),
    );
    expect(by.groups[0]).toEqual({ name: 'a', ...alone });
    expect(by.groups[2].absent).toEqual([{ figure: 'all', why: 'no row has a label' }]);
  });

  test('of more than a hundred groups the smallest are pooled', () => {
    const n = 150;
    const names = Array.from({ length: n }, (_, k) => `g${k}`);
    const codes = Array.from({ length: 2 * n + 100 }, (_, i) => (i < 2 * n ? i % n : i % 50));
    const probabilities = codes.map((_, i) => (i % 7) / 7);
    const found = performanceByGroup(
      { probabilities },
      codes.map((_, i) => i % 2),
      { names, codes },
      null,
      { replicates: false },
    );
    expect(found.groups).toHaveLength(100);
    expect(found.groups[99].name).toBe('others');
    expect(found.groups.reduce((sum, { rows }) => sum + rows, 0)).toBe(codes.length);
    expect(found.pooled).toBe(2 * 51);
  });
});

describe('what does not exist is null with a reason, and nothing is NaN', () => {
  const numbersIn = (value: unknown): number[] =>
    typeof value === 'number'
      ? [value]
      : value && typeof value === 'object'
        ? Object.values(value).flatMap(numbersIn)
        : [];
  const CASES: Record<string, [number[], number[]]> = {
    'no rows': [[], []],
    'one row': [[0.3], [1]],
    'one class': [
      [0.2, 0.4, 0.9],
      [1, 1, 1],
    ],
    'constant scores': [
      [0.3, 0.3, 0.3, 0.3],
      [1, 0, 0, 1],
    ],
    'certain and wrong': [
      [0, 1, 0.5],
      [1, 0, 1],
    ],
    'certain and right': [
      [0, 1],
      [0, 1],
    ],
    'nothing called positive': [
      [0.1, 0.2],
      [0, 1],
    ],
  };
  test.each(Object.entries(CASES))('%s', (_, [p, y]) => {
    const found = performanceOf({ probabilities: p }, y, null, { top: [1], costs: { fp: 1, fn: 1 } });
    expect(numbersIn(found).filter((one) => !Number.isFinite(one))).toEqual([]);
    const named = new Set(found.absent.map(({ figure }) => figure));
    for (const figure of ['logLoss', 'auc', 'intercept', 'slope', 'precision', 'recall', 'fpr', 'fnr'] as const)
      if (found[figure] === null) expect(named.has(figure) || named.has('all'), figure).toBe(true);
    const histogram = performanceHistogram();
    p.forEach((one, i) => {
      histogram.add(one, y[i]);
    });
    expect(numbersIn(histogram.performance({ top: [1] })).filter((one) => !Number.isFinite(one))).toEqual([]);
    if (p.length > 0) expect(numbersIn(estimatePerformance(p)).filter((one) => !Number.isFinite(one))).toEqual([]);
  });

  test('wrong values are refused, and estimates of no rows', () => {
    expect(() => performanceOf({ probabilities: [0.5, Number.NaN] }, [0, 1])).toThrow(/from 0 to 1/);
    expect(() => performanceOf({ probabilities: [0.5] }, [2])).toThrow(/0 or 1/);
    expect(() => performanceOf({ probabilities: [0.5] }, [1], null, { treshold: 0.4 } as never)).toThrow(/treshold/);
    expect(() => performanceOf({ probabilities: [0.5] }, [1], null, { costs: { fp: 1, fn: Number.NaN } })).toThrow(
      /costs, fn/,
    );
    expect(() => estimatePerformance([])).toThrow(/no/);
    expect(() => estimatePerformance([3])).toThrow(/from 0 to 1/);
    expect(() => estimatePerformance([0.5], { estimator: { x: [1, 1], probability: [0, 1] } })).toThrow(/fitEstimator/);
    expect(() => fitEstimator([0.1, Number.POSITIVE_INFINITY], [0, 1])).toThrow(/finite/);
    const histogram = performanceHistogram();
    expect(() => histogram.add(1.5, 0)).toThrow(/probability/);
    expect(() => histogram.add({ logit: Number.NaN }, 0)).toThrow(/logit/);
    expect(() => histogram.add(0.5, 2)).toThrow(/y: /);
    expect(histogram.count).toBe(0);
  });
});

describe('a histogram', () => {
  const rows = fc.array(fc.tuple(fc.double({ min: -18, max: 18, noNaN: true }), fc.nat(1), fc.nat(1)), {
    minLength: 1,
    maxLength: 120,
  });
  const of = (list: readonly (readonly [number, number, number])[]): PerformanceHistogram => {
    const histogram = performanceHistogram();
    for (const [logit, y, called] of list) histogram.add({ logit }, y, called);
    return histogram;
  };

  test('has the figures of the rows, and the area within its stated error', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const logits = list.map(([z]) => z);
        const y = list.map(([, label]) => label);
        const called = list.map(([, , said]) => said);
        const exact = performanceOf({ logits }, y, null, { called, costs: { fp: 1, fn: 3 }, replicates: false });
        const found = of(list).performance({ costs: { fp: 1, fn: 3 }, replicates: false });
        // terms are rounded to 2⁻³³
        expect(found.logLoss).toBeCloseTo(exact.logLoss!, 8);
        expect(found.brier).toBeCloseTo(exact.brier!, 8);
        expect(found.ece).toBeCloseTo(exact.ece!, 8);
        expect(found.meanProbability).toBeCloseTo(exact.meanProbability!, 8);
        for (const figure of [
          'counts',
          'accuracy',
          'precision',
          'recall',
          'fpr',
          'fnr',
          'cost',
          'rows',
          'baseRate',
        ] as const)
          expect(found[figure], figure).toEqual(exact[figure]);
        if (exact.auc) expect(Math.abs(found.auc!.auc - exact.auc.auc)).toBeLessThanOrEqual(found.aucError! + 1e-12);
      }),
      { seed: 17, numRuns: sweep(150, 1000) },
    );
  });

  test('sixteen shards in any order are one, to the bit, and so is one that was saved', () => {
    fc.assert(
      fc.property(
        rows,
        fc.infiniteStream(fc.nat(15)),
        fc.shuffledSubarray([...Array(16).keys()], { minLength: 16 }),
        (list, shard, order) => {
          const whole = JSON.stringify(of(list));
          const shards = Array.from({ length: 16 }, () => performanceHistogram());
          for (const [logit, y, called] of list) shards[shard.next().value!].add({ logit }, y, called);
          const merged = performanceHistogram();
          for (const k of order) merged.merge(performanceHistogram(JSON.parse(JSON.stringify(shards[k]))));
          expect(JSON.stringify(merged)).toBe(whole);
        },
      ),
      { seed: 18, numRuns: sweep(100, 1000) },
    );
  });

  test('calibration of 20,000 rows from bins is that of the rows within a hundredth', () => {
    const random = splitmix32(9);
    const logits = Float64Array.from({ length: 20_000 }, () => 6 * random() - 4);
    const y = Uint8Array.from(logits, (z) => (random() < 1 / (1 + Math.exp(-(0.7 * z + 0.3))) ? 1 : 0));
    const histogram = performanceHistogram();
    logits.forEach((logit, i) => {
      histogram.add({ logit }, y[i]);
    });
    const exact = performanceOf({ logits }, y, null, { replicates: false });
    const found = histogram.performance({ top: [2000] });
    expect(Math.abs(found.slope!.value - exact.slope!.value)).toBeLessThan(1e-3);
    expect(Math.abs(found.intercept!.value - exact.intercept!.value)).toBeLessThan(1e-3);
    expect(Math.abs(found.auc!.stdError / exact.auc!.stdError - 1)).toBeLessThan(0.01);
    expect(found.aucError).toBeLessThan(0.01);
    expect(found.eceFloor!.high).toBeLessThan(found.ece!);
    expect(JSON.stringify(histogram).length).toBeLessThan(6000);
  });

  test('states that are none are refused', () => {
    const state = JSON.parse(JSON.stringify(performanceHistogram()));
    expect(() => performanceHistogram({ ...state, cells: [1] })).toThrow(/save it again/);
    expect(() => performanceHistogram({ ...state, bins: [[999, 1, 1, [0, 0]]] })).toThrow(/bins below/);
    expect(() => performanceHistogram({ ...state, logLoss: [0, 0.5] })).toThrow(/whole numbers/);
    expect(() => performanceHistogram({ kind: 'meanTest' } as never)).toThrow(/performanceHistogram/);
    expect(() => performanceHistogram().merge(performanceHistogram({ threshold: 0.2 }))).toThrow(/threshold/);
  });
});

describe('estimates without labels', () => {
  test('have the mean and the standard deviation of figures over labels drawn with the probabilities', () => {
    const random = splitmix32(3);
    const p = Float64Array.from({ length: 400 }, () => 1 / (1 + Math.exp(-(5 * random() - 3))));
    const found = estimatePerformance(p, { costs: { fp: 1, fn: 5, tp: -2 } });
    const REPLAYS = sweep(300, 2000);
    const seen: Record<string, number[]> = {};
    for (let replay = 0; replay < REPLAYS; replay++) {
      const y = Uint8Array.from(p, (one) => (random() < one ? 1 : 0));
      const real = performanceOf({ probabilities: p }, y, null, { replicates: false, costs: { fp: 1, fn: 5, tp: -2 } });
      const figures = {
        accuracy: real.accuracy!,
        precision: real.precision!,
        recall: real.recall!,
        specificity: 1 - real.fpr!,
        f1: (2 * real.precision! * real.recall!) / (real.precision! + real.recall!),
        auc: real.auc!.auc,
        logLoss: real.logLoss!,
        brier: real.brier!,
        baseRate: real.baseRate!,
        cost: real.cost!.total,
      };
      for (const [name, value] of Object.entries(figures)) {
        seen[name] ??= [];
        seen[name].push(value);
      }
    }
    for (const [name, values] of Object.entries(seen)) {
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1));
      const { value, stdError } = found[name as 'accuracy'];
      // the mean of the draws has an error of deviation/√REPLAYS, and ratios of expectations differ from expectations of ratios by some 1/400 of it
      expect(Math.abs(value - mean), name).toBeLessThan((3 / Math.sqrt(REPLAYS) + 0.05) * deviation);
      // that of a deviation is √½ of it
      expect(Math.abs(stdError / deviation - 1), name).toBeLessThan(2.2 / Math.sqrt(REPLAYS) + 0.02);
    }
  });

  test('equal scores count half: a constant score has area ½', () => {
    expect(estimatePerformance([0.3, 0.3, 0.3, 0.3]).auc!.value).toBeCloseTo(0.5, 15);
  });

  test('weights of the reference are rows of it', () => {
    const [p, y] = [
      [0.1, 0.3, 0.5, 0.7],
      [0, 1, 0, 1],
    ];
    expect(fitEstimator(p, y, [1, 2, 3, 0])).toEqual(fitEstimator([0.1, 0.3, 0.3, 0.5, 0.5, 0.5], [0, 1, 1, 0, 0, 0]));
  });

  test('follow a shift of the scores where the calibration holds', () => {
    const random = splitmix32(44);
    const draw = (n: number, shift: number) => {
      const z = Float64Array.from({ length: n }, () => 6 * random() - 3 + shift);
      return {
        p: z.map((one) => 1 / (1 + Math.exp(-one))),
        y: Uint8Array.from(z, (one) => (random() < 1 / (1 + Math.exp(-0.5 * one)) ? 1 : 0)),
      };
    };
    const reference = draw(20_000, 0);
    const window = draw(4000, 0.8);
    const found = estimatePerformance(
      window.p.map((one) => Math.min(one, 0.95)),
      { estimator: fitEstimator(reference.p, reference.y) },
    );
    const real = performanceOf({ probabilities: window.p.map((one) => Math.min(one, 0.95)) }, window.y, null, {
      replicates: false,
    });
    // four standard errors, and what the calibration of 20,000 rows does not know
    expect(Math.abs(found.accuracy.value - real.accuracy!)).toBeLessThan(4 * found.accuracy.stdError + 0.01);
    expect(Math.abs(found.auc!.value - real.auc!.auc)).toBeLessThan(4 * found.auc!.stdError + 0.01);
  });
});

describe('labels for some scores only', () => {
  const random = splitmix32(12);
  const p = Float64Array.from({ length: 5000 }, () => random());
  const y = Uint8Array.from(p, (one) => (random() < one ? 1 : 0));
  const called = Uint8Array.from(p, (one) => (one > 0.4 ? 1 : 0));

  test('a random half is no selection', () => {
    expect(
      labelSelection(
        p,
        called,
        p.map(() => (random() < 0.5 ? 1 : 0)),
      ).kind,
    ).toBe('none');
    expect(
      labelSelection(
        p,
        called,
        p.map(() => 1),
      ).p,
    ).toBeNull();
    expect(
      labelSelection(
        p,
        called,
        p.map(() => 0),
      ).kind,
    ).toBe('none');
  });

  test('accepted cases alone are told, with what is not known', () => {
    const found = labelSelection(p, called, called);
    expect(found.kind).toBe('absent');
    expect(found.negative).toEqual({ rows: called.filter((one) => !one).length, labelled: 0, share: 0 });
    expect(found.warning).toMatch(/0\.0 % of the others, and \d+ of 5000 rows .* random sample/);
  });

  test('uneven labels bias figures; weights of their propensity take the bias away', () => {
    const has = Uint8Array.from(p, (one) => (random() < 0.05 + 0.9 * one ? 1 : 0));
    const found = labelSelection(p, called, has, { bins: 20 });
    expect(found.kind).toBe('uneven');
    const pick = (values: ArrayLike<number>) => Float64Array.from(values).filter((_, i) => has[i]);
    const all = performanceOf({ probabilities: p }, y, null, { replicates: false });
    const naive = performanceOf({ probabilities: pick(p) }, pick(y), null, { replicates: false });
    const weighted = performanceOf({ probabilities: pick(p) }, pick(y), pick(found.weights), { replicates: false });
    expect(Math.abs(naive.baseRate! - all.baseRate!)).toBeGreaterThan(0.1);
    expect(Math.abs(weighted.baseRate! - all.baseRate!)).toBeLessThan(0.02);
    expect(Math.abs(weighted.fpr! - all.fpr!)).toBeLessThan(0.03);
    expect(found.effectiveRows).toBeLessThan(has.reduce((sum, one) => sum + one, 0));
    const known = labelSelection(p, called, has, { propensities: p.map((one) => 0.05 + 0.9 * one) });
    const first = has.indexOf(1);
    expect(known.weights[first]).toBe(1 / (0.05 + 0.9 * p[first]));
  });

  test('wrong input is refused', () => {
    expect(() => labelSelection([], [], [])).toThrow(/at least one/);
    expect(() => labelSelection([0.5], [1, 0], [1])).toThrow(/one of each row/);
    expect(() => labelSelection([0.5], [1], [1], { propensities: [0] })).toThrow(/above 0/);
    expect(() => labelSelection([Number.NaN], [1], [1])).toThrow(/numbers/);
  });
});

describe('windows', () => {
  const row = (i: number, label: string | null, at = 100 * i) => ({
    prediction: { id: `${i}`, at, probability: (i % 10) / 10, label: i % 10 > 5 ? 'yes' : 'no' },
    label: label === null ? null : { id: `${i}`, at: at + 10, label },
    delayMs: label === null ? null : 10,
  });
  const options = { now: 10_000, classes: ['no', 'yes'] as const, window: { lengthMs: 1000 }, ripeAfterMs: 2000 };

  test('are measured when ripe; rows without a label and labels of no class are counted and told', () => {
    const rows = Array.from({ length: 100 }, (_, i) =>
      row(i, i % 5 === 0 ? null : i === 1 ? 'perhaps' : i % 2 ? 'yes' : 'no'),
    );
    const { windows, empty } = performanceWindows(rows, options);
    expect(windows.map(({ isRipe }) => isRipe)).toEqual([...Array(8).fill(true), false, false]);
    expect(windows[0]).toMatchObject({ rows: 10, labelled: 7, otherLabels: 1, missing: 0.3 });
    expect(windows[0].warnings[0]).toMatch(/got another in 1 of 10/);
    expect(windows[9].realised).toBeNull();
    expect(windows[9].estimated.rows).toBe(10);
    expect(empty).toEqual([]);
  });

  test('a window without any label says so; windows without scores are named; the oldest are left out', () => {
    const rows = [row(1, null), row(45, 'yes'), row(62, 'no')];
    const { windows, empty } = performanceWindows(rows, options);
    expect(windows[0].warnings).toEqual(['labels: expected some in a ripe window, got none; ask where they stay']);
    expect(windows[0].realised!.absent).toEqual([{ figure: 'all', why: 'no row has a label' }]);
    expect(empty).toEqual([1000, 2000, 3000, 5000]);
    expect(performanceWindows(rows, { ...options, most: 1 }).rowsLeftOut).toBe(2);
    expect(performanceWindows([], options).windows).toEqual([]);
  });

  test('groups are measured with the rows of the window', () => {
    const rows = Array.from({ length: 40 }, (_, i) => row(i, i % 3 ? 'yes' : 'no'));
    const { windows } = performanceWindows(rows, {
      ...options,
      window: { rows: 40 },
      groupOf: ({ id }) => (Number(id) % 2 ? 'odd' : 'even'),
    });
    expect(windows[0].groups!.groups.map(({ name, rows: n }) => [name, n])).toEqual([
      ['even', 20],
      ['odd', 20],
    ]);
  });

  test.each([
    [{ classes: ['yes'] }, /two classes/],
    [{ window: { lengthMs: 0 } }, /lengthMs/],
    [{ window: {} }, /lengthMs/],
    [{ ripeAfterMs: Number.NaN }, /ripeAfterMs/],
    [{ now: Number.NaN }, /now/],
    [{ thresholds: 1 }, /thresholds/],
  ])('%j is refused', (wrong, message) => {
    expect(() => performanceWindows([row(1, 'yes')], { ...options, ...wrong } as never)).toThrow(message);
  });
});

test('estimates of scores with counts are those of as many rows', () => {
  const scores = [0.1, 0.35, 0.35, 0.6, 0.9];
  const called = [0, 0, 1, 1, 1];
  const counts = [4, 3, 2, 5, 1];
  const all = scores.flatMap((score, i) => Array.from({ length: counts[i] }, () => score));
  const rows = estimatePerformance(all, {
    called: called.flatMap((one, i) => Array.from({ length: counts[i] }, () => one)),
  });
  const cells = estimatePerformance(scores, { called, counts });
  expect(cells.rows).toBe(15);
  for (const name of [
    'baseRate',
    'accuracy',
    'precision',
    'recall',
    'specificity',
    'f1',
    'auc',
    'logLoss',
    'brier',
  ] as const)
    for (const part of ['value', 'stdError'] as const)
      expect(cells[name]![part], name).toBeCloseTo(rows[name]![part], 12);
  expect(() => estimatePerformance(scores, { counts: [1, 2] })).toThrow();
});
