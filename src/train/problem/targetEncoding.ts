import { LogoddsError } from '../../../bindings/errors.ts';

/** The values of a category from the outcomes of its rows, for each class. */
export interface TargetEncoding {
  /** value of each level, for each plane */
  readonly values: readonly Float64Array[];
  /** mean over all rows, for each plane: the value of unseen levels */
  readonly priors: Float64Array;
}

/** A categorical column and its outcomes. */
export interface Outcomes {
  /** level of each row; missing cells are an ordinary level. Codes of `levels` and above are unseen: they count only for the prior */
  readonly codes: ArrayLike<number>;
  readonly levels: number;
  /** share of a class in each row, 0 to 1: one plane for two classes (the positive one's), else one a class */
  readonly planes: readonly ArrayLike<number>[];
  /** null: all 1; a row of weight 0 does not count */
  readonly weight: ArrayLike<number> | null;
  /** m, a number >= 0; or `auto`, which gives each level its own m */
  readonly smooth: 'auto' | number;
}

/**
 * Target encoding: the mean outcome of each level, shrunk towards that of all rows.
 *
 *   value = (Σ wᵢyᵢ + m·prior)/(n + m),   n = Σ wᵢ of the level,   prior = Σ wᵢyᵢ/Σ wᵢ of all rows
 *   m = mean·(1 − mean)/(prior·(1 − prior)) for `auto`, where mean is that of the level: the ratio of the outcome variances in the level and overall
 *
 * A level without rows has the prior. A weight of 2 means two rows; a share y of w trials means y·w rows of 1 and (1 − y)·w rows of 0.
 *
 * @throws ERR_RANGE for a smooth that is negative or not finite
 * @see Micci-Barreca, "A Preprocessing Scheme for High-Cardinality Categorical Attributes", 2001; scikit-learn, TargetEncoder
 */
export function encodeTarget(outcomes: Outcomes): TargetEncoding {
  const { smooth } = outcomes;
  if (smooth !== 'auto' && !(smooth >= 0 && smooth < Number.POSITIVE_INFINITY)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `smooth: expected "auto" or a finite number >= 0, got ${smooth}; 0 smooths nothing`,
    );
  }
  return encodeRows(outcomes, null, 0);
}

/**
 * The value of each row from the rows of other folds, level means and priors included, so that a row's outcome never affects its own value.
 * A row of weight 0 has the value from all rows. For new rows, use `encodeTarget` of all rows.
 *
 * @param fold  fold of each row, 0 or more; ignored for rows of weight 0
 * @returns the value of each row, for each plane
 * @throws ERR_SHAPE for folds of another length; ERR_DATA when one fold has all rows of positive weight; ERR_RANGE as `encodeTarget`
 * @see scikit-learn, TargetEncoder.fit_transform
 */
export function crossFitTarget(outcomes: Outcomes, fold: ArrayLike<number>): Float64Array[] {
  const { codes, levels, planes, weight } = outcomes;
  const rows = codes.length;
  if (fold.length !== rows) {
    throw new LogoddsError('ERR_SHAPE', `fold: expected length ${rows} (rows), got ${fold.length}`);
  }
  const all = encodeTarget(outcomes);
  let folds = 0;
  for (let i = 0; i < rows; i++) if (!weight || weight[i] > 0) folds = Math.max(folds, fold[i] + 1);
  const parts = Array.from({ length: folds }, (_, k) => encodeRows(outcomes, fold, k));
  if (folds > 0 && parts.some(({ priors }) => Number.isNaN(priors[0]))) {
    throw new LogoddsError(
      'ERR_DATA',
      'fold: expected rows of positive weight in two folds, got one; use more rows or folds',
    );
  }
  return planes.map((_, c) => {
    const out = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      const { values, priors } = !weight || weight[i] > 0 ? parts[fold[i]] : all;
      out[i] = codes[i] < levels ? values[c][codes[i]] : priors[c];
    }
    return out;
  });
}

/** The encoding from the rows outside fold k; from all rows without folds. */
function encodeRows(
  { codes, levels, planes, weight, smooth }: Outcomes,
  fold: ArrayLike<number> | null,
  k: number,
): TargetEncoding {
  const rows = codes.length;
  const counts = new Float64Array(levels + 1);
  const sums = planes.map(() => new Float64Array(levels + 1));
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1;
    if (!(w > 0) || fold?.[i] === k) continue;
    // after the levels: unseen codes
    const level = Math.min(codes[i], levels);
    counts[level] += w;
    for (let c = 0; c < planes.length; c++) sums[c][level] += w * planes[c][i];
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const priors = Float64Array.from(sums, (own) => own.reduce((sum, part) => sum + part, 0) / total);
  const values = sums.map((own, c) => {
    const prior = priors[c];
    const spread = prior * (1 - prior);
    return own.subarray(0, levels).map((sum, level) => {
      const n = counts[level];
      const mean = sum / n;
      if (n === 0) return prior;
      if (smooth !== 'auto') return (sum + smooth * prior) / (n + smooth);
      return spread > 0 ? (sum * spread + mean * (1 - mean) * prior) / (n * spread + mean * (1 - mean)) : mean;
    });
  });
  return { values, priors };
}
