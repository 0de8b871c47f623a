import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { FLIGHTS } from '../data.ts';
import type { Lab } from '../lab.ts';
import { pythonCommand } from '../peer.ts';
import { type Contestant, closeness } from '../race.ts';

export const notes = [
  'From a Parquet file of three million flights to a model file and log loss and AUC of the latest fifth of the dates: wall time of a process, its start included.',
  'logodds: the command, `logodds train`. Python: pandas, a scikit-learn pipeline of OneHotEncoder (sparse), StandardScaler and LogisticRegression, joblib. Goal: log loss and AUC within 1e-4 of those of logodds at its default tolerance.',
  'Arithmetic on one thread; the readers of Parquet (DuckDB, pyarrow) as they come.',
];

const FOLDER = 'bench/build/file';
const TOLS = ['1e-4', '1e-5', '1e-6', '1e-7'];
const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

export async function run(lab: Lab): Promise<void> {
  const every = lab.quick ? 100 : 1;
  mkdirSync(FOLDER, { recursive: true });
  const mine = command('logodds train', ['defaults'], process.execPath, () => flags(every));
  const { params } = (await mine.fit(0))!;
  const python = pythonCommand();
  const solvers = python ? ['lbfgs', 'newton-cholesky'] : [];
  const rivals = solvers.map((solver) =>
    command(`pandas and scikit-learn ${solver}`, TOLS, python!, (tol) => {
      return ['bench/pipeline.py', FLIGHTS, `${every}`, FOLDER, solver, tol];
    }),
  );
  await lab.train('flights, Parquet file to model and metrics', 3e6 / every, closeness(params, params, 1e-4), [
    mine,
    ...rivals,
  ]);
  rmSync(FOLDER, { recursive: true });
}

/** a process, at settings of which the first is its default; parameters: log loss and AUC that it prints */
function command(
  name: string,
  rungs: readonly string[],
  program: string,
  options: (rung: string) => readonly string[],
): Contestant {
  const env = { ...process.env, ...ONE_THREAD };
  return {
    name,
    rungs,
    fit: (rung, limitMs = Number.POSITIVE_INFINITY) => {
      const timeout = Number.isFinite(limitMs) ? Math.ceil(limitMs) : undefined;
      const start = performance.now();
      const { status, stdout, stderr, error } = spawnSync(program, options(rungs[rung]), {
        env,
        encoding: 'utf8',
        timeout,
      });
      const ms = performance.now() - start;
      if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') return null;
      if (status !== 0) throw new Error(`${name}: ${stderr.trim().split('\n').at(-1)}`);
      const { logLoss, auc } = JSON.parse(stdout).holdout as { logLoss: number; auc: number };
      return { ms, params: Float64Array.of(logLoss, auc) };
    },
  };
}

function flags(every: number): string[] {
  const path = `'${FLIGHTS.replaceAll("'", "''")}'`;
  const source =
    every > 1
      ? `read_parquet(${path}, file_row_number = true) where file_row_number % ${every} = 0`
      : `read_parquet(${path})`;
  const sql = `select delay > 15 as late, distance, origin, destination, hour(date) as hour, strftime(date, '%a') as weekday, date
    from ${source}`;
  const roles = ['--target', 'late', '--categorical', 'hour', '--holdout-by', 'date'];
  return [
    'cli/bin/logodds.js',
    'train',
    '--query',
    sql,
    ...roles,
    '--out',
    `${FOLDER}/model.safetensors`,
    '--threads',
    '1',
    '--json',
  ];
}
