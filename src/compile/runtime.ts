// What every generated module has inside: scripts/build.mjs bundles this file and its imports as text. Straight code reads the usual
// values of a record; this does everything else, by the functions that `Model.score` calls.
import type { LogoddsError } from '../../bindings/errors.ts';
import { sigmoid } from '../../bindings/js/math.ts';
import { bounded } from '../calibrate/apply.ts';
import type { Encoders } from '../encode/coder.ts';
import { all } from '../encode/columns.ts';
import { lostLogit } from '../encode/lostLogit.ts';
import { expectFields, type Fields, put, recordNumber, turnsOf } from '../encode/turn.ts';
import type { Manifest } from '../model/manifest.ts';
import type { RecordScore } from '../model/scores.ts';
import type { OutcomeStage } from '../model/stages.ts';

/** The part of a manifest that scoring reads. */
export type Needed = Pick<
  Manifest,
  'classes' | 'positive' | 'multiclass' | 'calibration' | 'decision' | 'offset' | 'schema'
>;

/** The stages that a bundle has. */
interface Bundled {
  readonly encoders?: Encoders;
  readonly outcomes?: OutcomeStage;
}

/**
 * Prepares what generated code calls.
 * @param weights  K × slots, vector after vector
 * @param intercept  length K
 */
export function prepare(
  manifest: Needed,
  weights: Float64Array,
  intercept: Float64Array,
  { encoders = {}, outcomes }: Bundled,
) {
  const { schema, calibration } = manifest;
  const { offsets, slots, firstColumns, turns, crosses } = turnsOf(schema, encoders);

  /** Reads field i where its value is not a plain one. @returns as `Coder.writeRecord` */
  const read = (i: number, record: object, value: unknown, row: Float64Array): number =>
    put(turns[i], record, value, row);

  /** Labels of field i by their offsets, and for each of them what `of` makes of its code. */
  const table = (
    i: number,
    least: number,
    size: number,
    place: (label: string) => number,
    of: (code: number) => number,
  ): readonly [labels: readonly string[], values: Float64Array] => {
    // an empty label has no place, so it stands for none
    const labels = Array.from({ length: size }, () => '');
    const values = new Float64Array(size);
    for (const [label, code] of turns[i].codes) {
      if (label.length < least || labels[place(label)] !== '') continue;
      labels[place(label)] = label;
      values[place(label)] = of(code);
    }
    return [labels, values];
  };

  /** Throws all that is wrong with a record, not the first field only. */
  const refuse = (error: unknown, record: Fields, row: Float64Array): never => {
    if ((error as LogoddsError).code === 'ERR_RECORD') all(turns, (turn) => put(turn, record, record[turn.field], row));
    throw error;
  };

  /** Writes what is made of other features. */
  const cross = (row: Float64Array): number =>
    crosses.reduce((sum, { coder, at }) => sum + coder!.writeRecord(null, row, at), 0);

  /** x·w + intercept of weight vector k, as `Model.score` adds it up */
  const sum = (row: Float64Array, k: number): number => {
    let logit = intercept[k];
    const first = k * slots;
    for (let j = 0; j < offsets.length; j++) {
      const at = offsets[j];
      logit += at < 0 ? weights[first + ~at + (row[j] | 0)] : row[j] * weights[first + at];
    }
    return logit;
  };

  /** The error of a row whose logit is no number. */
  const lost = (row: Float64Array): LogoddsError =>
    lostLogit({ weights, manifest, encoder: { schema, offsets, firstColumns, slots } }, null, (j) => row[j]);

  /** The score of a row by the logits of several classes. */
  const scoreOf = (row: Float64Array, defaulted: number, outOfRange: number): RecordScore => {
    const logits = intercept.map((_, k) => sum(row, k));
    const score = outcomes!.record(manifest as Manifest, logits, defaulted, outOfRange);
    if (!(score.probability >= 0)) throw lost(row);
    return score;
  };

  /** The probability of the positive class of two by a calibrator that has no straight code. */
  const calibrated = (z: number): number => outcomes!.probability(calibration!, z);

  return {
    bounded,
    calibrated,
    cross,
    expect: expectFields,
    lost,
    number: recordNumber,
    read,
    refuse,
    scoreOf,
    sigmoid,
    sum,
    table,
  };
}
