import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { Problem } from '../../train/problem/problem.ts';
import { slotsOf } from '../../train/problem/slots.ts';
import type { TargetNumbers } from '../../train/problem/target.ts';
import { nameParameters, separatesAllRows } from '../../train/solve/untold.ts';
import type { Finding } from '../finding.ts';
import {
  certifiesOverlap,
  MARGIN,
  SEPARATION_LIMIT,
  type Separation,
  separation,
  signedRows,
  tooManyRows,
} from '../separation.ts';
import { SlotRow } from '../slotRow.ts';
import type { Examined, State } from './state.ts';

/** Rows that are looked at before all are. */
const FIRST_ROWS = 1000;

/** The slots that separate the classes. */
interface Separated {
  readonly complete: boolean;
  readonly slots: readonly number[];
  /** the evidence: number of rows, or how it was detected */
  readonly seen: string;
}

/** Whether the Newton step of the state proves that the classes overlap. */
export function overlaps(
  { rows: { offset, weight } }: Problem,
  { likelihood }: Examined,
  { objective, step }: State,
): boolean {
  if (!step) return false;
  const change = new Float64Array(likelihood.classes * likelihood.rows);
  likelihood.logits(objective.expand(step), change);
  if (offset) for (let i = 0; i < change.length; i++) change[i] -= offset[i];
  return certifiesOverlap(change, likelihood.rows, weight);
}

/**
 * The slots that separate the classes, by a linear program if it is small enough.
 * @param limit  rows · columns² of the program
 * @returns decided: whether there was a program
 */
export function separatedRows(
  problem: Problem,
  fit: Examined,
  columns: readonly number[],
  limit: number,
): { readonly separated: Separated | null; readonly decided: boolean } {
  const { batch, rows } = problem;
  if (tooManyRows(batch, columns, fit.y, rows.weight, limit))
    return { separated: separatedAfterFit(problem, fit), decided: false };
  const signed = signedRows(batch, columns, fit.y, rows.weight, {
    classes: Math.max(2, fit.likelihood.classes),
    most: limit,
  });
  const found = signed && separation(signed);
  const separated = found
    ? separatedExactly(problem, fit, columns, found, signed.rows)
    : separatedAfterFit(problem, fit);
  return { separated, decided: signed !== null };
}

/** The result of the linear program. */
function separatedExactly(
  { slots }: Problem,
  { likelihood, profile }: Examined,
  columns: readonly number[],
  found: Separation,
  rows: number,
): Separated | null {
  if (found.kind === 'none') return null;
  const complete = found.kind === 'complete';
  // Name a level that only one class has rather than the weights it moves, which are those of all other levels if it is the reference.
  const moved = found.parameters
    .filter((j) => !complete || found.direction[j] !== 0)
    .map((j) => columns[j % columns.length]);
  const features = new Set(moved.flatMap((id) => (id < slots.length ? [slots[id].name] : [])));
  const pure = slots.flatMap((slot, id) => (profile.separates[id] && features.has(slot.name) ? [id] : []));
  const rest = moved.filter((id) => id < slots.length && !pure.some((other) => slots[other].name === slots[id].name));
  const unit = likelihood.classes > 1 ? 'pairs of a distinct row and a class other than its own' : 'distinct rows';
  const alone = complete && pure.some((id) => slots[id].role === 'number');
  return {
    complete,
    slots: alone ? pure.filter((id) => slots[id].role === 'number') : [...pure, ...rest],
    seen: complete
      ? `all ${rows} ${unit} lie on the right side`
      : `${found.separated} of ${rows} ${unit} lie on the right side, the others on the border`,
  };
}

/** Used if a linear program is too large: slots that separate the classes on their own, or logits that all have the right sign. */
export function separatedAfterFit(
  { batch, rows: { weight, offset }, slots }: Problem,
  fit: Examined,
): Separated | null {
  const { likelihood, y, profile, params } = fit;
  const pure = slots.flatMap((_, id) => (profile.separates[id] ? [id] : []));
  const alone = pure.filter((id) => profile.separates[id] > 1);
  if (alone.length > 0) return { complete: true, slots: alone, seen: 'no value or level has both classes' };
  let complete = false;
  if (params && !someRowIsWrong(batch, params, y, weight)) {
    const logits = new Float64Array(likelihood.classes * likelihood.rows);
    likelihood.logits(params, logits);
    complete = separatesAllRows(logits, y, weight, offset);
  }
  if (!complete && pure.length === 0) return null;
  const all = slots.flatMap((_, id) => (params && params[id] !== 0 ? [id] : []));
  return {
    complete,
    slots: pure.length > 0 ? pure : all,
    seen: complete ? 'every fitted logit has the sign of its class' : 'each has a side with one class only',
  };
}

/** Whether one of the first rows is on the wrong side, two classes; that is so of nearly all fits. */
function someRowIsWrong(
  batch: ColumnsBatch,
  params: Float64Array,
  y: TargetNumbers,
  weight: Float64Array | null,
): boolean {
  if (params.length !== batch.slots + 1) return false;
  const row = new SlotRow(
    batch,
    Array.from(params, (_, j) => j),
  );
  for (let i = 0; i < Math.min(batch.rows, FIRST_ROWS); i++) {
    if (weight && weight[i] === 0) continue;
    const z = row.dot(row.read(i), params);
    if (y[i] === 1 ? z < -MARGIN : y[i] !== 0 || z > MARGIN) return true;
  }
  return false;
}

/** SEPARATION, in words. */
export function separationFinding({ slots }: Problem, { complete, slots: named, seen }: Separated): Finding {
  const { features, text } = nameParameters(named, slotsOf(slots));
  return {
    code: 'SEPARATION',
    severity: 'error',
    features,
    evidence: `${text}: ${complete ? 'complete' : 'quasi-complete'} separation (${seen}), so the likelihood has no maximum and without a penalty these weights grow without limit`,
    advice: "penalise (C, lambda, or Firth's likelihood), or merge or drop what is named here",
  };
}

/** Separation by several columns was not checked, because the linear program is too large. */
export const noProgram = (limit: number): Finding => ({
  code: 'NOT_CHECKED',
  severity: 'info',
  features: [],
  evidence: `separation by several columns together was not checked: distinct rows × columns² exceed ${limit.toExponential(1)}`,
  advice:
    limit < SEPARATION_LIMIT
      ? `run diagnose, which checks ${SEPARATION_LIMIT / limit} times as many rows`
      : 'check again on a sample of the rows, or with fewer columns',
});
