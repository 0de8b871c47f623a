import { LogoddsError } from '../../bindings/errors.ts';
import { exp, log, log1pOfProduct, softplus } from '../../bindings/js/math.ts';
import { tell } from '../../bindings/names.ts';
import {
  checkLogits,
  checkPlanes,
  checkProbabilities,
  checkRows,
  isArray,
  type Labels,
  type Logits,
  mean,
  type Probabilities,
  type Weight,
} from './check.ts';
import { formOf, type Predictions, surprise } from './forms.ts';

/** `manifest.multiclass` of a model */
type Link = 'multinomial' | 'ovr';

/**
 * The predictions of a classifier of K ≥ 2 classes for n rows: the logits z or the probabilities p, as one array of length n for each class.
 *
 *   logits         finite; link multinomial (default): p = softmax(z); ovr (one-vs-rest): pₖ = σ(zₖ)/Σ σ(zⱼ)
 *   probabilities  from 0 to 1; those of a row are divided by their sum
 */
export type ClassPredictions =
  | { readonly logits: readonly Logits[]; readonly link?: 'multinomial' | 'ovr'; readonly probabilities?: undefined }
  | { readonly probabilities: readonly Probabilities[]; readonly logits?: undefined; readonly link?: undefined };

/** The row of K classes that was read last, as metrics see it: each figure as exact as the form of the predictions allows. */
export interface ClassRow {
  /** @param i  which row */
  read(i: number): void;
  /** the class of the greatest logit or probability, the first if several */
  readonly top: number;
  /** −log p of class j */
  loss(j: number): number;
  /** p of class j */
  probability(j: number): number;
  /** rises with p of class j from row to row */
  rank(j: number): number;
  /** Σₖ (pₖ − [k = j])² */
  squares(j: number): number;
}

/** Whether predictions are of K classes: a list of arrays. @throws ERR_RANGE as `formOf` */
export function isOfClasses(predictions: Predictions | ClassPredictions): predictions is ClassPredictions {
  const { values } = formOf<ArrayLike<unknown>>(predictions, 'several');
  return isArray(values) && isArray(values[0]);
}

/** Predictions for K classes, their rows checked. */
interface Read {
  readonly row: ClassRow;
  readonly classes: number;
  readonly rows: number;
  /** Σ sᵢ */
  readonly total: number;
}

/** @throws ERR_RANGE as `formOf`; ERR_SHAPE, ERR_RANGE as `evaluateClasses` */
export function readClasses(predictions: ClassPredictions, y: Labels, weight: Weight): Read {
  const { name, values } = formOf<readonly ArrayLike<number>[]>(predictions, 'several');
  const { link } = predictions;
  const rows = checkPlanes(values, name);
  let row: ClassRow;
  if (name === 'logits') {
    if (link !== undefined && link !== 'multinomial' && link !== 'ovr') {
      throw new LogoddsError('ERR_RANGE', `link: expected multinomial or ovr, got ${tell(link)}`);
    }
    for (const one of values) checkLogits(one, 'finite numbers', Number.isFinite);
    row = new RowOfLogits(values, link ?? 'multinomial');
  } else {
    if (link !== undefined) {
      throw new LogoddsError(
        'ERR_RANGE',
        `link: expected none beside probabilities, got ${tell(link)}; it applies to logits only`,
      );
    }
    values.forEach(checkProbabilities);
    checkSums(values, rows);
    row = new RowOfProbabilities(values);
  }
  return { row, classes: values.length, rows, total: checkRows(rows, y, values.length, weight, name) };
}

/** @throws ERR_RANGE naming the first row whose probabilities are all 0 */
function checkSums(probabilities: readonly Probabilities[], rows: number): void {
  for (let i = 0; i < rows; i++) {
    if (probabilities.every((one) => one[i] === 0)) {
      throw new LogoddsError('ERR_RANGE', `probabilities: expected one above 0 in every row, got none in row ${i}`);
    }
  }
}

/** @returns 1/S · Σ sᵢ · −log p(yᵢ) @throws as `evaluateClasses` */
export function meanClassLogLoss(predictions: ClassPredictions, y: Labels, weight: Weight): number {
  const { row, rows, total } = readClasses(predictions, y, weight);
  return mean(rows, weight, total, (i) => {
    row.read(i);
    return row.loss(y[i]);
  });
}

/**
 * The logits g of one row such that p = softmax(g), for one-vs-rest g = log σ(z), and what follows from them:
 *
 *   m = max g at `top`, m₂ = the greatest of the others,   R = Σ_{l ≠ top} exp(g_l − m₂) ≥ 1,   rest = exp(m₂ − m)·R = (1 − p_top)/p_top
 */
class RowOfLogits implements ClassRow {
  readonly #logits: readonly Logits[];
  readonly #g: Float64Array;
  readonly #powers: Float64Array;
  readonly #ovr: boolean;
  top = 0;
  #rest = 0;
  #logRest = 0;

  constructor(logits: readonly Logits[], link: Link) {
    this.#logits = logits;
    this.#g = new Float64Array(logits.length);
    this.#powers = new Float64Array(logits.length);
    this.#ovr = link === 'ovr';
  }

  read(i: number): void {
    const logits = this.#logits;
    const g = this.#g;
    const powers = this.#powers;
    let top = 0;
    for (let j = 0; j < g.length; j++) {
      const z = logits[j][i];
      if (z > logits[top][i]) top = j;
      g[j] = this.#ovr ? -softplus(-z) : z;
    }
    let second = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < g.length; j++) if (j !== top && g[j] > second) second = g[j];
    let sum = 0;
    for (let j = 0; j < g.length; j++) {
      powers[j] = j === top ? 1 : exp(g[j] - second);
      if (j !== top) sum += powers[j];
    }
    const apart = exp(second - g[top]);
    for (let j = 0; j < g.length; j++) if (j !== top) powers[j] *= apart;
    this.top = top;
    this.#rest = apart * sum;
    this.#logRest = second - g[top] + log(sum);
  }

  /** −log p of class j = m − g_j + log(1 + rest) */
  loss(j: number): number {
    return (j === this.top ? 0 : this.#g[this.top] - this.#g[j]) + log1pOfProduct(this.#rest);
  }

  probability(j: number): number {
    return (j === this.top ? 1 : this.#powers[j]) / (1 + this.#rest);
  }

  /** log(p/(1 − p)), which does not saturate where p does */
  rank(j: number): number {
    if (j === this.top) return -this.#logRest;
    const others = Math.max(0, this.#rest - this.#powers[j]);
    return this.#g[j] - this.#g[this.top] - log1pOfProduct(others);
  }

  squares(j: number): number {
    let own = 0;
    let sum = 0;
    for (let l = 0; l < this.#powers.length; l++) {
      if (l === j) continue;
      own += this.#powers[l];
      sum += this.#powers[l] ** 2;
    }
    return (own ** 2 + sum) / (1 + this.#rest) ** 2;
  }
}

/** The probabilities of one row, divided by their sum. */
class RowOfProbabilities implements ClassRow {
  readonly #given: readonly Probabilities[];
  readonly #p: Float64Array;
  top = 0;

  constructor(probabilities: readonly Probabilities[]) {
    this.#given = probabilities;
    this.#p = new Float64Array(probabilities.length);
  }

  read(i: number): void {
    const given = this.#given;
    let sum = 0;
    let top = 0;
    for (let j = 0; j < given.length; j++) {
      sum += given[j][i];
      if (given[j][i] > given[top][i]) top = j;
    }
    for (let j = 0; j < given.length; j++) this.#p[j] = given[j][i] / sum;
    this.top = top;
  }

  loss(j: number): number {
    return surprise(this.#p[j], 1 - this.#p[j]);
  }

  probability(j: number): number {
    return this.#p[j];
  }

  rank(j: number): number {
    return this.#p[j];
  }

  squares(j: number): number {
    return this.#p.reduce((sum, one, k) => sum + (one - (k === j ? 1 : 0)) ** 2, 0);
  }
}
