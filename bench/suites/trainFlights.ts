import { flights } from '../data.ts';
import { Judge } from '../judge.ts';
import { type Lab, shape } from '../lab.ts';
import { table } from '../ours.ts';
import { suboptimality } from '../race.ts';
import { SOLVERS, TRAINING } from './trainDense.ts';

export const notes = [
  ...TRAINING,
  'Three million flights of 2001 (vega-datasets), more than 15 minutes late: three standardised numbers, and origin, destination, hour and weekday as codes; all levels have weights, L2 with C = 1.',
  'logodds: from a table of columns and codes, its encoding part of the time. glum: from a data frame with categorical columns, and from the tabmat matrix of it. scikit-learn: from compressed sparse rows of the one-hot columns. What they are given is made before the timing.',
];

export async function run(lab: Lab): Promise<void> {
  const data = await flights(lab.quick ? 100 : 1);
  const { rows, y, numeric, coded } = data;
  const lambda = 1 / rows;
  const { mine, optimum } = table(lab.wasm, data, lambda);
  const levels = coded.map((column) => column.levels.length);
  const rivals = await lab.contestants(
    'train_flights',
    { rows, lambda, levels, numeric: numeric.length, solvers: SOLVERS },
    {
      y,
      ...Object.fromEntries(numeric.map(({ values }, j) => [`x${j}`, values])),
      ...Object.fromEntries(coded.map(({ codes }, j) => [`codes${j}`, codes])),
    },
  );
  const judge = Judge.flights(data, lambda);
  const total = levels.reduce((sum, count) => sum + count, 0);
  const name = `fit, flights, ${shape(rows, numeric.length + coded.length)}, ${total} levels, L2`;
  await lab.train(name, rows, suboptimality(judge.objective, optimum), [mine, ...rivals]);
  judge.free();
}
