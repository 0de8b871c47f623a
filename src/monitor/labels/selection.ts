import { LogoddsError } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { chiSquareTail } from '../../math/chiSquare.ts';
import { sortTagged } from '../../math/sort.ts';
import { checkArray, checkProbabilities, checkScores } from '../../metrics/check.ts';
import { between } from '../check.ts';

/** Labelled scores of one part of all scores. */
export interface LabelledPart {
  readonly rows: number;
  readonly labelled: number;
  /** null without rows */
  readonly share: number | null;
}

/** Which scores have labels. */
export interface LabelSelection {
  /** rows that were called positive, and those that were not */
  readonly positive: LabelledPart;
  readonly negative: LabelledPart;
  /** of rows by score, from the least up, in bins of equal numbers of rows */
  readonly bins: readonly LabelledPart[];
  /** test of whether labels come as often in each bin: χ², its degrees of freedom and p; null when all rows have a label, or none has, or one bin is left */
  readonly chi2: number | null;
  readonly df: number;
  readonly p: number | null;
  /**
   * `none`: no sign of selection.   `uneven`: labels come more often for some scores: figures need weights.
   * `absent`: one of the two decisions, or a bin, has no label at all: no weight can stand for what was never seen
   */
  readonly kind: 'none' | 'uneven' | 'absent';
  /** rows in parts that have no label at all: nothing is known of them */
  readonly unseen: number;
  /** what to tell; null: nothing */
  readonly warning: string | null;
  /** of each row 1/share of its bin when it has a label, else 0 */
  readonly weights: Float64Array;
  /** (Σ w)²/Σ w²: as many rows of equal weight would say as much */
  readonly effectiveRows: number;
}

/** How a selection of labels is looked for. */
export interface SelectionOptions {
  /** bins of scores, 1 to 100; default 10 */
  readonly bins?: number;
  /** probability of a false `uneven`; default 0.001 */
  readonly alpha?: number;
  /** least share in which a bin must differ from the share of all before it is `uneven`: in large samples every difference is significant; default 0.1 of it */
  readonly least?: number;
  /** known probability that a row gets a label, above 0 and at most 1, instead of the share of its bin */
  readonly propensities?: ArrayLike<number>;
}

/**
 * Looks for survivorship: labels that exist for accepted cases only, or more often for some scores than for others. Figures over labelled rows are then those of other
 * rows than were scored.
 *
 *   χ² = Σ_k (lₖ − nₖ·l/n)²/(nₖ·(l/n)·(1 − l/n)),   lₖ of nₖ rows in bin k have a label; χ² with bins − 1 degrees of freedom
 *   weights  1/P(label | score) for rows with a label (inverse propensity), P = lₖ/nₖ or `propensities`
 *
 * Give rows that are ripe: a young row has no label because it is young. Weights are right when labels depend on the score alone; they cannot say anything of scores
 * that never have a label.
 * @param scores  length n: probabilities or logits, in the order in which labels may depend on them
 * @param positive  length n, 1 when the row was called positive
 * @param labelled  length n, 1 when it has a label
 * @throws ERR_SHAPE lengths that differ, no row; ERR_RANGE a score that is no number, an option outside its range
 * @see Horvitz, Thompson, JASA 47, 1952; Kish, Survey sampling, 1965 (effective rows)
 * @example
 * const scores = Array.from({ length: 1000 }, (_, i) => i / 1000);
 * const called = scores.map((p) => (p > 0.5 ? 1 : 0));
 * const found = labelSelection(scores, called, called);
 * found.kind; // 'absent'
 * found.negative.share; // 0
 */
export function labelSelection(
  scores: ArrayLike<number>,
  positive: ArrayLike<number>,
  labelled: ArrayLike<number>,
  options: SelectionOptions = {},
): LabelSelection {
  refuseUnknown('labelSelection', options, { bins: true, alpha: true, least: true, propensities: true });
  const { bins = 10, propensities } = options;
  const alpha = between('alpha', options.alpha ?? 0.001, 0, 1);
  const least = options.least ?? 0.1;
  if (!(Number.isInteger(bins) && bins >= 1 && bins <= 100))
    throw new LogoddsError('ERR_RANGE', `bins: expected an integer from 1 to 100, got ${tell(bins)}`);
  if (!(least >= 0)) throw new LogoddsError('ERR_RANGE', `least: expected a number >= 0, got ${tell(least)}`);
  checkScores(scores);
  const n = scores.length;
  for (const [what, values] of Object.entries({ positive, labelled, propensities: propensities ?? scores })) {
    checkArray(what, values);
    if (values.length !== n || n === 0)
      throw new LogoddsError('ERR_SHAPE', `${what}: expected one of each row, at least one, got ${values.length}`);
  }
  if (propensities) {
    checkProbabilities(propensities);
    for (let i = 0; i < n; i++)
      if (!(propensities[i] > 0))
        throw new LogoddsError('ERR_RANGE', `propensities: expected numbers above 0, got 0 at row ${i}`);
  }
  const of = binsOf(scores, bins);
  const parts = Array.from({ length: of.count }, () => ({ rows: 0, labelled: 0 }));
  const sides = [0, 1].map(() => ({ rows: 0, labelled: 0 }));
  for (let i = 0; i < n; i++) {
    for (const part of [parts[of.bin[i]], sides[positive[i] ? 1 : 0]]) {
      part.rows++;
      if (labelled[i]) part.labelled++;
    }
  }
  const weights = new Float64Array(n);
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (!labelled[i]) continue;
    const part = parts[of.bin[i]];
    const weight = 1 / (propensities ? propensities[i] : part.labelled / part.rows);
    weights[i] = weight;
    sum += weight;
    squares += weight * weight;
  }
  const effectiveRows = squares > 0 ? (sum * sum) / squares : 0;
  return { ...selectionOf(parts, sides, alpha, least), weights, effectiveRows };
}

/** Rows of a part, and those with a label. */
interface Part {
  rows: number;
  labelled: number;
}

/**
 * Looks for survivorship in counts, as `labelSelection` in rows.
 * @param cells  rows by score, from the least up: they are joined to at most `bins` parts of about as many rows each
 * @param sides  rows called negative, and positive
 * @internal
 */
export function selectionOfCounts(
  cells: readonly Readonly<Part>[],
  sides: readonly Readonly<Part>[],
  { bins = 10, alpha = 0.001, least = 0.1 }: Pick<SelectionOptions, 'bins' | 'alpha' | 'least'> = {},
): Omit<LabelSelection, 'weights' | 'effectiveRows'> {
  const n = cells.reduce((sum, { rows }) => sum + rows, 0);
  const parts: Part[] = [];
  let [place, last] = [0, -1];
  for (const { rows, labelled } of cells) {
    if (rows === 0) continue;
    const wanted = Math.floor((place * bins) / n);
    if (wanted > last) {
      last = wanted;
      parts.push({ rows: 0, labelled: 0 });
    }
    const part = parts[parts.length - 1];
    part.rows += rows;
    part.labelled += labelled;
    place += rows;
  }
  return selectionOf(parts, sides, alpha, least);
}

function selectionOf(parts: readonly Part[], sides: readonly Part[], alpha: number, least: number) {
  const n = parts.reduce((sum, { rows }) => sum + rows, 0);
  const all = parts.reduce((sum, part) => sum + part.labelled, 0);
  const share = all / n;
  const isTestable = share > 0 && share < 1 && parts.length > 1;
  const chi2 = isTestable
    ? parts.reduce((sum, part) => sum + (part.labelled - part.rows * share) ** 2 / (part.rows * share * (1 - share)), 0)
    : null;
  const df = parts.length - 1;
  const p = chi2 === null ? null : chiSquareTail(chi2, df);
  const isFar = parts.some((part) => Math.abs(part.labelled / part.rows - share) > least * share);
  const isGone = ({ rows, labelled: seen }: Part): boolean => rows > 0 && seen === 0;
  // an empty bin of few rows may have no label by chance
  const isAbsent = share > 0 && (sides.some(isGone) || parts.some(isGone)) && p !== null && p <= alpha;
  const kind: LabelSelection['kind'] = isAbsent ? 'absent' : p !== null && p <= alpha && isFar ? 'uneven' : 'none';
  const unseen = parts.reduce((sum, { rows, labelled }) => sum + (labelled === 0 ? rows : 0), 0);
  const [negative, positive] = sides.map(shown);
  return {
    positive,
    negative,
    bins: parts.map(shown),
    chi2,
    df,
    p,
    kind,
    unseen,
    warning: warningOf(kind, positive, negative, unseen, n),
  };
}

const shown = ({ rows, labelled }: { rows: number; labelled: number }): LabelledPart => ({
  rows,
  labelled,
  share: rows > 0 ? labelled / rows : null,
});

const percent = ({ share }: LabelledPart): string => (share === null ? 'none' : `${(100 * share).toFixed(1)} %`);

function warningOf(
  kind: LabelSelection['kind'],
  positive: LabelledPart,
  negative: LabelledPart,
  unseen: number,
  rows: number,
): string | null {
  if (kind === 'none') return null;
  const seen = `labels: ${percent(positive)} of the rows called positive have one, ${percent(negative)} of the others`;
  return kind === 'uneven'
    ? `${seen}; weigh figures by inverse propensity`
    : `${seen}, and ${unseen} of ${rows} rows are among scores that never have one; figures hold for labelled rows only, so label a random sample of the others`;
}

/** Bins of as many rows each as equal scores allow, which stay together: the bin of each row, and how many there are. */
function binsOf(scores: ArrayLike<number>, bins: number): { bin: Uint32Array; count: number } {
  const n = scores.length;
  const { values, tags: rows } = sortTagged(scores, (row) => row);
  const bin = new Uint32Array(n);
  let [last, count] = [0, 1];
  for (let place = 0; place < n; place++) {
    const wanted = Math.floor((place * bins) / n);
    if (place > 0 && wanted > last && values[place] !== values[place - 1]) {
      last = wanted;
      count++;
    }
    bin[rows[place]] = count - 1;
  }
  return { bin, count };
}
