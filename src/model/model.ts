import { LogoddsError } from '../../bindings/errors.ts';
import { sigmoid } from '../../bindings/js/math.ts';
import { jsScoringKernels } from '../../bindings/js/scoring.ts';
import type { Precision } from '../../bindings/layout.ts';
import { onJavaScript, ScoringEngine } from '../../bindings/scoring.ts';
import { missingStage } from '../encode/coder.ts';
import { Encoder, recordNumber } from '../encode/encoder.ts';
import { lostLogit } from '../encode/lostLogit.ts';
import type { Table } from '../encode/table.ts';
import type { Manifest } from './manifest.ts';
import { type Scorer, type ScorerOptions, type TableOptions, tableScorer } from './scorer.ts';
import type { RecordError, RecordScore, Scores } from './scores.ts';
import { needsOutcomes, type OutcomeStage, type Stages } from './stages.ts';

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
  /** length slots: weighted mean of each slot in the training rows, which explanations start from; absent or null: not known */
  readonly baseline?: Float64Array | null;
  /** what the manifest needs of them must be there */
  readonly stages?: Stages;
  /** digest of the file it came from; absent or null for a model that comes from no file */
  readonly sha256?: string | null;
}

/** How many weight vectors a model of these classes has. */
export function vectorsOf({ classes }: Manifest): number {
  return classes.length > 2 ? classes.length : 1;
}

/** What a record is read as. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * A fitted logistic regression: it scores, and it does not change.
 *
 *   two classes   logit = x·w + intercept + offset,   probability = 1/(1 + exp(−logit))
 *   multinomial   logitₖ = x·wₖ + interceptₖ,   probabilityₖ = exp(logitₖ)/Σ exp(logitⱼ)
 *   one-vs-rest   the same logits,   probabilityₖ = σ(logitₖ)/Σ σ(logitⱼ)
 *
 * and the calibration of the manifest in place of these probabilities, where it has one. The label follows its `decision`: of two classes
 * probability > threshold; of more the greatest logit (with a calibration probability), the first if several, as scikit-learn's `predict`.
 * Made by `fit` or `loadModel`; saved by `saveModel`; `coefficients` lists what was estimated.
 */
export class Model implements ModelParts {
  readonly manifest: Manifest;
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly covariance: Float64Array | null;
  /** SHA-256 of the file it was loaded from, in hexadecimal; null for a model that was never in a file */
  readonly sha256: string | null;
  readonly baseline: Float64Array | null;
  readonly stages: Stages;
  readonly encoder: Encoder;
  /** a record encoded, for the next */
  #spare: Float64Array | null = null;
  readonly #negative: string;
  readonly #outcomes: OutcomeStage | null;
  /** per column of a batch its slots; 0: numeric */
  readonly #slots: Uint32Array;

  /**
   * @throws ERR_SHAPE when schema and classes ask for other lengths of weights, intercept, covariance or baseline
   * @throws ERR_FORMAT when a stage is needed that is not there
   */
  constructor(parts: ModelParts) {
    const { manifest, weights, intercept, covariance, baseline = null, stages = {} } = parts;
    this.manifest = manifest;
    this.weights = weights;
    this.intercept = intercept;
    this.covariance = covariance;
    this.sha256 = parts.sha256 ?? null;
    this.baseline = baseline;
    this.stages = stages;
    const needed = needsOutcomes(manifest);
    if (needed && !stages.outcomes) throw missingStage('outcomes', 'for its classes, calibration or decision');
    this.#outcomes = (needed && stages.outcomes) || null;
    this.encoder = new Encoder(manifest.schema, stages.encoders);
    this.#slots = Uint32Array.from(this.encoder.specs, ({ slots = 0 }) => slots);
    this.#negative = manifest.classes.find((name) => name !== manifest.positive)!;
    const vectors = vectorsOf(manifest);
    const count = vectors * this.encoder.slots;
    const covariances = covariance?.length ?? 0;
    if (
      weights.length !== count ||
      intercept.length !== vectors ||
      (baseline && baseline.length !== this.encoder.slots) ||
      (covariance && covariances !== (count + vectors) ** 2)
    ) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `model: expected ${count} weights, ${vectors} intercepts and covariances, ` +
          `got ${weights.length}, ${intercept.length}, ${covariances}`,
      );
    }
  }

  /**
   * Scores one record by field names, without an engine: the same bits as a table in f64.
   * Terms are added in the order of the columns: intercept, then x·w or w[slot] per column, then the offset; softmax in the
   * order of the classes.
   * @throws ERR_SCHEMA when fields are absent (null is a missing value); other fields are ignored
   * @throws ERR_RECORD when a value cannot be used, or terms overflow so that the logit is no number (∞ − ∞; of several classes also when
   *   several logits are the greatest and infinite); the message names the field
   */
  score(record: object): RecordScore {
    const { offset, positive, decision, calibration } = this.manifest;
    const { encoder } = this;
    const row = this.#spare ?? new Float64Array(encoder.specs.length + 1);
    // a getter of the record may score
    this.#spare = null;
    const sources = encoder.sources || 1;
    const defaulted = encoder.encodeRecord(record as Fields, row) / sources;
    const outOfRange = row[row.length - 1] / sources;
    let logit = this.#logit(row, 0);
    if (offset !== null) {
      encoder.expect(record, [offset]);
      logit += recordNumber(offset, (record as Fields)[offset]);
    }
    this.#spare = row;
    if (positive === null || decision.abstain) {
      const logits = this.intercept.map((_, k) => (k === 0 ? logit : this.#logit(row, k)));
      const score = this.#outcomes!.record(this.manifest, logits, defaulted, outOfRange);
      if (!(score.probability >= 0)) throw this.#lost(row);
      return score;
    }
    const probability = calibration ? this.#outcomes!.probability(calibration, logit) : sigmoid(logit);
    // NaN is above no threshold: it would pass as the negative class
    if (!(probability >= 0)) throw this.#lost(row);
    const label = probability > decision.threshold ? positive : this.#negative;
    return { logit, probability, label, defaulted, outOfRange };
  }

  /**
   * Scores records one after another.
   * @param options  `onError: 'collect'`: a record that cannot be scored has its error in its place, and the others are scored
   * @throws as `score`, naming the number of the record; with `collect` nothing of a record
   */
  scoreRecords(records: readonly object[], options?: { readonly onError?: 'throw' }): RecordScore[];
  scoreRecords(
    records: readonly object[],
    options: { readonly onError?: 'throw' | 'collect' },
  ): (RecordScore | RecordError)[];
  scoreRecords(records: readonly object[], options?: { readonly onError?: string }): (RecordScore | RecordError)[] {
    return Array.from(records, (record, row) => {
      try {
        return this.score(record);
      } catch (error) {
        (error as Error).message = (error as Error).message.replace(/^record/, `$& ${row} (from 0)`);
        if (options?.onError === 'collect') return { error: error as Error };
        throw error;
      }
    });
  }

  /** x·w + intercept of weight vector k for the encoded row */
  #logit(row: Float64Array, k: number): number {
    const { weights } = this;
    const slots = this.#slots;
    let logit = this.intercept[k];
    let first = k * this.encoder.slots;
    for (let j = 0; j < slots.length; j++) {
      logit += slots[j] === 0 ? row[j] * weights[first] : weights[(first + row[j]) | 0];
      first += slots[j] || 1;
    }
    return logit;
  }

  #lost(row: Float64Array): LogoddsError {
    return lostLogit(this, null, (j) => row[j]);
  }

  /** A scorer of tables on an engine. It holds memory of the engine during a call only, unless that is asked for (`reuse`). */
  scorer<P extends Precision = 'f64'>(engine: ScoringEngine, options?: ScorerOptions<P>): Scorer<P> {
    return tableScorer(this, this.#outcomes, engine, options) as Scorer<P>;
  }

  /**
   * Scores a table.
   * @param options  `engine`: the JavaScript engine when absent, which gives the same bits; the others as of `scorer`
   * @throws as `Scorer.score`
   */
  scoreTable<P extends Precision = 'f64'>(table: Table, options?: TableOptions<P>): Scores<P> {
    const scorer = this.scorer(options?.engine ?? this.stages.f32?.engine() ?? ownEngine(), options);
    return scorer.score(table);
  }
}

/** where no engine is given; between calls nothing is in it */
let own: ScoringEngine | undefined;

function ownEngine(): ScoringEngine {
  own ??= onJavaScript(jsScoringKernels, ScoringEngine);
  return own;
}
