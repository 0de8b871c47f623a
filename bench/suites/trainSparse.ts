import { hashed } from '../data.ts';
import { type Lab, shape } from '../lab.ts';
import { TRAINING, trainMatrix } from './trainDense.ts';

export const notes = [
  ...TRAINING,
  'Compressed sparse rows, 40 ascending columns a row, few of them common and most rare, values of length 1 a row; L2 with C = 1.',
  'liblinear: its own copy of the data is made before the timing; the intercept is a feature without penalty (-B 1 -R).',
];

export async function run(lab: Lab): Promise<void> {
  const [rows, columns] = lab.quick ? [5000, 2 ** 12] : [1_000_000, 2 ** 18];
  const data = hashed(rows, columns, false);
  await trainMatrix(lab, `fit, sparse f64, ${shape(rows, columns)}, 40 a row, L2`, data, ['lbfgs', 'newton-cg']);
}
