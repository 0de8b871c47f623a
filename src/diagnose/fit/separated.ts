import type { Problem } from '../../train/problem/problem.ts';
import { slotsOf } from '../../train/problem/slots.ts';
import { nameParameters, separatesAllRows } from '../../train/solve/untold.ts';
import type { Finding } from '../finding.ts';
import { certifiesOverlap, SEPARATION_LIMIT, type Separation } from '../separation.ts';
import type { Examined, State } from './state.ts';

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

/** The result of the linear program. */
export function separatedExactly(
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
export function separatedAfterFit({ rows: { weight, offset }, slots }: Problem, fit: Examined): Separated | null {
  const { likelihood, y, profile, params } = fit;
  const pure = slots.flatMap((_, id) => (profile.separates[id] ? [id] : []));
  let complete = false;
  if (params) {
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
export const noProgram = (): Finding => ({
  code: 'NOT_CHECKED',
  severity: 'info',
  features: [],
  evidence: `separation by several columns together was not checked: distinct rows × columns² exceed ${SEPARATION_LIMIT.toExponential(1)}`,
  advice: 'check again on a sample of the rows, or with fewer columns',
});
