import { describe, expect, test } from 'vitest';
import { correctPrior } from '../../src/decide.ts';
import { fit, loadModel, saveModel } from '../../src/index.ts';
import { withBaseline } from '../../src/monitor.ts';
import { rowsOf } from '../cli/retrainCases.ts';

const rows = rowsOf(3000, 11);
const { model } = fit(rows, { target: 'fraud' });
const logOdds = (p: number) => Math.log(p / (1 - p));
const probabilityOf = (of: typeof model, row: object) => of.score(row).probability!;

describe('correctPrior', () => {
  test('moves the logit by the difference of the log-odds, with and without a calibrator', () => {
    for (const calibrate of [undefined, 'platt', 'isotonic'] as const) {
      const before = fit(rows, { target: 'fraud', calibrate }).model;
      const after = correctPrior(before, 0.05, 0.2);
      for (const row of rows.slice(0, 20)) {
        // an isotonic calibrator may say 0 and 1, which no prior moves
        if (!(probabilityOf(before, row) > 0 && probabilityOf(before, row) < 1)) continue;
        const moved = logOdds(probabilityOf(after, row)) - logOdds(probabilityOf(before, row));
        expect(moved).toBeCloseTo(logOdds(0.05) - logOdds(0.2), 12);
      }
      expect(loadModel(saveModel(after)).score(rows[0]).probability).toBe(probabilityOf(after, rows[0]));
    }
  });

  test('two corrections are one, and there and back is nothing; the second begins where the first ended', () => {
    const [once, twice] = [correctPrior(model, 0.05, 0.2), correctPrior(correctPrior(model, 0.4, 0.2), 0.05)];
    const back = correctPrior(correctPrior(model, 0.4, 0.2), 0.2);
    for (const row of rows.slice(0, 20)) {
      expect(probabilityOf(twice, row)).toBeCloseTo(probabilityOf(once, row), 14);
      expect(probabilityOf(back, row)).toBeCloseTo(probabilityOf(model, row), 14);
    }
    expect(twice.manifest.calibration!.prior).toEqual([0.95, 0.05]);
  });

  test('without from the shares are those of the baseline; a model without one says so', () => {
    const based = withBaseline(model, rows);
    const share = rows.filter(({ fraud }) => fraud === 'yes').length / rows.length;
    expect(probabilityOf(correctPrior(based, 0.05), rows[0])).toBeCloseTo(
      probabilityOf(correctPrior(model, 0.05, share), rows[0]),
      14,
    );
    expect(() => correctPrior(model, 0.05)).toThrow('say which shares it was made for');
  });

  test('after a shift of the classes alone it is calibrated again', () => {
    // frauds are kept, and one of four honest rows
    let honest = 0;
    const later = rowsOf(40_000, 12).filter(({ fraud }) => fraud === 'yes' || honest++ % 4 === 0);
    const share = later.filter(({ fraud }) => fraud === 'yes').length / later.length;
    const mean = (of: typeof model) => later.reduce((sum, row) => sum + probabilityOf(of, row), 0) / later.length;
    expect(Math.abs(mean(model) - share)).toBeGreaterThan(0.15);
    expect(Math.abs(mean(correctPrior(withBaseline(model, rows), share)) - share)).toBeLessThan(0.01);
  });

  test('of several classes each moves by the logarithm of its ratio', () => {
    const three = rows.map((row, i) => ({ ...row, fraud: i % 3 === 0 ? 'maybe' : row.fraud }));
    const before = fit(three, { target: 'fraud' }).model;
    const [from, to] = [
      { maybe: 0.3, no: 0.5, yes: 0.2 },
      { maybe: 0.1, no: 0.3, yes: 0.6 },
    ];
    const after = correctPrior(before, to, from);
    const [p, q] = [before, after].map((of) => of.score(rows[0]).probabilities!);
    const ratios = Object.keys(to).map((label, k) => (p[k] * to[label as 'yes']) / from[label as 'yes']);
    const total = ratios.reduce((sum, ratio) => sum + ratio, 0);
    ratios.forEach((ratio, k) => {
      expect(q[k]).toBeCloseTo(ratio / total, 13);
    });
    expect(() => correctPrior(before, 0.2, from)).toThrow(/expected the share of each class/);
  });

  test.each([[0], [1], [1.2], [Number.NaN], [{ yes: 0.5 }], [null]])('refuses the shares %j', (prior) => {
    expect(() => correctPrior(model, prior as never, 0.2)).toThrow(/prior: expected/);
  });
});
