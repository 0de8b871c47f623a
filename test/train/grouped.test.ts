import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Table } from '../../src/encode/table.ts';
import { coefficients } from '../../src/model/coefficients.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import type { InferenceOptions } from '../../src/train/inferenceOptions.ts';
import { coded, numeric, table } from './oracles.ts';

type ByName = Readonly<Record<string, number>>;
interface Grouped {
  readonly columns: Readonly<Record<string, number[]>>;
  readonly models: readonly {
    readonly names: readonly string[];
    readonly beta: ByName;
    readonly model: ByName;
    readonly robust: ByName;
    readonly deviance: number;
    readonly pearson: number;
    readonly df: number;
  }[];
  readonly weighted: { readonly names: readonly string[]; readonly beta: ByName; readonly robust: ByName };
}
const oracle: Grouped = JSON.parse(readFileSync(new URL('../fixtures/grouped.json', import.meta.url), 'utf8'));

const star98 = (names: readonly string[], more: readonly string[] = []): Table =>
  table(...[...names, 'above', 'tests', ...more].map((name) => numeric(name, oracle.columns[name])));
const counts: FitOptions = { target: 'above', trials: 'tests', penalty: 'none', inference: true };
const named = (name: string): string => (name === '(intercept)' ? 'const' : name);

describe('rows of trials, against statsmodels', () => {
  it.each(oracle.models)(
    'errors of the model, and HC0 with a row for an observation: $names.length columns',
    (wanted) => {
      for (const covariance of ['model', 'robust'] as const) {
        const { model } = fitTable(star98(wanted.names), { ...counts, inference: { covariance } });
        for (const { feature, value, stdError } of coefficients(model)) {
          // the columns of the larger model are products of others: its information has a condition of 1e13
          expect(value! / wanted.beta[named(feature)]).toBeCloseTo(1, 6);
          expect(stdError! / wanted[covariance][named(feature)]).toBeCloseTo(1, 5);
        }
      }
    },
  );

  it('says how much the counts vary, and warns where errors are those of the model', () => {
    const [wanted] = oracle.models;
    const { model, warnings } = fitTable(star98(wanted.names), counts);
    const { pearson, deviance } = model.manifest.inference!.statistics!;
    expect(deviance).toBeCloseTo(wanted.deviance, 5);
    expect(pearson!.chi2 / wanted.pearson).toBeCloseTo(1, 8);
    expect(pearson!.df).toBe(wanted.df);
    expect(pearson!.dispersion).toBeCloseTo(wanted.pearson / wanted.df, 8);
    expect(warnings.map(({ code }) => code)).toEqual(['OVERDISPERSION']);
    expect(fitTable(star98(wanted.names), { ...counts, inference: { covariance: 'robust' } }).warnings).toEqual([]);
  });

  it('is quiet where counts vary as trials do', () => {
    // 40 rows of 10 trials with about the successes that their probability says, in rounds of three
    const hits = Array.from({ length: 40 }, (_, i) => 3 + (i % 3) + Number(i > 19));
    const source = table(
      numeric(
        'x',
        hits.map((_, i) => Number(i > 19)),
      ),
      numeric('above', hits),
      numeric(
        'tests',
        hits.map(() => 10),
      ),
    );
    const { model, warnings } = fitTable(source, counts);
    expect(model.manifest.inference!.statistics!.pearson!.dispersion).toBeLessThan(1);
    expect(warnings).toEqual([]);
  });

  it('sampling weights of rows of trials: HC0 of the weighted rows, at any scale', () => {
    const { names, beta, robust } = oracle.weighted;
    for (const scale of [1, 0.01, 1e6]) {
      const source = star98(names);
      const weight = oracle.columns.weight.map((w) => w * scale);
      const { model, warnings } = fitTable(
        { ...source, columns: [...source.columns, numeric('w', weight)] },
        { ...counts, weight: 'w', inference: { covariance: 'robust' } },
      );
      expect(warnings).toEqual([]);
      for (const { feature, value, stdError } of coefficients(model)) {
        expect(value! / beta[named(feature)]).toBeCloseTo(1, 7);
        expect(stdError! / robust[named(feature)]).toBeCloseTo(1, 6);
      }
    }
  });

  it('rows of one trial are rows: the same errors as of single rows', () => {
    const x = Array.from({ length: 30 }, (_, i) => (i * 7) % 11);
    const y = x.map((value, i) => Number((i * 5) % 13 > value));
    const single = table(numeric('x', x), numeric('above', y));
    const grouped = table(
      numeric('x', x),
      numeric('above', y),
      numeric(
        'tests',
        x.map(() => 1),
      ),
    );
    const [a, b] = [
      fitTable(single, { ...counts, trials: undefined, inference: { covariance: 'robust' } }),
      fitTable(grouped, { ...counts, inference: { covariance: 'robust' } }),
    ].map(({ model }) => [...model.covariance!]);
    b.forEach((value, j) => {
      expect(value).toBeCloseTo(a[j], 12);
    });
  });

  it('counts of rows of trials are repeated rows', () => {
    const [{ names }] = oracle.models;
    const times = oracle.columns.above.map((_, i) => i % 3);
    const index = times.flatMap((n, i) => Array.from({ length: n }, () => i));
    const source = star98(names);
    const weighted = { ...source, columns: [...source.columns, numeric('n', times)] };
    const repeated = table(
      ...source.columns.map((column) =>
        numeric(
          column.name,
          index.map((i) => oracle.columns[column.name][i]),
        ),
      ),
    );
    const options: FitOptions = { ...counts, inference: { covariance: 'robust' } };
    const a = fitTable(weighted, { ...options, weight: 'n', weightKind: 'count' }).model;
    const b = fitTable(repeated, options).model;
    a.covariance!.forEach((value, j) => {
      expect(value / b.covariance![j]).toBeCloseTo(1, 6);
    });
    const [p, q] = [a, b].map((model) => model.manifest.inference!.statistics!.pearson!);
    expect([p.df, p.chi2]).toEqual([q.df, expect.closeTo(q.chi2, 6)]);
  });
});

describe("Firth's errors", () => {
  // of a saturated 2 × 2 table Firth adds half a row to each cell; leverages of a group sum to 1
  const cells = table(coded('g', ['a', 'b', 'a', 'b']), numeric('n', [3, 0, 7, 10]), numeric('y', [1, 1, 0, 0]));
  const errorsOf = (inference: true | InferenceOptions) => {
    const options: FitOptions = { target: 'y', weight: 'n', weightKind: 'count', penalty: 'firth', inference };
    return coefficients(fitTable(cells, options).model).map(({ feature, stdError }) => [feature, stdError!] as const);
  };
  it('of the augmented data: those of the table with half a row in each cell', () => {
    const found = Object.fromEntries(errorsOf({ covariance: 'augmented' }));
    expect(found['(intercept)']).toBeCloseTo(Math.sqrt(1 / 3.5 + 1 / 7.5), 9);
    expect(found.g).toBeCloseTo(Math.sqrt(1 / 3.5 + 1 / 7.5 + 1 / 0.5 + 1 / 10.5), 9);
  });
  it('by default of the information at the estimate', () => {
    const p = 3.5 / 11;
    const q = 0.5 / 11;
    const [a, b] = [10 * p * (1 - p), 10 * q * (1 - q)];
    for (const inference of [true, {}, { covariance: 'model' }] as const) {
      const found = Object.fromEntries(errorsOf(inference));
      expect(found['(intercept)']).toBeCloseTo(Math.sqrt(1 / a), 9);
      expect(found.g).toBeCloseTo(Math.sqrt(1 / a + 1 / b), 9);
    }
  });
  it('another kind is refused', () => {
    expect(() => errorsOf({ covariance: 'information' as 'model' })).toThrow(
      /covariance: expected model, augmented, robust or \{cluster: column\}, got information/,
    );
    expect(() => errorsOf({ covariance: 'robust' })).toThrow(
      /covariance: expected model or augmented with the penalty "firth", got robust/,
    );
    expect(() => errorsOf({ covarance: 'augmented' } as never)).toThrow(/did you mean "covariance"/);
  });
});
