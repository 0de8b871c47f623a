import { describe, expect, test } from 'vitest';
import { findings, floors } from '../../bench/floors.ts';
import { type Contestant, type Goal, MOST, race } from '../../bench/race.ts';
import { listing, markdown, short } from '../../bench/table.ts';
import { best, type Case, type Machine, type Results, ratio, type Timing } from '../../bench/timings.ts';

/** a shortfall of 10^-rung, so that rung 3 is the loosest that reaches the goal */
const goal: Goal = { limit: 1e-3, shortfall: ([digits]) => Number(`1e-${digits}`) };
const RUNGS = ['0', '1', '2', '3', '4', '5', '6'];
const NEVER = { limit: 1e-12, shortfall: goal.shortfall };

/** Fits as long as `ms` says of each rung, and is stopped by a limit that is shorter. @returns it, and the rungs it tried */
function contestant(name: string, ms: (rung: number) => number): { tried: number[]; it: Contestant } {
  const tried: number[] = [];
  const fit = (rung: number, limitMs = Number.POSITIVE_INFINITY) => {
    tried.push(rung);
    const took = ms(rung);
    return took > limitMs ? null : { ms: took, params: Float64Array.of(rung) };
  };
  return { tried, it: { name, rungs: RUNGS, fit } };
}

async function checks(of: Goal, ...all: Contestant[]) {
  const verdicts = [];
  for (const rival of race(of, all)) verdicts.push(await rival.check!());
  return verdicts;
}

describe('race', () => {
  test('times each at the loosest rung that reaches the goal', async () => {
    const { tried, it } = contestant('mine', (rung) => 100 + rung);
    const [mine] = race(goal, [it]);
    expect(await mine.check!()).toEqual({ difference: 1e-3, setting: '3' });
    expect(tried).toEqual([0, 1, 2, 3, 3, 3]);
    expect(await mine.sample(0)).toBe(103);
  });

  test('stops who takes more than ten times the slowest of three fits of the first', async () => {
    const times = [7, 12, 9];
    const mine = contestant('mine', (rung) => (rung === 3 ? times.shift()! : 1));
    const at = contestant('at the limit', (rung) => (rung === 3 ? 120 : 1));
    const above = contestant('above it', (rung) => (rung === 3 ? 121 : 1));
    const [, equal, more] = await checks(goal, mine.it, at.it, above.it);
    expect(equal).toEqual({ difference: 1e-3, setting: '3' });
    // looser rungs miss the goal, tighter ones are not tried
    expect(more).toEqual({ moreThan: MOST, setting: '3' });
    expect(above.tried).toEqual([0, 1, 2, 3]);
  });

  test.each([
    [7000, 8],
    [25_000, 2],
    [50_000, 2],
  ])('waits a minute at most for a fit: where the first takes %i ms, for %i times that', async (ms, times) => {
    const mine = contestant('mine', () => ms);
    const within = contestant('within', () => times * ms);
    const above = contestant('above', () => times * ms + 1);
    const [, timed, stopped] = await checks(goal, mine.it, within.it, above.it);
    expect(timed).toEqual({ difference: 1e-3, setting: '3' });
    expect(stopped).toEqual({ moreThan: times, setting: '0' });
  });

  test('one whose time is its own, so that it ran to its end, is held to the same limit', async () => {
    const mine = contestant('mine', () => 10);
    const { it } = contestant('own clock', () => 101);
    const unstopped = { ...it, fit: (rung: number) => it.fit(rung) };
    expect((await checks(goal, mine.it, unstopped))[1]).toEqual({ moreThan: MOST, setting: '0' });
  });

  test('one that never reaches the goal, or fails, is wrong and not slow', async () => {
    const mine = contestant('mine', () => 10);
    const other = contestant('other', () => 20);
    const failing: Contestant = { ...other.it, fit: () => Promise.reject(new Error('no memory')) };
    const [missed, failed] = (await checks(NEVER, mine.it, other.it, failing)).slice(1);
    expect(missed).toEqual({ difference: 1e-6, wrong: 'reached 0.0000010, not 1e-12, at 6' });
    expect(failed).toEqual({ wrong: '0: no memory' });
  });
});

describe('a rival that was stopped', () => {
  const floor = floors.find(({ suite, rival }) => suite === 'train-flights' && rival === 'scikit-learn')!;
  const mine: Timing = { name: 'logodds', median: 100, rounds: [100, 110] };
  const stopped: Timing = { name: 'scikit-learn lbfgs', median: 0, rounds: [], moreThan: MOST, setting: 'tol 1e-5' };
  const timed: Timing = { name: 'scikit-learn newton-cg', median: 900, rounds: [900, 990] };
  const suiteOf = (...timings: Timing[]): readonly Case[] => [
    { name: floor.case, rows: 3, bytes: 0, tolerance: 1e-8, timings: [mine, ...timings] },
  ];
  const find = (...timings: Timing[]) =>
    findings({ 'train-flights': suiteOf(...timings) }).find((finding) => finding.rival === floor.rival)!;
  const machine: Machine = {
    cpu: 'a processor',
    cores: 2,
    memoryGiB: 8,
    load: 0,
    platform: 'linux x64',
    node: '20.0.0',
    v8: '11.3',
    logodds: '0.1.0',
    commit: 'abc',
    changed: false,
    date: '2026-11-29',
  };
  const resultsOf = (cases: readonly Case[]): Results => ({
    suite: 'train-flights',
    machine,
    rivals: {},
    settings: { quick: false, rounds: 5, timeMs: 40, seed: 1 },
    notes: [],
    cases,
  });

  test('has the ratio ten, and the floor of eight holds', () => {
    expect(ratio(mine, stopped)).toBe(10);
    expect(find(stopped)).toMatchObject({ ratio: 10, stopped: true, median: 100 });
    const { 'train-flights': results } = { 'train-flights': resultsOf(suiteOf(stopped)) };
    expect(short({ 'train-flights': results }).join()).not.toContain(floor.work);
  });

  test('counts only where none was timed: those are faster', () => {
    expect(best([mine, stopped, timed], 'scikit-learn')).toBe(timed);
    expect(find(stopped, timed)).toMatchObject({ ratio: 9 });
    expect(find(stopped, timed).stopped).toBeUndefined();
  });

  test('is shown as more than ten times', () => {
    const results = resultsOf(suiteOf(stopped));
    expect(markdown({ 'train-flights': results })).toContain(`${floor.work} | 100 ms | 8× | **more than 10×** |`);
    expect(listing(results)).toMatch(/scikit-learn lbfgs +more than 10×, stopped at tol 1e-5/);
  });
});
