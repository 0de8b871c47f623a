import type { Scores } from '../../../src/index.ts';
import { planes } from '../figures/planes.ts';

/** Names and contents of the columns. */
export interface ScoreLayout {
  readonly classes: readonly string[];
  /** for two classes, the one whose probability a scorer returns */
  readonly positive: string | null;
  readonly precision: 'f64' | 'f32';
  /** columns after the label */
  readonly further?: readonly FurtherColumn[];
  /** CSV and TSV: put ' before texts that a spreadsheet would run as formulas */
  readonly safe?: boolean;
}

export interface FurtherColumn {
  readonly name: string;
  readonly type: 'number' | 'text' | 'flag';
}

/** One cell a row: numbers, texts, or flags. */
export type FurtherCells = ArrayLike<number> | readonly string[] | readonly boolean[];

type Numbers = Float64Array | Float32Array;

/** What is written of a block of rows. */
export interface ScoreBlock {
  readonly rows: number;
  readonly firstRow: number;
  /** as a scorer returns them */
  readonly probabilities: readonly Numbers[];
  readonly labels: Uint32Array;
  readonly further: readonly FurtherCells[];
}

export const blockOf = (scores: Scores, firstRow: number, further: readonly FurtherCells[]): ScoreBlock => ({
  rows: scores.rows,
  firstRow,
  probabilities: planes(scores, scores.probabilities),
  labels: scores.labels,
  further,
});

/** The probabilities of every class, in their order. */
export function ofClasses({ classes, positive }: ScoreLayout, { probabilities }: ScoreBlock): readonly Numbers[] {
  if (positive === null) return probabilities;
  const [p] = probabilities;
  const q = p.slice();
  for (let i = 0; i < q.length; i++) q[i] = 1 - p[i];
  return classes[0] === positive ? [p, q] : [q, p];
}
