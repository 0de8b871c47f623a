import { type Dense, dense, spam } from '../data.ts';
import { Judge } from '../judge.ts';
import { type Lab, shape } from '../lab.ts';
import { path } from '../ours.ts';
import { TRAINING } from './trainDense.ts';

export const notes = [
  TRAINING[0],
  'A path of L1 fits with warm starts at the same 100 λ, from the largest with a weight other than zero to a ten thousandth of it, on standardised features.',
  'Goal: no optimality condition at any λ violated by more than 1e-6 of the largest λ. glmnet may not end the path early (fdev = 0, devmax = 1); both of its Newton variants take part.',
];

const COUNT = 100;
const VIOLATION = 1e-6;

export async function run(lab: Lab): Promise<void> {
  const [small, wide] = lab.quick ? [500, [500, 50]] : [4600, [10_000, 1000]];
  const columns = 57;
  await one(lab, `L1 path, spam-like, ${shape(small, columns)}, ${COUNT} λ`, spam(small, columns));
  const [rows, features] = wide;
  const truth = dense(rows, features, { active: 50 });
  await one(lab, `L1 path, sparse truth, ${shape(rows, features)}, ${COUNT} λ`, truth);
}

async function one(lab: Lab, name: string, data: Dense): Promise<void> {
  const { x, y, rows, columns } = data;
  const judge = Judge.matrix(data, 0);
  const first = judge.largestLambda(y);
  const lambda = Float64Array.from({ length: COUNT }, (_, i) => first * 1e-4 ** (i / (COUNT - 1)));
  const rivals = await lab.contestants('train_l1_path', { rows, columns, count: COUNT }, { x, y, lambda }, ['r']);
  await lab.train(name, rows, judge.kkt(lambda, VIOLATION), [path(lab.wasm, data, lambda), ...rivals]);
  judge.free();
}
