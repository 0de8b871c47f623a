import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sigmoid } from '../../bindings/js/math.ts';
import { accuracy, brier, brierDecomposition, ece, evaluate, logLoss, reliability } from '../../src/metrics/binary.ts';
import { groupMetrics } from '../../src/metrics/groups.ts';
import { evaluateClasses } from '../../src/metrics/multiclass.ts';
import { columns, error, floats, near, nearAll, oracle, repeats, rows } from './oracle.ts';

const planes = (of: readonly (readonly number[])[]) => of.map((one) => Float64Array.from(one));

describe('scikit-learn', () => {
  test.each(oracle.binary)('$name', (expected) => {
    const logits = floats(expected.scores)!;
    const y = floats(expected.y)!;
    const weight = floats(expected.weight);
    const kind = weight?.every(Number.isInteger) ? 'count' : 'sampling';
    const p = logits.map((z) => 1 / (1 + Math.exp(-z)));
    near(logLoss({ probabilities: p }, y, weight), expected.logLoss);
    near(brier({ probabilities: p }, y, weight), expected.brier);
    for (const { strategy, bins, ...want } of expected.bins ?? []) {
      const table = reliability({ probabilities: p }, y, weight, bins, strategy, kind).filter((bin) => bin.weight > 0);
      const what = `${strategy} ${bins}`;
      nearAll(
        table.map((bin) => bin.weight),
        want.weights,
        what,
      );
      nearAll(
        table.map((bin) => bin.observed!),
        want.observed,
        what,
      );
      nearAll(
        table.map((bin) => bin.predicted!),
        want.predicted,
        what,
      );
      near(ece({ probabilities: p }, y, weight, bins, strategy, kind), want.ece, what);
      near(ece({ logits }, y, weight, bins, strategy, kind), want.ece, what);
      const parts = brierDecomposition({ probabilities: p }, y, weight, bins, strategy, kind);
      for (const key of ['reliability', 'resolution', 'uncertainty'] as const) near(parts[key], want[key], what);
      near(parts.brier, expected.brier);
    }
  });

  test('log loss of its tests: rows are divided by their sum', () => {
    const three = planes([
      [0.2, 0.6, 0.6],
      [0.7, 0.2, 0.1],
      [0.1, 0.2, 0.3],
    ]);
    expect(evaluateClasses({ probabilities: three }, [1, 0, 2]).logLoss).toBeCloseTo(0.6904911, 7);
    const two = planes([
      [0.2, 0.6, 0.4, 0.7],
      [0.7, 0.5, 0.1, 0.2],
    ]);
    expect(evaluateClasses({ probabilities: two }, [0, 1, 1, 0]).logLoss).toBeCloseTo(1.0383217, 6);
    expect(logLoss({ probabilities: new Float64Array(2) }, Uint8Array.of(0, 1))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('fairlearn', () => {
  test.each(oracle.groups)('$name', ({ p, y, codes, weight, groups, gaps }) => {
    const names = ['a', 'b', 'c'];
    const got = groupMetrics({ probabilities: floats(p)! }, floats(y)!, { codes, names }, floats(weight));
    expect(got.groups.map(({ name }) => name)).toEqual(names);
    groups.forEach((group, k) => {
      for (const [key, value] of Object.entries(group)) {
        near(got.groups[k][key as 'tpr'], value, key);
      }
    });
    for (const [key, value] of Object.entries(gaps)) near(got.gaps[key as keyof typeof got.gaps], value, key);
  });
});

describe('worked by hand', () => {
  test('a certain and right probability costs nothing, a wrong one is infinite; the smallest costs what it costs', () => {
    expect(logLoss({ probabilities: Float64Array.of(1, 0) }, Uint8Array.of(1, 0))).toBe(0);
    expect(logLoss({ probabilities: Float64Array.of(1) }, Uint8Array.of(0))).toBe(Number.POSITIVE_INFINITY);
    for (const tiny of [1e-10, 1e-300, 2 ** -1022, 1e-310, 5e-324]) {
      expect(logLoss({ probabilities: Float64Array.of(tiny) }, Uint8Array.of(1))).toBeCloseTo(-Math.log(tiny), 12);
      expect(logLoss({ probabilities: Float64Array.of(tiny) }, Uint8Array.of(0)) / tiny).toBeCloseTo(1, 8);
    }
    expect(logLoss({ probabilities: Float64Array.of(1, 0.5) }, Uint8Array.of(0, 1), Float64Array.of(0, 1))).toBeCloseTo(
      Math.LN2,
      15,
    );
  });
  test('parts of the Brier score', () => {
    // bins (0, 0.5]: 0.2 and 0.4, one happened; (0.5, 1]: 0.9, happened
    const parts = brierDecomposition(
      { probabilities: Float64Array.of(0.2, 0.4, 0.9) },
      Uint8Array.of(0, 1, 1),
      null,
      2,
    );
    near(parts.reliability, (2 * 0.2 ** 2 + 0.1 ** 2) / 3);
    near(parts.resolution, (2 * (1 / 6) ** 2 + (1 / 3) ** 2) / 3);
    near(parts.uncertainty, 2 / 9);
    near(parts.withinBins, (2 * 0.1 ** 2 - 2 * (0.1 * 0.5 + 0.1 * 0.5)) / 3);
    near(parts.brier, (0.04 + 0.36 + 0.01) / 3);
  });
  test('bins of equal weight: edges between probabilities, equal ones together', () => {
    const p = Float64Array.of(0.1, 0.2, 0.3, 0.9);
    const y = Uint8Array.of(0, 0, 1, 1);
    expect(reliability({ probabilities: p }, y, null, 2, 'quantile')).toEqual([
      { low: 0.1, high: 0.25, weight: 2, predicted: expect.closeTo(0.15, 15), observed: 0 },
      { low: 0.25, high: 0.9, weight: 2, predicted: 0.6, observed: 1 },
    ]);
    // numpy.percentile(p, [25, 50, 75, 100])
    nearAll(
      reliability({ probabilities: p }, y, null, 4, 'quantile').map((bin) => bin.high),
      [0.175, 0.25, 0.45, 0.9],
    );
    // weights that are no counts: as if they were 1 on average
    const shares = reliability({ probabilities: p }, y, Float64Array.of(0.01, 0.01, 0.01, 0.0101), 2, 'quantile');
    expect(shares.map((bin) => bin.high)).toEqual([expect.closeTo(0.25, 2), 0.9]);
    const same = reliability({ probabilities: new Float64Array(4).fill(0.5) }, y, null, 3, 'quantile');
    expect(same.map((bin) => bin.weight)).toEqual([4, 0, 0]);
  });
  test('labels and scores that a model gave count, not the threshold', () => {
    const p = Float64Array.of(0.3, 0.3, 0.6);
    const y = Uint8Array.of(0, 1, 1);
    expect(evaluate({ probabilities: p }, y)).toMatchObject({ accuracy: 2 / 3, auc: 0.75 });
    const said = { labels: [0, 1, 1], scores: Float64Array.of(-1, -0.9, 2) };
    expect(evaluate({ probabilities: p }, y, null, said)).toMatchObject({ accuracy: 1, auc: 1 });
    expect(evaluate({ probabilities: p }, y, null, { threshold: 0.2 }).accuracy).toBe(2 / 3);
    const three = planes([
      [0.5, 0.2],
      [0.3, 0.6],
      [0.2, 0.2],
    ]);
    expect(evaluateClasses({ probabilities: three }, [0, 1])).toMatchObject({
      accuracy: 1,
      auc: null,
      ece: expect.closeTo(0.45, 15),
    });
    // called 1 and 1: probabilities 0.3, wrong, and 0.6, right
    expect(evaluateClasses({ probabilities: three }, [0, 1], null, { labels: [1, 1] })).toMatchObject({
      accuracy: 0.5,
      ece: expect.closeTo((0.3 + 0.4) / 2, 15),
    });
    const scores = planes([
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ]);
    const p3 = planes([
      [0.4, 0.4, 0.4],
      [0.3, 0.3, 0.3],
      [0.3, 0.3, 0.3],
    ]);
    expect(evaluateClasses({ probabilities: p3 }, [2, 0, 1]).auc).toBe(0.5);
    expect(evaluateClasses({ probabilities: p3 }, [2, 0, 1], null, { scores }).auc).toBe(1);
  });
  test('a group without positive rows has no true positive rate, and makes no gap', () => {
    const p = Float64Array.of(0.9, 0.1, 0.8, 0.2, 0.7);
    const { groups, gaps } = groupMetrics({ probabilities: p }, Uint8Array.of(1, 1, 0, 0, 1), {
      codes: [0, 0, 1, 1, 2],
      names: ['a', 'b', 'c', 'empty'],
    });
    expect(groups[1]).toMatchObject({ tpr: null, fpr: 0.5, precision: 0, baseRate: 0, auc: null });
    expect(groups[3]).toMatchObject({ name: 'empty', weight: 0, tpr: null, logLoss: null });
    expect(gaps).toEqual({
      demographicParityDifference: 0.5,
      demographicParityRatio: 0.5,
      equalOpportunityDifference: 0.5,
      // of one group alone is the false positive rate known
      equalizedOddsDifference: null,
      predictiveParityDifference: 1,
    });
    const never = groupMetrics(
      { probabilities: p },
      Uint8Array.of(1, 1, 0, 0, 1),
      { codes: [0, 0, 1, 1, 1], names: ['a', 'b'] },
      null,
      {
        labels: [0, 0, 0, 0, 0],
        scores: p.map((one) => -one),
      },
    );
    expect(never.gaps).toMatchObject({
      demographicParityDifference: 0,
      demographicParityRatio: 1,
      predictiveParityDifference: null,
    });
    expect(never.groups[1].auc).toBe(0.5);
  });
});

describe('laws', () => {
  const binary: Record<string, (p: Float64Array, y: Float64Array, weight?: Float64Array | null) => unknown> = {
    evaluate: (p, y, weight) => evaluate({ probabilities: p }, y, weight),
    ...Object.fromEntries(
      (['uniform', 'quantile'] as const).flatMap((strategy) => [
        [
          `reliability, ${strategy}`,
          (p: Float64Array, y: Float64Array, weight?: Float64Array | null) =>
            reliability({ probabilities: p }, y, weight, 4, strategy, 'count'),
        ],
        [
          `ece, ${strategy}`,
          (p: Float64Array, y: Float64Array, weight?: Float64Array | null) =>
            ece({ probabilities: p }, y, weight, 4, strategy, 'count'),
        ],
        [
          `Brier by parts, ${strategy}`,
          (p: Float64Array, y: Float64Array, weight?: Float64Array | null) =>
            brierDecomposition({ probabilities: p }, y, weight, 4, strategy, 'count'),
        ],
      ]),
    ),
  };
  test.each(Object.entries(binary))('%s: integer weights are repeated rows', (_, metric) => {
    repeats(({ p, y }, weight) => metric(p, y, weight));
  });
  test('groups, and classes: integer weights are repeated rows', () => {
    const names = ['a', 'b', 'c'];
    repeats(({ p, y, codes, scores }, weight) =>
      groupMetrics({ probabilities: p }, y, { codes, names }, weight, { scores, threshold: 0.6 }),
    );
    repeats(({ p, y, codes }, weight) => {
      const of = [
        p.map((one) => one + 0.001).map((one) => one / 2),
        p.map((one) => 1 - one),
        p.map((one) => one * one),
      ];
      return evaluateClasses(
        { probabilities: of },
        y.map((label, i) => (codes[i] === 2 ? 2 : label)),
        weight,
      );
    });
  });

  test('the parts of the Brier score sum to it', () => {
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('uniform', 'quantile'),
        (list, bins, strategy) => {
          const { p, y } = columns(list);
          const weight = Float64Array.from(list, ({ s, z }) => s * Math.abs(z) + (s > 0 ? 0.1 : 0));
          const parts = brierDecomposition({ probabilities: p }, y, weight, bins, strategy);
          near(parts.reliability - parts.resolution + parts.uncertainty + parts.withinBins, parts.brier);
          near(parts.brier, brier({ probabilities: p }, y, weight));
        },
      ),
    );
  });

  test('σ of logits: the metrics of the logits', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        // where probabilities tell logits apart
        const logits = scores.map((z) => Math.round(z * 4) / 16);
        const p = logits.map(sigmoid);
        const [a, b] = [evaluate({ logits }, y), evaluate({ probabilities: p }, y)];
        for (const key of ['logLoss', 'auc', 'brier', 'ece', 'accuracy'] as const) near(a[key], b[key], key);
        near(logLoss({ logits }, y), logLoss({ probabilities: p }, y));
        near(brier({ logits }, y), brier({ probabilities: p }, y));
        expect(accuracy({ logits }, y, null, 0.4)).toBe(accuracy({ probabilities: p }, y, null, 0.4));
        expect(reliability({ logits }, y, null, 5, 'quantile')).toEqual(
          reliability({ probabilities: p }, y, null, 5, 'quantile'),
        );
        expect(brierDecomposition({ logits }, y)).toEqual(brierDecomposition({ probabilities: p }, y));
      }),
    );
  });

  test('two classes: those of the positive one, Brier twice', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { p, y } = columns(list);
        const eighths = p.map((one) => Math.round(one * 8) / 8);
        const two = evaluateClasses({ probabilities: [eighths.map((one) => 1 - one), eighths] }, y);
        const one = evaluate({ probabilities: eighths }, y);
        expect(two.logLoss === one.logLoss || Math.abs(two.logLoss - one.logLoss) < 1e-13).toBe(true);
        near(two.brier, 2 * one.brier);
        near(two.auc, one.auc);
        near(two.accuracy, one.accuracy);
      }),
    );
  });

  test('the mean over groups is the whole', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { p, y, codes } = columns(list);
        const { groups } = groupMetrics({ probabilities: p }, y, { codes, names: ['a', 'b', 'c'] });
        for (const [key, whole] of [
          ['accuracy', accuracy({ probabilities: p }, y)],
          ['baseRate', y.reduce((sum, one) => sum + one) / y.length],
        ] as const) {
          near(groups.reduce((sum, group) => sum + (group[key] ?? 0) * group.weight, 0) / y.length, whole, key);
        }
      }),
    );
  });
});

describe('bad input', () => {
  const half = Float64Array.of(0.5);
  const one = Uint8Array.of(1);
  const group = { codes: [0], names: ['a'] };
  test.each<[string, () => unknown, string, string]>([
    [
      'a probability',
      () => logLoss({ probabilities: Float64Array.of(1.5) }, one),
      'ERR_RANGE',
      'probabilities: expected numbers from 0 to 1, got 1.5 at row 0',
    ],
    [
      'NaN',
      () => evaluate({ probabilities: Float64Array.of(Number.NaN) }, one),
      'ERR_RANGE',
      'probabilities: expected numbers from 0 to 1, got NaN',
    ],
    [
      'lengths',
      () => brier({ probabilities: half }, new Uint8Array(2)),
      'ERR_SHAPE',
      'expected length 1 (as the probabilities), got 2',
    ],
    [
      'bins',
      () => ece({ probabilities: half }, one, null, 0),
      'ERR_RANGE',
      'bins: expected an integer from 1 to 10000, got 0',
    ],
    [
      'very many bins',
      () => ece({ probabilities: half }, one, null, 1e9),
      'ERR_RANGE',
      'bins: expected an integer from 1 to 10000',
    ],
    [
      'a strategy',
      () => reliability({ logits: half }, one, null, 3, 'equal' as 'uniform'),
      'ERR_RANGE',
      'strategy: expected uniform or quantile, got equal',
    ],
    [
      'a strategy by a prototype key',
      () => reliability({ logits: half }, one, null, 3, 'constructor' as 'uniform'),
      'ERR_RANGE',
      'strategy: expected uniform or quantile, got constructor',
    ],
    [
      'labels',
      () => evaluate({ probabilities: half }, one, null, { labels: [2] }),
      'ERR_RANGE',
      'predicted labels: expected 0 or 1, got 2 at row 0',
    ],
    [
      'too many labels',
      () => evaluate({ probabilities: half }, one, null, { labels: [1, 1] }),
      'ERR_SHAPE',
      'predicted labels: expected length 1 (as the labels), got 2',
    ],
    [
      'a row of zeros',
      () => evaluateClasses({ probabilities: planes([[0], [0]]) }, [0]),
      'ERR_RANGE',
      'probabilities: expected one above 0 in every row, got none in row 0',
    ],
    [
      'scores of fewer classes',
      () => evaluateClasses({ probabilities: planes([[1], [1]]) }, [0], null, { scores: [half] }),
      'ERR_SHAPE',
      'scores: expected those of 2 classes, got 1',
    ],
    [
      'one class',
      () => evaluateClasses({ probabilities: [half] }, [0]),
      'ERR_SHAPE',
      'probabilities: expected those of at least two classes, got 1',
    ],
    [
      'a group',
      () => groupMetrics({ probabilities: half }, one, { codes: [1], names: ['a'] }),
      'ERR_RANGE',
      'group codes: expected whole numbers from 0 to 0, got 1 at row 0',
    ],
    [
      'too few codes',
      () => groupMetrics({ probabilities: half }, one, { codes: [], names: ['a'] }),
      'ERR_SHAPE',
      'group codes: expected length 1 (as the labels), got 0',
    ],
    [
      'scores of another length',
      () => groupMetrics({ probabilities: half }, one, group, null, { scores: new Float64Array(2) }),
      'ERR_SHAPE',
      'scores: expected length 1, got 2',
    ],
    [
      'no weight',
      () => groupMetrics({ probabilities: half }, one, group, new Float64Array(1)),
      'ERR_SHAPE',
      'at least one row of positive weight',
    ],
  ])('%s', (_, call, code, message) => {
    expect(call).toThrow(error(code, message));
  });
});
