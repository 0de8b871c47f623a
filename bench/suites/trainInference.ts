import { dense } from '../data.ts';
import { type Lab, shape } from '../lab.ts';
import { inference } from '../ours.ts';
import { closeness } from '../race.ts';
import { TRAINING } from './trainDense.ts';

export const notes = [
  TRAINING[0],
  'A fit without penalty, standard errors, and the table of coefficients with z and p.',
  'Goal: every coefficient and standard error within a millionth of its standard error of those of logodds at a tolerance of 1e-12.',
  'statsmodels: Logit, newton, with the text of its summary. R: glm.fit and summary.',
];

export async function run(lab: Lab): Promise<void> {
  const [rows, columns] = lab.quick ? [5000, 10] : [200_000, 50];
  const data = dense(rows, columns);
  const { x, y } = data;
  const { mine, optimum } = inference(lab.wasm, data);
  const numbers = { rows, columns, precision: 'f64' };
  const rivals = await lab.contestants('train_inference', numbers, { x, y }, ['python', 'r']);
  const errors = optimum.subarray(columns + 1);
  const goal = closeness(optimum, Float64Array.of(...errors, ...errors), 1e-6);
  await lab.train(`standard errors, dense f64, ${shape(rows, columns)}`, rows, goal, [mine, ...rivals]);
}
