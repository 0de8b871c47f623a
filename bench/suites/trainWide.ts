import { dense } from '../data.ts';
import { type Lab, shape } from '../lab.ts';
import { SOLVERS, TRAINING, trainMatrix } from './trainDense.ts';

export const notes = [...TRAINING, 'Normal features, 100 of them with weights, L2 with C = 1.'];

export async function run(lab: Lab): Promise<void> {
  const [rows, columns] = lab.quick ? [500, 200] : [5000, 2000];
  const data = dense(rows, columns, { active: 100 });
  await trainMatrix(lab, `fit, wide dense f64, ${shape(rows, columns)}, L2`, data, SOLVERS);
}
