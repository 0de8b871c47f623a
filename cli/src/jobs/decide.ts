import { type Costs, decisionByCosts } from '../../../src/decide.ts';
import { type DecideOption, LogoddsError } from '../../../src/index.ts';
import { list, show } from '../../../src/internal.ts';
import { readJson } from '../read/files.ts';

/** How `train` is told to decide; one way at most, and a band for review beside it. */
export interface DecisionOptions {
  readonly threshold?: number;
  /** of two classes what mistakes (and hits) cost; or a file with a matrix, costs[true class][decided class] */
  readonly costs?: Costs | { readonly file: string };
  /** β of the F-score */
  readonly maximize?: number;
  /** most recall with at least so much precision, and the reverse */
  readonly minPrecision?: number;
  readonly minRecall?: number;
  /** most rows that may be called positive */
  readonly budget?: { readonly share: number } | { readonly rows: number };
  /** probabilities that a person looks at, or their share of the rows */
  readonly review?: { readonly low: number; readonly high: number } | { readonly share: number };
}

/** What goes with two classes only, as it is written. */
const OF_TWO: readonly (readonly [string, (options: DecisionOptions) => boolean])[] = [
  ['--threshold', ({ threshold }) => threshold !== undefined],
  ['--costs FP=…,FN=…', ({ costs }) => costs !== undefined && !('file' in costs)],
  ['--maximize', ({ maximize }) => maximize !== undefined],
  ['--min-precision', ({ minPrecision }) => minPrecision !== undefined],
  ['--min-recall', ({ minRecall }) => minRecall !== undefined],
  ['--budget', ({ budget }) => budget !== undefined],
];

/**
 * Refuses, before any work, what does not go with these classes.
 * @param classesOf  asked when they matter
 * @throws ERR_TARGET what goes with two classes only; ERR_DATA, ERR_SHAPE, ERR_RANGE costs that are none, a band that is none
 */
export function checkDecision(options: DecisionOptions, classesOf: () => readonly string[]): void {
  const { costs, review } = options;
  const matrix = costs && 'file' in costs ? readMatrix(costs.file) : null;
  const [option] = OF_TWO.find(([, given]) => given(options)) ?? [];
  if (!matrix && !option && !review) return;
  const classes = classesOf();
  if (matrix) decisionByCosts(matrix, classes, null);
  if (classes.length === 2) return;
  if (option) {
    throw new LogoddsError(
      'ERR_TARGET',
      `${option}: expected a target of two classes, got ${classes.length} (${list(classes)}); use --costs with a matrix`,
    );
  }
  if (review && 'low' in review && review.low > 0) {
    throw new LogoddsError(
      'ERR_RANGE',
      `--review: expected 0:HIGH for ${classes.length} classes (rows whose greatest probability is below HIGH), got ${review.low}:${review.high}; say 0:${review.high}`,
    );
  }
}

/** How `fit` is to decide. @throws ERR_DATA for a file of costs that has none */
export function decideOptionOf(options: DecisionOptions): DecideOption | undefined {
  const { threshold, costs, maximize, minPrecision, minRecall, budget } = options;
  if (threshold !== undefined) return { threshold };
  if (costs) return { by: 'cost', costs: 'file' in costs ? readMatrix(costs.file) : costs } as DecideOption;
  if (maximize !== undefined) return { by: 'fbeta', beta: maximize };
  if (minPrecision !== undefined) return { by: 'recall', precision: minPrecision };
  if (minRecall !== undefined) return { by: 'precision', recall: minRecall };
  return budget && { by: 'budget', ...budget };
}

/** @throws ERR_DATA for a file that is no list of lists of numbers */
function readMatrix(path: string): number[][] {
  const refuse = (got: string): never => {
    throw new LogoddsError(
      'ERR_DATA',
      `--costs ${path}: expected a matrix such as [[0, 5], [1, 0]] (true class × decided class, classes sorted), got ${got}; correct it`,
    );
  };
  const matrix = readJson(path, '--costs');
  if (!Array.isArray(matrix) || !matrix.every(Array.isArray)) return refuse(show(matrix));
  const odd = matrix.flat().find((cost) => typeof cost !== 'number');
  return odd === undefined ? matrix : refuse(`an entry ${show(odd)}`);
}
