import { LogoddsError, refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { twoSidedP } from '../../math/normal.ts';
import { between } from '../check.ts';
import type { Prediction } from '../log/prediction.ts';

/** Scores of a log against scores computed again from its inputs. */
export interface ScoreSkew {
  readonly rows: number;
  /** equal to the bit: logit, probability and label */
  readonly equal: number;
  readonly different: number;
  /** lines without inputs */
  readonly withoutInputs: number;
  /** inputs that the model refuses now */
  readonly refused: number;
  /** greatest difference of logits, and of probabilities */
  readonly greatestLogit: number;
  readonly greatestProbability: number;
  /** ids of the first rows that differ or are refused, at most twenty */
  readonly examples: readonly string[];
}

/** A score that was computed again. */
export interface Rescored {
  readonly logit: number | ArrayLike<number>;
  /** as a log has it: with two classes that of the positive one, else that of the label */
  readonly probability: number;
  readonly label: string;
}

/** Ids that are given as examples. */
const EXAMPLES = 20;

/**
 * Computes logged scores again from their inputs, and counts those that are not the same to the bit. The same model file and inputs give the same bits on every
 * runtime, so one that differs was scored by another model, from other inputs, or by an encoder that is not that of training.
 * @param predictions  of a prediction log, of one model
 * @param score  the model: from the inputs to a score; what it throws counts as refused
 * @returns counts and examples; nothing is kept of rows
 * @example
 * const { logit, probability, label } = model.score(flight);
 * const line = { at: 0, id: 'a', entity: null, model: 'm', version: '1', sha256: model.sha256, route: null, logit, probability, label, inputs: flight };
 * scoreSkew([line, { ...line, id: 'b', logit: logit + 1e-15 }], (inputs) => model.score(inputs)).examples; // ['b']
 */
export function scoreSkew(
  predictions: Iterable<Prediction>,
  score: (inputs: Readonly<Record<string, unknown>>) => Rescored,
): ScoreSkew {
  const found = {
    rows: 0,
    equal: 0,
    different: 0,
    withoutInputs: 0,
    refused: 0,
    greatestLogit: 0,
    greatestProbability: 0,
  };
  const examples: string[] = [];
  const blame = (id: string) => {
    if (examples.length < EXAMPLES) examples.push(id);
  };
  for (const { id, inputs, logit, probability, label } of predictions) {
    found.rows++;
    if (!inputs) {
      found.withoutInputs++;
      continue;
    }
    let again: Rescored;
    try {
      again = score(inputs);
    } catch {
      found.refused++;
      blame(id);
      continue;
    }
    const [mine, theirs] = [listOf(logit), listOf(again.logit)];
    const isEqual =
      mine.length === theirs.length &&
      mine.every((value, k) => Object.is(value, theirs[k])) &&
      Object.is(probability, again.probability) &&
      label === again.label;
    if (isEqual) {
      found.equal++;
      continue;
    }
    found.different++;
    blame(id);
    const apart = mine.map((value, k) => (k < theirs.length ? Math.abs(value - theirs[k]) : 0));
    found.greatestLogit = Math.max(found.greatestLogit, ...apart);
    found.greatestProbability = Math.max(found.greatestProbability, Math.abs(probability - again.probability));
  }
  return { ...found, examples };
}

const listOf = (value: number | ArrayLike<number>): number[] =>
  typeof value === 'number' ? [value] : Array.from(value);

/** What is known of a slot of an encoder, or of any column of numbers. */
export interface SlotStatistics {
  readonly name: string;
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

/** How the means of a slot differ between two sides. */
export interface SlotSkew {
  readonly name: string;
  /** current mean − reference mean, and that in standard deviations of the reference; null where those are 0 and the means differ */
  readonly difference: number;
  readonly standardised: number | null;
  /** of a test of equal means, and that with all slots in mind (Holm); null when a side has fewer than two rows */
  readonly p: number | null;
  readonly adjustedP: number | null;
  readonly isSkewed: boolean;
}

/**
 * Compares what an encoder made in training with what it makes in serving, slot by slot.
 *
 *   z = (m₂ − m₁)/√(s₁²/n₁ + s₂²/n₂);   p by the normal distribution, adjusted over the slots by Holm's method
 *
 * A slot is skewed when its adjusted p is at most alpha and the difference is at least `least` standard deviations of the reference. A slot that was constant and is
 * another constant now is skewed.
 * @param reference  statistics of the slots in training
 * @param current  the same slots, by name, in serving
 * @throws ERR_SHAPE a slot of one side that the other does not have; ERR_RANGE statistics that are no numbers, a negative variance
 * @see Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6, 1979
 * @example
 * const [before] = encoderSkew([{ name: 'age', count: 900, mean: 40, variance: 100 }], [{ name: 'age', count: 100, mean: 46, variance: 100 }]);
 * before.standardised; // 0.6
 * before.isSkewed; // true
 */
export function encoderSkew(
  reference: readonly SlotStatistics[],
  current: readonly SlotStatistics[],
  options: { readonly alpha?: number; readonly least?: number } = {},
): readonly SlotSkew[] {
  refuseUnknown('encoderSkew', options, { alpha: true, least: true });
  const alpha = between('alpha', options.alpha ?? 0.01, 0, 1);
  const { least = 0.1 } = options;
  if (!(least >= 0)) refuse('ERR_RANGE', 'least', 'a number from 0', tell(least), 'correct it');
  const now = new Map(current.map((slot) => [slot.name, slot]));
  const odd =
    reference.find(({ name }) => !now.has(name))?.name ??
    current.find(({ name }) => !reference.some((slot) => slot.name === name))?.name;
  if (odd !== undefined || now.size !== reference.length)
    throw new LogoddsError(
      'ERR_SHAPE',
      `slots: expected the same on both sides, got ${tell(odd)} on one; compare files of one model`,
    );
  const rows = reference.map((before) => {
    const after = now.get(before.name)!;
    for (const { count, mean, variance } of [before, after])
      if (!(count >= 0 && Number.isFinite(mean) && variance >= 0 && variance < Number.POSITIVE_INFINITY))
        refuse(
          'ERR_RANGE',
          before.name,
          'a count, a mean and a variance >= 0',
          tell({ count, mean, variance }),
          'leave slots without rows out',
        );
    const difference = after.mean - before.mean;
    const deviation = Math.sqrt(before.variance);
    const standardised = deviation > 0 ? difference / deviation : difference === 0 ? 0 : null;
    const error = Math.sqrt(before.variance / before.count + after.variance / after.count);
    const isKnown = before.count >= 2 && after.count >= 2;
    const p = !isKnown ? null : error > 0 ? twoSidedP(difference / error) : difference === 0 ? 1 : 0;
    return { name: before.name, difference, standardised, p };
  });
  const order = rows.flatMap(({ p }, k) => (p === null ? [] : [{ p, k }])).sort((a, b) => a.p - b.p);
  const adjusted = new Map<number, number>();
  let greatest = 0;
  for (const [rank, { p, k }] of order.entries()) {
    greatest = Math.max(greatest, Math.min(1, p * (order.length - rank)));
    adjusted.set(k, greatest);
  }
  return rows.map((row, k) => {
    const adjustedP = adjusted.get(k) ?? null;
    const isFar = row.standardised === null || Math.abs(row.standardised) >= least;
    return { ...row, adjustedP, isSkewed: adjustedP !== null && adjustedP <= alpha && isFar };
  });
}
