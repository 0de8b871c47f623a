import { type Costs, decisionByCosts } from '../../../src/decide.ts';
import { type DecideOption, LogoddsError } from '../../../src/index.ts';
import { list, show } from '../../../src/internal.ts';
import { counted } from '../figures/wording.ts';
import { readJson } from '../read/files.ts';

/** Options of `train` about decisions: at most one way to decide, and a review band. */
export interface DecisionOptions {
  readonly threshold?: number;
  /** for two classes the cost of mistakes (and hits); or a file with a matrix, costs[true class][decided class] */
  readonly costs?: Costs | { readonly file: string };
  /** β of the F-score */
  readonly maximize?: number;
  /** greatest recall with at least this precision, and the reverse */
  readonly minPrecision?: number;
  readonly minRecall?: number;
  /** largest number or share of rows that may be called positive */
  readonly budget?: { readonly share: number } | { readonly rows: number };
  /** probabilities that a person reviews, or the share of rows to review */
  readonly review?: { readonly low: number; readonly high: number } | { readonly share: number };
}

/** Options for two classes only, as they are written. */
const OF_TWO: readonly (readonly [string, (options: DecisionOptions) => boolean])[] = [
  ['--threshold', ({ threshold }) => threshold !== undefined],
  ['--costs FP=…,FN=…', ({ costs }) => costs !== undefined && !('file' in costs)],
  ['--maximize', ({ maximize }) => maximize !== undefined],
  ['--min-precision', ({ minPrecision }) => minPrecision !== undefined],
  ['--min-recall', ({ minRecall }) => minRecall !== undefined],
  ['--budget', ({ budget }) => budget !== undefined],
];

/**
 * Refuses options that do not fit these classes, before any work.
 * @param classesOf  called only if the classes matter
 * @throws ERR_TARGET options for two classes only; ERR_DATA, ERR_SHAPE, ERR_RANGE invalid costs or an invalid band
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
      `--review: expected 0:HIGH for ${counted(classes.length, 'class', 'classes')} (rows whose greatest probability is below HIGH), got ${review.low}:${review.high}; say 0:${review.high}`,
    );
  }
}

/** The options of `fit` about decisions. @throws ERR_DATA for a file without costs */
export function decideOptionOf(options: DecisionOptions): DecideOption | undefined {
  const { threshold, costs, maximize, minPrecision, minRecall, budget } = options;
  if (threshold !== undefined) return { threshold };
  if (costs) return { by: 'cost', costs: 'file' in costs ? readMatrix(costs.file) : costs } as DecideOption;
  if (maximize !== undefined) return { by: 'fbeta', beta: maximize };
  if (minPrecision !== undefined) return { by: 'recall', precision: minPrecision };
  if (minRecall !== undefined) return { by: 'precision', recall: minRecall };
  return budget && { by: 'budget', ...budget };
}

/** @throws ERR_DATA for a file that is not a list of lists of numbers */
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
