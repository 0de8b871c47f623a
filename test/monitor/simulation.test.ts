// False alarms and power over seeded replays that are looked at after every request. A count of replays has an error: the bounds below are the nominal rate
// and three standard errors of it, which a test with the nominal rate exceeds by chance once in 700 seeds; these seeds are fixed.
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import {
  meanDifference,
  meanSequence,
  meanTest,
  rateDifference,
  sampleRatioMismatch,
  shareTest,
} from '../../src/monitor.ts';
import { sweep } from '../full.ts';

const REPLAYS = sweep(30, 500);
/** the most false alarms that a rate of alpha may have given in `REPLAYS` */
const most = (alpha: number): number => REPLAYS * alpha + 3 * Math.sqrt(REPLAYS * alpha * (1 - alpha));
const replays = (seed: number, one: (random: () => number) => boolean): number => {
  let count = 0;
  for (let i = 0; i < REPLAYS; i++) if (one(splitmix32(seed * 100_003 + i))) count++;
  return count;
};
/** seeded normal numbers, Box and Muller */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

interface Traffic {
  readonly requests: number;
  readonly share: (request: number) => number;
  readonly champion: (request: number) => number;
  readonly challenger: (request: number) => number;
}
/** Requests until a rejection; null without. */
function rejection(random: () => number, { requests, share, champion, challenger }: Traffic): number | null {
  const of = shareTest({ alpha: 0.05, share: share(0) });
  for (let i = 0; i < requests; i++) {
    const s = share(i);
    const isChallenger = random() < s;
    if (random() >= (isChallenger ? challenger(i) : champion(i))) continue;
    of.add(isChallenger, s);
    if (of.isRejected) return i + 1;
  }
  return null;
}
const always = (value: number) => () => value;

// a thousand replays take a minute on a processor of their own, and many on one that others use
const LONG = { timeout: 1_800_000 };

describe('an equal challenger, looked at after every request, is rejected at most as often as alpha says', LONG, () => {
  const steps = (i: number): number => [0.01, 0.05, 0.25, 0.5][Math.floor(i / 2500)];
  const day = (i: number): number => 0.02 + 0.015 * Math.sin(i / 500);
  test.each<[string, Traffic]>([
    [
      'errors of 1 %, half of the requests',
      { requests: 10_000, share: always(0.5), champion: always(0.01), challenger: always(0.01) },
    ],
    [
      'errors of 2 %, a share of 1 %',
      { requests: 10_000, share: always(0.01), champion: always(0.02), challenger: always(0.02) },
    ],
    [
      'errors of 1e-4, 100,000 requests',
      { requests: 100_000, share: always(0.1), champion: always(1e-4), challenger: always(1e-4) },
    ],
    [
      'a rollout in four steps, rates that change with the time of day',
      { requests: 10_000, share: steps, champion: day, challenger: day },
    ],
    [
      'a better challenger',
      { requests: 10_000, share: always(0.5), champion: always(0.02), challenger: always(0.015) },
    ],
  ])('shareTest: %s', (_, traffic) => {
    expect(replays(1, (random) => rejection(random, traffic) !== null)).toBeLessThanOrEqual(most(0.05));
  });

  test('meanTest and meanSequence: differences of log loss with tails, mean 0', () => {
    let outside = 0;
    const rejected = replays(2, (random) => {
      const of = meanTest({ mean: 0, low: -4, high: 4 });
      const sequence = meanSequence({ low: -4, high: 4 });
      let everOutside = false;
      for (let i = 0; i < 3000; i++) {
        // heavy on one side: −0.1 nine times of ten, 0.9 once
        const value = random() < 0.1 ? 0.9 : -0.1;
        of.add(value);
        sequence.add(value);
        everOutside ||= sequence.interval.low > 0 || sequence.interval.high < 0;
      }
      if (everOutside) outside++;
      return of.isRejected;
    });
    expect(rejected).toBeLessThanOrEqual(most(0.05));
    expect(outside).toBeLessThanOrEqual(most(0.05));
  });

  test('rateDifference exact: rates of 1e-3, 90 % and 30 %, unequal shares', () => {
    const rates = [0.001, 0.9, 0.3];
    let outside = 0;
    const rejected = replays(3, (random) => {
      const rate = rates[Math.floor(random() * 3)];
      const share = random() < 0.5 ? 0.1 : 0.5;
      const of = rateDifference({ share });
      let everOutside = false;
      for (let i = 0; i < sweep(300, 500); i++) {
        of.add(random() < share, random() < rate);
        everOutside ||= of.interval.low > 0 || of.interval.high < 0;
      }
      if (everOutside) outside++;
      return of.isRejected;
    });
    expect(rejected).toBeLessThanOrEqual(most(0.05));
    expect(outside).toBeLessThanOrEqual(most(0.05));
  });

  test('the asymptotic ones keep it from 100 rows an arm on: rates of 20 %, normal values with a covariate', () => {
    let unequal = 0;
    const rejected = replays(4, (random) => {
      const rates = rateDifference({ method: 'mixture', tau: 0.05 });
      const means = meanDifference({ tightestAt: 2000 });
      for (let i = 0; i < 4000; i++) {
        const isTreatment = random() < 0.5;
        rates.add(isTreatment, random() < 0.2);
        const x = normal(random);
        means.add(isTreatment, 2 * x + normal(random), x);
      }
      if (means.isRejected) unequal++;
      return rates.isRejected;
    });
    expect(rejected).toBeLessThanOrEqual(most(0.05));
    expect(unequal).toBeLessThanOrEqual(most(0.05));
  });

  test('sampleRatioMismatch after every row of three arms', () => {
    const shares = [0.6, 0.39, 0.01];
    const found = replays(5, (random) => {
      const counts = [0, 0, 0];
      for (let i = 0; i < 3000; i++) {
        const u = random();
        counts[u < 0.6 ? 0 : u < 0.99 ? 1 : 2]++;
        if (sampleRatioMismatch(counts, shares, { alpha: 0.05 }).isMismatch) return true;
      }
      return false;
    });
    expect(found).toBeLessThanOrEqual(most(0.05));
  });
});

describe('the power: of replays of a worse challenger, and requests until half of them are rejected', LONG, () => {
  /** share of the replays that are rejected, and the median of the requests until then */
  const power = (traffic: Traffic): { share: number; median: number } => {
    const found: number[] = [];
    for (let i = 0; i < REPLAYS; i++) {
      const requests = rejection(splitmix32(700_001 + i), traffic);
      found.push(requests ?? Number.POSITIVE_INFINITY);
    }
    found.sort((a, b) => a - b);
    return { share: found.filter(Number.isFinite).length / REPLAYS, median: found[REPLAYS >> 1] };
  };
  // errors of 1 % under the champion; of the challenger 2, 3 and 10 times as many
  test.each([
    ['2 times, half of the requests', 0.5, 0.02, 8_000],
    ['3 times, half of the requests', 0.5, 0.03, 3_000],
    ['10 times, half of the requests', 0.5, 0.1, 250],
    ['10 times, 5 % of the requests', 0.05, 0.1, 2_000],
    ['10 times, 1 % of the requests', 0.01, 0.1, 10_000],
  ])('%s', (_, share, rate, within) => {
    const found = power({
      requests: 4 * within,
      share: always(share),
      champion: always(0.01),
      challenger: always(rate),
    });
    expect(found.median).toBeLessThanOrEqual(within);
    expect(found.share).toBeGreaterThan(0.95);
  });
});
