import { expect, test } from 'vitest';
import { Guards } from '../../service/src/routing/guards.ts';
import { psiOf } from '../../service/src/routing/psi.ts';
import { sweep } from '../full.ts';

/** Numbers in [0, 1) that are the same each time: mulberry32. */
function numbers(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface World {
  readonly share?: number;
  /** of requests, by arm */
  readonly errors?: readonly [champion: number, challenger: number];
  readonly refusals?: readonly [number, number];
  readonly slow?: readonly [number, number];
  /** what the challenger's logit has beside the champion's: noise, and a shift */
  readonly noise?: number;
  readonly shift?: number;
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** Requests until a guard speaks, its name; null: none did. */
function replay(guards: Guards, requests: number, seed: number, world: World): readonly [number, string] | null {
  const {
    share = 0.1,
    errors = [0.01, 0.01],
    refusals = [0.02, 0.02],
    slow = [0.01, 0.01],
    noise = 0,
    shift = 0,
  } = world;
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  guards.share = share;
  for (let i = 1; i <= requests; i++) {
    const isChallenger = next() < share;
    const of = (rates: readonly [number, number]) => next() < rates[Number(isChallenger)];
    const status = of(errors) ? 500 : 200;
    const hasRefusals = of(refusals);
    const seconds = of(slow) ? 0.5 + next() : 0.001 * (1 + next());
    let breach = guards.add({ isChallenger, status, hasRefusals, seconds });
    const z = -1 + 1.5 * normal();
    const label = Number(next() < sigmoid(z));
    const e = noise * normal();
    // both are off the truth by as much, or the challenger by more
    const pair = {
      id: String(i),
      champion: [sigmoid(z + 0.3 * normal())],
      challenger: [sigmoid(z + 0.3 * normal() + e + shift)],
    };
    breach ??= guards.compare([pair]);
    breach ??= guards.label(String(i), label);
    if (breach) return [i, breach.guard];
  }
  return null;
}

test('of equal challengers no more are rolled back than alpha, though each request is looked at', () => {
  const rollouts = sweep(60, 1000);
  const alpha = 0.05;
  const requests = sweep(1500, 4000);
  let alarms = 0;
  for (let seed = 1; seed <= rollouts; seed++) {
    const guards = new Guards({ alpha, maxPsi: 0.1, maxDisagreement: 0.2 }, 0.1);
    if (replay(guards, requests, seed, { share: [0.01, 0.1, 0.5][seed % 3] })) alarms++;
  }
  // 99.9 % of binomial counts of this many rollouts are below
  const most = rollouts * alpha + 3.1 * Math.sqrt(rollouts * alpha * (1 - alpha));
  expect(alarms).toBeLessThanOrEqual(most);
});

test.each<[string, string, World, number]>([
  ['answers one request in five with an error', 'errors', { errors: [0.01, 0.2] }, 1500],
  ['refuses a level that one record in fifty has', 'refusals', { refusals: [0, 0.02] }, 6000],
  ['is slow in one request of ten', 'latency', { slow: [0.005, 0.1] }, 6000],
  ['has a logit that noise of 1 was added to', 'log loss', { noise: 1 }, 4000],
  ['has a logit that is too great by 1', 'log loss', { shift: 1 }, 4000],
])('a challenger that %s is rolled back by %s, whatever the seed', (_, guard, world, most) => {
  for (let seed = 1; seed <= sweep(8, 100); seed++) {
    const found = replay(new Guards({ slowSeconds: 0.1 }, 0.1), most, seed, world);
    expect(found, `seed ${seed}`).not.toBeNull();
    expect(found![1]).toBe(guard);
  }
});

test('nothing is decided before the challenger had as many requests as are asked', () => {
  const guards = new Guards({ minRequests: 50 }, 0.5);
  const add = (isChallenger: boolean) =>
    guards.add({ isChallenger, status: isChallenger ? 500 : 200, hasRefusals: false, seconds: 0.001 });
  for (let i = 1; i < 50; i++) expect([add(true), add(false)]).toEqual([null, null]);
  expect(add(true)).toMatchObject({
    guard: 'errors',
    requests: 50,
    why: expect.stringMatching(
      /^errors of the challenger: expected at most 1 times those of the champion, got infinitely many \(50 seen, p \d/,
    ),
  });
});

test('evidence of a smaller share counts when the share grows', () => {
  const guards = new Guards({}, 0.05);
  for (let i = 0; i < 2000; i++)
    guards.add({ isChallenger: i % 20 === 0, status: i % 20 === 0 ? 500 : 200, hasRefusals: false, seconds: 0 });
  const [{ p }] = guards.states;
  guards.share = 0.5;
  expect(guards.states[0].p).toBe(p);
  expect(p).toBeLessThan(1e-10);
});

test('a shadow is watched by what it scores, though it answers nothing', () => {
  const guards = new Guards({ maxDisagreement: 0.05, minRequests: 10 }, 0);
  let breach = null;
  for (let i = 0; i < 1000 && !breach; i++) {
    guards.add({ isChallenger: false, status: 200, hasRefusals: false, seconds: 0.001 });
    breach = guards.compare([{ id: String(i), champion: [0.2], challenger: [0.5] }]);
  }
  expect(breach).toMatchObject({ guard: 'disagreement' });
});

test('with several classes the loss is that of the class that came true', () => {
  const guards = new Guards({ minRequests: 1 }, 0);
  let breach = null;
  for (let i = 0; i < 2000 && !breach; i++) {
    guards.compare([{ id: String(i), champion: [0.1, 0.8, 0.1], challenger: [0.1, 0.1, 0.8] }]);
    breach = guards.label(String(i), 1);
  }
  expect(breach).toMatchObject({ guard: 'log loss' });
  expect(guards.label('unknown', 1)).toBeNull();
});

test('PSI of equal scores stays below the limit, that of others does not', () => {
  for (let seed = 1; seed <= sweep(20, 300); seed++) {
    const next = numbers(seed);
    const [same, other] = [psiOf(0.01, 0.1), psiOf(0.01, 0.1)];
    for (let i = 0; i < 4000; i++) {
      const p = next();
      same.add(p, (p + next()) % 1);
      other.add(p, p ** 2);
    }
    expect(same.isRejected).toBe(false);
    expect(other.isRejected).toBe(true);
  }
});

test('a label that comes before its record is scored by both counts when it is, once; others do not wait for ever', () => {
  const guards = new Guards({ minRequests: 1 }, 0.5);
  const labelled = () => guards.states.find(({ guard }) => guard === 'log loss')!;
  const pair = (id: string) => ({ id, champion: [0.8], challenger: [0.4] });
  guards.label('a', 1, true);
  // the first word counts, as for a pair that is there
  guards.label('a', 0, true);
  expect(labelled().count).toBe(0);
  guards.compare([pair('a'), pair('b')]);
  expect(labelled()).toMatchObject({ count: 1, seen: expect.closeTo(Math.log(0.8) - Math.log(0.4), 12) });
  guards.label('a', 1, true);
  guards.label('b', 1, true);
  expect(labelled().count).toBe(2);
  // nothing waits: no record of this id is to come
  guards.label('c', 1, true);
  guards.label('d', 1, false);
  guards.compare([pair('c'), pair('d')]);
  expect(labelled().count).toBe(2);
});
