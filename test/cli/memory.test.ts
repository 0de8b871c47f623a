import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../cli/src/read/files.ts';
import type { Model } from '../../src/index.ts';
import { baselineOf } from '../../src/monitor.ts';
import { sweep } from '../full.ts';
import { workspace } from './run.ts';

const { run, json, write, path, names, folder } = workspace();

const ROWS = sweep(300_000, 800_000);
const LIMIT = 120e6;
const COLUMNS = 22;

beforeAll(async () => {
  const connection = await (await DuckDBInstance.create()).connect();
  const numbers = Array.from({ length: COLUMNS }, (_, j) => `(random() * ${j + 1} + ${j}) as x${j}`);
  await connection.run('select setseed(0.5)');
  await connection.run(
    `create table t as select *, case when x0 * 4 - x1 + 2 * random() > 2 then 'yes' else 'no' end as y,
       case when x0 + 2 * random() > 2 then 'high' when random() > 0.5 then 'mid' else 'low' end as k
     from (select ${numbers.join(', ')},
       case when random() < 0.1 then null else random() end as gaps,
       case when random() < 0.05 then null else ['red', 'green', 'blue'][1 + floor(random() * 3)::int] end as colour,
       1 + floor(random() * 3)::int as w, random() - 0.5 as o, row_number() over () as day from range(${ROWS}))`,
  );
  await connection.run(`copy t to '${path('big.parquet')}'`);
  await connection.run(
    `copy (select random() as x0, random() as x1, 1 as w, 0.5 as o, if(random() > 0.5, 'yes', 'no') as y
       from range(800000)) to '${path('long.parquet')}'`,
  );
  for (const [file, rows] of [
    ['small.csv', 20_000],
    ['small.parquet', 20_000],
    ['tiny.parquet', 500],
  ] as const) {
    await connection.run(`copy (select * exclude (x6, x7, x8, x9) from t limit ${rows}) to '${path(file)}'`);
  }
  connection.closeSync();
  // reports the most memory that the process ever had, in bytes
  write(
    'peak.cjs',
    `process.on('exit', () => { const fs = require('node:fs');
       fs.writeFileSync('peak', /VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]); });`,
  );
});

/** What tells of the way to the estimates: a fit of many rows in memory starts from a sample of them (decision 090). */
const OF_THE_WAY = ['seconds', 'iterations', 'gradNorm'];

/**
 * Within 1e-9, relative to what is above 1; where the way was another one, within 1e-6: estimates and their errors end where the gradient is
 * below the tolerance of the fit. Everything but the way, times and the findings that need all rows in memory.
 */
function same(a: unknown, b: unknown, what: string, limit = 1e-9): void {
  if (typeof b === 'number') {
    expect(Math.abs((a as number) - b) / Math.max(1, Math.abs(b)), `${what}: ${a}, in memory ${b}`).toBeLessThan(limit);
  } else if (ArrayBuffer.isView(b)) same([...(a as Float64Array)], [...(b as Float64Array)], what, limit);
  else if (b !== null && typeof b === 'object') {
    expect(Object.keys(a as object), what).toEqual(Object.keys(b));
    for (const key of Object.keys(b))
      if (!OF_THE_WAY.includes(key)) same((a as never)[key], (b as never)[key], `${what}.${key}`, limit);
  } else expect(a, what).toBe(b);
}

/** without the baseline, which within a limit is of a sample */
const ofModel = ({ manifest: { warnings: _, baseline: __, ...manifest }, weights, intercept, covariance }: Model) => ({
  ...{ manifest, weights, intercept, covariance },
});

/** A run within a limit gives the model and the metrics of one without. */
function equalRuns(args: readonly string[], limit: string, node: readonly string[] = []) {
  const [whole, limited] = ['whole', 'limited'].map((name) => {
    const more = name === 'limited' ? ['--memory', limit] : [];
    const out = json(['train', ...args, '--out', `${name}.safetensors`, ...more], { node });
    return { out, model: readModel(path(`${name}.safetensors`)), peak: peak() };
  });
  const [{ iterations: own }, { iterations: other }] = [limited, whole].map(({ model }) => model.manifest.fit);
  same(ofModel(limited.model), ofModel(whole.model), 'model', own === other ? 1e-9 : 1e-6);
  const { rows, holdout, classes } = limited.out;
  // both have a baseline of the same rows, or of a sample that does not drift from them
  const [few, all] = [limited, whole].map(({ model }) => baselineOf(model));
  expect([few.of, few.classes.size]).toEqual([all.of, all.classes.size]);
  few.whole.features.forEach(({ missing, mean, feature }, i) => {
    const own = all.whole.features[i];
    // five standard errors of a sample of that size
    const error = 5 / Math.sqrt(few.whole.rows);
    expect(Math.abs(missing / few.whole.rows - own.missing / all.whole.rows), feature).toBeLessThan(error / 2);
    if (mean !== null) expect(Math.abs(mean - own.mean!) / own.std!, feature).toBeLessThan(error);
  });
  same(
    { rows, holdout, classes },
    { rows: whole.out.rows, holdout: whole.out.holdout, classes: whole.out.classes },
    'out',
  );
  return { whole, limited };
}

const peak = () => (existsSync(path('peak')) ? Number(readFileSync(path('peak'), 'utf8')) * 1024 : 0);

describe('a model trained within a limit of memory is that trained without', () => {
  const COMMON = ['--drop', 'day,k', '--weight', 'w', '--offset', 'o'];
  it.each([
    ['CSV', ['small.csv', '--target', 'y', ...COMMON], '300MB'],
    [
      'Parquet, without a penalty',
      ['small.parquet', '--target', 'y', ...COMMON, '--no-penalty', '--inference'],
      '130MB',
    ],
    ['L1', ['small.parquet', '--target', 'y', ...COMMON, '--l1-ratio', '1', '--C', '0.01'], '130MB'],
    ['several classes', ['small.parquet', '--target', 'k', '--drop', 'y,day,o', '--weight', 'w'], '130MB'],
    ['one against the rest', ['small.parquet', '--target', 'k', '--drop', 'y,day', '--multiclass', 'ovr'], '130MB'],
    ['holdout by a column', ['small.parquet', '--target', 'y', '--drop', 'k', '--holdout-by', 'day'], '130MB'],
    ['no holdout', ['small.parquet', '--target', 'y', '--drop', 'k,day', '--no-holdout'], '0.13GB'],
  ])('%s', (_, args, limit) => {
    equalRuns(args, limit);
  });

  it.runIf(existsSync('/proc/self/status'))(
    'also where its rows do not fit into the limit, and the process stays within it',
    () => {
      const node = ['--require', path('peak.cjs')];
      const args = ['--target', 'y', '--drop', 'day,k,w,o', '--no-penalty', '--inference'];
      json(['train', 'tiny.parquet', ...args, '--out', 'tiny.safetensors', '--memory', '120MB'], { node });
      const baseline = peak();
      const { whole, limited } = equalRuns(['big.parquet', ...args], `${LIMIT / 1e6}MB`, node);
      expect(ROWS * 8 * COLUMNS).toBeGreaterThan(sweep(0.4, 1.1) * LIMIT);
      expect(limited.peak - baseline).toBeLessThan(LIMIT);
      expect(whole.peak - baseline).toBeGreaterThan(sweep(1, 3) * LIMIT);
    },
    180_000,
  );
});

describe('what cannot be done is one sentence', () => {
  const refused = (args: readonly string[]) => {
    const { status, stderr } = run(['train', ...args, '--target', 'y', '--out', 'no.safetensors']);
    expect(names()).not.toContain('no.safetensors');
    return [status, stderr];
  };

  it('a limit that is too small, for anything, for the rows or for the reader', () => {
    expect(refused(['small.parquet', '--memory', '20MB'])).toEqual([
      ...[1, 'ERR_MEMORY --memory: expected at least 100MB to read a file, got 20MB; raise it\n'],
    ]);
    expect(
      refused(['long.parquet', '--weight', 'w', '--offset', 'o', '--features', 'x0,x1', '--memory', '100MB']),
    ).toEqual([
      1,
      'ERR_MEMORY --memory: expected at least 116MB for 800,000 rows of 2 features, got 100MB; raise it\n',
    ]);
  });

  it('a size that is none, and options that need all rows in memory', () => {
    expect(refused(['small.parquet', '--memory', '512'])[0]).toBe(2);
    expect(refused(['small.parquet', '--memory', '512MB', '--cluster', 'colour'])[0]).toBe(2);
    expect(refused(['small.parquet', '--memory', '512MB', '--bootstrap', '10'])[0]).toBe(2);
    expect(refused(['small.csv', '--memory', '512MB', '--online'])[1]).toContain(
      "'--memory' does not go with --online",
    );
  });

  it('no room for the scratch file', () => {
    const { status, stderr } = run(
      ['train', 'small.parquet', '--target', 'y', '--out', 'no.safetensors', '--memory', '130MB'],
      {
        shell: 'ulimit -f 500',
      },
    );
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^ERR_OUTPUT scratch file .*: cannot be used \(file too large\); free \d+MB there, or set TMPDIR/,
      ),
    ]);
  });
});

describe.runIf(existsSync('/proc/self/fd'))('a signal leaves neither scratch file nor half a model', () => {
  const scratch = path('scratch');
  const start = () => {
    mkdirSync(scratch, { recursive: true });
    const args = ['train', 'small.csv', '--target', 'y', '--drop', 'day,k', '--no-penalty', '--profile'];
    const command = new URL('../../cli/bin/logodds.js', import.meta.url).pathname;
    const env = { ...process.env, TMPDIR: scratch };
    const child = spawn(process.execPath, [command, ...args, '--out', 'cut.safetensors', '--memory', '300MB'], {
      cwd: folder,
      env,
    });
    return { child, ended: new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal))) };
  };
  const files = (pid: number) =>
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  const writes = (pid: number) => files(pid).some((file) => file.includes('.rows'));
  /** the fit hears no signals: they end the program at once */
  const fits = (pid: number) => {
    const [, caught] = /SigCgt:\s+\w*(\w{8})/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
    return files(pid).some((file) => file.endsWith('.rows (deleted)')) && (Number.parseInt(caught, 16) & 0x4000) === 0;
  };

  it.each([
    ['SIGTERM', 'fits', fits],
    ['SIGINT', 'fits', fits],
    ['SIGKILL', 'fits', fits],
    ['SIGTERM', 'writes it', writes],
    ['SIGINT', 'writes it', writes],
  ] as const)('%s while it %s', async (signal, _, is) => {
    const { child, ended } = start();
    let found = false;
    for (let tries = 0; tries < 5000 && !found; tries++) {
      found = is(child.pid!);
      if (!found) await setTimeout(2);
    }
    child.kill(signal);
    expect(found).toBe(true);
    expect(await ended).toBe(signal);
    expect(readdirSync(scratch)).toEqual([]);
    expect(names().filter((name) => name.includes('cut'))).toEqual([]);
  });
});
