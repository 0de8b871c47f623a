import { cpus } from 'node:os';
import { loadModel, type Model } from '../../../../src/index.ts';
import { counted, significant, whole } from '../../figures/wording.ts';
import { type Check, type Finding, finding } from './finding.ts';

export const size: Check = ({ candidate: { bytes } }, options) => {
  const most = options['mostBytes'] as number;
  const sentence = `the file has ${counted(bytes.length, 'byte')}; expected at most ${whole(most)}`;
  return [finding('size', options, bytes.length <= most, sentence, { value: bytes.length, greatest: most })];
};

/** The median and the 99 % point of the times of some work, in milliseconds. The first tenth is not counted. */
function timed(repetitions: number, work: (k: number) => void): { median: number; p99: number } {
  const warm = Math.ceil(repetitions / 10);
  for (let k = 0; k < warm; k++) work(k);
  const times = new Float64Array(repetitions);
  for (let k = 0; k < repetitions; k++) {
    const start = performance.now();
    work(k);
    times[k] = performance.now() - start;
  }
  times.sort();
  return { median: times[Math.floor(0.5 * (repetitions - 1))], p99: times[Math.ceil(0.99 * (repetitions - 1))] };
}

/** Records of these that a model scores, in turn. */
const scoring = (model: Model, records: readonly object[]) => (k: number) => {
  model.score(records[k % records.length]);
};

const canScore = (model: Model) => (record: object) => {
  try {
    model.score(record);
    return true;
  } catch {
    return false;
  }
};

export const latency: Check = ({ candidate, champion, rows }, options): Finding[] => {
  const repetitions = options['repetitions'] as number;
  const records = typeof rows === 'string' ? [] : rows.records.filter(canScore(candidate.model));
  const asked = (key: string) => options[key] as number | undefined;
  const machine = `measured on this machine (${cpus()[0]?.model.trim() || 'unknown processor'}, Node.js ${process.version.slice(1)})`;
  const found: Finding[] = [];
  const judge = (key: string, value: number, unit: string, what: string, often: number) => {
    const greatest = asked(key);
    if (greatest === undefined) return;
    const sentence = `${what}: ${significant(value, 3)}${unit}, ${machine} in ${whole(often)} repetitions; expected at most ${greatest}${unit}`;
    found.push(finding('latency', options, value <= greatest, sentence, { value, greatest }, key));
  };
  const RECORD = ['medianMicros', 'p99Micros', 'ratio'];
  if (records.length === 0) {
    const why = typeof rows === 'string' ? rows : 'the candidate scores none of the first records';
    for (const key of RECORD)
      if (asked(key) !== undefined) found.push(finding('latency', options, 'not checked', why, {}, key));
  } else if (RECORD.some((key) => asked(key) !== undefined)) {
    const own = timed(repetitions, scoring(candidate.model, records));
    judge('medianMicros', own.median * 1000, ' µs', 'median time of scoring a record', repetitions);
    judge('p99Micros', own.p99 * 1000, ' µs', '99 % of the times of scoring a record', repetitions);
    if (asked('ratio') !== undefined) {
      const both = records.filter(canScore(champion.model));
      if (both.length === 0)
        found.push(finding('latency', options, 'not checked', 'no record has the fields of both models', {}, 'ratio'));
      else {
        const other = timed(repetitions, scoring(champion.model, both));
        const again = timed(repetitions, scoring(candidate.model, both));
        judge(
          'ratio',
          again.median / other.median,
          '',
          'median time of scoring a record over that of the champion',
          repetitions,
        );
      }
    }
  }
  if (asked('loadMedianMillis') !== undefined || asked('loadP99Millis') !== undefined) {
    const often = Math.max(20, Math.ceil(repetitions / 100));
    const loads = timed(often, () => void loadModel(candidate.bytes));
    judge('loadMedianMillis', loads.median, ' ms', 'median time of loading the model', often);
    judge('loadP99Millis', loads.p99, ' ms', '99 % of the times of loading the model', often);
  }
  return found;
};
