import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { CalibrationMethod } from '../../src/calibrate/fit.ts';
import { CALIBRATION_METHODS, fitCalibration } from '../../src/calibrate/fit.ts';
import type { Table } from '../../src/encode/table.ts';
import { loadModel } from '../../src/load.ts';
import { saveModel } from '../../src/model/file.ts';
import type { FittedModel as Model } from '../../src/model/fittedModel.ts';
import { calibrate } from '../../src/train/calibrated.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { outOfFold } from '../../src/train/outOfFold.ts';
import { coded, numeric, random, readTable, table, takeRows, values, withColumns } from './oracles.ts';

interface Crossed {
  name: string;
  x: number[][];
  y: number[];
  weight: number[] | null;
  fold: number[];
  C: number;
  sigmoid: number[][];
  isotonic: number[][];
  temperature: number[][];
}
const { crossValidated } = JSON.parse(
  readFileSync(new URL('../fixtures/calibration.json', import.meta.url), 'utf8'),
) as { crossValidated: Crossed[] };

/** Scores of a table: planes of logits and of probabilities. */
function scoresOf(model: Model, rows: Table) {
  const scorer = model.scorer(pickEngine());
  try {
    const { logits, probabilities } = scorer.score(rows);
    const split = (all: ArrayLike<number>) =>
      Array.from({ length: all.length / rows.rows }, (_, k) =>
        Float64Array.from({ length: rows.rows }, (_, i) => all[k * rows.rows + i]),
      );
    return { logits: split(logits), probabilities: split(probabilities) };
  } finally {
    scorer.free();
  }
}

const recordOf = ({ columns }: Table, i: number): Record<string, unknown> =>
  Object.fromEntries(
    columns.map((column) => [
      column.name,
      column.missing?.[i] ? null : column.kind === 'numeric' ? column.values[i] : column.levels[column.codes[i]],
    ]),
  );

describe.each(crossValidated)('CalibratedClassifierCV(ensemble=False): $name', (one) => {
  const rows = table(
    ...one.x.map((cells, j) => numeric(`x${j}`, cells)),
    numeric('y', one.y),
    numeric('s', one.weight ?? one.y.map(() => 1)),
    numeric('g', one.fold),
  );
  it.each([
    ['sigmoid', 'platt', 1e-5],
    ['isotonic', 'isotonic', 1e-9],
    ['temperature', 'temperature', 1e-6],
  ] as const)('%s', (name, method, bound) => {
    const { model, outOfFold: held } = fitTable(rows, {
      target: 'y',
      weight: 's',
      C: one.C,
      standardize: false,
      tol: 1e-11,
      // each group is a fold of its own
      calibrate: method,
      folding: { folds: 4, groups: 'g' },
    });
    expect(model.manifest.schema.features.map((feature) => feature.name)).toEqual(['x0', 'x1', 'x2']);
    expect(model.manifest.calibration).toMatchObject({ method, shift: [], by: { folds: 4, rows: 240 } });
    expect(held!.folds).toBe(4);
    const { probabilities } = scoresOf(model, rows);
    one[name].forEach((wanted, i) => {
      const got = probabilities.map((plane) => plane[i]);
      const all = got.length === 1 ? [1 - got[0], got[0]] : got;
      all.forEach((p, k) => {
        // what scikit-learn's sigmoid leaves of its own minimum is up to 1e-6
        expect(Math.abs(p - wanted[k])).toBeLessThan(bound);
      });
    });
  });
});

function simulate(count: number, seed: number) {
  const next = random(seed);
  const x = [0, 1, 2].map(() => Array.from({ length: count }, () => 2 * (next() + next() + next()) - 3));
  const city = Array.from({ length: count }, () => ['Bonn', 'Köln', 'Trier'][Math.floor(next() * 3)]);
  const weight = Array.from({ length: count }, () => Math.floor(next() * 3));
  const offset = Array.from({ length: count }, () => next() - 0.5);
  const y = x[0].map((value, i) => {
    const z = 1.4 * value - x[1][i] + (city[i] === 'Köln' ? 0.8 : 0) + offset[i] - 0.5;
    return Number(next() < 1 / (1 + Math.exp(-z)));
  });
  const columns = [...x.map((cells, j) => numeric(`x${j}`, cells)), coded('city', city)];
  return {
    rows: table(...columns, numeric('y', y), numeric('s', weight), numeric('o', offset)),
    y,
    weight,
  };
}

describe('out of fold', () => {
  const { rows, weight } = simulate(160, 5);
  const times = withColumns(
    rows,
    numeric(
      't',
      Array.from({ length: 160 }, (_, i) => (i * 37) % 160),
    ),
  );

  const base = { target: 'y', weight: 's', offset: 'o', tol: 1e-11 } satisfies FitOptions;
  it.each<[string, FitOptions]>([
    ['C', { ...base, C: 0.7 }],
    ['lambda on raw weights', { ...base, lambda: 0.05, standardize: false }],
    ['elastic net', { ...base, lambda: 0.02, l1Ratio: 0.5 }],
    ['no penalty', { ...base, penalty: 'none' }],
    ['Firth', { ...base, penalty: 'firth', inference: true }],
    ['class weights', { ...base, C: 1, classWeight: 'balanced' }],
  ])('each fold is the fit of a table of its training rows: %s', (_, options) => {
    const held = outOfFold(rows, { ...options, folding: { folds: 4, seed: 3 } });
    const index = Array.from({ length: 160 }, (_, i) => i);
    expect(new Set(held.fold)).toEqual(new Set([-1, 0, 1, 2, 3]));
    for (let k = 0; k < 4; k++) {
      const own = index.filter((i) => held.fold[i] === k);
      const train = takeRows(
        rows,
        index.filter((i) => held.fold[i] >= 0 && held.fold[i] !== k),
      );
      const { model } = fitTable(train, { ...options, inference: false });
      const { logits } = scoresOf(model, takeRows(rows, own));
      own.forEach((i, j) => {
        expect(Math.abs(held.planes[0][i] - logits[0][j])).toBeLessThan(1e-7);
      });
    }
    index.forEach((i) => {
      expect(held.fold[i] === -1).toBe(weight[i] === 0);
      expect(held.weight[i]).toBe(weight[i]);
      expect(Number.isNaN(held.planes[0][i])).toBe(weight[i] === 0);
    });
  });

  it('by time each row is scored by earlier ones, and the earliest by none', () => {
    const held = outOfFold(times, { ...base, C: 1, folding: { folds: 3, time: 't' } });
    const t = values(times, 't');
    const latest = [0, 1, 2].map((k) => Math.max(...[...t].filter((_, i) => held.fold[i] === k)));
    expect(latest[0]).toBeLessThan(latest[1]);
    held.fold.forEach((fold, i) => {
      if (fold > 0) expect(t[i]).toBeGreaterThan(latest[fold - 1]);
      expect(held.weight[i]).toBe(fold === -1 ? 0 : weight[i]);
    });
    const index = Array.from({ length: 160 }, (_, i) => i);
    const own = index.filter((i) => held.fold[i] === 0);
    const first = Math.min(...own.map((i) => t[i]));
    const train = takeRows(
      times,
      index.filter((i) => weight[i] > 0 && t[i] < first),
    );
    const { logits } = scoresOf(fitTable(train, { ...base, C: 1, exclude: ['t'] }).model, takeRows(times, own));
    own.forEach((i, j) => {
      expect(Math.abs(held.planes[0][i] - logits[0][j])).toBeLessThan(1e-7);
    });
  });

  it('several classes have planes in their order, and the options of folds their errors', () => {
    const iris = readTable('iris.csv');
    for (const multiclass of ['multinomial', 'ovr'] as const) {
      const held = outOfFold(iris, { target: 'Species', C: 1, multiclass });
      expect(held.planes).toHaveLength(3);
      const hits = held.y.filter((code, i) => held.planes.every((plane) => plane[i] <= held.planes[code][i]));
      expect(hits.length).toBeGreaterThan(130);
    }
    expect(() => outOfFold(iris, { target: 'Species', folding: { folds: 1 } })).toThrow(
      /folds: expected a whole number from 2/,
    );
    expect(() => outOfFold(iris, { target: 'Species', folding: { groups: 'a', time: 'b' } })).toThrow(
      /no time beside it/,
    );
  });

  it('a fold that warns says which', () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8];
    const separated = table(
      numeric('x', x),
      numeric(
        'y',
        x.map((value) => Number(value > 4)),
      ),
    );
    const { warnings } = outOfFold(separated, { target: 'y', penalty: 'none', folding: { folds: 2 } });
    expect(warnings).toMatchObject([{ code: 'SEPARATION', message: expect.stringMatching(/^fold 1: "x"/) }]);
  });
});

describe('calibrated models', () => {
  const { rows } = simulate(500, 11);
  const options = { target: 'y', weight: 's', offset: 'o', C: 0.02 } satisfies FitOptions;
  const fresh = simulate(400, 12).rows;

  it.each(CALIBRATION_METHODS)('%s: a record has the bits of the table, also from a file', (method) => {
    const { model, warnings, outOfFold: held } = fitTable(rows, { ...options, calibrate: { method } });
    const again = fitCalibration(method, held!.planes, held!.y, held!.weight, { folds: 5 });
    expect(model.manifest.calibration).toEqual(again);
    expect(warnings).toEqual(model.manifest.warnings);
    expect(warnings.map(({ code }) => code)).toEqual(method === 'isotonic' ? ['CALIBRATION_ROWS'] : []);
    const loaded = loadModel(saveModel(model));
    expect(loaded.manifest.calibration).toEqual(model.manifest.calibration);
    const { probabilities } = scoresOf(model, fresh);
    for (let i = 0; i < 50; i++) {
      const record = recordOf(fresh, i);
      expect(model.score(record).probability).toBe(probabilities[0][i]);
      expect(loaded.score(record).probability).toBe(probabilities[0][i]);
    }
    // the model itself is that of fit
    expect(model.weights).toEqual(fitTable(rows, options).model.weights);
  });

  it('a strong penalty is undone: the slope is that of the rows', () => {
    const { model } = fitTable(rows, { ...options, calibrate: { method: 'temperature' } });
    const [{ inverse }] = model.manifest.calibration!.calibrators as unknown as [{ inverse: number }];
    expect(inverse).toBeGreaterThan(1.3);
  });

  it.each(CALIBRATION_METHODS)('%s by a held-out table', (method) => {
    const holdout = simulate(300, 13).rows;
    const { model, outOfFold: held } = fitTable(rows, { ...options, calibrate: { method, holdout } });
    expect(held).toBeNull();
    const plain = fitTable(rows, options).model;
    const { logits } = scoresOf(plain, holdout);
    const wanted = fitCalibration(method, logits, values(holdout, 'y'), values(holdout, 's'));
    expect(model.manifest.calibration).toEqual(wanted);
    expect(wanted.by).toEqual({ folds: null, rows: values(holdout, 's').filter((s) => s > 0).length });
    expect(calibrate(plain, holdout, { method, weight: 's' }).manifest.calibration).toEqual(wanted);
    // the other class positive
    const other = fitTable(rows, { ...options, positive: '0', offset: undefined }).model;
    const outcome = values(holdout, 'y').map((label) => 1 - label);
    expect(calibrate(other, holdout, { method }).manifest.calibration).toEqual(
      fitCalibration(method, scoresOf(other, holdout).logits, outcome),
    );
  });

  it('of several classes, one calibrator each against the rest', () => {
    const iris = readTable('iris.csv');
    for (const multiclass of ['multinomial', 'ovr'] as const) {
      for (const method of CALIBRATION_METHODS) {
        const { model } = fitTable(iris, { target: 'Species', multiclass, calibrate: { method } });
        expect(model.manifest.calibration!.calibrators).toHaveLength(method === 'temperature' ? 1 : 3);
        const { probabilities } = scoresOf(model, iris);
        let hits = 0;
        for (let i = 0; i < 150; i++) {
          const score = model.score(recordOf(iris, i));
          expect([...score.probabilities!]).toEqual(probabilities.map((plane) => plane[i]));
          hits += Number(score.label === recordOf(iris, i)['Species']);
        }
        expect(hits).toBeGreaterThan(140);
      }
    }
  });

  it('class weights are not in the calibrator: it says how often classes are', () => {
    const { model } = fitTable(rows, {
      ...options,
      C: 10,
      classWeight: { '1': 20 },
      calibrate: { method: 'platt' },
    });
    const s = values(rows, 's');
    const y = values(rows, 'y');
    const mean = (of: ArrayLike<number>) => s.reduce((sum, w, i) => sum + w * of[i], 0) / s.reduce((sum, w) => sum + w);
    expect(mean(scoresOf(model, rows).probabilities[0])).toBeCloseTo(mean(y), 1);
    const raw = fitTable(rows, { ...options, C: 10, classWeight: { '1': 20 } }).model;
    expect(mean(scoresOf(raw, rows).probabilities[0])).toBeGreaterThan(mean(y) + 0.2);
  });

  it.each(CALIBRATION_METHODS)(
    '%s: a weight of 2 is a row seen twice, of 0 a row left out, with groups in one fold',
    (method) => {
      const size = 200;
      const weighted = withColumns(takeRows(rows, [...Array(size).keys()]), numeric('g', [...Array(size).keys()]));
      const times = values(weighted, 's');
      const repeated = takeRows(
        weighted,
        [...times].flatMap((count, i) => Array<number>(count).fill(i)),
      );
      const given = { ...options, C: undefined, lambda: 0.05, tol: 1e-12, calibrate: method, folding: { groups: 'g' } };
      const one = fitTable(weighted, { ...given, prior: 0.3 }).model;
      const other = fitTable(repeated, { ...given, weight: undefined, exclude: ['s'], prior: 0.3 }).model;
      const wanted = scoresOf(other, fresh).probabilities[0];
      scoresOf(one, fresh).probabilities[0].forEach((p, i) => {
        expect(Math.abs(p - wanted[i])).toBeLessThan(1e-8);
      });
    },
  );

  it('a row of trials counts as its outcomes', () => {
    const next = random(3);
    const x = Array.from({ length: 40 }, () => 2 * next() - 1);
    const trials = x.map(() => 5 + Math.floor(next() * 10));
    const hits = x.map((value, i) => Math.round(trials[i] / (1 + Math.exp(-2 * value))));
    const grouped = table(numeric('x', x), numeric('hits', hits), numeric('trials', trials));
    const { model } = fitTable(grouped, {
      target: 'hits',
      trials: 'trials',
      C: 0.05,
      calibrate: 'platt',
      folding: { folds: 4 },
    });
    const p = scoresOf(model, grouped).probabilities[0];
    const total = (counts: number[]) => counts.reduce((sum, count) => sum + count, 0);
    expect(total(trials.map((count, i) => count * p[i])) / total(hits)).toBeCloseTo(1, 1);
    const held = calibrate(model, grouped, { method: 'platt', trials: 'trials' });
    expect(held.manifest.calibration!.by).toEqual({ folds: null, rows: 40 });
  });
});

describe('prior', () => {
  const { rows, y } = simulate(4000, 21);
  const events = y.map((label, i) => [label, i]).filter(([label]) => label === 1);
  /** every second event is dropped */
  const dropped = new Set(events.filter((_, k) => k % 2 === 0).map(([, i]) => i));
  const sampled = takeRows(
    rows,
    y.map((_, i) => i).filter((i) => !dropped.has(i)),
  );
  const share = y.reduce((sum, label) => sum + label, 0) / y.length;
  const mean = (model: Model) => scoresOf(model, rows).probabilities[0].reduce((sum, p) => sum + p, 0) / y.length;
  const options: FitOptions = { target: 'y', exclude: ['s'], offset: 'o', C: 100 };

  it.each<[string, CalibrationMethod | null]>([
    ['none', null],
    ...CALIBRATION_METHODS.map((m): [string, CalibrationMethod] => [m, m]),
  ])('resampled training rows are corrected to the true share: %s', (_, method) => {
    const given = { ...options, ...(method && { calibrate: { method } }) };
    const { model } = fitTable(sampled, { ...given, prior: share });
    expect(mean(fitTable(sampled, given).model)).toBeLessThan(share - 0.1);
    expect(Math.abs(mean(model) - share)).toBeLessThan(0.01);
    const named = fitTable(sampled, { ...given, prior: { '0': 1 - share, '1': share } }).model;
    expect(named.manifest.calibration!.shift[0]).toBeCloseTo(model.manifest.calibration!.shift[0], 12);
  });

  it('the true share of the rows takes back what class weights did', () => {
    const { model } = fitTable(rows, { ...options, classWeight: 'balanced', prior: share });
    expect(mean(fitTable(rows, { ...options, classWeight: 'balanced' }).model)).toBeGreaterThan(share + 0.02);
    expect(Math.abs(mean(model) - share)).toBeLessThan(0.01);
    expect(model.manifest.calibration).toMatchObject({ method: 'none', calibrators: [], by: null });
  });

  it('a calibrator by held-out rows is corrected from their shares, not from those of the training rows', () => {
    const { model } = fitTable(sampled, {
      ...options,
      calibrate: { method: 'platt', holdout: rows },
      prior: share,
    });
    expect(model.manifest.calibration!.shift[0]).toBeCloseTo(0, 12);
  });

  it('the other class positive: the share is of the positive one', () => {
    const { model } = fitTable(sampled, { ...options, offset: undefined, positive: '0', prior: 1 - share });
    expect(Math.abs(mean(model) - (1 - share))).toBeLessThan(0.01);
  });

  it('several classes', () => {
    const iris = readTable('iris.csv');
    const prior = { setosa: 0.1, versicolor: 0.6, virginica: 0.3 };
    const { model } = fitTable(iris, { target: 'Species', prior });
    expect(model.manifest.calibration!.shift.map((z) => Math.exp(z) / 3)).toEqual(
      [0.1, 0.6, 0.3].map((value) => expect.closeTo(value, 14)),
    );
    const plain = fitTable(iris, { target: 'Species' }).model.score(recordOf(iris, 110)).probabilities!;
    const weighed = [...plain].map((p, k) => p * [0.1, 0.6, 0.3][k]);
    const total = weighed.reduce((sum, p) => sum + p, 0);
    [...model.score(recordOf(iris, 110)).probabilities!].forEach((p, k) => {
      expect(p).toBeCloseTo(weighed[k] / total, 14);
    });
  });

  it('bad shares are refused', () => {
    const iris = readTable('iris.csv');
    const refused: [() => unknown, RegExp][] = [
      [() => fitTable(sampled, { ...options, prior: 1.2 }), /prior: expected shares between 0 and 1, got 1.2/],
      [() => fitTable(sampled, { ...options, prior: { '1': 0.5 } }), /share of each class \("0", "1"\), got "1"/],
      [() => fitTable(sampled, { ...options, prior: { '0': 0.5, '1': 0.4 } }), /sum to 1, got 0.5, 0.4/],
      [() => fitTable(sampled, { ...options, prior: { '0': 0.5, yes: 0.5 } }), /share of each class/],
      [() => fitTable(iris, { target: 'Species', prior: 0.3 }), /prior: expected the share of each class/],
    ];
    for (const [run, message] of refused) expect(run).toThrow(message);
  });
});

describe('what cannot calibrate', () => {
  const { rows } = simulate(60, 31);
  const { model } = fitTable(rows, { target: 'y', offset: 'o' });
  it.each([
    [
      'isotonic with too few rows',
      () =>
        fitTable(takeRows(rows, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), {
          target: 'y',
          calibrate: 'isotonic',
          folding: { folds: 2 },
        }),
      /ERR_DATA.*at least 10 rows of each class/,
    ],
    [
      'an unknown method',
      () => fitTable(rows, { target: 'y', calibrate: { method: 'sigmoid' as 'platt' } }),
      /one of platt, isotonic/,
    ],
    [
      'a holdout of one class',
      () =>
        calibrate(
          model,
          takeRows(rows, [
            ...(rows.columns.find(({ name }) => name === 'y')
              ? [...values(rows, 'y')].flatMap((label, i) => (label === 1 ? [i] : []))
              : []),
          ]),
          { method: 'platt' },
        ),
      /ERR_TARGET.*at least two classes/,
    ],
    [
      'a holdout of other classes',
      () =>
        calibrate(
          model,
          withColumns(
            rows,
            coded(
              'y',
              Array.from({ length: 60 }, (_, i) => ['1', 'maybe'][i % 2]),
            ),
          ),
          { method: 'platt' },
        ),
      /classes of the model \("0", "1"\), got "maybe"/,
    ],
    [
      'a holdout without the target',
      () =>
        calibrate(model, { ...rows, columns: rows.columns.filter(({ name }) => name !== 'y') }, { method: 'platt' }),
      /expected column "y"/,
    ],
    [
      'a holdout without weight in one class',
      () => calibrate(model, withColumns(rows, numeric('s', values(rows, 'y'))), { method: 'platt', weight: 's' }),
      /every class \(0, 1\), got only 1/,
    ],
  ])('%s', (_, run, message) => {
    let error: unknown;
    try {
      run();
    } catch (thrown) {
      error = thrown;
    }
    expect(`${(error as { code: string }).code} ${(error as Error).message}`).toMatch(message);
  });

  it('the class that is left is named, also when the first is the positive one', () => {
    const other = fitTable(rows, { target: 'y', positive: '0' }).model;
    const weighted = withColumns(rows, numeric('s', values(rows, 'y')));
    expect(() => calibrate(other, weighted, { method: 'platt', weight: 's' })).toThrow(
      /every class \(1, 0\), got only 1/,
    );
  });

  it('a second calibration takes the place of the first, and of its warnings', () => {
    const first = calibrate(model, rows, { method: 'isotonic' });
    expect(first.manifest.warnings.map(({ code }) => code)).toContain('CALIBRATION_ROWS');
    const second = calibrate(first, rows, { method: 'platt' });
    expect(second.manifest.warnings.map(({ code }) => code)).not.toContain('CALIBRATION_ROWS');
    expect(second.manifest.calibration).toEqual(calibrate(model, rows, { method: 'platt' }).manifest.calibration);
    expect(second.sha256).toBeNull();
    const none = second.with({ calibration: { method: 'none', calibrators: [], shift: [], by: null } });
    const record = recordOf(rows, 3);
    expect(none.score(record).probability).toBe(model.score(record).probability);
  });
});
