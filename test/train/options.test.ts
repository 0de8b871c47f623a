import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnose/doctor.ts';
import { CheckedTable } from '../../src/encode/checkedTable.ts';
import { aucInterval } from '../../src/metrics/interval.ts';
import { hashIndex } from '../../src/online/hash.ts';
import { OnlineLearner } from '../../src/online/learner.ts';
import { calibrate } from '../../src/train/calibrated.ts';
import { crossValidate } from '../../src/train/crossValidate.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { readClusters } from '../../src/train/inference/robust.ts';
import { fitMatrix } from '../../src/train/matrix.ts';
import { outOfFold } from '../../src/train/outOfFold.ts';
import { fitPath } from '../../src/train/path.ts';
import { coded, numeric, random, table, takeRows, withColumns } from './oracles.ts';

const next = random(21);
const rows = 90;
const x = Array.from({ length: rows }, () => 2 * next() - 1);
const z = Array.from({ length: rows }, () => 2 * next() - 1);
const y = x.map((value, i) => Number(next() < 1 / (1 + Math.exp(-value - z[i]))));
const three = x.map((value) => Math.min(2, Math.floor(3 * next() + value / 2 + 0.3)) | 0);
const base = table(numeric('x', x), numeric('z', z), numeric('y', y));
const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(message) });

describe('options that do not exist are refused with the nearest name', () => {
  const wrong = (options: object) => ({ target: 'y', ...options }) as never;
  const matrix = { layout: 'rows', rows, columns: 1, values: Float64Array.from(x) } as const;
  const CALLS: [string, (options: object) => unknown][] = [
    ['fit', (o) => fitTable(base, wrong(o))],
    ['fitPath', (o) => fitPath(base, wrong(o))],
    ['crossValidate', (o) => crossValidate(base, wrong(o))],
    ['outOfFold', (o) => outOfFold(base, wrong(o))],
    ['diagnose', (o) => diagnose(base, wrong(o))],
  ];
  it.each(CALLS)('%s', (_, call) => {
    expect(() => call({ class_weight: 'balanced' })).toThrow(
      refused(/got "class_weight"; did you mean "classWeight"\?/),
    );
    expect(() => call({ classWeights: 'balanced' })).toThrow(refused(/did you mean "classWeight"\?/));
    expect(() => call({ Weight: 'x' })).toThrow(refused(/did you mean "weight"\?/));
    expect(() => call({ regularisation: 1 })).toThrow(refused(/got "regularisation"; there are target, /));
  });
  it('of another value', () => {
    for (const [name, rule] of [
      ['inference', 'true, false or an object'],
      ['coding', 'onehot or treatment'],
      ['unseen', 'slot or error'],
      ['missing', 'slot or mode'],
    ])
      expect(() => fitTable(base, wrong({ [name]: 'augmented' }))).toThrow(
        refused(new RegExp(`^${name}: expected ${rule}, got "augmented"; leave it out for the default`)),
      );
  });
  it('lamda', () => {
    expect(() => fitTable(base, wrong({ lamda: 100 }))).toThrow(refused(/did you mean "lambda"\?/));
    expect(() => fitMatrix(matrix, y, { lamda: 100 } as never)).toThrow(refused(/fitMatrix.*did you mean "lambda"\?/));
    expect(() => fitPath(base, wrong({ lamdas: [1] }))).toThrow(refused(/did you mean "lambdas"\?/));
  });
  it('of penalties, inference, folds and streams', () => {
    const bootstrap = { replicate: 10 };
    expect(() => fitTable(base, wrong({ inference: { bootstrap } }))).toThrow(refused(/^bootstrap.*"replicates"/));
    expect(() => fitTable(base, wrong({ inference: { covarianc: 'model' } }))).toThrow(refused(/"covariance"/));
    expect(() => fitTable(base, wrong({ penalty: { l1ratio: 1 } }))).toThrow(refused(/^penalty.*"l1Ratio"/));
    expect(() => fitPath(base, wrong({ penalty: { factor: {} } }))).toThrow(refused(/^penalty.*"factors"/));
    expect(() => fitMatrix(matrix, y, { penalty: { bounds: {} } } as never)).toThrow(refused(/got "bounds"/));
    expect(() => fitMatrix(matrix, y, { penalty: { uper: [1] } } as never)).toThrow(refused(/^penalty.*"upper"/));
    for (const verb of [fitTable, outOfFold])
      expect(() => verb(base, wrong({ folding: { fold: 3 } }))).toThrow(refused(/^folding.*"folds"/));
    expect(() => fitTable(base, wrong({ calibrate: { method: 'platt', holdOut: base } }))).toThrow(
      refused(/"holdout"/),
    );
    expect(() => OnlineLearner.start(base, wrong({ aplha: 1 }))).toThrow(refused(/"alpha"/));
    const learner = { classes: ['0', '1'], positive: '1', lamda1: 1 };
    expect(() => new OnlineLearner({ features: [] }, wrong(learner))).toThrow(refused(/got "lamda1"/));
    expect(() => new OnlineLearner({ features: [] }, wrong({ ...learner, categorical: [] }))).toThrow(refused(/got/));
  });
  it('of a calibration by held-out rows, and of an interval', () => {
    const { model } = fitTable(base, { target: 'y' });
    const method = 'platt' as const;
    expect(calibrate(model, base, { method, weight: undefined }).manifest.calibration?.method).toBe(method);
    expect(() => calibrate(model, base, { method, wieght: 'x' } as never)).toThrow(
      refused(/calibrate: expected an option that exists, got "wieght"; did you mean "weight"\?/),
    );
    expect(() => calibrate(model, base, { method, holdout: base } as never)).toThrow(refused(/got "holdout"/));
    const auc = (options: object) => aucInterval(Float64Array.from(x), Uint8Array.from(y), null, options as never);
    expect(auc({ method: 'bootstrap', replicates: 100, seed: 3, weightKind: 'count' })).not.toBeNull();
    expect(() => auc({ metod: 'bootstrap' })).toThrow(refused(/aucInterval.*did you mean "method"\?/));
    expect(() => auc({ method: 'bootstrap', replicate: 100 })).toThrow(refused(/did you mean "replicates"\?/));
    expect(() => auc({ replicates: 100 })).toThrow(refused(/got "replicates"; there are method, weightKind/));
    expect(() => auc('bootstrap' as never)).toThrow(refused(/expected an object of options, got "bootstrap"/));
  });
});

it('levels that are no text are refused, unless nothing reads them', () => {
  const codes = Uint32Array.from(x, (_, i) => i % 2);
  const wrong = table(...base.columns, { name: 'c', kind: 'coded', codes, levels: ['a', null as never] });
  const refusal = expect.objectContaining({
    code: 'ERR_SHAPE',
    message:
      'column "c": expected text as levels, got a value of another type at 1; write it as text, and mark missing cells in `missing`',
  });
  const schema = { features: [{ name: 'c', kind: 'categorical' as const }] };
  for (const options of [{}, { schema }]) {
    expect(() => fitTable(wrong, { target: 'y', ...options })).toThrow(refusal);
    expect(() => diagnose(wrong, { target: 'y', ...options })).toThrow(refusal);
  }
  expect(() => fitTable(wrong, { target: 'c' })).toThrow(refusal);
  expect(fitTable(wrong, { target: 'y', exclude: ['c'] }).model.weights).toHaveLength(2);
});

describe('what is documented is accepted', () => {
  it('bounds [0, 0] hold a weight at 0: the fit without the feature', () => {
    for (const { inference, ...penalty } of [
      { lambda: 0.1 },
      { lambda: 0, inference: true },
      { lambda: 0.01, l1Ratio: 1 },
    ] as { lambda: number; l1Ratio?: number; inference?: boolean }[]) {
      const held = fitTable(base, { target: 'y', inference, penalty: { ...penalty, bounds: { x: [0, 0] } } });
      const without = fitTable(base, { target: 'y', inference, penalty, features: ['z'] });
      expect(held.warnings).toEqual(without.warnings);
      expect(held.model.weights[0]).toBe(0);
      expect(held.model.weights[1]).toBeCloseTo(without.model.weights[0], 7);
      if (inference) expect(held.model.covariance).not.toBeNull();
    }
    const both = fitTable(base, {
      target: 'y',
      penalty: { lambda: 0.01, bounds: { x: [0, 0], z: [0, Number.POSITIVE_INFINITY] } },
    });
    expect(both.model.weights[0]).toBe(0);
    expect(both.model.weights[1]).toBeGreaterThan(0);
  });
  it.each([{ l1Ratio: 1 }, { l1Ratio: 0.5 }, { factors: { x: 3 } }])(
    'lambda 0 is maximum likelihood beside %o',
    (more) => {
      const wanted = fitTable(base, { target: 'y', penalty: 'none' }).model;
      for (const strength of [{ lambda: 0 }, { C: Number.POSITIVE_INFINITY }]) {
        const { model, warnings } = fitTable(base, { target: 'y', penalty: { ...strength, ...more } });
        expect(warnings).toEqual([]);
        expect(model.manifest.objective).toMatchObject({ lambda: 0, l1Ratio: 0 });
        model.weights.forEach((weight, j) => {
          expect(weight).toBeCloseTo(wanted.weights[j], 6);
        });
      }
    },
  );
  it('a class of weight 0 is left out, and the model never gives it', () => {
    const several = withColumns(
      base,
      coded(
        'y',
        three.map((k) => ['a', 'b', 'c'][k]),
      ),
    );
    const { model, warnings } = fitTable(several, { target: 'y', classWeight: { b: 2, c: 0 } });
    const kept = takeRows(
      several,
      three.flatMap((k, i) => (k < 2 ? [i] : [])),
    );
    const wanted = fitTable(kept, { target: 'y', classWeight: { b: 2 } }).model;
    expect(model.manifest.classes).toEqual(['a', 'b']);
    expect(warnings.map(({ code }) => code)).toEqual(['CLASS_LEFT_OUT']);
    expect(warnings[0].message).toContain(`${rows - kept.rows} rows`);
    model.weights.forEach((weight, j) => {
      expect(weight).toBeCloseTo(wanted.weights[j], 6);
    });
    expect(() => fitTable(several, { target: 'y', classWeight: { d: 0 } })).toThrow(
      /labels among "a", "b", "c", got "d"/,
    );
  });
  it.each([1, true, 1n, '1'])('positive as a label of any form: %o', (positive) => {
    const source =
      positive === true
        ? withColumns(
            base,
            coded(
              'y',
              y.map((one) => String(one === 1)),
            ),
          )
        : base;
    const { model } = fitTable(source, { target: 'y', positive: positive as number });
    expect(model.manifest.positive).toBe(String(positive));
  });
  it('hashIndex says its range', () => {
    expect(hashIndex('f', 'v', 31)).toBeLessThan(2 ** 31);
    for (const bits of [0, 32, 1.5]) {
      expect(() => hashIndex('f', 'v', bits)).toThrow(`bits: expected a whole number from 1 to 31, got ${bits}`);
    }
  });
  it('a row of weight 0 needs no cluster', () => {
    const source = table(coded('g', ['a', null, 'b']));
    expect(readClusters(CheckedTable.of(source), 'g', Float64Array.of(1, 0, 1)).count).toBe(2);
    expect(() => readClusters(CheckedTable.of(source), 'g', null)).toThrow(/row 1/);
  });
});

describe('sparse rows with repeated columns are those of the sums', () => {
  const label = [0, 1, 0, 1, 1, 1];
  const repeats = {
    layout: 'sparse',
    rows: 6,
    columns: 2,
    rowPtr: Uint32Array.of(0, 2, 3, 5, 6, 8, 9),
    colIdx: Uint32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1),
    values: null,
  } as const;
  // scikit-learn 1.9.1, LogisticRegression(C=1) on the summed matrix, and on it divided by its standard deviations
  it.each([
    [false, [-0.80115669, 0.40057835], 1.46955654],
    [true, [-0.61004942, 1.22009885], 0.95865267],
  ] as const)('standardize %s', (standardize, weights, intercept) => {
    const found = fitMatrix(repeats, label, { C: 1, standardize });
    expect(found.warnings).toEqual([]);
    weights.forEach((weight, j) => {
      expect(found.weights[j]).toBeCloseTo(weight, 6);
    });
    expect(found.intercept[0]).toBeCloseTo(intercept, 6);
  });
  it('entries that cancel or sum to one value in all rows are constant', () => {
    const flat = { ...repeats, rowPtr: Uint32Array.of(0, 2, 4, 6, 8, 10, 12), colIdx: new Uint32Array(12), columns: 1 };
    for (const values of [
      [1, -1],
      [0.25, 0.75],
    ]) {
      const cells = Float64Array.from({ length: 12 }, (_, e) => values[e % 2]);
      const { warnings } = fitMatrix({ ...flat, values: cells }, label);
      expect(warnings.map(({ code }) => code)).toEqual(['CONSTANT_COLUMN']);
    }
  });
});

describe('a setting beside the option that it belongs into', () => {
  const rows = [0, 1, 0, 1, 1, 0].map((y, i) => ({ y, x: (i * 7) % 5 }));
  it.each([
    ['bounds', { bounds: { x: [0, 1] } }, 'write penalty: { bounds: … }'],
    ['firth', { firth: true }, 'write penalty: "firth"'],
    ['covariance', { covariance: 'robust' }, 'write inference: { covariance: … }'],
    ['folds', { folds: 3 }, 'write folding: { folds: … }'],
  ])('%s is told where it goes', (_, options, next) => {
    expect(() => fitTable(rows, { target: 'y', ...options } as never)).toThrow(next);
  });
});

describe('a decision, a band or a calibrator that is none is refused before the fit', () => {
  const rows = [0, 1, 0, 1, 1, 0].map((y, i) => ({ y, x: (i * 7) % 5 }));
  it.each([
    [{ calibrate: 'plat' }, 'calibrate: expected one of platt, isotonic, beta, temperature, got plat'],
    [{ decide: {} }, 'decide: expected a threshold, or by what it is chosen, got neither'],
    [{ decide: { threshold: 0.5, by: 'cost' } }, 'got both'],
    [{ decide: { by: 'f1' } }, 'decide by: expected one of cost, fbeta, recall, precision, budget, got f1'],
    [{ decide: { treshold: 0.5 } }, 'did you mean "threshold"?'],
    [{ review: {} }, 'review: expected low and high, or a share of the rows, got neither'],
    [{ review: { share: 0.1, low: 0 } }, 'got both'],
  ])('%j', (options, message) => {
    expect(() => fitTable(rows, { target: 'y', ...options } as never)).toThrow(message);
  });
});
