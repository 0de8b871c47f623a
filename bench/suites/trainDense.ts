import { cpus } from 'node:os';
import type { Engine } from '../../bindings/engine.ts';
import { threadedEngine } from '../../bindings/threads.ts';
import { type Dense, dense, type Sparse } from '../data.ts';
import { Judge } from '../judge.ts';
import { type Lab, shape } from '../lab.ts';
import { matrix } from '../ours.ts';
import { suboptimality } from '../race.ts';

/** What all suites of training have in common. */
export const TRAINING = [
  'One fit from arrays in memory to parameters, in milliseconds, one thread unless the name says more. Every contestant climbs a ladder of tolerances, and is timed at the loosest that reaches the goal (its `setting`); `difference` is how far from perfect it then was.',
  'A rival that takes more than ten times the slowest of three fits of logodds is stopped, and shown as that (`moreThan`); where that is more than a minute, fewer times, but two at least. A case of more than two minutes has one round.',
  'Goal of a penalised fit: (f − f*)/|f*| ≤ 1e-8, f by one evaluator in f64 for all, f* of logodds at a tolerance of 1e-12; no contestant may be below f*.',
];

export const notes = [
  ...TRAINING,
  'Normal features, neighbours correlated at 0.5, L2 with C = 1, the intercept not penalised.',
  'scikit-learn with f32 data computes in f32; it also takes part with the data widened to f64, which is part of its time.',
];

export const SOLVERS = ['lbfgs', 'newton-cg', 'newton-cholesky'];

export async function run(lab: Lab): Promise<void> {
  const rows = lab.quick ? 5000 : 200_000;
  for (const precision of ['f32', 'f64'] as const) {
    const data = dense(rows, 100, { precision });
    const name = `fit, dense ${precision}, ${shape(rows, 100)}, L2`;
    await trainMatrix(lab, name, data, SOLVERS);
    if (precision === 'f64') await team(lab, `${name}, threads`, data);
  }
}

/** the same on all cores of the machine, sixteen at most */
async function team(lab: Lab, name: string, data: Dense): Promise<void> {
  const threads = Math.min(16, cpus().length);
  if (threads === 1) return;
  const engine = threadedEngine({ threads });
  try {
    await engine.ready();
    await trainMatrix(lab, name, data, SOLVERS, engine);
  } finally {
    engine.close();
  }
}

/** An L2 fit with C = 1 of dense or sparse rows: logodds, then the rivals in Python. */
export async function trainMatrix(
  lab: Lab,
  name: string,
  data: Dense | Sparse,
  solvers: readonly string[],
  engine: Engine = lab.wasm,
): Promise<void> {
  const { rows, columns, y } = data;
  const lambda = 1 / rows;
  const { mine, optimum } = matrix(engine, data, lambda);
  const numbers = { rows, columns, lambda, solvers, threads: engine.threads };
  const rivals =
    'x' in data
      ? await lab.contestants('train_dense', { ...numbers, precision: precisionOf(data.x) }, { x: data.x, y })
      : await lab.contestants('train_sparse', numbers, {
          rowPtr: data.rowPtr,
          colIdx: data.colIdx,
          values: data.values!,
          y,
        });
  const judge = Judge.matrix(data, lambda);
  await lab.train(name, rows, suboptimality(judge.objective, optimum), [mine, ...rivals]);
  judge.free();
}

function precisionOf(values: Float32Array | Float64Array): 'f32' | 'f64' {
  return values instanceof Float32Array ? 'f32' : 'f64';
}
