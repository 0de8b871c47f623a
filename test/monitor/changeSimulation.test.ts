// False alarms and power of tests of change. The table was written by `LOGODDS_WRITE=1 npx vitest run --mode full test/monitor/changeSimulation.test.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { performanceWatch, volumeTest } from '../../src/monitor.ts';
import { FULL, sweep } from '../full.ts';
import { missed, RUN_LENGTH, type Simulated, simulate } from './changeSimulation.ts';

const path = new URL('../fixtures/changeSimulation.json', import.meta.url);
const REPLAYS = sweep(20, 200);

describe('a test of change', () => {
  const found = simulate(REPLAYS);
  const of = (detector: string): Simulated[] => found.filter((row) => row.detector === detector);

  test.skipIf(!FULL)('finds what the committed table says', () => {
    if (process.env['LOGODDS_WRITE'])
      writeFileSync(path, `${JSON.stringify({ replays: REPLAYS, rows: found }, null, 1)}\n`);
    expect({ replays: REPLAYS, rows: found }).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  test('without a change the mean run is at least what was asked for', () => {
    const calm = of('changeTest').filter(({ mean, values }) => mean === 0.2 && values !== 'in runs of ten');
    // the mean of runs has an error of RUN_LENGTH/√REPLAYS at least; runs are cut, which makes it less
    for (const { meanRun } of calm) expect(meanRun).toBeGreaterThanOrEqual(RUN_LENGTH * (1 - 3 / Math.sqrt(REPLAYS)));
  });

  test('a change is found and placed, the greater the sooner', () => {
    for (const values of ['yes or no', 'most of them small']) {
      const runs = of('changeTest').filter((row) => row.values === values && row.mean > 0.2);
      expect(runs.map(({ silent }) => silent)).toEqual(runs.map(() => 0));
      for (let k = 1; k < runs.length; k++) expect(runs[k].medianRun).toBeLessThan(runs[k - 1].medianRun);
      expect(runs.at(-1)!.medianRun).toBeLessThan(40);
      expect(runs.at(-1)!.medianMiss).toBeLessThan(10);
    }
  });
});

describe('false alarms are at most nominal', () => {
  const most = (replays: number, alpha: number): number => alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / replays);

  test.each(['yes or no', 'most of them small'])('of sequences that are looked at after every value: %s', (values) => {
    const replays = sweep(40, 1000);
    expect(missed(replays, values, 0.1, 2000)).toBeLessThanOrEqual(most(replays, 0.1));
  });

  test('of a watch of all figures of a calibrated model: of its intervals, and of its tests in rows', () => {
    const replays = sweep(10, 200);
    let [outside, alarms] = [0, 0];
    const length = 2000;
    for (let replay = 0; replay < replays; replay++) {
      const random = splitmix32(97 * replay + 3);
      const watch = performanceWatch({ alpha: 0.1, runLength: 20_000 });
      let [ever, alarm] = [false, false];
      for (let i = 0; i < length; i++) {
        const probability = random() ** 2;
        const y = random() < probability ? 1 : 0;
        if (watch.add({ probability, y, called: probability > 0.5 ? 1 : 0 }).length > 0) alarm = true;
        if (i % 20 > 0) continue;
        const { calibration, brier } = watch.figures;
        // E p(1 − p) of u²: 1/3 − 1/5
        ever ||= calibration.interval.low > 0 || calibration.interval.high < 0;
        ever ||= brier.interval.low > 2 / 15 || brier.interval.high < 2 / 15;
      }
      if (ever) outside++;
      if (alarm) alarms++;
    }
    expect(outside / replays).toBeLessThanOrEqual(most(replays, 0.1));
    expect(alarms / replays).toBeLessThanOrEqual(most(replays, length / 20_000));
  });

  test('of volumes: per thousand windows of Poisson counts, of few and of many', () => {
    const windows = sweep(3000, 40_000);
    const random = splitmix32(71);
    for (const rate of [3, 40, 2000]) {
      let alarms = 0;
      const history: number[] = [];
      for (let window = 0; window < windows; window++) {
        const count = poisson(random, rate);
        if (history.length === 14 && volumeTest(count, history, { alpha: 0.01 }).kind !== 'usual') alarms++;
        history.push(count);
        if (history.length > 14) history.shift();
      }
      expect(alarms / windows).toBeLessThanOrEqual(most(windows, 0.01));
    }
  });
});

/** By the number of exponential gaps in a unit of time, or by the normal distribution where they are many. */
function poisson(random: () => number, rate: number): number {
  if (rate > 500) {
    const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(rate + Math.sqrt(rate) * z));
  }
  let [count, time] = [0, -Math.log(1 - random())];
  while (time < rate) {
    count++;
    time -= Math.log(1 - random());
  }
  return count;
}
