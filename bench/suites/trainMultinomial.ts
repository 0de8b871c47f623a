import { dense } from '../data.ts';
import { type Lab, shape } from '../lab.ts';
import { SOLVERS, TRAINING, trainMatrix } from './trainDense.ts';

export const notes = [...TRAINING, 'Softmax of ten classes, every class with weights of its own, L2 with C = 1.'];

export async function run(lab: Lab): Promise<void> {
  const rows = lab.quick ? 2000 : 100_000;
  const [columns, classes] = lab.quick ? [16, 4] : [64, 10];
  const data = dense(rows, columns, { classes });
  await trainMatrix(lab, `fit, multinomial f64, ${shape(rows, columns)}, ${classes} classes, L2`, data, SOLVERS);
}
