import { LogoddsError } from '../../bindings/errors.ts';
import { sigmoid } from '../../bindings/js/math.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { refuseAbsent } from '../encode/columns.ts';
import { Encoder, recordNumber } from '../encode/encoder.ts';
import type { Manifest } from './manifest.ts';
import { type Scorer, type ScorerOptions, tableScorer } from './scorer.ts';

/** What a `Model` is made of. */
export interface ModelParts {
  readonly manifest: Manifest;
  /** one weight per slot of the encoder, for raw (not standardised) features */
  readonly weights: Float64Array;
  readonly intercept: number;
  /** of weights and intercept (last), (slots + 1)², row-major; rows and columns of pinned parameters are 0; null without inference */
  readonly covariance: Float64Array | null;
  /** digest of the file it came from; absent or null for a model that comes from no file */
  readonly sha256?: string | null;
}

/** What a model says about one record. */
export interface RecordScore {
  /** z = x·w + intercept + offset */
  readonly logit: number;
  /** of the positive class: 1/(1 + exp(−z)) */
  readonly probability: number;
  /** the positive class when probability > threshold, else the other one */
  readonly label: string;
}

/**
 * A fitted binary logistic regression: it scores, and it does not change.
 *
 *   logit = x·w + intercept + offset,   probability = 1/(1 + exp(−logit))
 *
 * Made by `fit` or `loadModel`; saved by `saveModel`; `coefficients` lists what was estimated.
 */
export class Model implements ModelParts {
  readonly manifest: Manifest;
  readonly weights: Float64Array;
  readonly intercept: number;
  readonly covariance: Float64Array | null;
  /** SHA-256 of the file it was loaded from, in hexadecimal; null for a model that was never in a file */
  readonly sha256: string | null;
  readonly encoder: Encoder;
  readonly #row: Float64Array;
  readonly #negative: string;

  /** @throws ERR_SHAPE when the schema has another number of slots than there are weights, or covariance is not (slots + 1)² */
  constructor(parts: ModelParts) {
    const { manifest, weights, covariance } = parts;
    this.manifest = manifest;
    this.weights = weights;
    this.intercept = parts.intercept;
    this.covariance = covariance;
    this.sha256 = parts.sha256 ?? null;
    this.encoder = new Encoder(manifest.schema);
    this.#row = new Float64Array(this.encoder.specs.length);
    this.#negative = manifest.classes[manifest.classes[0] === manifest.positive ? 1 : 0];
    const { slots } = this.encoder;
    if (weights.length !== slots || (covariance && covariance.length !== (slots + 1) ** 2)) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `model: expected ${slots} weights (slots of its schema) and ${(slots + 1) ** 2} covariances or null, ` +
          `got ${weights.length} and ${covariance?.length ?? null}`,
      );
    }
  }

  /**
   * Scores one record by field names, without an engine: the same bits as a table in f64.
   * Terms are added in the order of the columns: intercept, then x·w or w[slot] per column, then the offset.
   * @throws ERR_SCHEMA when fields are absent (null is a missing value); other fields are ignored
   * @throws ERR_RECORD when a value cannot be used; the message names the field
   */
  score(record: Readonly<Record<string, unknown>>): RecordScore {
    const { weights, encoder } = this;
    const { offset, positive, decision } = this.manifest;
    const { specs } = encoder;
    const row = this.#row;
    encoder.encodeRecord(record, row);
    let logit = this.intercept;
    let first = 0;
    for (let j = 0; j < specs.length; j++) {
      const spec = specs[j];
      if (spec.kind === 'numeric') {
        logit += row[j] * weights[first++];
      } else {
        logit += weights[first + row[j]];
        first += spec.slots;
      }
    }
    if (offset !== null) {
      if (!(offset in record)) refuseAbsent('record', [offset], Object.keys(record));
      logit += recordNumber(offset, record[offset]);
    }
    const probability = sigmoid(logit);
    return { logit, probability, label: probability > decision.threshold ? positive : this.#negative };
  }

  /** A scorer of tables on an engine; it holds memory of the engine until `free()`. */
  scorer(engine: ScoringEngine, options?: ScorerOptions): Scorer {
    return tableScorer(this, engine, options);
  }
}
