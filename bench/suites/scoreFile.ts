import { mkdirSync, rmSync } from 'node:fs';
import { FLIGHTS } from '../data.ts';
import { compare } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { execute, started } from '../programs.ts';

export const notes = [
  'From a file of flights to a file of scores (`logodds score`: row, a probability of each class, label): wall time of a process, its start included.',
  'Rival: a process that loads the same DuckDB by its bindings alone and copies the five columns that the model reads from the same file into a file of the same format, on two threads.',
];

const FOLDER = 'bench/build/scores';
const COLUMNS = 'distance, origin, destination, hour, weekday';

const quoted = (path: string) => `'${path.replaceAll("'", "''")}'`;

/** Runs statements of DuckDB. */
const DUCKDB = `import duckdb from '@duckdb/node-bindings';
const config = duckdb.create_config();
duckdb.set_config(config, 'threads', '2');
const connection = await duckdb.connect(await duckdb.open(':memory:', config));
for (const sql of process.argv.slice(1)) await duckdb.query(connection, sql);`;
const duckdb = (...statements: string[]) => ['--input-type=module', '--eval', DUCKDB, '--', ...statements];

export async function run(lab: Lab): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const select = `select delay > 15 as late, distance, origin, destination, hour(date) as hour, strftime(date, '%a') as weekday from read_parquet(${quoted(FLIGHTS)})`;
  for (const [format, rows] of [
    ['parquet', lab.quick ? 30_000 : 3_000_000],
    ['csv', lab.quick ? 10_000 : 1_000_000],
  ] as const) {
    const [data, copied] = [`${FOLDER}/flights.${format}`, `${FOLDER}/copy.${format}`];
    execute(duckdb(`copy (${select} limit ${rows}) to ${quoted(data)}`));
    const model = `${FOLDER}/model.safetensors`;
    const roles = ['--target', 'late', '--categorical', 'hour'];
    if (format === 'parquet') execute(['cli/bin/logodds.js', 'train', data, ...roles, '--out', model]);
    const name = `score, flights, ${format === 'parquet' ? 'Parquet to Parquet' : 'CSV to CSV'}, ${rows / 1e6}M rows`;
    const work = { name, rows, bytes: 0, tolerance: 0 };
    const rivals = [
      started('logodds score', ['cli/bin/logodds.js', 'score', model, data, '--out', `${FOLDER}/scores.${format}`]),
      started('DuckDB COPY', duckdb(`copy (select ${COLUMNS} from ${quoted(data)}) to ${quoted(copied)}`)),
    ];
    lab.cases.push(await compare(work, rivals, lab.settings));
  }
  rmSync(FOLDER, { recursive: true });
}
