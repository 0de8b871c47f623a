import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnose/doctor.ts';
import type { Declaration } from '../../src/encode/declare.ts';
import type { BinnedFeature } from '../../src/encode/schema.ts';
import { reliability } from '../../src/metrics/binary.ts';
import { aucInterval } from '../../src/metrics/interval.ts';
import { coefficients } from '../../src/model/coefficients.ts';
import { crossValidate } from '../../src/train/crossValidate.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { fitMatrix } from '../../src/train/matrix.ts';
import { coded, numeric, random, table, takeRows, values, withColumns } from './oracles.ts';

const rows = 200;
const next = random(11);
const x = Array.from({ length: rows }, () => Math.round(1000 * next()) / 10);
const city = x.map(() => `c${Math.floor(6 * next() ** 2)}`);
const y = x.map((value) => Number(next() < 1 / (1 + Math.exp(-(value - 50) / 20))));
const whole = x.map(() => 1 + Math.floor(3 * next()));
const base = table(numeric('x', x), coded('city', city), numeric('y', y));
const weighted = (scale: number, weight: readonly number[] = whole) =>
  withColumns(
    base,
    numeric(
      'w',
      weight.map((w) => w * scale),
    ),
  );
const SCALES = [0.01, 1 / whole.reduce((sum, w) => sum + w, 0), 1e-9, 1000, 0.37];

/** numbers to nine digits, those in texts too */
const rounded = (value: unknown) => {
  const nine = (one: number) => Number(one.toPrecision(9));
  return JSON.parse(
    JSON.stringify(value, (_, one) =>
      typeof one === 'number'
        ? nine(one)
        : typeof one === 'string'
          ? one.replace(/\d+\.\d+/g, (digits) => String(nine(Number(digits))))
          : one,
    ),
  );
};

describe('the scale of sampling weights means nothing', () => {
  const SCHEMAS: [string, Declaration['features'][number][]][] = [
    ['bins', [{ name: 'x', kind: 'numeric', bins: 4 }]],
    ['splines', [{ name: 'x', kind: 'numeric', spline: 4 }]],
    [
      'robust scaling and medians',
      [{ name: 'x', kind: 'numeric', scaling: 'robust', impute: 'median', transform: 'sqrt' }],
    ],
    ['rare levels', [{ name: 'city', kind: 'categorical', minCount: 20 }]],
    [
      'crosses',
      [
        { name: 'city', kind: 'categorical' },
        { name: 'x', kind: 'numeric', bins: 2 },
        { kind: 'cross', of: ['city', 'x'], minCount: 5 },
      ],
    ],
    ['target encoding', [{ name: 'city', kind: 'categorical', encoding: 'target' }]],
    ['target encoding, smoothed', [{ name: 'city', kind: 'categorical', encoding: 'target', smooth: 10 }]],
  ];
  it.each(SCHEMAS.flatMap(([what, features]) => SCALES.map((scale) => [what, scale, features] as const)))(
    'schema and probabilities: %s, times %f',
    (_, scale, features) => {
      const options: FitOptions = { target: 'y', weight: 'w', lambda: 0.01, schema: { features } };
      const [a, b] = [1, scale].map((times) => fitTable(weighted(times), options));
      expect(rounded(b.model.manifest.schema)).toEqual(rounded(a.model.manifest.schema));
      expect(b.warnings).toEqual(a.warnings);
      b.model.weights.forEach((value, j) => {
        expect(value).toBeCloseTo(a.model.weights[j], 6);
      });
    },
  );

  it.each([1, 0.01, 1e-9])('outer edges of bins are the least and greatest value: times %f', (scale) => {
    const schema: Declaration = { features: [{ name: 'x', kind: 'numeric', bins: 4 }] };
    const { model } = fitTable(weighted(scale), { target: 'y', weight: 'w', schema });
    const { edges } = model.manifest.schema.features[0] as BinnedFeature;
    expect([edges[0], edges.at(-1)]).toEqual([Math.min(...x), Math.max(...x)]);
  });

  it.each(SCALES)("findings, leverages and Cook's distances among them: times %f", (scale) => {
    const heavy = whole.map((w, i) => (i === 7 ? 300 : w));
    const [a, b] = [1, scale].map((times) => diagnose(weighted(times, heavy), { target: 'y', weight: 'w' }));
    expect(b).toEqual(a);
    expect(a.find(({ code }) => code === 'INFLUENTIAL_ROWS')?.evidence).toMatch(/: 7 \(/);
  });

  it.each(SCALES)('robust errors, and folds: times %f', (scale) => {
    const options: FitOptions = { target: 'y', weight: 'w', penalty: 'none', inference: { covariance: 'robust' } };
    const [a, b] = [1, scale].map((times) => fitTable(weighted(times), options).model.covariance!);
    b.forEach((value, j) => {
      expect(value).toBeCloseTo(a[j], 9);
    });
    const [p, q] = [1, scale].map((times) =>
      crossValidate(weighted(times), { target: 'y', weight: 'w', lambdas: [0.1, 0.01] }).steps.map(({ mean }) => mean),
    );
    q.forEach((value, k) => {
      expect(value).toBeCloseTo(p[k], 9);
    });
  });

  it('intervals of an area, and bins of equal weight', () => {
    const scores = Float64Array.from(x, (value, i) => value + 20 * Math.sin(i));
    const p = scores.map((value) => 1 / (1 + Math.exp(-(value - 50) / 30)));
    const weight = Float64Array.from(whole);
    for (const scale of SCALES) {
      const times = weight.map((w) => w * scale);
      expect(rounded(aucInterval(scores, Float64Array.from(y), times))).toEqual(
        rounded(aucInterval(scores, Float64Array.from(y), weight)),
      );
      const [a, b] = [weight, times].map((s) =>
        reliability({ probabilities: p }, Float64Array.from(y), s, 5, 'quantile'),
      );
      expect(rounded(b.map(({ low, high }) => [low, high]))).toEqual(rounded(a.map(({ low, high }) => [low, high])));
    }
  });

  it('a class of one row is rare at any scale, one of a hundred at none', () => {
    const one = withColumns(
      weighted(1),
      numeric(
        'y',
        x.map((_, i) => Number(i === 3)),
      ),
    );
    for (const scale of [1, ...SCALES]) {
      expect(fitTable(weighted(scale), { target: 'y', weight: 'w' }).warnings).toEqual([]);
      const lonely = withColumns(
        one,
        numeric(
          'w',
          whole.map((w) => w * scale),
        ),
      );
      expect(fitTable(lonely, { target: 'y', weight: 'w' }).warnings.map(({ code }) => code)).toEqual(['RARE_CLASS']);
    }
  });
});

describe('whole numbers are counts where that is said, and nowhere else', () => {
  const repeated = takeRows(
    base,
    whole.flatMap((n, i) => Array.from({ length: n }, () => i)),
  );
  const ML: FitOptions = { target: 'y', weight: 'w', penalty: 'none' };
  it('robust errors of whole weights are those of weights that are nearly whole', () => {
    const thousand = x.map(() => 1000);
    const [plain, counted, nearly, counts] = [
      fitTable(base, { ...ML, weight: undefined, inference: { covariance: 'robust' } }),
      fitTable(weighted(1, thousand), { ...ML, inference: { covariance: 'robust' } }),
      fitTable(weighted(1.0005, thousand), { ...ML, inference: { covariance: 'robust' } }),
      fitTable(weighted(1, thousand), { ...ML, weightKind: 'count', inference: { covariance: 'robust' } }),
    ].map(({ model }) => coefficients(model)[0].stdError!);
    expect(counted).toBeCloseTo(plain, 9);
    expect(nearly).toBeCloseTo(plain, 9);
    expect(counts).toBeCloseTo(plain / Math.sqrt(1000), 9);
  });
  it('errors of the model depend on the scale of sampling weights, and a warning says so', () => {
    const { model, warnings } = fitTable(weighted(1), { ...ML, inference: true });
    expect(warnings.map(({ code }) => code)).toEqual(['INFERENCE_WEIGHTS']);
    expect(warnings[0].message).toMatch(/scale of the weights.*weightKind "count"/);
    expect(model.manifest.inference!.statistics).toBeNull();
    expect(model.manifest.inference!.reason).toMatch(/sampling weights/);
    expect(model.manifest.weightKind).toBe('sampling');
  });
  it('counts are repeated rows: statistics, tests and profiles, and nothing is warned of', () => {
    const { model, warnings } = fitTable(weighted(1), { ...ML, weightKind: 'count', inference: { profile: true } });
    expect(warnings).toEqual([]);
    const wanted = fitTable(repeated, { ...ML, weight: undefined, inference: { profile: true } }).model;
    expect(model.manifest.inference!.statistics!.observations).toBe(repeated.rows);
    expect(model.manifest.inference!.statistics!.aic).toBeCloseTo(wanted.manifest.inference!.statistics!.aic, 7);
    expect(model.manifest.weightKind).toBe('count');
  });
  it('weights of 0 and 1 say which rows there are', () => {
    const kept = x.map((_, i) => Number(i % 3 > 0));
    const { model, warnings } = fitTable(weighted(1, kept), { ...ML, inference: true });
    const wanted = fitTable(
      takeRows(
        base,
        kept.flatMap((one, i) => (one ? [i] : [])),
      ),
      { ...ML, weight: undefined, inference: true },
    ).model;
    expect(warnings).toEqual([]);
    expect(model.manifest.inference!.statistics!.bic).toBeCloseTo(wanted.manifest.inference!.statistics!.bic, 7);
  });
  it('a bootstrap draws rows of a sample, and single rows of counts', () => {
    const inference = { bootstrap: { replicates: 60, seed: 3 } };
    const errorOf = (more: Pick<FitOptions, 'weightKind'>, scale = 1) =>
      fitTable(weighted(scale), { ...ML, ...more, inference }).model.manifest.inference!.bootstrap!.intervals[0]
        .stdError;
    expect(errorOf({}, 1000)).toBeCloseTo(errorOf({}), 6);
    expect(errorOf({ weightKind: 'count' }) / errorOf({})).toBeLessThan(0.9);
  });
  it('a matrix says it likewise', () => {
    const cells = Float64Array.from(x);
    const matrix = { layout: 'rows', rows, columns: 1, values: cells } as const;
    const shared = { penalty: 'none', weight: whole, inference: true } as const;
    expect(fitMatrix(matrix, y, shared).warnings.map(({ code }) => code)).toEqual(['INFERENCE_WEIGHTS']);
    expect(fitMatrix(matrix, y, { ...shared, weightKind: 'count' }).warnings).toEqual([]);
    expect(() => fitMatrix(matrix, y, { ...shared, weight: whole.map((w) => w / 2), weightKind: 'count' })).toThrow(
      /weight: expected whole numbers/,
    );
  });
  it('fractions are no counts, and there are two kinds', () => {
    const wanted = (message: RegExp) =>
      expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(message) });
    expect(() => fitTable(weighted(0.5), { ...ML, weightKind: 'count' })).toThrow(
      wanted(/whole number.*weightKind "sampling"/),
    );
    expect(() => fitTable(weighted(1), { ...ML, weightKind: 'frequency' as 'count' })).toThrow(
      wanted(/weightKind: expected sampling or count/),
    );
    const scores = values(base, 'x');
    const half = Float64Array.from(whole, (w) => w / 2);
    expect(() => aucInterval(scores, Float64Array.from(y), half, { weightKind: 'count' })).toThrow(
      wanted(/whole numbers/),
    );
  });
});
