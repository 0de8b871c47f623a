import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';

interface Rates {
  threshold: number;
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
  trueNegatives: number;
  accuracy: number;
  precision: number;
  recall: number;
  specificity: number;
  f1: number;
  balancedAccuracy: number;
  mcc: number;
  fbeta: number[];
}
interface BinsCase {
  strategy: 'uniform' | 'quantile';
  bins: number;
  weights: number[];
  observed: number[];
  predicted: number[];
  ece: number;
  reliability: number;
  resolution: number;
  uncertainty: number;
}
interface BinaryCase {
  name: string;
  scores: number[];
  y: number[];
  weight: number[] | null;
  roc: { fpr: number[]; tpr: number[]; thresholds: (number | null)[] };
  pr: { precision: number[]; recall: number[]; thresholds: number[] };
  auc: number;
  averagePrecision: number;
  logLoss: number;
  brier: number;
  confusion: Rates[];
  ks?: number;
  bins?: BinsCase[];
  delong: { stdError: number; low: number; high: number };
}
interface GroupsCase {
  name: string;
  p: number[];
  y: number[];
  codes: number[];
  weight: number[] | null;
  groups: Record<string, number>[];
  gaps: Record<string, number>;
}
interface MulticlassCase {
  name: string;
  p: number[][];
  y: number[];
  weight: number[] | null;
  matrix: number[][];
  /** precision, recall, F₂, support */
  classes: number[][];
  means: Record<'macro' | 'weighted' | 'micro', number[]>;
  accuracy: number;
  balancedAccuracy: number;
  mcc: number;
  auc: { macro: number; weighted: number; classes: number[] };
  topK: number[];
  logLoss: number;
  brier: number;
}

export const oracle = JSON.parse(readFileSync(new URL('../fixtures/curves.json', import.meta.url), 'utf8')) as {
  betas: number[];
  binary: BinaryCase[];
  groups: GroupsCase[];
  multiclass: MulticlassCase[];
};

export const floats = (values: readonly number[] | null) => values && Float64Array.from(values);

/** Some hundred terms summed in another order: some 1e-16 each. */
export function near(got: number | null | undefined, expected: number | null, what?: string): void {
  expect(got === null, what).toBe(expected === null);
  if (expected === null) return;
  expect(Math.abs(got! - expected), what).toBeLessThanOrEqual(1e-13 * Math.max(Math.abs(expected), 1));
}

export function nearAll(got: ArrayLike<number>, expected: ArrayLike<number | null>, what?: string): void {
  expect(got.length, what).toBe(expected.length);
  for (let i = 0; i < got.length; i++) near(got[i], expected[i] ?? Number.POSITIVE_INFINITY, `${what} ${i}`);
}

/** Numbers anywhere in two results: as many, at the same places, nearly the same. */
export function alike(a: unknown, b: unknown, path = ''): void {
  if (typeof a === 'number' && typeof b === 'number') {
    if (a !== b) near(a, b, path);
  } else if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object') {
    expect(Object.keys(a), path).toEqual(Object.keys(b));
    for (const key of Object.keys(a)) {
      alike(a[key as keyof typeof a], b[key as keyof typeof b], `${path}.${key}`);
    }
  } else expect(a, path).toEqual(b);
}

/** A row: score, probability, label, weight, code of a group. */
export interface Row {
  z: number;
  p: number;
  y: number;
  s: number;
  g: number;
}

/** Rows of both classes, of positive weight; few distinct scores, so that many tie. */
export const rows = fc
  .array(
    fc.record({
      z: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.double({ min: -40, max: 40, noNaN: true })),
      p: fc.oneof(
        fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      ),
      y: fc.constantFrom(0, 1),
      s: fc.integer({ min: 0, max: 3 }),
      g: fc.nat(2),
    }),
    { minLength: 2, maxLength: 40 },
  )
  .filter((list) => [0, 1].every((label) => list.some(({ y, s }) => y === label && s > 0)));

export interface Columns {
  scores: Float64Array;
  p: Float64Array;
  y: Float64Array;
  codes: number[];
}

export function columns(list: readonly Row[]): Columns {
  return {
    scores: Float64Array.from(list, ({ z }) => z),
    p: Float64Array.from(list, ({ p }) => p),
    y: Float64Array.from(list, ({ y }) => y),
    codes: list.map(({ g }) => g),
  };
}

/** Whatever weights are given to it, a metric of rows with integer weights is that of the rows repeated. */
export function repeats(metric: (of: Columns, weight: Float64Array | null) => unknown): void {
  fc.assert(
    fc.property(rows, (list) => {
      const weight = Float64Array.from(list, ({ s }) => s);
      const repeated = list.flatMap((row) => Array.from({ length: row.s }, () => row));
      alike(metric(columns(list), weight), metric(columns(repeated), null));
    }),
    { numRuns: 200 },
  );
}

export const error = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });
