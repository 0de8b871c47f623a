import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { LogCounts } from '../../cli/src/jobs/monitor/counts.ts';
import { watchParquet } from '../../cli/src/jobs/monitor/parquetLog.ts';
import { settingsOf } from '../../cli/src/jobs/monitor/settings.ts';
import { openLog, parquetOf, watchTyped } from '../../cli/src/jobs/monitor/typed.ts';
import { fit, loadModel, pickEngine, saveModel } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { type ModelWatchOptions, modelWatch, withBaseline } from '../../src/monitor.ts';
import { workspace } from './run.ts';

const { path } = workspace();
const random = splitmix32(9);
const ROWS = 5000;
const HOUR = 3_600_000;

const rows = Array.from({ length: ROWS }, (_, i) => {
  const income = random() < 0.05 ? null : Math.round(20_000 + 40_000 * random());
  const age = 20 + 50 * random();
  const region = i % 900 === 7 ? 'islands' : ['north', 'south', 'east'][Math.floor(3 * random())];
  return { income, age, region, truth: random() < 1 / (1 + Math.exp((45 - age) / 9)) ? 'default' : 'paid' };
});
const train = rows.filter(({ region }) => region !== 'islands').slice(0, 2000);
const model = loadModel(
  saveModel(withBaseline(fit(train, { target: 'truth', positive: 'default' }).model, train.slice(0, 1000))),
);
const engine = pickEngine();

beforeAll(async () => {
  const scored = rows.map(({ truth, ...inputs }, i) => {
    const { logit, probability, label } = model.score(inputs);
    return { i, ...inputs, truth: i % 9 === 0 ? null : truth, logit, probability, label };
  });
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const facts = `'loans' as model, '3' as version, '${model.sha256}' as sha256, null::varchar as route`;
  const text = scored.map((row) => JSON.stringify(row)).join('\n');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(path('rows.jsonl'), `${text}\n`);
  await db.run(
    `create table log as select timestamp '2026-10-01' + to_microseconds(1_234_567 * i::bigint) as "at", ${facts}, * from read_json('${path('rows.jsonl')}',
     columns = {i: 'INTEGER', income: 'DOUBLE', age: 'DOUBLE', region: 'VARCHAR', truth: 'VARCHAR', logit: 'DOUBLE', probability: 'DOUBLE', label: 'VARCHAR'}) order by i`,
  );
  for (const [name, sql] of Object.entries({ ...AHEAD, ...LEFT }))
    await db.run(
      `copy (${sql.replace(/^\*/, 'select *')} from log order by i) to '${path(name)}.parquet' (row_group_size 2048)`,
    );
  db.closeSync();
});

/** Logs that are read without DuckDB. */
const AHEAD: Readonly<Record<string, string>> = {
  plain: '*',
  'rows of several models': `select * replace (case when i % 3 = 0 then repeat('b', 64) when i % 7 = 0 then null else sha256 end as sha256, case when i > 3000 then 'challenger' end as route, (i // 1500)::varchar as version)`,
  'of another model alone': `select * replace (repeat('b', 64) as sha256)`,
  'without a digest': 'select * exclude (sha256, model, version, route)',
  'logits that are missing': 'select * replace (case when i % 5 > 0 then logit end as logit)',
  'logits of few values that are missing': 'select * replace (case when i % 5 > 0 then round(logit) end as logit)',
  'without scores': 'select * exclude (probability, label, logit)',
  'times as whole numbers': 'select * replace (epoch_ms("at") as "at")',
  'times as numbers': 'select * replace (epoch_us("at") / 1000.0 as "at")',
  'whole numbers as inputs': 'select * replace (income::integer as income, age::float as age)',
};

/** Logs that are left to DuckDB. */
const LEFT: Readonly<Record<string, string>> = {
  'times as text': 'select * replace ("at"::varchar as "at")',
  'a time that is missing': 'select * replace (case when i <> 4000 then "at" end as "at")',
  'a probability beyond 1': 'select * replace (case when i = 4000 then 1.5 else probability end as probability)',
  'a label that is no class': `select * replace (case when i = 4000 then 'other' else label end as label)`,
  'an input that is NaN': `select * replace (case when i = 4000 then 'nan'::double else age end as age)`,
  'inputs in a struct': 'select * exclude (income, age, region), {income: income, age: age, region: region} as inputs',
  'probabilities without labels': 'select * exclude (label, logit)',
  'outcomes as numbers': 'select * replace (i % 2 as truth)',
};

async function watch(
  name: string,
  isAhead: boolean,
  options: ModelWatchOptions = {},
  target?: string,
): Promise<string | null> {
  const { columns } = settingsOf('', {});
  const file = path(`${name}.parquet`);
  const counts = new LogCounts();
  const start = () => modelWatch(model, { every: { ms: HOUR }, ...options });
  const watched = isAhead
    ? await watchParquet({ path: file, columns, model, target }, start, counts, engine)
    : await watchTyped(
        await openLog(file, parquetOf(file), columns),
        model,
        start,
        target === undefined ? null : { target },
        counts,
        engine,
        () => {},
      );
  return watched && JSON.stringify({ watched, origins: counts.origins, notes: counts.notes });
}

test('of two classes a probability without a label is a score: of the class that the decision takes', async () => {
  const without = JSON.parse((await watch('probabilities without labels', false))!);
  const withLabels = JSON.parse((await watch('plain', false))!);
  // the one has no logits, from which skew is told to the bit
  const { skew: _, ...own } = without.watched;
  const { skew: __, ...whole } = withLabels.watched;
  expect(own.windows).toHaveLength(whole.windows.length);
  expect(own.windows).toEqual(whole.windows);
  expect(without.notes.map(({ what }: { what: string }) => what).join()).not.toMatch(/scored now/);
});

describe('a log in Parquet gives the same bytes with DuckDB and without', () => {
  test.each(Object.keys(AHEAD))('%s', async (name) => {
    const ahead = await watch(name, true);
    expect(ahead).not.toBeNull();
    expect(ahead).toBe(await watch(name, false));
  });

  test.each([
    ['windows by rows', { every: { rows: 700 } }, undefined],
    ['a sample', { sample: 4, seed: 3 }, undefined],
    ['scores that are not computed again', { rescore: false }, undefined],
    ['groups and outcomes', { groups: 'region' }, 'truth'],
    ['times of values', { eventTimes: { age: 'at' }, maxAgeMs: 1000 }, undefined],
    ['scores from after the end', { until: Date.UTC(2026, 9, 1, 1) }, undefined],
  ] as const)('%s', async (_, options, target) => {
    const ahead = await watch('rows of several models', true, options, target);
    expect(ahead).not.toBeNull();
    expect(ahead).toBe(await watch('rows of several models', false, options, target));
  });

  test.each(Object.keys(LEFT))('%s: left to DuckDB, and nothing is counted', async (name) => {
    expect(await watch(name, true, {}, name.startsWith('outcomes') ? 'truth' : undefined)).toBeNull();
  });
});
