import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate, logLoss } from '../../src/metrics/binary.ts';
import { evaluateClasses } from '../../src/metrics/multiclass.ts';

interface Case {
  name: string;
  link: 'multinomial' | 'ovr';
  logits: number[][];
  y: number[];
  weight: number[] | null;
  logLoss: number;
  auc: number;
  brier: number;
  ece: number;
  accuracy: number;
}
const { cases } = JSON.parse(readFileSync(new URL('../fixtures/multiclass.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};
const KEYS = ['logLoss', 'auc', 'brier', 'ece', 'accuracy'] as const;
const planes = (rows: readonly (readonly number[])[]) => rows.map((row) => Float64Array.from(row));

describe('scikit-learn', () => {
  test.each(cases)('$name', ({ logits, y, weight, link, name: _, ...expected }) => {
    const weights = weight && Float64Array.from(weight);
    const got = evaluateClasses({ logits: planes(logits), link }, y, weights);
    for (const key of KEYS) {
      // 300 terms summed in another order, their exponentials of other rounding: some 1e-16 each, relative
      expect(Math.abs(got[key]! - expected[key]), key).toBeLessThanOrEqual(1e-13 * Math.max(expected[key], 0.01));
    }
    expect(logLoss({ logits: planes(logits), link }, y, weights)).toBe(got.logLoss);
  });
});

describe('worked by hand', () => {
  const [ln2, ln5] = [Math.log(2), Math.log(5)];
  // probabilities (1/8, 2/8, 5/8), (1/2, 1/4, 1/4), (1/3, 1/3, 1/3)
  const logits = planes([
    [0, ln2, 0],
    [ln2, 0, 0],
    [ln5, 0, 0],
  ]);
  const y = Uint8Array.of(2, 1, 1);
  const got = evaluateClasses({ logits }, y);

  test('log loss', () =>
    expect(got.logLoss).toBeCloseTo(-(Math.log(5 / 8) + Math.log(1 / 4) + Math.log(1 / 3)) / 3, 15));
  test('accuracy: of equal logits the first class', () => {
    expect(got.accuracy).toBe(1 / 3);
    expect(evaluateClasses({ logits }, Uint8Array.of(2, 0, 0)).accuracy).toBe(1);
  });
  test('brier', () => {
    const rows = [(1 + 4 + 9) / 64, (4 + 9 + 1) / 16, (1 + 4 + 1) / 9];
    expect(got.brier).toBeCloseTo(rows.reduce((sum, row) => sum + row) / 3, 15);
  });
  test('auc needs every class; it is the mean over the classes, whatever their weight', () => {
    expect(got.auc).toBeNull();
    // class 0 (row 0): 1/8, the least; class 1 (row 2): 1/3, the greatest; class 2 (row 1): 1/4, the least
    expect(evaluateClasses({ logits }, Uint8Array.of(0, 2, 1)).auc).toBe(1 / 3);
    expect(evaluateClasses({ logits }, Uint8Array.of(0, 2, 1), Float64Array.of(9, 1, 1)).auc).toBe(1 / 3);
    expect(evaluateClasses({ logits }, Uint8Array.of(0, 2, 1), Float64Array.of(1, 1, 0)).auc).toBeNull();
  });
  test('ece of the greatest probability against being right', () => {
    // bins (0.3, 0.4]: 1/3, wrong; (0.4, 0.5]: 1/2, wrong; (0.6, 0.7]: 5/8, right
    expect(got.ece).toBeCloseTo((1 / 3 + 1 / 2 + 3 / 8) / 3, 15);
  });
  test('one-vs-rest: σ over the sum of σ', () => {
    // σ = 1/2, 2/3, 5/6
    const row = planes([[0], [ln2], [ln5]]);
    expect(logLoss({ logits: row, link: 'ovr' }, [2])).toBeCloseTo(-Math.log(5 / 6 / 2), 15);
    expect(evaluateClasses({ logits: row, link: 'ovr' }, [0]).brier).toBeCloseTo(
      0.75 ** 2 + (1 / 3) ** 2 + (5 / 12) ** 2,
      15,
    );
  });
});

const logit = fc.double({ min: -800, max: 800, noNaN: true });
const rowsOf = (k: number) =>
  fc.array(
    fc.record({
      z: fc.array(fc.oneof(logit, fc.integer({ min: -3, max: 3 })), { minLength: k, maxLength: k }),
      y: fc.nat(k - 1),
      s: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 1, maxLength: 25 },
  );
const columns = (rows: readonly { z: number[] }[], k: number) =>
  Array.from({ length: k }, (_, j) => Float64Array.from(rows, ({ z }) => z[j]));
/** sums in another order */
const close = (a: number, b: number) => Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a));

describe('laws', () => {
  test('two classes are the binary ones of the difference; Brier is twice theirs', () => {
    fc.assert(
      fc.property(rowsOf(2), (rows) => {
        // one logit 0, so that the difference is exact; none so near 0 that its probability is 1/2 in 64 bits
        const z = Float64Array.from(rows, (row) => Math.round(row.z[1] * 64) / 64);
        const y = Uint8Array.from(rows, (row) => row.y);
        const two = evaluateClasses({ logits: [new Float64Array(z.length), z] }, y);
        const one = evaluate({ logits: z }, y);
        expect(close(two.logLoss, one.logLoss) && close(two.brier, 2 * one.brier)).toBe(true);
        expect([two.auc, two.accuracy]).toEqual([one.auc, one.accuracy]);
      }),
    );
  });

  test.each(['multinomial', 'ovr'] as const)('an integer weight is a repeated row, weight 0 no row (%s)', (link) => {
    fc.assert(
      fc.property(rowsOf(4), (rows) => {
        fc.pre(rows.some(({ s }) => s > 0));
        const repeated = rows.flatMap((row) => Array.from({ length: row.s }, () => row));
        const weights = Float64Array.from(rows, ({ s }) => s);
        const a = evaluateClasses(
          { logits: columns(rows, 4), link },
          rows.map(({ y }) => y),
          weights,
        );
        const b = evaluateClasses(
          { logits: columns(repeated, 4), link },
          repeated.map(({ y }) => y),
          null,
        );
        for (const key of KEYS) {
          expect(a[key] === null, key).toBe(b[key] === null);
          expect(close(a[key] ?? 0, b[key] ?? 0), key).toBe(true);
        }
      }),
    );
  });

  test.each(['multinomial', 'ovr'] as const)(
    'the order of rows and classes does not matter, nothing is NaN (%s)',
    (link) => {
      fc.assert(
        fc.property(rowsOf(3), (rows) => {
          // distinct logits: of equal ones the first class would be the label
          fc.pre(
            rows.every(
              ({ z }) =>
                new Set(z.map((one) => one + 0)).size === 3 && (link !== 'ovr' || z.every((one) => Math.abs(one) < 30)),
            ),
          );
          const a = evaluateClasses(
            { logits: columns(rows, 3), link },
            rows.map(({ y }) => y),
            null,
          );
          const other = [...rows].reverse().map(({ z, y }) => ({ z: [z[2], z[0], z[1]], y: [1, 2, 0][y] }));
          const b = evaluateClasses(
            { logits: columns(other, 3), link },
            other.map(({ y }) => y),
            null,
          );
          for (const key of KEYS) {
            expect(a[key]).not.toBeNaN();
            expect(close(a[key] ?? 0, b[key] ?? 0), key).toBe(true);
          }
        }),
      );
    },
  );

  test('a number added to all logits of a row changes no multinomial metric', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.integer({ min: -50, max: 50 }),
            fc.integer({ min: -50, max: 50 }),
            fc.integer({ min: -50, max: 50 }),
            fc.nat(2),
            fc.integer({ min: -9, max: 9 }),
          ),
          { minLength: 1 },
        ),
        (rows) => {
          const of = (shift: number) => [0, 1, 2].map((j) => Float64Array.from(rows, (row) => row[j] + shift * row[4]));
          const y = rows.map((row) => row[3]);
          expect(evaluateClasses({ logits: of(1) }, y)).toEqual(evaluateClasses({ logits: of(0) }, y));
        },
      ),
    );
  });

  test('a certain and wrong prediction costs what it costs', () => {
    expect(logLoss({ logits: planes([[0], [1000], [-2000]]) }, [2])).toBe(3000);
    expect(logLoss({ logits: planes([[-1000], [-3000]]), link: 'ovr' }, [1])).toBe(2000);
    expect(logLoss({ logits: Float64Array.of(-2000) }, Uint8Array.of(1))).toBe(2000);
    // class 0 leads by 850 and by 1000 in two rows: 1 − p is 0 in 64 bits, and their ranks are told apart all the same
    const three = planes([
      [2000, 1000, 0],
      [0, 0, 50],
      [1150, 0, 0],
    ]);
    expect(evaluateClasses({ logits: three }, [0, 2, 1]).auc).toBe((0.5 + 1 + 0) / 3);
  });
});

describe('bad input', () => {
  const logits = planes([
    [0, 1],
    [1, 0],
    [2, 2],
  ]);
  const error = (code: string, message: string) =>
    expect.objectContaining({ code, message: expect.stringContaining(message) });
  test.each<[string, () => unknown, string, string]>([
    [
      'one class',
      () => evaluateClasses({ logits: logits.slice(1, 2) }, [0, 0]),
      'ERR_SHAPE',
      'logits: expected those of at least two classes, got 1',
    ],
    [
      'no class',
      () => evaluateClasses({ logits: [] }, []),
      'ERR_SHAPE',
      'logits: expected those of at least two classes, got 0',
    ],
    [
      'classes of other lengths',
      () => evaluateClasses({ logits: [...logits, new Float64Array(3)] }, [0, 1]),
      'ERR_SHAPE',
      'logits: expected length 2 for every class, got 3',
    ],
    [
      'labels of another length',
      () => logLoss({ logits }, [0]),
      'ERR_SHAPE',
      'expected length 2 (as the logits), got 1',
    ],
    ['no rows', () => logLoss({ logits: planes([[], []]) }, []), 'ERR_SHAPE', 'at least one row of positive weight'],
    [
      'weights of 0',
      () => logLoss({ logits }, [0, 1], new Float64Array(2)),
      'ERR_SHAPE',
      'at least one row of positive weight',
    ],
    [
      'a label beyond',
      () => logLoss({ logits }, [0, 3]),
      'ERR_RANGE',
      'labels: expected whole numbers from 0 to 2, got 3 at row 1',
    ],
    ['a label between', () => logLoss({ logits }, [0.5, 1]), 'ERR_RANGE', 'got 0.5 at row 0'],
    [
      'a logit that is NaN',
      () =>
        logLoss(
          {
            logits: planes([
              [0, 0],
              [0, Number.NaN],
            ]),
          },
          [0, 1],
        ),
      'ERR_RANGE',
      'logits: expected finite numbers, got NaN at row 1',
    ],
    [
      'a logit that is infinite',
      () =>
        logLoss(
          {
            logits: planes([
              [0, 0],
              [0, -1 / 0],
            ]),
          },
          [0, 1],
        ),
      'ERR_RANGE',
      'got -Infinity at row 1',
    ],
    [
      'a negative weight',
      () => logLoss({ logits }, [0, 1], Float64Array.of(1, -1)),
      'ERR_RANGE',
      'weights: expected finite numbers >= 0, got -1 at row 1',
    ],
  ])('%s', (_, call, code, message) => {
    expect(call).toThrow(error(code, message));
  });
});
