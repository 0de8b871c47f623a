import { refuse } from '../../bindings/errors.ts';
import { tell } from '../../bindings/names.ts';

/** The direction of a test, as R and SciPy name it: what the alternative says of the quantity that is tested. */
export type Alternative = 'greater' | 'less' | 'two-sided';
const ALTERNATIVES: readonly unknown[] = ['greater', 'less', 'two-sided'];

/** A test that may be looked at after every observation: its false alarms are at most `alpha` over all looks together. */
export interface SequentialTest {
  /** probability of a false alarm, ever */
  readonly alpha: number;
  /** evidence against the hypothesis, now: under it the mean of this number is at most 1 at any time of stopping. May overflow to Infinity */
  readonly eValue: number;
  /** log of `eValue`, in nats: never infinite */
  readonly logE: number;
  /** always-valid p-value: 1 over the greatest e-value so far, at most 1 */
  readonly p: number;
  /** whether the e-value has ever reached 1/alpha; stays true */
  readonly isRejected: boolean;
}

/** An interval of values. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A number within open ends. @throws ERR_RANGE */
export function between(what: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && value > low && value < high) return value;
  return refuse('ERR_RANGE', what, `a number above ${low} and below ${high}`, tell(value), 'correct it');
}

/** A number that is not NaN or infinite. @throws ERR_RANGE */
export function finite(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return refuse(
    'ERR_RANGE',
    what,
    'a finite number',
    tell(value),
    'leave it out, or count it as an outcome of its own',
  );
}

/** @throws ERR_RANGE unless true or false */
export function flag(what: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  return refuse('ERR_RANGE', what, 'true or false', tell(value), 'compare the label or the outcome first');
}

/** A number of events. @throws ERR_RANGE */
export function whole(what: string, value: unknown, least = 0): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  return refuse('ERR_RANGE', what, `a whole number from ${least}`, tell(value), 'give a count');
}

/** @throws ERR_RANGE */
export function alternativeOf(value: unknown, fallback: Alternative): Alternative {
  if (value === undefined) return fallback;
  if (ALTERNATIVES.includes(value)) return value as Alternative;
  return refuse('ERR_RANGE', 'alternative', 'greater, less or two-sided', tell(value), 'leave it out for the default');
}

/** What was given as the saved state that it is, or null for options. @throws ERR_FORMAT a state of another kind */
export function stateOf<S extends { readonly kind: string }>(kind: S['kind'], given: object): S | null {
  if (typeof given !== 'object' || given === null || !('kind' in given)) return null;
  if (given.kind === kind) return given as S;
  return refuse('ERR_FORMAT', 'state', `an object of kind ${kind}`, tell(given.kind), 'give what its toJSON returned');
}
