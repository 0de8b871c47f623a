import { LogoddsError } from '../../bindings/errors.ts';
import { sigmoid } from '../../bindings/js/math.ts';
import { jsScoringKernels } from '../../bindings/js/scoring.ts';
import type { Precision } from '../../bindings/layout.ts';
import { onJavaScript, ScoringEngine } from '../../bindings/scoring.ts';
import { missingStage } from '../encode/coder.ts';
import { Encoder } from '../encode/encoder.ts';
import { lostLogit } from '../encode/lostLogit.ts';
import type { Table } from '../encode/table.ts';
import { expectFields, type Fields, recordNumber } from '../encode/turn.ts';
import type { Manifest } from './manifest.ts';
import { type Scorer, type ScorerOptions, type TableOptions, tableScorer } from './scorer.ts';
import type { RecordError, RecordScore, Scores } from './scores.ts';
import { needsOutcomes, type OutcomeStage, type Stages } from './stages.ts';

/**
 * The parts of a `Model`. With two classes there is one weight vector (K = 1), with more one for each class, in the order of the classes.
 */
export interface ModelParts {
  readonly manifest: Manifest;
  /** K × slots of the encoder, vector after vector, for raw (not standardised) features */
  readonly weights: Float64Array;
  /** length K */
  readonly intercept: Float64Array;
  /**
   * (K·(slots + 1))², row-major: for each vector its weights, then its intercept. Rows and columns of parameters that were not estimated are 0. null
   * without inference.
   */
  readonly covariance: Float64Array | null;
  /**
   * length slots: weighted mean of each slot in the training rows, which explanations start from; absent or null: not known
   */
  readonly baseline?: Float64Array | null;
  /** the stages that the manifest needs; default none */
  readonly stages?: Stages;
  /** digest of the file that the model was loaded from; absent or null: it comes from no file */
  readonly sha256?: string | null;
}

/** How many weight vectors a model of these classes has. */
export function vectorsOf({ classes }: Manifest): number {
  return classes.length > 2 ? classes.length : 1;
}

/**
 * A fitted logistic regression. It scores, and it never changes.
 *
 *   two classes   logit = x·w + intercept + offset,   probability = 1/(1 + exp(−logit))
 *   multinomial   logitₖ = x·wₖ + interceptₖ,   probabilityₖ = exp(logitₖ)/Σ exp(logitⱼ)
 *   one-vs-rest   the same logits,   probabilityₖ = σ(logitₖ)/Σ σ(logitⱼ)
 *
 * A calibration in the manifest replaces these probabilities. The label follows the manifest's `decision`. By default it is, with two classes, the
 * positive one when probability > threshold; with more the one with the greatest logit (with a calibration the greatest probability), the first if
 * several are equal, as in scikit-learn's `predict`.
 * @example
 * const model = loadModel(bytes);
 * model.score(flight).probability; // 0.9114
 * model.scoreRecords([flight, { distance: 300, origin: 'ATL' }]).map(({ label }) => label); // ['yes', 'no']
 */
export class Model implements ModelParts {
  readonly manifest!: Manifest;
  readonly weights!: Float64Array;
  readonly intercept!: Float64Array;
  readonly covariance!: Float64Array | null;
  /** SHA-256 of the file it was loaded from, in hexadecimal; null for a model that comes from no file */
  readonly sha256!: string | null;
  readonly baseline!: Float64Array | null;
  readonly stages!: Stages;
  readonly encoder!: Encoder;
  /** a record encoded, for the next */
  #spare: Float64Array | null = null;
  readonly #negative: string;
  readonly #outcomes: OutcomeStage | null;

  /**
   * @param encoder  of the schema, where there is one already @internal
   * @throws ERR_SHAPE when weights, intercept, covariance or baseline do not have the lengths that schema and classes require
   * @throws ERR_FORMAT when the manifest needs a stage that is absent
   */
  constructor(parts: ModelParts, encoder = new Encoder(parts.manifest.schema, parts.stages?.encoders)) {
    const { manifest, weights, intercept, covariance, baseline = null, stages = {}, sha256 = null } = parts;
    Object.assign(this, { manifest, weights, intercept, covariance, sha256, baseline, stages, encoder });
    const needed = needsOutcomes(manifest);
    if (needed && !stages.outcomes) throw missingStage('outcomes', 'for its classes, calibration or decision');
    this.#outcomes = (needed && stages.outcomes) || null;
    this.#negative = manifest.classes.find((name) => name !== manifest.positive)!;
    const vectors = vectorsOf(manifest);
    const { slots } = this.encoder;
    const count = vectors * slots;
    const covariances = covariance?.length ?? 0;
    if (
      weights.length !== count ||
      intercept.length !== vectors ||
      (baseline && baseline.length !== slots) ||
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
   * Scores one record by its field names, without an engine. It gives the bits of a table in f64.
   *
   * Terms are added in the order of the columns: intercept, then x·w or w[slot] for each column, then the offset; the softmax in the order of the
   * classes.
   * @param record  a field for each column that the model reads; null is a missing value; other fields are ignored
   * @throws ERR_SCHEMA when fields are absent
   * @throws ERR_RECORD when a value cannot be used, or terms overflow so that the logit is no number (∞ − ∞; with several classes also when
   *   several logits are the greatest and infinite); the message names the field
   * @example
   * model.score(flight).logit; // 2.3303
   * model.score({ distance: null, origin: 'LAS' }).defaulted; // 0.5
   * model.score({ distance: 1200 }); // throws ERR_SCHEMA
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
      expectFields(record, [offset]);
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
   * @param options  `onError: 'throw'` (default) stops at the first record that cannot be scored; `collect` puts its error in the place of its score
   * and goes on
   * @throws as `score`, with the number of the record; with `collect` no error of a record is thrown
   * @example
   * const found = model.scoreRecords([flight, { distance: 'far', origin: 'LAS' }], { onError: 'collect' });
   * found[0].probability; // 0.9114
   * found[1].error.code; // 'ERR_RECORD'
   */
  scoreRecords(records: readonly object[], options?: { readonly onError?: 'throw' }): RecordScore[];
  scoreRecords(
    records: readonly object[],
    options: { readonly onError?: 'throw' | 'collect' },
  ): (RecordScore | RecordError)[];
  scoreRecords(records: readonly object[], options?: { readonly onError?: string }): (RecordScore | RecordError)[] {
    return records.map((record, row) => {
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
    const { offsets, slots } = this.encoder;
    let logit = this.intercept[k];
    const first = k * slots;
    for (let j = 0; j < offsets.length; j++) {
      const at = offsets[j];
      logit += at < 0 ? weights[first + ~at + (row[j] | 0)] : row[j] * weights[first + at];
    }
    return logit;
  }

  #lost(row: Float64Array): LogoddsError {
    return lostLogit(this, null, (j) => row[j]);
  }

  /**
   * Returns a scorer of tables on an engine. It holds memory of the engine during a call only, unless `reuse` is true.
   * @example
   * const scorer = model.scorer(engine);
   * scorer.score(table).labels.slice(0, 3); // [0, 1, 0]
   */
  scorer<P extends Precision = 'f64'>(engine: ScoringEngine, options?: ScorerOptions<P>): Scorer<P> {
    return tableScorer(this, this.#outcomes, engine, options) as Scorer<P>;
  }

  /**
   * Scores a table.
   * @param options  `engine`: default the JavaScript engine, which gives the same bits; others as for `scorer`
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
