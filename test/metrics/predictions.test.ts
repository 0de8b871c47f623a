import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sigmoid } from '../../bindings/js/math.ts';
import type { ClassPredictions, Predictions } from '../../src/metrics.ts';
import * as metrics from '../../src/metrics.ts';
import { alike, columns, error, near, rows } from './oracle.ts';

const {
  accuracy,
  brier,
  brierDecomposition,
  confusion,
  ece,
  evaluate,
  evaluateClasses,
  groupMetrics,
  logLoss,
  reliability,
} = metrics;

const GROUP = { codes: [0, 0], names: ['a'] };
/** All functions that take predictions for two classes. */
const OF_PREDICTIONS: Record<
  string,
  (predictions: Predictions, y: ArrayLike<number>, weight?: ArrayLike<number>) => unknown
> = {
  accuracy,
  brier,
  brierDecomposition,
  ece,
  evaluate,
  groupMetrics: (predictions, y, weight) =>
    groupMetrics(predictions, y, { codes: Array.from(y, () => 0), names: ['a'] }, weight),
  logLoss,
  reliability,
};
const each = Object.entries(OF_PREDICTIONS);
const withClasses = [
  ...each,
  ['evaluateClasses', evaluateClasses as unknown as (typeof OF_PREDICTIONS)[string]] as const,
];

describe('which form', () => {
  const values = Float64Array.of(0.5, 0.25);
  const y = [1, 0];

  test.each(withClasses)('%s: a bare array is refused', (_, metric) => {
    for (const bare of [values, [...values], [values, values]]) {
      expect(() => metric(bare as never, y)).toThrow(
        error('ERR_RANGE', 'predictions: expected { logits } or { probabilities }, got an array; say which they are'),
      );
    }
  });
  test.each(withClasses)('%s: neither form, both forms, no object, a form that there is not', (_, metric) => {
    const of = (predictions: unknown) => () => metric(predictions as Predictions, y);
    expect(of({})).toThrow(error('ERR_RANGE', 'predictions: expected { logits } or { probabilities }, got neither'));
    expect(of({ logits: undefined })).toThrow(error('ERR_RANGE', 'got neither'));
    expect(of({ logits: values, probabilities: values })).toThrow(
      error('ERR_RANGE', 'predictions: expected { logits } or { probabilities }, got both; leave one of them out'),
    );
    expect(of(undefined)).toThrow(
      error('ERR_RANGE', 'predictions: expected { logits } or { probabilities }, got undefined'),
    );
    expect(of(null)).toThrow(error('ERR_RANGE', 'got null'));
    expect(of({ probability: values })).toThrow(error('ERR_RANGE', 'got "probability"; did you mean "probabilities"?'));
  });
  test('the types exclude one form from the other', () => {
    // @ts-expect-error both
    const both: Predictions = { logits: values, probabilities: values };
    // @ts-expect-error neither
    const neither: Predictions = {};
    // @ts-expect-error which they are is not said
    const bare: Predictions = values;
    // @ts-expect-error a link is of logits
    const link: ClassPredictions = { probabilities: [values, values], link: 'ovr' };
    for (const one of [both, neither, bare]) expect(() => evaluate(one, y)).toThrow(error('ERR_RANGE', 'predictions:'));
    expect(() => evaluateClasses(link, y)).toThrow(
      error('ERR_RANGE', 'link: expected none beside probabilities, got "ovr"; it applies to logits only'),
    );
  });
  test('a link of two classes, and one that there is not', () => {
    expect(() => logLoss({ logits: values, link: 'ovr' } as never, y)).toThrow(
      error('ERR_RANGE', 'predictions: expected an option that exists, got "link"'),
    );
    for (const metric of [logLoss, evaluateClasses]) {
      expect(() => metric({ logits: [values, values], link: 'softmax' as 'ovr' }, y)).toThrow(
        error('ERR_RANGE', 'link: expected multinomial or ovr, got "softmax"'),
      );
    }
  });
  test.each(each.filter(([name]) => name !== 'logLoss'))('%s: arrays of several classes are refused', (_, metric) => {
    for (const form of ['logits', 'probabilities']) {
      expect(() => metric({ [form]: [values, values] } as never, y)).toThrow(
        error(
          'ERR_SHAPE',
          `${form}: expected one array of numbers (two classes), got a list of arrays; evaluateClasses`,
        ),
      );
    }
  });
  test('one array is refused where each class has one', () => {
    expect(() => evaluateClasses({ logits: values as never }, y)).toThrow(
      error('ERR_SHAPE', 'logits: expected a list of arrays, one for each class, got one array of numbers'),
    );
    expect(() => evaluateClasses({ probabilities: [0.5, 0.5] as never }, y)).toThrow(
      error('ERR_SHAPE', 'probabilities of class 0: expected an array of numbers, got 0.5'),
    );
  });
});

describe('plain arrays', () => {
  test('have the figures of typed ones, to the bit', () => {
    const top = { share: 0.4 };
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, p, y, codes } = columns(list);
        const weight = Float64Array.from(list, ({ s }) => s);
        const groups = { codes, names: ['a', 'b', 'c'] };
        const all = (of: (values: Float64Array) => ArrayLike<number>) => {
          const [z, q, truth, s] = [scores, p, y, weight].map(of);
          const predictions = [{ logits: z }, { probabilities: q }];
          const classes = [of(p.map((one) => one / 2 + 0.1)), q, of(p.map((one) => 1 - one))];
          return [
            ...predictions.flatMap((one) => each.map(([, metric]) => metric(one, truth, s))),
            ...predictions.map((one) => groupMetrics(one, truth, groups, s, { labels: truth, scores: z })),
            ...predictions.map((one) => ece(one, truth, s, 3, 'quantile', 'count')),
            evaluateClasses({ logits: [z, q, z] }, truth, s),
            evaluateClasses({ probabilities: classes }, truth, s, { labels: codes, scores: [z, q, z] }),
            logLoss({ probabilities: classes }, truth, s),
            metrics.oneVsRestAuc([z, q], truth, s),
            metrics.topKAccuracy([z, q], truth, 1, s),
            confusion(z, truth, 0.2, s),
            metrics.classificationReport(codes, truth, 3, s),
            ...[metrics.auc, metrics.averagePrecision, metrics.confusionCurve, metrics.gainCurve].map((f) =>
              f(z, truth, s),
            ),
            ...[metrics.ksStatistic, metrics.precisionRecallCurve, metrics.rocCurve].map((f) => f(z, truth, s)),
            ...[metrics.liftAtK, metrics.precisionAtK, metrics.recallAtK].map((f) => f(z, truth, top, s)),
            metrics.aucInterval(z, truth, s, { weightKind: 'count' }),
          ];
        };
        expect(all((values) => [...values])).toEqual(all((values) => values));
      }),
      { numRuns: 50 },
    );
  });
  test.each(each)('%s: what is no number is refused', (_, metric) => {
    const half = [0.5];
    for (const value of ['0.5', null, undefined, true, Number.NaN, {}]) {
      expect(() => metric({ logits: [0.5, value] as number[] }, [1, 0])).toThrow(
        error('ERR_RANGE', 'logits: expected numbers, got'),
      );
      expect(() => metric({ probabilities: [0.5, value] as number[] }, [1, 0])).toThrow(
        error('ERR_RANGE', 'probabilities: expected numbers from 0 to 1, got'),
      );
      expect(() => metric({ logits: half }, [value] as number[])).toThrow(
        error('ERR_RANGE', 'labels: expected 0 or 1, got'),
      );
      expect(() => metric({ logits: half }, [1], [value] as number[])).toThrow(
        error('ERR_RANGE', 'weights: expected finite numbers >= 0, got'),
      );
    }
    for (const none of [3, 'ab', {}]) {
      const array = none as unknown as number[];
      expect(() => metric({ logits: array }, [1])).toThrow(error('ERR_SHAPE', 'logits: expected an array of numbers'));
      expect(() => metric({ logits: half }, [1], array)).toThrow(
        error('ERR_SHAPE', 'weights: expected an array of numbers'),
      );
    }
    const missing = metric as unknown as (predictions: Predictions) => unknown;
    if (_ !== 'groupMetrics') {
      expect(() => missing({ logits: half })).toThrow(
        error('ERR_SHAPE', 'labels: expected an array of numbers, got undefined'),
      );
    }
  });
  test('scores that are no numbers are refused', () => {
    for (const value of ['0.5', null, undefined, true]) {
      const scores = [0.5, value] as number[];
      for (const metric of [metrics.auc, metrics.rocCurve, metrics.aucInterval, confusion] as const) {
        expect(() => (metric as typeof metrics.auc)(scores, [1, 0])).toThrow(
          error('ERR_RANGE', 'scores: expected numbers, got'),
        );
      }
    }
    expect(() => metrics.auc(undefined as never, [1])).toThrow(
      error('ERR_SHAPE', 'scores: expected an array of numbers, got undefined'),
    );
    for (const k of [null, '1']) {
      expect(() => metrics.precisionAtK([1], [1], k as never)).toThrow(error('ERR_RANGE', 'k: expected a number'));
    }
  });
});

describe('several classes', () => {
  const p = [
    [0.55, 0.24, 0.13],
    [0.28, 0.12, 0.45],
    [0.17, 0.64, 0.42],
  ];
  const y = [0, 2, 1];

  test('log loss of K arrays is the one of evaluateClasses; of two that of the positive class', () => {
    expect(logLoss({ probabilities: p }, y)).toBe(evaluateClasses({ probabilities: p }, y).logLoss);
    expect(logLoss({ probabilities: p }, y)).toBeCloseTo(-(Math.log(0.55) + Math.log(0.64) + Math.log(0.45)) / 3, 15);
    expect(logLoss({ probabilities: p }, y, [1, 0, 0])).toBeCloseTo(-Math.log(0.55), 15);
    const two = [0.25, 0.5, 0.125];
    expect(logLoss({ probabilities: [two.map((one) => 1 - one), two] }, [1, 0, 0])).toBeCloseTo(
      logLoss({ probabilities: two }, [1, 0, 0]),
      15,
    );
    expect(() => logLoss({ probabilities: [[0.5]] }, [0])).toThrow(error('ERR_SHAPE', 'at least two classes, got 1'));
  });
  test('a row of zeros is refused, of weight 0 too, by log loss as by all metrics', () => {
    const zeros = { probabilities: p.map((one) => [one[0], 0, one[2]]) };
    for (const metric of [logLoss, evaluateClasses]) {
      expect(() => metric(zeros, y, [1, 0, 1])).toThrow(
        error('ERR_RANGE', 'probabilities: expected one above 0 in every row, got none in row 1'),
      );
    }
  });
  test('logits and their probabilities agree, with labels of the model too', () => {
    const logits = p.map((one) => one.map(Math.log));
    for (const said of [{}, { labels: [0, 0, 2] }, { labels: [2, 1, 1], scores: p }]) {
      alike(evaluateClasses({ logits }, y, null, said), evaluateClasses({ probabilities: p }, y, null, said));
    }
    // called 0, 0 and 2: probabilities 0.55, right, 0.24 and 0.42, wrong
    const found = evaluateClasses({ logits }, y, null, { labels: [0, 0, 2] });
    expect(found.accuracy).toBe(1 / 3);
    near(found.ece, (0.45 + 0.24 + 0.42) / 3);
    // the order within each class turned over
    const scores = p.map((one) => one.map((value) => -value));
    near(evaluateClasses({ logits }, y, null, { scores }).auc, 1 - evaluateClasses({ logits }, y).auc!);
  });
});

describe('what was said', () => {
  const y = [1, 0];
  test('labels and scores count beside logits as beside probabilities', () => {
    const logits = [-1, -2];
    const probabilities = logits.map(sigmoid);
    for (const said of [{ labels: [1, 0] }, { threshold: 0.2 }, { scores: [1, 2] }, {}]) {
      alike(evaluate({ logits }, y, null, said), evaluate({ probabilities }, y, null, said));
      alike(groupMetrics({ logits }, y, GROUP, null, said), groupMetrics({ probabilities }, y, GROUP, null, said));
    }
    expect(evaluate({ logits }, y).accuracy).toBe(0.5);
    expect(evaluate({ logits }, y, null, { threshold: 0.2 }).accuracy).toBe(1);
    expect(evaluate({ logits }, y, null, { labels: [1, 0] }).accuracy).toBe(1);
    expect(evaluate({ logits }, y, null, { scores: [1, 2] }).auc).toBe(0);
    // logits that saturate to the same probability still rank
    expect(groupMetrics({ logits: [60, 50] }, y, GROUP).groups[0].auc).toBe(1);
  });
  test('an option that there is not, or another threshold or link in its place, is refused', () => {
    const predictions = { probabilities: [0.5, 0.5] };
    const of = (said: unknown) => () => evaluate(predictions, y, null, said as object);
    expect(of(0.4)).toThrow(error('ERR_RANGE', 'said: expected an object of options, got 0.4'));
    expect(of({ treshold: 0.4 })).toThrow(error('ERR_RANGE', 'did you mean "threshold"?'));
    expect(of({ threshold: Number.NaN })).toThrow(error('ERR_RANGE', 'threshold: expected a number, got NaN'));
    expect(() => accuracy(predictions, y, null, '0.4' as never)).toThrow(
      error('ERR_RANGE', 'threshold: expected a number, got "0.4"'),
    );
    expect(() => groupMetrics(predictions, y, GROUP, null, { label: y } as object)).toThrow(
      error('ERR_RANGE', 'did you mean "labels"?'),
    );
    expect(() => evaluateClasses({ logits: [y, y] }, y, null, 'ovr' as never)).toThrow(
      error('ERR_RANGE', 'said: expected an object of options, got "ovr"'),
    );
    expect(() => groupMetrics(predictions, y, undefined as never)).toThrow(
      error('ERR_RANGE', 'groups: expected { codes, names }, got undefined'),
    );
  });
});

describe('confusion of counts', () => {
  const counts = { truePositives: 6, falsePositives: 2, falseNegatives: 6, trueNegatives: 1 };
  test('is that of rows with these weights, and of itself', () => {
    const all = confusion([1, 1, 0, 0], [1, 0, 1, 0], 0.5, [6, 2, 6, 1]);
    expect(confusion(counts)).toEqual(all);
    expect(confusion(all)).toEqual(all);
  });
  test('counts that are none are refused', () => {
    expect(() => confusion({ ...counts, falsePositives: -1 })).toThrow(
      error('ERR_RANGE', 'falsePositives: expected a finite number >= 0, got -1'),
    );
    expect(() => confusion({ truePositives: 1 } as never)).toThrow(error('ERR_RANGE', 'falsePositives: expected'));
    expect(() => confusion({ truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 })).toThrow(
      error('ERR_SHAPE', 'counts: expected at least one row, got none'),
    );
  });
});
