// Run lengths and delays of `changeTest` over seeded replays, beside Page–Hinkley and a CUSUM tuned to one shift. The table is test/fixtures/changeSimulation.json.
import { splitmix32 } from '../../src/math/random.ts';
import { changeTest, meanSequence } from '../../src/monitor.ts';

type Draw = (random: () => number, mean: number) => number;

/** Values in [0, 1] with a given mean: a drawer for each replay. */
const DRAWS: Readonly<Record<string, () => Draw>> = {
  'yes or no': () => (random, mean) => (random() < mean ? 1 : 0),
  // the mean of u^k is 1/(k + 1)
  'most of them small': () => (random, mean) => random() ** (1 / mean - 1),
  // what no test of this kind is made for: a value tells of the next nine
  'in runs of ten': () => {
    let [left, value] = [0, 0];
    return (random, mean) => {
      if (left-- <= 0) [left, value] = [9, random() < mean ? 1 : 0];
      return value;
    };
  },
};

interface Detector {
  add(value: number): boolean;
  readonly since: number;
}

const MEAN = 0.2;
export const RUN_LENGTH = 1000;
/** values before a change */
const BEFORE = 300;

const DETECTORS: Readonly<Record<string, () => Detector>> = {
  changeTest: () => {
    const of = changeTest({ mean: MEAN, runLength: RUN_LENGTH, alternative: 'greater' });
    return {
      add: (value) => of.add(value),
      get since() {
        return of.change!.since;
      },
    };
  },
  'Page-Hinkley, threshold 50': () => pageHinkley(50),
  'Page-Hinkley, threshold 10': () => pageHinkley(10),
};

/** As river has it, with its defaults but for the threshold, which is 50 there: min_instances 30, delta 0.005, alpha 0.9999. */
function pageHinkley(threshold: number): Detector {
  let [n, mean, sum, least, since] = [0, 0, 0, 0, 0];
  return {
    add(value) {
      n++;
      mean += (value - mean) / n;
      sum = 0.9999 * sum + (value - mean - 0.005);
      if (sum < least) [least, since] = [sum, n];
      return n >= 30 && sum - least > threshold;
    },
    get since() {
      return since;
    },
  };
}

export interface Simulated {
  readonly detector: string;
  readonly values: string;
  readonly mean: number;
  /** replays with an alarm before the change: they are in no other figure */
  readonly early: number;
  /** replays in which nothing was found within the horizon */
  readonly silent: number;
  /** mean and median number of values until an alarm, of replays cut at the horizon */
  readonly meanRun: number;
  readonly medianRun: number;
  /** median of the distance between the place that was named and the true one; null without a change */
  readonly medianMiss: number | null;
}

/** Without a change the mean is 0.2 throughout; else it is so for 300 values, and another one after them. Replays with an alarm before are counted as early. */
export function simulate(replays: number): Simulated[] {
  const found: Simulated[] = [];
  for (const [detector, make] of Object.entries(DETECTORS)) {
    for (const [values, drawer] of Object.entries(DRAWS)) {
      for (const mean of values === 'in runs of ten' ? [MEAN] : [MEAN, 0.25, 0.3, 0.4, 0.6]) {
        const isChanged = mean !== MEAN;
        const horizon = 10 * RUN_LENGTH;
        const [runs, misses]: number[][] = [[], []];
        let [silent, gone] = [0, 0];
        for (let replay = 0; replay < replays; replay++) {
          const random = splitmix32(1000 * replay + Math.round(100 * mean));
          const [of, draw] = [make(), drawer()];
          let early = false;
          for (let i = 0; isChanged && i < BEFORE; i++) early ||= of.add(draw(random, MEAN));
          if (early) {
            gone++;
            continue;
          }
          let run = 1;
          while (run < horizon && !of.add(draw(random, mean))) run++;
          runs.push(run);
          if (run >= horizon) silent++;
          else if (isChanged) misses.push(Math.abs(of.since - BEFORE));
        }
        runs.sort((a, b) => a - b);
        misses.sort((a, b) => a - b);
        const meanRun = Math.round(runs.reduce((sum, run) => sum + run, 0) / runs.length);
        const [medianRun, medianMiss] = [
          runs[runs.length >> 1],
          isChanged ? (misses[misses.length >> 1] ?? null) : null,
        ];
        found.push({ detector, values, mean, early: gone, silent, meanRun, medianRun, medianMiss });
      }
    }
  }
  return found;
}

/** Share of replays in which a sequence of the mean ever misses it within so many values. */
export function missed(replays: number, values: string, alpha: number, length: number): number {
  let count = 0;
  for (let replay = 0; replay < replays; replay++) {
    const [random, draw] = [splitmix32(31 * replay + 7), DRAWS[values]()];
    const sequence = meanSequence({ alpha });
    for (let i = 0; i < length; i++) {
      sequence.add(draw(random, MEAN));
      const { low, high } = sequence.interval;
      if (low > MEAN || high < MEAN) {
        count++;
        break;
      }
    }
  }
  return count / replays;
}
