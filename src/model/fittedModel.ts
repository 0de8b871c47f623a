import type { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import type { Engine } from '../../bindings/engine.ts';
import type { RowsBatch } from '../../bindings/rowsBatch.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import type { Decision } from '../decide/decision.ts';
import type { Data } from '../encode/checkedTable.ts';
import { tableFromRecords } from '../encode/records.ts';
import type { Table } from '../encode/table.ts';
import { type Field, fieldsOf, type InputSchema, inputSchema, inputType } from './fields.ts';
import { Model } from './model.ts';
import { scoreBatch } from './scoreBatch.ts';
import type { ScorerOptions } from './scorer.ts';
import type { Scores } from './scores.ts';
import { calibratedManifest, decidedManifest } from './with.ts';

/**
 * A model of `logodds`: it also says what it reads, takes records where tables are taken, scores batches in linear memory, and gives models
 * with another calibration or decision.
 */
export class FittedModel extends Model {
  /** What the model reads: the fields of a record, the columns of a table. */
  get fields(): Field[] {
    return fieldsOf(this);
  }

  /** The JSON Schema of its records. @see fieldsOf */
  inputSchema(): InputSchema {
    return inputSchema(this);
  }

  /** The TypeScript type of its records, as source text. */
  inputType(name?: string): string {
    return inputType(this, name);
  }

  /**
   * A model with another calibration, decision or band for review. It comes from no file; this one stays what it is.
   *
   * A threshold is one on calibrated probabilities from then on. `review: null` takes a band away.
   * @throws ERR_RANGE a decision that a model file could not hold: costs of another shape, in which a mistake is cheaper than the hit, or a band
   * whose ends are no numbers in order
   * @example
   * const careful = model.with({ decision: { threshold: 0.8 }, review: { low: 0.6, high: 0.8 } });
   */
  with(changes: {
    readonly calibration?: Calibration;
    readonly decision?: Decision;
    readonly review?: Decision['abstain'] | null;
  }): FittedModel {
    const { calibration, decision, review } = changes;
    let { manifest } = this;
    if (calibration) manifest = calibratedManifest(manifest, calibration);
    if (decision || review !== undefined) {
      const { abstain, ...own } = decision ?? manifest.decision;
      const band = review === undefined ? abstain : review;
      manifest = decidedManifest(manifest, band ? { ...own, abstain: band } : own);
    }
    const { weights, intercept, covariance, baseline, stages } = this;
    return new FittedModel({ manifest, weights, intercept, covariance, baseline, stages });
  }

  /**
   * Scores a table, or records as a table.
   * @param options  `engine`: the JavaScript engine when absent, which gives the same bits; the others as of `scorer`
   * @throws as `Scorer.score`
   */
  override scoreTable(data: Data, options?: Omit<ScorerOptions, 'reuse'> & { readonly engine?: Engine }): Scores {
    const named = () => this.fields.map(({ name }) => name);
    return super.scoreTable(Array.isArray(data) ? tableFromRecords(data, named()) : (data as Table), options);
  }

  /**
   * Scores a batch that lies in linear memory: the same bits as a table of the same cells, through calibration and decision.
   *
   * The columns are those of the encoder: `engine.columns(rows, model.encoder.specs)`, numbers as they are, categories as codes of their slots.
   * Where all features are numbers, `engine.rows(rows, model.encoder.slots)` does as well.
   * @param offsets  one a row, for a model with an offset
   * @throws ERR_SHAPE a batch of other columns, or of another number of offsets; ERR_RECORD a row whose logit is no number
   */
  scoreBatch(engine: Engine, batch: ColumnsBatch | RowsBatch, offsets?: ArrayLike<number>): Scores {
    return scoreBatch(this, engine, batch, offsets);
  }
}
