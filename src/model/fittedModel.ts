import type { Precision } from '../../bindings/layout.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import type { Decision } from '../decide/decision.ts';
import type { Data } from '../encode/checkedTable.ts';
import { tableFromRecords } from '../encode/records.ts';
import type { Table } from '../encode/table.ts';
import { type Field, fieldsOf } from './fields.ts';
import { Model } from './model.ts';
import type { TableOptions } from './scorer.ts';
import type { Scores } from './scores.ts';
import { calibratedManifest, decidedManifest } from './with.ts';

/**
 * A model of `logodds`: it also says what it reads, takes records where tables are taken, and gives models with another calibration or
 * decision.
 */
export class FittedModel extends Model {
  /** What the model reads: the fields of a record, the columns of a table. */
  get fields(): Field[] {
    return fieldsOf(this);
  }

  /**
   * A model with another calibration, decision or band for review. It comes from no file; this one stays what it is.
   *
   * A threshold is one on calibrated probabilities from then on. `review: null` takes a band away.
   * @throws ERR_RANGE a calibration or decision that a model file could not hold: costs of another shape, in which a mistake is cheaper than the
   * hit, or a band whose ends are no numbers in order; another change than these
   * @example
   * const careful = model.with({ decision: { threshold: 0.8 }, review: { low: 0.6, high: 0.8 } });
   */
  with(changes: {
    readonly calibration?: Calibration;
    readonly decision?: Decision;
    readonly review?: Decision['abstain'] | null;
  }): FittedModel {
    refuseUnknown('with', changes, { calibration: true, decision: true, review: true });
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
   * Scores a table, or records one after another: the same bits.
   * @throws as `Scorer.score`; of records as `score`, naming the number of the record
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
