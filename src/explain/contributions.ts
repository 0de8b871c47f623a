import { LogoddsError } from '../../bindings/errors.ts';
import { greatest } from '../../bindings/js/math.ts';
import { lostLogit } from '../encode/lostLogit.ts';
import type { Feature } from '../encode/schema.ts';
import { slotNames } from '../encode/slots.ts';
import type { Table } from '../encode/table.ts';
import {
  BLOCK_ROWS,
  type EncodedRows,
  type Explained,
  layoutOf,
  offsetOf,
  type Row,
  type Source,
  sourcesOf,
  sourceValue,
  visitRows,
} from './explained.ts';

/** The amount that one source of a record adds to a logit. */
export interface Contribution {
  /** name of the source: a column, the offset, or for a cross the names of its parts joined by " × " */
  readonly feature: string;
  /** its value in the record; for a cross the text of its parts' values */
  readonly value: unknown;
  /** change of the logit against the training baseline */
  readonly contribution: number;
}

/** Why a logit has its value: logit = base + Σ contributions. */
export interface Explanation {
  /** the class whose logit is explained */
  readonly class: string;
  /** the same bits as `Model.score` gives */
  readonly logit: number;
  /** logit of the training baseline */
  readonly base: number;
  /** one for each source, in the order of the schema, the offset last */
  readonly contributions: readonly Contribution[];
}

/** The greatest contributions of each row of a table. */
export interface TopContributions {
  readonly rows: number;
  /** contributions a row: the number asked for, or the number of sources if that is less */
  readonly k: number;
  /** length rows × k, row after row: index into `Explainer.features`, the greatest contribution (in size) first */
  readonly features: Uint32Array;
  /** length rows × k, in the order of `features` */
  readonly contributions: Float64Array;
}

/** Explains many records of one model. */
export interface Explainer {
  /** names of the sources */
  readonly features: readonly string[];
  /** logit of the training baseline; one for each class when there are more than two */
  readonly base: Float64Array;
  /**
   * Returns the explanations of a record: one with two classes, else one for each class, in order. Contributions may be infinite.
   * @throws as `Model.score`
   */
  record(record: Row): Explanation[];
  /**
   * Returns the k greatest contributions of each row of a table.
   * @param k  contributions a row, ≥ 1
   * @param labels  with more than two classes the class to explain in each row, as in `Scores.labels`; default the class of the greatest logit
   * @param firstRow  number of the first row in the whole input, for error messages
   * @throws ERR_RANGE for k; others as `Scorer.score`
   */
  table(table: Table, k: number, labels?: Uint32Array | null, firstRow?: number): TopContributions;
}

/**
 * Returns the contribution of each source of a record to the logit of the positive class; with more than two classes to the logit of the label.
 * It is linear SHAP against the training baseline.
 *
 *   φ_f = Σ_{slots j of f} wⱼ·(xⱼ − E xⱼ),   base = b + Σⱼ wⱼ·E xⱼ,   base + Σ_f φ_f = logit
 *
 * E x is the weighted mean of each slot in the training rows (`Model.baseline`); features are taken as independent. All features of one source
 * column (levels, bins, splines, transforms) make one contribution. A cross has its own, and so has the offset, against a baseline of 0.
 *
 * The logit is the one before calibration. Rounding changes the sum by at most one unit in the last place of Σ |terms| for each term (a
 * weight times a number, or times its mean). With several classes the logits have no common zero: all may shift alike; `reasons` compares them.
 *
 * @throws ERR_SCHEMA, ERR_RECORD as `Model.score`
 * @see Lundberg, Lee, A unified approach to interpreting model predictions, NIPS 2017, 4.2 (linear SHAP)
 * @example
 * const { base, contributions, logit } = explain(model, flight);
 * base; // 0.2591
 * contributions[1]; // { feature: 'origin', value: 'LAS', contribution: 1.9626 }
 * logit; // 2.3303
 */
export function explain(model: Explained, record: Row): Explanation {
  const explanations = explainClasses(model, record);
  if (explanations.length === 1) return explanations[0];
  const { label } = model.score(record);
  return explanations[model.manifest.classes.indexOf(label)];
}

/** `explain` for the logit of each class (of two classes: of the positive one). */
export function explainClasses(model: Explained, record: Row): Explanation[] {
  let known = explainers.get(model);
  if (!known) {
    known = explainer(model);
    explainers.set(model, known);
  }
  return known.record(record);
}

/** One a model, which does not change. */
const explainers = /* @__PURE__ */ new WeakMap<Explained, Explainer>();

/**
 * Returns an explainer of many records of one model. What does not depend on the record is computed once.
 * @see `explain`
 * @example
 * const many = explainer(model);
 * many.features; // ['distance', 'origin']
 * many.record(flight)[0].contributions[0].contribution; // 0.1086
 * many.table(table, 1).features.slice(0, 3); // [0, 1, 1]
 */
export function explainer(model: Explained): Explainer {
  const { manifest, encoder, weights, intercept } = model;
  const { slots } = encoder;
  const { sources, ofFeature } = sourcesOf(model);
  const { first, coded } = layoutOf(model);
  const columns = coded.length;
  const vectors = intercept.length;
  const means = baselineOf(model);
  const names = slotNames(encoder);
  const sourceOfColumn = Uint32Array.from(first, (slot) => ofFeature[names[slot].feature]);
  // of each column the logit of its baseline
  const own = new Float64Array(vectors * columns);
  const base = intercept.slice();
  for (let k = 0; k < vectors; k++) {
    for (let j = 0; j < columns; j++) {
      const count = coded[j] || 1;
      for (let s = first[j]; s < first[j] + count; s++) own[k * columns + j] += weights[k * slots + s] * means[s];
      base[k] += own[k * columns + j];
    }
  }
  /** Logits of weight vector k; entries of the columns may be views. */
  const logitsOf = ({ rows, columns: entries, offsets }: Entries, k: number, out: Float64Array): void => {
    for (let i = 0; i < rows; i++) out[i] = intercept[k];
    for (let j = 0; j < columns; j++) {
      const x = entries[j];
      const slot = k * slots + first[j];
      if (coded[j] === 0) for (let i = 0; i < rows; i++) out[i] += x[i] * weights[slot];
      else for (let i = 0; i < rows; i++) out[i] += weights[slot + x[i]];
    }
    if (offsets) for (let i = 0; i < rows; i++) out[i] += offsets[i];
  };
  /**
   * Contributions of every source, source after source.
   * @param vector  of each row the weight vector that is explained
   * @param phi  sources × plane, written
   */
  const contribute = (
    { rows, columns: entries, offsets }: Entries,
    vector: Uint32Array,
    plane: number,
    phi: Float64Array,
  ): void => {
    phi.fill(0);
    for (let j = 0; j < columns; j++) {
      const x = entries[j];
      const slot = first[j];
      const mean = means[slot];
      const at = sourceOfColumn[j] * plane;
      if (coded[j] === 0) {
        for (let i = 0; i < rows; i++) phi[at + i] += weights[vector[i] * slots + slot] * (x[i] - mean);
      } else {
        for (let i = 0; i < rows; i++) {
          const k = vector[i];
          phi[at + i] += weights[k * slots + slot + x[i]] - own[k * columns + j];
        }
      }
    }
    if (offsets) for (let i = 0; i < rows; i++) phi[(sources.length - 1) * plane + i] += offsets[i];
  };
  const scratch = () => {
    const row = new Float64Array(columns);
    return {
      row,
      entries: Array.from(row, (_, j) => row.subarray(j, j + 1)),
      logit: new Float64Array(1),
      one: new Uint32Array(1),
      phi: new Float64Array(sources.length),
    };
  };
  let spare: ReturnType<typeof scratch> | null = null;
  return {
    features: sources.map(({ name }) => name),
    base,
    record(record) {
      const own = spare ?? scratch();
      // a getter of the record may explain
      spare = null;
      const { row, entries, logit, one, phi } = own;
      encoder.encodeRecord(record, row);
      const offsets = manifest.offset === null ? null : Float64Array.of(offsetOf(model, record));
      const encoded = { rows: 1, columns: entries, offsets };
      const values = sources.map((source) => sourceValue(source, record));
      spare = own;
      return Array.from(base, (start, k) => {
        logitsOf(encoded, k, logit);
        one[0] = k;
        contribute(encoded, one, 1, phi);
        if (Number.isNaN(logit[0] + phi.reduce(add, 0))) throw lostLogit(model, null, (j) => row[j]);
        return {
          class: manifest.positive ?? manifest.classes[k],
          logit: logit[0],
          base: start,
          contributions: sources.map(({ name }, f) => ({ feature: name, value: values[f], contribution: phi[f] })),
        };
      });
    },
    table(table, asked, labels = null, firstRow = 0) {
      if (!(Number.isInteger(asked) && asked >= 1)) {
        throw new LogoddsError(
          'ERR_RANGE',
          `contributions of a row: expected an integer >= 1, got ${asked}; correct it`,
        );
      }
      const k = Math.min(asked, sources.length);
      const features = new Uint32Array(table.rows * k);
      const contributions = new Float64Array(table.rows * k);
      const all = new Float64Array(sources.length * BLOCK_ROWS);
      const vector = new Uint32Array(BLOCK_ROWS);
      const logits = new Float64Array(vectors * BLOCK_ROWS);
      visitRows(model, table, firstRow, (block) => {
        const { start, rows } = block;
        if (vectors > 1 && labels) vector.set(labels.subarray(start, start + rows));
        else if (vectors > 1) {
          for (let j = 0; j < vectors; j++) logitsOf(block, j, logits.subarray(j * BLOCK_ROWS));
          for (let i = 0; i < rows; i++) vector[i] = greatest(logits, i, BLOCK_ROWS, vectors);
        }
        contribute(block, vector, BLOCK_ROWS, all);
        for (let i = 0; i < rows; i++) {
          let sum = 0;
          for (let f = 0; f < sources.length; f++) {
            const contribution = all[f * BLOCK_ROWS + i];
            sum += contribution;
            insert(features, contributions, (start + i) * k, Math.min(f, k), k, f, contribution);
          }
          if (Number.isNaN(sum)) throw lostLogit(model, firstRow + start + i, (j) => block.columns[j][i]);
        }
      });
      return { rows: table.rows, k, features, contributions };
    },
  };
}

const add = (sum: number, one: number): number => sum + one;

type Entries = Pick<EncodedRows, 'rows' | 'columns' | 'offsets'>;

/** Puts a contribution among the `count` of a row that are there, in falling order of size, if it is one of the k greatest. */
function insert(
  features: Uint32Array,
  contributions: Float64Array,
  start: number,
  count: number,
  k: number,
  feature: number,
  contribution: number,
): void {
  let at = start + count;
  const size = Math.abs(contribution);
  while (at > start && size > Math.abs(contributions[at - 1])) {
    if (at < start + k) {
      features[at] = features[at - 1];
      contributions[at] = contributions[at - 1];
    }
    at--;
  }
  if (at === start + k) return;
  features[at] = feature;
  contributions[at] = contribution;
}

/** Mean of each slot in training; of models that do not have it, from the schema, whose numbers say nothing of missing cells. */
function baselineOf({ baseline, encoder }: Explained): Float64Array {
  if (baseline) return baseline;
  const out = new Float64Array(encoder.slots);
  const done = new Map<number, number>();
  slotNames(encoder).forEach(({ feature, role }, slot) => {
    // index of the slot among those of its feature
    const index = done.get(feature) ?? 0;
    done.set(feature, index + 1);
    out[slot] = meanOf(encoder.schema.features[feature], index, role);
  });
  return out;
}

function meanOf(feature: Feature, index: number, role: string): number {
  if (role === 'number')
    return feature.kind === 'numeric' ? feature.mean : 'means' in feature ? (feature.means[index] ?? 0) : 0;
  if (role === 'present') return 1;
  if (!('counts' in feature) || 'means' in feature) return 0;
  const total = feature.counts.reduce((sum, count) => sum + count, 0);
  return total > 0 ? (feature.counts[index] ?? 0) / total : 0;
}

export type { Explained, Source };
