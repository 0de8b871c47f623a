import { greatest } from '../../bindings/js/math.ts';
import type { Decision } from './decision.ts';

type Numbers = Float64Array | Float32Array;

/**
 * The class of one row, as an index.
 *
 *   two classes             `positive` when probability > threshold, else the other one
 *   several, with costs     argminₖ Σⱼ pⱼ·costs[j][k], summed in the order of the classes, the first if several
 *   several, without        the class of the greatest score, the first if several
 *
 * @param positive  index of the positive class; −1 of more than two
 * @param probabilities  of two classes that of the positive one at `at`; of more class j at `at + j·plane`
 * @param scores  laid out as the probabilities: the logits, or the probabilities where calibration may reorder classes
 */
export function decide(
  { threshold, costs }: Decision,
  positive: number,
  probabilities: Numbers,
  scores: Numbers,
  at: number,
  plane: number,
  classes: number,
): number {
  if (positive >= 0) return probabilities[at] > threshold ? positive : 1 - positive;
  if (!costs) return greatest(scores, at, plane, classes);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < classes; k++) {
    let cost = 0;
    for (let j = 0; j < classes; j++) cost += probabilities[at + j * plane] * costs[j][k];
    if (cost < least) {
      least = cost;
      best = k;
    }
  }
  return best;
}

/**
 * Whether a row is for a person to review; its label stays the best guess. Parameters as of `decide`.
 *
 *   two classes   low ≤ probability ≤ high
 *   several       the greatest probability < high
 */
export function needsReview(
  { abstain }: Decision,
  positive: number,
  probabilities: Numbers,
  at: number,
  plane: number,
  classes: number,
): boolean {
  if (!abstain) return false;
  if (positive < 0) return probabilities[at + plane * greatest(probabilities, at, plane, classes)] < abstain.high;
  return probabilities[at] >= abstain.low && probabilities[at] <= abstain.high;
}

/**
 * `decide` and `needsReview` for the rows 0 to rows − 1 of planes.
 * @param labels  length ≥ rows, written: indices of classes
 * @param review  length ≥ rows, written: 1 for review; null: not asked for
 */
export function decideAll(
  decision: Decision,
  positive: number,
  probabilities: Numbers,
  scores: Numbers,
  plane: number,
  classes: number,
  rows: number,
  labels: Uint32Array,
  review: Uint8Array | null,
): void {
  for (let i = 0; i < rows; i++) {
    labels[i] = decide(decision, positive, probabilities, scores, i, plane, classes);
    if (review) review[i] = needsReview(decision, positive, probabilities, i, plane, classes) ? 1 : 0;
  }
}

/**
 * What is wrong with the decision of a model file that was read as JSON.
 * @param classes  of the model
 * @returns null for nothing, else where: "" for the decision itself, ".costs" for a field
 */
export function wrongInDecision(value: unknown, classes: number): string | null {
  if (!isObject(value)) return '';
  const { threshold, costs, abstain, chosen } = value;
  const isNumber = Number.isFinite;
  const isSquare =
    costs === undefined ||
    (isList(costs, classes) &&
      costs.every(
        (row, j) =>
          isList(row, classes) && row.every(isNumber) && row.every((cost) => (cost as number) >= (row[j] as number)),
      ));
  const isBand =
    abstain === undefined ||
    (isObject(abstain) &&
      isNumber(abstain.low) &&
      isNumber(abstain.high) &&
      (abstain.low as number) <= (abstain.high as number));
  if (!isNumber(threshold)) return '.threshold';
  if (!isSquare) return '.costs';
  if (!isBand) return '.abstain';
  return chosen === undefined || isObject(chosen) ? null : '.chosen';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown, length: number): value is unknown[] {
  return Array.isArray(value) && value.length === length;
}
