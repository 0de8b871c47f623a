import { sortTagged } from '../../../src/internal.ts';

/** Rows with a known class, as a scorer sees them. */
export interface ScoredRows {
  /** of each weight vector of the model */
  readonly logits: readonly Float64Array[];
  /** of each weight vector, calibrated if the model is */
  readonly probabilities: readonly Float64Array[];
  /** the class of each row, as an index into the classes of the model */
  readonly codes: ArrayLike<number>;
  /** the class that was decided */
  readonly labels: ArrayLike<number>;
  readonly weight?: Float64Array;
  /** meaning of the weights; absent: sampling */
  readonly weightKind?: 'sampling' | 'count';
}

/** Rows in ascending order of their scores. Figures about ranks sort such rows in one pass. */
export interface Ranked {
  readonly scores: Float64Array;
  /** 1 for rows of the class, else 0 */
  readonly y: Uint8Array;
  readonly weight?: Float64Array;
  /** values of the rows, in the same order */
  ordered(values: Float64Array): Float64Array;
}

const known = new WeakMap<ScoredRows, Map<number, Ranked>>();

/**
 * Rows by their scores for a class; sorted once. The rows may not change.
 * @param plane  of the scores: logits with two classes, since they do not saturate, otherwise probabilities
 */
export function rankedRows(rows: ScoredRows, code: number, plane: number): Ranked {
  const planes = known.get(rows) ?? new Map<number, Ranked>();
  known.set(rows, planes);
  const found =
    planes.get(plane) ?? rank(rows, rows.logits.length === 1 ? rows.logits[0] : rows.probabilities[plane], code);
  planes.set(plane, found);
  return found;
}

function rank({ codes, weight }: ScoredRows, given: Float64Array, code: number): Ranked {
  const { values: scores, tags } = sortTagged(given, (row) => 2 * row + Number(codes[row] === code));
  const ordered = (values: Float64Array) => {
    const out = new Float64Array(tags.length);
    for (let i = 0; i < tags.length; i++) out[i] = values[tags[i] >>> 1];
    return out;
  };
  return {
    scores,
    y: new Uint8Array(tags.length).map((_, i) => tags[i] & 1),
    weight: weight && ordered(weight),
    ordered,
  };
}
