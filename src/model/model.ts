import { LogoddsError } from '../../bindings/errors.ts';
import { exp, greatest, sigmoid, softmax } from '../../bindings/js/math.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { refuseAbsent } from '../encode/columns.ts';
import { Encoder, recordNumber } from '../encode/encoder.ts';
import type { Manifest } from './manifest.ts';
import { type Scorer, type ScorerOptions, tableScorer } from './scorer.ts';

/** What a `Model` is made of. Two classes have one weight vector (K = 1), more have one each, in the order of the classes. */
export interface ModelParts {
  readonly manifest: Manifest;
  /** K × slots of the encoder, vector after vector, for raw (not standardised) features */
  readonly weights: Float64Array;
  /** length K */
  readonly intercept: Float64Array;
  /**
   * (K·(slots + 1))², row-major; of each vector its weights, then its intercept. Rows and columns of pinned parameters are 0;
   * null without inference.
   */
  readonly covariance: Float64Array | null;
  /** digest of the file it came from; absent or null for a model that comes from no file */
  readonly sha256?: string | null;
}

/** What a model says about one record. */
export interface RecordScore {
  /** z = x·w + intercept + offset; with more than two classes that of the label */
  readonly logit: number;
  /** of the positive class: 1/(1 + exp(−z)); with more than two classes that of the label */
  readonly probability: number;
  /** the positive class when probability > threshold, else the other one; of more the class of the greatest logit, the first if several */
  readonly label: string;
  /** with more than two classes: of each, in the order of the classes */
  readonly logits?: Float64Array;
  /** with more than two classes: of each, in the order of the classes */
  readonly probabilities?: Float64Array;
}

/** How many weight vectors a model of these classes has. */
export function vectorsOf({ classes }: Manifest): number {
  return classes.length > 2 ? classes.length : 1;
}

/**
 * A fitted logistic regression: it scores, and it does not change.
 *
 *   two classes   logit = x·w + intercept + offset,   probability = 1/(1 + exp(−logit))
 *   multinomial   logitₖ = x·wₖ + interceptₖ,   probabilityₖ = exp(logitₖ)/Σ exp(logitⱼ)
 *   one-vs-rest   the same logits,   probabilityₖ = σ(logitₖ)/Σ σ(logitⱼ)
 *
 * The label of more than two classes is the one of the greatest logit, the first if several (as scikit-learn's `predict`).
 * Made by `fit` or `loadModel`; saved by `saveModel`; `coefficients` lists what was estimated.
 */
export class Model implements ModelParts {
  readonly manifest: Manifest;
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly covariance: Float64Array | null;
  /** SHA-256 of the file it was loaded from, in hexadecimal; null for a model that was never in a file */
  readonly sha256: string | null;
  readonly encoder: Encoder;
  readonly #row: Float64Array;
  readonly #negative: string;

  /** @throws ERR_SHAPE when schema and classes ask for other lengths of weights, intercept or covariance */
  constructor(parts: ModelParts) {
    const { manifest, weights, intercept, covariance } = parts;
    this.manifest = manifest;
    this.weights = weights;
    this.intercept = intercept;
    this.covariance = covariance;
    this.sha256 = parts.sha256 ?? null;
    this.encoder = new Encoder(manifest.schema);
    this.#row = new Float64Array(this.encoder.specs.length);
    this.#negative = manifest.classes[manifest.classes[0] === manifest.positive ? 1 : 0];
    const vectors = vectorsOf(manifest);
    const count = vectors * this.encoder.slots;
    const covariances = covariance?.length ?? 0;
    if (
      weights.length !== count ||
      intercept.length !== vectors ||
      (covariance && covariances !== (count + vectors) ** 2)
    ) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `model: expected ${count} weights (slots of its schema), ${vectors} intercepts, their covariances or null, ` +
          `got ${weights.length}, ${intercept.length}, ${covariances}`,
      );
    }
  }

  /**
   * Scores one record by field names, without an engine: the same bits as a table in f64.
   * Terms are added in the order of the columns: intercept, then x·w or w[slot] per column, then the offset; softmax in the
   * order of the classes.
   * @throws ERR_SCHEMA when fields are absent (null is a missing value); other fields are ignored
   * @throws ERR_RECORD when a value cannot be used; the message names the field
   */
  score(record: Readonly<Record<string, unknown>>): RecordScore {
    const { offset, positive, decision } = this.manifest;
    this.encoder.encodeRecord(record, this.#row);
    if (positive === null) return this.#scoreClasses();
    let logit = this.#logit(0);
    if (offset !== null) {
      if (!(offset in record)) refuseAbsent('record', [offset], Object.keys(record));
      logit += recordNumber(offset, record[offset]);
    }
    const probability = sigmoid(logit);
    return { logit, probability, label: probability > decision.threshold ? positive : this.#negative };
  }

  /** x·w + intercept of weight vector k for the encoded row */
  #logit(k: number): number {
    const { weights, encoder } = this;
    const { specs } = encoder;
    const row = this.#row;
    let logit = this.intercept[k];
    let first = k * encoder.slots;
    for (let j = 0; j < specs.length; j++) {
      const spec = specs[j];
      if (spec.kind === 'numeric') {
        logit += row[j] * weights[first++];
      } else {
        logit += weights[first + row[j]];
        first += spec.slots;
      }
    }
    return logit;
  }

  #scoreClasses(): RecordScore {
    const { classes, multiclass } = this.manifest;
    const logits = new Float64Array(classes.length).map((_, k) => this.#logit(k));
    const probabilities = logits.slice();
    softmax(probabilities, 0, 1, classes.length, 1, exp, multiclass === 'ovr');
    const label = greatest(logits, 0, 1, classes.length);
    return { logit: logits[label], probability: probabilities[label], label: classes[label], logits, probabilities };
  }

  /** A scorer of tables on an engine; it holds memory of the engine until `free()`. */
  scorer(engine: ScoringEngine, options?: ScorerOptions): Scorer {
    return tableScorer(this, engine, options);
  }
}
