import { meanTest, type SequentialTest, type ShareTest, shareTest } from 'logodds/monitor';
import { counted } from '../requests/counted.ts';
import type { Pair, Probabilities } from './pairs.ts';
import { type Psi, psiOf } from './psi.ts';
import type { GuardLimits } from './route.ts';

/** Why a rollout has to end. */
export interface Breach {
  readonly guard: GuardName;
  /** one sentence with the figures */
  readonly why: string;
  /** requests of the challenger that were seen */
  readonly requests: number;
}

export type GuardName = 'errors' | 'refusals' | 'latency' | 'disagreement' | 'scores' | 'log loss';

/** A guard as it is told. */
export interface GuardState {
  readonly guard: GuardName;
  readonly limit: number;
  /** what was seen; null: nothing yet */
  readonly seen: number | null;
  readonly count: number;
  /** always-valid p-value of the hypothesis that the limit is held */
  readonly p: number;
}

/** Requests of the champion of which the slow ones tell what is slow. */
const WARM_UP = 500;
/** A log loss of one record is compared up to here, in nats: a single one must not decide. */
const MOST_NATS = 1;
/** pairs that wait for their label */
const MOST_PAIRS = 100_000;
/** labels that wait for their pair */
const MOST_EARLY = 10_000;

/** What one request did. */
export interface Seen {
  readonly isChallenger: boolean;
  readonly status: number;
  /** rows were refused */
  readonly hasRefusals: boolean;
  readonly seconds: number;
}

/**
 * Watches a challenger beside a champion: sequential tests that may be looked at after each request. All of them together raise a false alarm with probability
 * alpha at most, however long they watch, since each of the k tests has alpha/k and is valid at any time of stopping:
 *
 *   errors, refusals, latency   of such requests, by which arm they were answered (`shareTest`): assignment is random, so the hypothesis fixes the share
 *   disagreement                mean of |p − q| over records that both have scored (`meanTest`)
 *   scores                      PSI of both distributions over the same records, looked at whenever their number has doubled
 *   log loss                    mean difference over records that both have scored and whose label came (`meanTest`)
 */
export class Guards {
  /** of the challenger in the traffic; 0: it answers nothing, and pairs alone are watched. A rollout changes it by its steps */
  share: number;
  readonly #limits: GuardLimits;
  readonly #min: number;
  readonly #errors: ShareTest;
  readonly #refusals: ShareTest;
  readonly #latency: ShareTest;
  readonly #disagreement: ReturnType<typeof meanTest> | null;
  readonly #loss: ReturnType<typeof meanTest> | null;
  readonly #psi: Psi | null;
  /** seconds of requests of the champion, until it is known what is slow */
  #warmUp: number[] | null;
  #slow: number;
  #requests = { champion: 0, challenger: 0 };
  #distance = 0;
  #compared = 0;
  #difference = 0;
  #labelled = 0;
  readonly #pairs = new Map<string, Pair>();
  /** labels that came before their record was scored by both, the first of each id */
  readonly #early = new Map<string, number>();

  /** @param processes  that watch the same rollout, each for itself */
  constructor(limits: GuardLimits, share: number, processes = 1) {
    const {
      alpha = 0.01,
      minRequests = 100,
      errorRatio = 1,
      latencyRatio = 2,
      slowSeconds,
      maxDisagreement,
      maxPsi,
      maxLogLossIncrease = 0,
    } = limits;
    this.#limits = { ...limits, errorRatio, latencyRatio, maxLogLossIncrease };
    this.share = share;
    this.#min = minRequests;
    const each = alpha / processes / (4 + Number(maxDisagreement !== undefined) + Number(maxPsi !== undefined));
    // the share of each request is given with it
    const of = { alpha: each, share: 0.5 };
    this.#errors = shareTest({ ...of, ratio: errorRatio });
    this.#refusals = shareTest({ ...of, ratio: errorRatio });
    this.#latency = shareTest({ ...of, ratio: latencyRatio });
    this.#disagreement =
      maxDisagreement === undefined
        ? null
        : meanTest({ alpha: each, mean: inside(maxDisagreement, 0, 1), low: 0, high: 1 });
    this.#loss = meanTest({
      alpha: each,
      mean: inside(maxLogLossIncrease, -MOST_NATS, MOST_NATS),
      low: -MOST_NATS,
      high: MOST_NATS,
      clip: true,
    });
    this.#psi = maxPsi === undefined ? null : psiOf(each, maxPsi);
    this.#warmUp = slowSeconds === undefined ? [] : null;
    this.#slow = slowSeconds ?? Number.POSITIVE_INFINITY;
  }

  get requests(): { readonly champion: number; readonly challenger: number } {
    return this.#requests;
  }

  /** A request was answered by one of both. */
  add({ isChallenger, status, hasRefusals, seconds }: Seen): Breach | null {
    this.#requests[isChallenger ? 'challenger' : 'champion']++;
    const { share } = this;
    // there is nothing beside it that was assigned by chance
    if (share <= 0 || share >= 1) return null;
    if (status >= 500) this.#errors.add(isChallenger, share);
    else if (hasRefusals || status >= 400) this.#refusals.add(isChallenger, share);
    if (this.#warmUp) {
      if (!isChallenger && this.#warmUp.push(seconds) >= WARM_UP) {
        this.#slow = this.#warmUp.sort((a, b) => a - b)[Math.floor(0.99 * WARM_UP)];
        this.#warmUp = null;
      }
    } else if (seconds > this.#slow) this.#latency.add(isChallenger, share);
    return this.#breach();
  }

  /** Records were scored by both. */
  compare(pairs: readonly Pair[]): Breach | null {
    for (const pair of pairs) {
      const { champion, challenger } = pair;
      // what a shadow was asked
      if (this.share <= 0) this.#requests.challenger++;
      if (challenger === null) continue;
      const distance = distanceOf(champion, challenger);
      if (Number.isNaN(distance)) continue;
      this.#compared++;
      this.#distance += distance;
      this.#disagreement?.add(distance);
      if (champion.length === 1) this.#psi?.add(champion[0], challenger[0]);
      this.#keep(pair);
    }
    return this.#breach();
  }

  /**
   * A label came.
   * @param k  index of the class among all; with two classes 1 is the positive one
   * @param isComparing  whether records wait to be scored by both: the label may be of one of them, and waits too
   */
  label(id: string, k: number, isComparing = false): Breach | null {
    const pair = this.#pairs.get(id);
    if (!pair) {
      if (!isComparing) this.#early.clear();
      else if (!this.#early.has(id)) this.#early.set(id, k);
      keepAtMost(this.#early, MOST_EARLY);
      return null;
    }
    this.#pairs.delete(id);
    this.#pay(pair, k);
    return this.#breach();
  }

  /** A label and both probabilities are there. */
  #pay({ champion, challenger }: Pair, k: number): void {
    const difference = lossOf(challenger!, k) - lossOf(champion, k);
    if (Number.isNaN(difference)) return;
    this.#labelled++;
    this.#difference += difference;
    this.#loss!.add(difference);
  }

  #keep(pair: Pair): void {
    const k = this.#early.get(pair.id);
    if (k !== undefined) {
      this.#early.delete(pair.id);
      this.#pay(pair, k);
      return;
    }
    this.#pairs.set(pair.id, pair);
    keepAtMost(this.#pairs, MOST_PAIRS);
  }

  /** All guards, as they stand. */
  get states(): GuardState[] {
    const { errorRatio = 1, latencyRatio = 2, maxDisagreement = 0, maxPsi = 0, maxLogLossIncrease = 0 } = this.#limits;
    const ratio = (guard: GuardName, limit: number, test: ShareTest): GuardState => {
      const { champion, challenger } = test.events;
      return { guard, limit, seen: test.estimate, count: champion + challenger, p: test.p };
    };
    const mean = (guard: GuardName, limit: number, sum: number, count: number, test: SequentialTest): GuardState => ({
      ...{ guard, limit, count },
      seen: count === 0 ? null : sum / count,
      p: test.p,
    });
    return [
      ratio('errors', errorRatio, this.#errors),
      ratio('refusals', errorRatio, this.#refusals),
      ratio('latency', latencyRatio, this.#latency),
      mean('log loss', maxLogLossIncrease, this.#difference, this.#labelled, this.#loss!),
      ...(this.#disagreement
        ? [mean('disagreement', maxDisagreement, this.#distance, this.#compared, this.#disagreement)]
        : []),
      ...(this.#psi
        ? [{ guard: 'scores' as const, limit: maxPsi, seen: this.#psi.value, count: this.#psi.count, p: this.#psi.p }]
        : []),
    ];
  }

  #breach(): Breach | null {
    const requests = this.#requests.challenger;
    if (requests < this.#min) return null;
    const tests: readonly [GuardName, boolean][] = [
      ['errors', this.#errors.isRejected],
      ['refusals', this.#refusals.isRejected],
      ['latency', this.#latency.isRejected],
      ['log loss', this.#loss!.isRejected],
      ['disagreement', this.#disagreement?.isRejected ?? false],
      ['scores', this.#psi?.isRejected ?? false],
    ];
    const guard = tests.find(([, isRejected]) => isRejected)?.[0];
    if (guard === undefined) return null;
    const state = this.states.find((one) => one.guard === guard)!;
    return { guard, requests, why: sentence(state, requests) };
  }
}

const WORDS: Readonly<Record<GuardName, readonly [what: string, unit: string]>> = {
  errors: ['errors of the challenger', 'times those of the champion'],
  refusals: ['refusals of the challenger', 'times those of the champion'],
  latency: ['slow requests of the challenger', 'times those of the champion'],
  disagreement: ['mean difference of probabilities', ''],
  scores: ['PSI of the scores', ''],
  'log loss': ['log loss of the challenger, above that of the champion by', 'nats'],
};

function sentence({ guard, limit, seen, count, p }: GuardState, requests: number): string {
  const [what, unit] = WORDS[guard];
  const said = (value: number | null) =>
    value === null ? 'nothing' : Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'infinitely many';
  return `${what}: expected at most ${said(limit)}${unit && ` ${unit}`}, got ${said(seen)} (${count} seen, p ${p.toExponential(1)}, after ${counted(requests, 'request')} of the challenger)`;
}

/** The oldest one goes. */
function keepAtMost(map: Map<string, unknown>, most: number): void {
  if (map.size > most) map.delete(map.keys().next().value!);
}

/** A mean of a hypothesis lies between the ends, not on them. */
const inside = (value: number, low: number, high: number): number => Math.min(Math.max(value, low + 1e-9), high - 1e-9);

/** How far two distributions over the classes are apart: half the sum of the differences. */
function distanceOf(p: Probabilities, q: Probabilities): number {
  if (p.length === 1) return Math.abs(p[0] - q[0]);
  let sum = 0;
  for (let k = 0; k < p.length; k++) sum += Math.abs(p[k] - q[k]);
  return sum / 2;
}

/** −log of the probability of a class. */
function lossOf(p: Probabilities, k: number): number {
  const probability = p.length > 1 ? p[k] : k === 1 ? p[0] : 1 - p[0];
  return -Math.log(Math.max(probability, 1e-15));
}
