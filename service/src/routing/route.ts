import { LogoddsError } from 'logodds/score';

/** A version of a model of the shelf. */
export interface Target {
  readonly model: string;
  /** null: the one that is asked where none is named */
  readonly version: string | null;
}

/** A part of the traffic, and which version answers it. */
export interface Arm extends Target {
  /** champion, challenger, or another name */
  readonly name: string;
  /** of the requests, from 0 to 1 */
  readonly share: number;
}

/** What a rollout's guards allow; see `Guards` of the registry. */
export interface GuardLimits {
  readonly alpha?: number;
  readonly minRequests?: number;
  readonly errorRatio?: number;
  readonly latencyRatio?: number;
  readonly slowSeconds?: number;
  readonly maxDisagreement?: number;
  readonly maxPsi?: number;
  readonly maxLogLossIncrease?: number;
}

/** Where the key of a request stands, by which it is assigned; null: each request is assigned by its id. */
export type KeyFrom = { readonly header: string } | { readonly field: string } | null;

/** What answers requests to a model that name no version. */
export interface Route {
  /** what requests ask for */
  readonly name: string;
  /** changes with each rollout: what was seen of the one before counts no more */
  readonly id: string;
  /** answers what no arm has */
  readonly champion: Target;
  /** in the order of their intervals: the first one grows from 0, the others lie at the end */
  readonly arms: readonly Arm[];
  readonly salt: string;
  readonly key: KeyFrom;
  /** scores what others answer, and never answers */
  readonly shadow?: Target | null;
  /** answers where the version that was chosen, and then the champion, fails */
  readonly fallback?: Target | null;
  /** what is said when all of them fail */
  readonly answer?: DefaultAnswer | null;
  readonly guards?: GuardLimits | null;
}

/** A probability that is answered when no model can. */
export interface DefaultAnswer {
  /** of the positive class, between 0 and 1 */
  readonly probability: number;
  /** labels, the negative one first; default those of the champion */
  readonly classes?: readonly [string, string];
}

export const CHAMPION = 'champion';
export const CHALLENGER = 'challenger';

/** @throws ERR_RANGE for a route that cannot be followed */
export function checkRoute({ name, arms, salt, key, answer }: Route): void {
  const refuse = (what: string, rule: string, got: unknown, next: string): never => {
    throw new LogoddsError('ERR_RANGE', `route ${name}, ${what}: expected ${rule}, got ${String(got)}; ${next}`);
  };
  const names = new Set([CHAMPION]);
  let sum = 0;
  for (const { name: arm, share } of arms) {
    if (!/^[A-Za-z][\w.-]{0,63}$/.test(arm) || names.has(arm))
      refuse('arms', 'a name of its own for each', JSON.stringify(arm), 'rename it');
    names.add(arm);
    if (!(share >= 0 && share <= 1)) refuse(`share of ${arm}`, 'a number from 0 to 1', share, 'correct it');
    sum += share;
  }
  if (sum > 1 + 1e-12) refuse('shares', 'at most 1 together', sum, 'make some smaller; the champion has the rest');
  if (salt === '') refuse('salt', 'a text', 'none', 'give one: it keeps assignments apart');
  if (key && 'header' in key && !/^[!#$%&'*+.^_`|~\w-]+$/.test(key.header))
    refuse('key', 'a name that a header can have', JSON.stringify(key.header), 'correct it');
  if (answer && !(answer.probability > 0 && answer.probability < 1))
    refuse('answer', 'a probability between 0 and 1', answer.probability, 'correct it');
}
