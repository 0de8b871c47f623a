import { expect, test } from 'vitest';
import { History } from '../../cli/src/alerts/history.ts';

const DAY = 86_400_000;
const STEP = 30_000;

test('a month of counts in steps of 30 s is some hundred points, and windows are off by a 64th of their length at most', () => {
  const history = new History();
  // a burst in each hour: an event a second in its first ten minutes
  const rate = (time: number) => (time % 3_600_000 < 600_000 ? 30 : 0);
  let most = 0;
  for (let now = 0; now <= 30 * DAY; now += STEP) {
    history.add(now, { bad: now === 0 ? 0 : rate(now), all: now === 0 ? 0 : 100 }, 31 * DAY);
    most = Math.max(most, history.length);
  }
  expect(most).toBeLessThan(800);
  const now = 30 * DAY;
  const exact = (window: number) => {
    let sum = 0;
    for (let time = now - window + STEP; time <= now; time += STEP) sum += rate(time);
    return sum;
  };
  for (const window of [300, 1800, 3600, 21_600, DAY / 1000, (3 * DAY) / 1000]) {
    const { bad, all } = history.within(now - window * 1000, now);
    // events that come evenly are exact
    expect(all).toBeCloseTo((window / 30) * 100, 6);
    // what begins or ends within a 64th of the window
    const slack = Math.ceil(window / 64 / 30) * 30;
    expect(Math.abs(bad - exact(window * 1000)), `${window} s`).toBeLessThanOrEqual(slack + 30);
  }
});

test('a line that is level is two points', () => {
  const history = new History();
  for (let k = 0; k < 10_000; k++) history.add(k * STEP, { bad: 0, all: 0 }, DAY);
  expect(history.length).toBe(2);
  history.add(10_000 * STEP, { bad: 1, all: 2 }, DAY);
  expect(history.within(9_999 * STEP, 10_000 * STEP)).toEqual({ bad: 1, all: 2 });
  expect(history.within(9_998 * STEP, 9_999 * STEP)).toEqual({ bad: 0, all: 0 });
});

test('it is measured from the second time on, and what was saved goes on', () => {
  const history = new History();
  expect(history.since).toBe(Number.POSITIVE_INFINITY);
  history.add(1000, { bad: 0, all: 5 }, DAY);
  expect(history.since).toBe(Number.POSITIVE_INFINITY);
  history.add(2000, { bad: 1, all: 5 }, DAY);
  const again = History.restore(JSON.parse(JSON.stringify(history.save())));
  expect(again.since).toBe(2000);
  again.add(3000, { bad: 1, all: 1 }, DAY);
  expect(again.within(1000, 3000)).toEqual({ bad: 2, all: 6 });
  expect(again.within(1500, 3000)).toEqual({ bad: 1.5, all: 3.5 });
});
