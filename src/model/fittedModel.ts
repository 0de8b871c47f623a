import { LogoddsError } from '../../bindings/errors.ts';
import type { Precision } from '../../bindings/layout.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import type { Decision } from '../decide/decision.ts';
import type { Data } from '../encode/checkedTable.ts';
import { tableFromRecords } from '../encode/records.ts';
import type { Table } from '../encode/table.ts';
import { show } from '../messages.ts';
import { type Field, fieldsOf } from './fields.ts';
import { copyOf } from './manifest.ts';
import { Model } from './model.ts';
import type { TableOptions } from './scorer.ts';
import type { Scores } from './scores.ts';
import { calibratedManifest, decidedManifest } from './with.ts';

/**
 * A model of `logodds`. Beyond scoring it lists its input fields, scores arrays of records as tables, and returns copies with another
 * calibration or decision. `fit` and `loadModel` make one.
 * @example
 * const { probability, label } = model.score(flight);
 * probability; // 0.9114
 * label; // 'yes'
 */
export class FittedModel extends Model {
  /** The inputs of the model: fields of a record, or columns of a table. */
  get fields(): Field[] {
    return fieldsOf(this);
  }

  /**
   * Returns a copy of the model with another calibration, decision or band for review. This model does not change. The copy has no `sha256`, since
   * it comes from no file.
   *
   * The threshold applies to calibrated probabilities. `review: null` removes a band.
   * @throws ERR_RANGE a calibration or decision that a model file could not hold: costs of another shape, a mistake that is cheaper than the hit, or a band whose
   * ends are not numbers in order
   * @example
   * const careful = model.with({ decision: { threshold: 0.95 }, review: { low: 0.4, high: 0.95 } });
   * careful.score(flight).label; // 'no'
   * careful.score(flight).review; // true
   */
  with(changes: {
    readonly calibration?: Calibration;
    readonly decision?: Decision;
    readonly review?: Decision['abstain'] | null;
  }): FittedModel {
    const { calibration, decision, review, ...others } = Object(changes) as typeof changes;
    const [other] = Object.keys(others);
    // not `refuseUnknown`: programs that only score would ship it
    if (other !== undefined) {
      throw new LogoddsError(
        'ERR_RANGE',
        `with: expected calibration, decision or review, got ${show(other)}; correct the name`,
      );
    }
    let { manifest } = this;
    if (calibration) manifest = calibratedManifest(manifest, calibration);
    if (decision || review !== undefined) {
      const { abstain, ...own } = { abstain: manifest.decision.abstain, ...(decision ?? manifest.decision) };
      const band = review === undefined ? abstain : review;
      manifest = decidedManifest(manifest, band ? { ...own, abstain: band } : own);
    }
    const { weights, intercept, covariance, baseline, stages } = this;
    return new FittedModel({
      // nothing is shared with the caller or this model
      manifest: copyOf(manifest),
      weights: weights.slice(),
      intercept: intercept.slice(),
      covariance: covariance?.slice() ?? null,
      baseline: baseline?.slice() ?? null,
      stages,
    });
  }

  /**
   * Scores a table, or an array of records. Both give the same bits.
   * @param options  engine, precision and capacity; see `TableOptions`
   * @throws as `Scorer.score`; for records as `score`, with the number of the record
   * @example
   * model.scoreTable(records.slice(0, 3)).labels; // [0, 1, 0]
   */
  override scoreTable<P extends Precision = 'f64'>(data: Data, options?: TableOptions<P>): Scores<P> {
    if (!Array.isArray(data)) return super.scoreTable(data as Table, options);
    return super.scoreTable(
      tableFromRecords(
        data,
        this.fields.map(({ name }) => name),
      ),
      options,
    );
  }
}
