import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { auc } from '../../src/metrics/binary.ts';
import { fitMatrix } from '../../src/train/matrix.ts';
import { stratifiedFolds } from '../../src/train/problem/folds.ts';
import { crossFitTarget, encodeTarget, type Outcomes } from '../../src/train/problem/targetEncoding.ts';

interface Case {
  readonly classes: number;
  readonly codes: number[];
  readonly levels: number;
  readonly y: number[];
  readonly weights: number[] | null;
  readonly fold: number[];
  readonly smooth: 'auto' | number;
  readonly values: number[][];
  readonly crossed: (number | null)[][];
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/encode.json', import.meta.url), 'utf8'),
).targets;

function outcomesOf({
  classes,
  codes,
  levels,
  y,
  weights,
  smooth,
}: Omit<Case, 'values' | 'crossed' | 'fold'>): Outcomes {
  const planes =
    classes === 2 ? [y] : Array.from({ length: classes }, (_, c) => y.map((label) => (label === c ? 1 : 0)));
  return { codes, levels, planes, weight: weights, smooth };
}

const named = cases.map(
  (one) => [`${one.classes} classes, smooth ${one.smooth}${one.weights ? ', weighted' : ''}`, one] as const,
);

describe.each(named)('%s', (_, one) => {
  test('values and priors are those of TargetEncoder', () => {
    const { values, priors } = encodeTarget(outcomesOf(one));
    one.values.forEach((expected, c) => {
      expect(values[c]).toHaveLength(one.levels);
      expected.forEach((value, level) => {
        expect(level < one.levels ? values[c][level] : priors[c]).toBeCloseTo(value, 12);
      });
    });
  });

  test('values out of fold are those of TargetEncoder.fit_transform; rows of weight 0 have those by all rows', () => {
    const crossed = crossFitTarget(outcomesOf(one), one.fold);
    const { values } = encodeTarget(outcomesOf(one));
    one.crossed.forEach((plane, c) => {
      plane.forEach((expected, i) => {
        if (expected === null) expect(crossed[c][i]).toBe(values[c][one.codes[i]]);
        else expect(crossed[c][i]).toBeCloseTo(expected, 12);
      });
    });
  });
});

const rowsOf = fc.array(fc.record({ code: fc.nat(4), y: fc.nat(1), weight: fc.nat(3), fold: fc.nat(2) }), {
  minLength: 4,
  maxLength: 40,
});

test('a whole weight is as many rows, and a row of weight 0 is none, in and out of fold', () => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom<'auto' | number>('auto', 0, 2.5), (rows, smooth) => {
      fc.pre(new Set(rows.filter(({ weight }) => weight > 0).map(({ fold }) => fold)).size > 1);
      const repeated = rows.flatMap((row) => Array<(typeof rows)[0]>(row.weight).fill(row));
      const outcomes = (some: typeof rows, weighted: boolean): Outcomes => ({
        codes: some.map(({ code }) => code),
        // the last code is unseen
        levels: 4,
        planes: [some.map(({ y }) => y)],
        weight: weighted ? some.map(({ weight }) => weight) : null,
        smooth,
      });
      expect(encodeTarget(outcomes(rows, true))).toEqual(encodeTarget(outcomes(repeated, false)));
      const [weighted] = crossFitTarget(
        outcomes(rows, true),
        rows.map(({ fold }) => fold),
      );
      const [plain] = crossFitTarget(
        outcomes(repeated, false),
        repeated.map(({ fold }) => fold),
      );
      expect(rows.flatMap(({ weight }, i) => Array<number>(weight).fill(weighted[i]))).toEqual([...plain]);
    }),
    { numRuns: 500, seed: 8 },
  );
});

test('an unseen code counts for the prior alone, and has it', () => {
  const outcomes: Outcomes = { codes: [0, 0, 1, 2, 9], levels: 2, planes: [[1, 0, 0, 1, 1]], weight: null, smooth: 0 };
  const { values, priors } = encodeTarget(outcomes);
  expect([...values[0], priors[0]]).toEqual([0.5, 0, 0.6]);
  // fold 0 has rows 0 and 3: the others have 1 of 3
  expect(crossFitTarget(outcomes, [0, 1, 1, 0, 1])[0][3]).toBe(1 / 3);
});

test('a row of successes and trials is as many rows of 0 and 1', () => {
  const counted = encodeTarget({
    codes: [0, 0, 1],
    levels: 2,
    planes: [[0.75, 0.5, 0.2]],
    weight: [4, 2, 5],
    smooth: 'auto',
  });
  const ones = [1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0];
  const codes = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
  expect(counted.values[0]).toEqual(
    encodeTarget({ codes, levels: 2, planes: [ones], weight: null, smooth: 'auto' }).values[0],
  );
});

test("a row's outcome is in no part of its own value", () => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom<'auto' | number>('auto', 1), fc.nat(), (rows, smooth, pick) => {
      fc.pre(new Set(rows.map(({ fold }) => fold)).size > 1);
      const at = pick % rows.length;
      const crossed = (y: number[]) =>
        crossFitTarget(
          { codes: rows.map(({ code }) => code), levels: 5, planes: [y], weight: null, smooth },
          rows.map(({ fold }) => fold),
        )[0][at];
      const y = rows.map((row) => row.y);
      expect(crossed(y.map((value, i) => (i === at ? 1 - value : value)))).toBe(crossed(y));
    }),
    { numRuns: 300, seed: 9 },
  );
});

test('folds hold as many rows of each class, up to one; rows of weight 0 are in none and move no others', () => {
  const random = splitmix32(5);
  const code = Array.from({ length: 1003 }, () => Math.floor(random() ** 2 * 3));
  const fold = stratifiedFolds(code, 3, null, 5, 1);
  for (let c = 0; c < 3; c++) {
    const counts = [0, 1, 2, 3, 4].map((k) => fold.filter((own, i) => own === k && code[i] === c).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
  expect(stratifiedFolds(code, 3, null, 5, 2)).not.toEqual(fold);
  const weight = code.map((_, i) => (i % 7 === 0 ? 0 : 0.5));
  const weighted = stratifiedFolds(code, 3, weight, 5, 1);
  const kept = (_: unknown, i: number) => weight[i] > 0;
  expect(weighted.filter(kept)).toEqual(stratifiedFolds(code.filter(kept), 3, null, 5, 1));
  expect(weighted.every((own, i) => own === -1 || weight[i] > 0)).toBe(true);
});

describe('1000 levels of pure noise beside a weak number, 20,000 rows', () => {
  const rows = 20_000;
  const draw = (random: () => number) => {
    const codes = Array.from({ length: rows }, () => Math.floor(random() * 1000));
    const signal = Array.from({ length: rows }, () => random() - 0.5);
    const y = Uint8Array.from(signal, (x) => (random() < 0.3 + 0.3 * x ? 1 : 0));
    return { codes, signal, y };
  };
  /** AUC on its own rows and on new ones of a model of columns, encoded as `encode` and, of new rows, by all rows */
  const areas = (seed: number, encode: (outcomes: Outcomes) => ArrayLike<number>, withSignal: boolean) => {
    const random = splitmix32(seed);
    const [train, fresh] = [draw(random), draw(random)];
    const outcomes: Outcomes = { codes: train.codes, levels: 1000, planes: [train.y], weight: null, smooth: 'auto' };
    const { values } = encodeTarget(outcomes);
    const own = encode(outcomes);
    const columns = withSignal ? 2 : 1;
    const matrix = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      matrix[i * columns] = own[i];
      if (withSignal) matrix[i * columns + 1] = train.signal[i];
    }
    const { weights, intercept } = fitMatrix({ layout: 'rows', values: matrix, rows, columns }, train.y, {
      penalty: 'none',
    });
    const logit = (value: number, x: number) => intercept[0] + weights[0] * value + (withSignal ? weights[1] * x : 0);
    return {
      own: auc(
        Float64Array.from(own, (value, i) => logit(value, train.signal[i])),
        train.y,
      )!,
      fresh: auc(
        Float64Array.from(fresh.codes, (code, i) => logit(values[0][code], fresh.signal[i])),
        fresh.y,
      )!,
      signal: auc(Float64Array.from(fresh.signal), fresh.y)!,
    };
  };
  const crossed = (outcomes: Outcomes) =>
    crossFitTarget(outcomes, stratifiedFolds(outcomes.planes[0], 2, null, 5, 1))[0];
  const leaking = (outcomes: Outcomes) => {
    const { values } = encodeTarget(outcomes);
    return Float64Array.from(outcomes.codes, (code) => values[0][code]);
  };

  test.each([1, 2, 3])('seed %d: noise alone has AUC 0.5 ± 0.02, on its own rows and on new ones', (seed) => {
    const { own, fresh } = areas(seed, crossed, false);
    expect(Math.abs(own - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(fresh - 0.5)).toBeLessThan(0.02);
    // values by all rows have seen their own outcomes
    expect(areas(seed, leaking, false).own).toBeGreaterThan(0.6);
  });

  test.each([1, 2, 3])('seed %d: it takes nothing from the AUC of the number on new rows', (seed) => {
    const { fresh, signal } = areas(seed, crossed, true);
    expect(signal - fresh).toBeLessThan(0.003);
    const leaked = areas(seed, leaking, true);
    expect(leaked.signal - leaked.fresh).toBeGreaterThan(0.01);
  });
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('smooth %d is refused', (smooth) => {
  expect(() => encodeTarget({ codes: [0], levels: 1, planes: [[1]], weight: null, smooth })).toThrow(
    `smooth: expected "auto" or a finite number >= 0, got ${smooth}; 0 smooths nothing`,
  );
});

test('folds that do not fit are refused', () => {
  const outcomes: Outcomes = { codes: [0, 1], levels: 2, planes: [[0, 1]], weight: null, smooth: 'auto' };
  expect(() => crossFitTarget(outcomes, [0])).toThrow('fold: expected length 2 (rows), got 1');
  expect(() => crossFitTarget(outcomes, [0, 0])).toThrow(expect.objectContaining({ code: 'ERR_DATA' }));
});
