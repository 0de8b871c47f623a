import { hashed } from '../data.ts';
import { Judge } from '../judge.ts';
import { type Lab, shape } from '../lab.ts';
import { online } from '../ours.ts';
import { TRAINING } from './trainDense.ts';

export const notes = [
  TRAINING[0],
  'One pass of FTRL-Proximal (alpha 0.1, beta 1, l1 1, l2 0) over rows of 40 hashed ones, in the order of the data, from memory: from a batch (logodds) or from examples (Vowpal Wabbit) made before.',
  'Goal: the mean log loss of the weights after the pass within 1 % of that of logodds.',
  'Vowpal Wabbit: examples built before, handed to its learner one by one from Python (a call of some 0.2 µs each is part of its time); and its own loop over a cache file that the system holds in memory, less the time of a cache of one row, its parser and learner on one core, or on two threads.',
];

const FTRL = { alpha: 0.1, beta: 1, l1: 1, l2: 0 };

export async function run(lab: Lab): Promise<void> {
  const [rows, columns] = lab.quick ? [5000, 2 ** 12] : [1_000_000, 2 ** 18];
  const data = hashed(rows, columns, true);
  const { colIdx, y } = data;
  const { mine, optimum } = online(lab.wasm, data, FTRL);
  const rivals = await lab.contestants('train_online', { rows, columns, ...FTRL }, { colIdx, y });
  const judge = Judge.matrix(data, 0);
  const expected = judge.objective(optimum);
  const shortfall = (params: Float64Array) => Math.abs(judge.objective(params) / expected - 1);
  await lab.train(
    `one pass of FTRL, sparse ones, ${shape(rows, columns)}, 40 a row`,
    rows,
    { limit: 0.01, shortfall },
    [mine, ...rivals],
  );
  judge.free();
}
