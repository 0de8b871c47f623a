import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { loadModel, type Table, tableFromRecords } from '../../src/index.ts';
import { baselineOf, summary, watch } from '../../src/monitor.ts';
import { uniform } from '../data.ts';
import { compare, local, SEED } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { execute, started } from '../programs.ts';

export const notes = [
  'Recording: records, and tables of 8192 rows, of 12 numbers (three in a hundred cells of four of them missing) and 8 categories of 2 to 50 levels, scored with and without a summary. `sample 16`: all counts are of all rows, bins and moments of numbers are of one block of 32 rows in 16, so that the standard error of a share is 4 times that of all.',
  'Logs: a prediction log in Parquet with the same 20 inputs, windows of a day, scores computed again (`logodds monitor`); the log against the baseline of its model (`logodds drift`). Wall time of a process, its start included.',
  'Rivals: a process that loads the same DuckDB by its bindings alone and takes the greatest value of each of the columns that are read, on two threads.',
];

const FOLDER = 'bench/build/monitor';
const NUMBERS = Array.from({ length: 12 }, (_, k) => `n${k}`);
const LEVELS = [3, 5, 12, 50, 7, 30, 2, 20];
const CATEGORIES = LEVELS.map((_, k) => `c${k}`);
const INPUTS = [...NUMBERS, ...CATEGORIES];

/** A row of inputs as SQL. */
const CELLS = [
  ...NUMBERS.map((name, k) => {
    const normal = 'sqrt(-2 * ln(1 - random())) * cos(6.283 * random())';
    const own = [
      'round(20000 + 40000 * random())',
      '20 + floor(50 * random())',
      normal,
      `round(exp(3 + ${normal}), 2)`,
    ][k % 4];
    return `${k % 3 === 0 ? `case when random() >= 0.03 then ${own} end` : own} as ${name}`;
  }),
  ...LEVELS.map((levels, k) => `concat('level ', floor(${levels} * random())::int) as c${k}`),
];

const path = (name: string): string => `${FOLDER}/${name}`;
const MODEL = path('model.safetensors');

/** Runs statements of DuckDB. */
const DUCKDB = `import duckdb from '@duckdb/node-bindings';
const config = duckdb.create_config();
duckdb.set_config(config, 'threads', '2');
const connection = await duckdb.connect(await duckdb.open(':memory:', config));
for (const sql of process.argv.slice(1)) await duckdb.query(connection, sql);`;
const duckdb = (...statements: string[]) => ['--input-type=module', '--eval', DUCKDB, '--', ...statements];
const greatest = (columns: readonly string[]) =>
  duckdb(`select ${columns.map((name) => `max("${name}")`).join(', ')} from '${path('log.parquet')}'`);

export async function run(lab: Lab): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const rows = lab.quick ? 20_000 : 2_000_000;
  const z = "(n1 - 45) / 12 - (coalesce(n0, 40000) - 40000) / 15000 + n2 + case when c0 = 'level 1' then 1 else 0 end";
  execute(
    duckdb(
      // one thread, so that the seed says the rows
      'set threads = 1',
      'select setseed(0.42)',
      `create table inputs as select ${CELLS.join(', ')}, random() as u from range(${rows})`,
      `create table data as select * exclude (u), case when u < 1 / (1 + exp(-(${z}))) then 'default' else 'paid' end as loan from inputs`,
      `copy (from data) to '${path('data.parquet')}'`,
      `copy (from data limit 100000) to '${path('train.parquet')}'`,
    ),
  );
  const roles = ['--target', 'loan', '--positive', 'default'];
  execute(['cli/bin/logodds.js', 'train', path('train.parquet'), ...roles, '--out', MODEL]);
  execute(['cli/bin/logodds.js', 'score', MODEL, path('data.parquet'), '--out', path('scores.parquet')]);
  const model = loadModel(readFileSync(MODEL));
  const facts = `'m' as model, '1' as version, '${model.sha256}' as sha256, null::varchar as route`;
  const scores = 'ln(p_default / (1 - p_default)) as logit, p_default as probability, label';
  execute(
    duckdb(
      `copy (select timestamp '2026-10-01' + to_milliseconds((row * ${2_592_000_000 / rows})::bigint) as at, ${facts}, ${scores}, ${INPUTS.join(', ')}
       from '${path('data.parquet')}' positional join '${path('scores.parquet')}') to '${path('log.parquet')}'`,
    ),
  );
  for (const sample of [1, 16]) await recording(lab, sample);
  const logged = ['at', 'model', 'version', 'sha256', 'route', 'logit', 'probability', 'label', ...INPUTS];
  const monitor = ['cli/bin/logodds.js', 'monitor', path('log.parquet'), '--model', MODEL, '--now', '2026-12-01'];
  const drift = ['cli/bin/logodds.js', 'drift', MODEL, path('log.parquet'), '--json'];
  for (const [what, argv, columns] of [
    ['monitor', [...monitor, '--json'], logged],
    ['drift', drift, INPUTS],
  ] as const) {
    const work = { name: `${what}, 20 inputs, Parquet, ${rows / 1e6}M rows`, rows, bytes: 0, tolerance: 0 };
    const rivals = [started(`logodds ${what}`, argv), started('DuckDB scan', greatest(columns))];
    lab.cases.push(await compare(work, rivals, lab.settings));
  }
  rmSync(FOLDER, { recursive: true });
}

/** What it costs to record what is scored. @param sample  numbers of one block of rows in this many are in bins and moments */
async function recording(lab: Lab, sample: number): Promise<void> {
  const model = loadModel(readFileSync(MODEL));
  const seen = summary(model, baselineOf(model).whole.bins, { sample });
  const how = sample > 1 ? `, sample ${sample}` : '';
  const watched = watch(model, seen);
  const records = recordsOf(1000);
  const scored = (by: typeof model) => () => {
    let sum = 0;
    for (const record of records) sum += by.score(record).probability;
    return sum;
  };
  lab.cases.push(
    await compare(
      { name: `recording, 1000 records of 20 fields${how}`, rows: 1000, bytes: 0, tolerance: 0 },
      [local('scored and recorded', scored(watched)), local('scored', scored(model))],
      lab.settings,
    ),
  );
  const table: Table = tableFromRecords(recordsOf(8192));
  const scorers = [watched, model].map((one) => one.scorer(lab.wasm, { reuse: true }));
  const [recorded, plain] = scorers.map((scorer) => () => scorer.score(table).probabilities[0]);
  lab.cases.push(
    await compare(
      { name: `recording, a table of 8192 × 20${how}`, rows: 8192, bytes: 0, tolerance: 0 },
      [local('scored and recorded', recorded), local('scored', plain)],
      lab.settings,
    ),
  );
  for (const scorer of scorers) scorer.free();
}

function recordsOf(count: number): Record<string, number | string | null>[] {
  const random = uniform(SEED);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(6.283 * random());
  const cell = (k: number): number =>
    [20_000 + 40_000 * random(), 20 + Math.floor(50 * random()), normal(), Math.exp(3 + normal())][k % 4];
  return Array.from({ length: count }, () =>
    Object.fromEntries([
      ...NUMBERS.map((name, k) => [name, k % 3 === 0 && random() < 0.03 ? null : cell(k)]),
      ...LEVELS.map((levels, k) => [`c${k}`, `level ${Math.floor(levels * random())}`]),
    ]),
  );
}
