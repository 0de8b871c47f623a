import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { driftJson } from '../../cli/src/figures/drift.ts';
import { runDrift } from '../../cli/src/jobs/drift/drift.ts';
import type { DriftOptions } from '../../cli/src/jobs/drift/options.ts';
import { driftPage } from '../../cli/src/report/drift.ts';
import { driftText } from '../../cli/src/terminal/drift.ts';
import { correctPrior } from '../../src/decide.ts';
import { fit, loadModel, saveModel } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { drift, evidentlyDefault, peerFigure, withBaseline } from '../../src/monitor.ts';
import { error } from '../metrics/oracle.ts';
import { workspace } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-drift-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** Rows of customers; `moved` shifts age and income, and brings a city that training did not have. */
function rows(count: number, seed: number, moved = 0) {
  const random = splitmix32(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, () => {
    const age = Math.round(40 + 12 * normal() + 6 * moved);
    const income = Math.round(100 * Math.exp(10 + normal() + 0.3 * moved)) / 100;
    const city = random() < 0.03 * moved ? 'Quito' : ['Oslo', 'Rome', 'Paris <b>'][Math.floor(3 * random())];
    const z = (age - 40) / 10 + (city === 'Rome' ? 1 : 0);
    return {
      age: random() < 0.05 * moved ? null : age,
      income,
      city,
      bad: random() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no',
    };
  });
}
type Row = Record<string, unknown>;
const csv = (name: string, list: readonly Row[]): string => {
  const lines = [
    Object.keys(list[0]).join(),
    ...list.map((row) =>
      Object.values(row)
        .map((cell) => cell ?? '')
        .join(),
    ),
  ];
  writeFileSync(at(name), `${lines.join('\n')}\n`);
  return at(name);
};
const [before, same, after] = [rows(2000, 1), rows(1500, 2), rows(1500, 3, 1)];
const model = withBaseline(fit(before, { target: 'bad' }).model, before);
const files = { model: at('m.safetensors'), before: '', same: '', after: '' };
writeFileSync(files.model, saveModel(model));
Object.assign(files, {
  before: csv('before.csv', before),
  same: csv('same.csv', same),
  after: csv('after.csv', after),
});

const run = (reference: string, current: string, options: Partial<DriftOptions> = {}) =>
  runDrift({ reference: { data: reference }, current: { data: current }, warn: () => {}, ...options });
const drifted = ({ found }: Awaited<ReturnType<typeof run>>) =>
  found.features.flatMap((one) => (one.drifted ? [one.feature] : []));
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
/** without labels: the command reads levels that training had, and counts the others */
const comparable = ({ features, notes: _, ...rest }: ReturnType<typeof drift>) => ({
  ...rest,
  features: features.map((one) => ({
    ...one,
    current: { ...one.current, labels: [] },
    reference: { ...one.reference, labels: [] },
  })),
});

describe('figures', () => {
  test('of a baseline: those of drift', async () => {
    const { found, sides, reference } = await run(files.model, files.after);
    expect(plain(comparable(found))).toEqual(plain(comparable(drift(model, after))));
    expect(sides).toEqual(['yes', 'no']);
    expect(reference).toEqual({ name: files.model, kind: 'baseline', rows: 2000, of: 2000 });
    expect(drifted(await run(files.model, files.same))).toEqual([]);
  });

  test('of data by a model: those of drift, with the classifier', async () => {
    const result = await run(files.before, files.after, { model: files.model });
    expect(plain(comparable(result.found))).toEqual(plain(comparable(drift(before, after, { model }))));
    expect(result.domain!.auc).toBeGreaterThan(0.6);
    const { domain } = await run(files.before, files.same, { model: files.model });
    expect(domain!.low).toBeLessThan(0.5);
    expect(domain!.high).toBeGreaterThan(0.5);
    const off = await run(files.before, files.same, { model: files.model, domain: false });
    expect([off.domain, off.domainNote]).toEqual([null, 'left out by --no-domain']);
  });

  test('without a model columns are compared as they are, and said what for', async () => {
    const result = await run(files.before, files.after);
    const { found, columns } = result;
    expect(columns).toEqual([
      { column: 'age', kind: 'number' },
      { column: 'income', kind: 'number' },
      { column: 'city', kind: 'category' },
      { column: 'bad', kind: 'category' },
    ]);
    const byModel = drift(before, after, { model });
    for (const name of ['age', 'income']) {
      const [own, other] = [found, byModel].map(({ features }) => features.find(({ feature }) => feature === name)!);
      expect(own.tests).toEqual(other.tests);
    }
    expect(drifted(result)).toEqual(['age', 'income', 'city', 'bad']);
    expect(driftJson(result)).toMatchObject({ score: null, logitShift: null, model: null });
    expect(drifted(await run(files.before, files.same))).toEqual([]);
  });

  test('as Evidently and NannyML have them', async () => {
    const { convention } = await run(files.before, files.after, { convention: 'evidently' });
    const numbers = (list: readonly Row[], name: string) =>
      list.flatMap((row) => (row[name] === null ? [] : [row[name] as number]));
    const [a, b] = [numbers(before, 'age'), numbers(after, 'age')];
    const figure = evidentlyDefault(a, b);
    const [age] = convention!.figures;
    expect(age).toEqual({ feature: 'age', figure, ...peerFigure('evidently', figure, a, b) });
    const nannyml = await run(files.before, files.after, { convention: 'nannyml' });
    expect(nannyml.convention!.figures.map(({ figure: name }) => name)).toEqual(new Array(4).fill('jensen_shannon'));
    await expect(run(files.model, files.after, { convention: 'nannyml' })).rejects.toThrow(
      error('ERR_DATA', '--convention'),
    );
  });

  test('all rows of a large file are counted, whose bins are those of a sample', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const file = (name: string, add: number): string => {
      const path = at(name);
      return path.concat(
        `|select (hash(i + ${add}) % 10000)::double / 100 + ${add} as x, 'k' || (hash(i * 7) % 3) as k from range(150000) t(i)`,
      );
    };
    for (const [path, sql] of [file('big1.parquet', 0), file('big2.parquet', 5)].map((one) => one.split('|select')))
      await connection.run(`copy (select${sql}) to '${path}' (format parquet)`);
    connection.closeSync();
    const { found } = await run(at('big1.parquet'), at('big2.parquet'), { domain: false });
    expect(found.rows).toEqual({ reference: 150_000, current: 150_000 });
    expect(found.features.map(({ drifted: is }) => is)).toEqual([true, false]);
    expect(found.features[0].tests.ks!.value).toBeCloseTo(0.05, 2);
    expect(found.features[0].reference.mean).toBeCloseTo(50, 0);
  });
});

describe('what cannot be used is told, and the rest goes on', () => {
  test('a column that is absent, or has a cell that it may not have', async () => {
    const absent = csv(
      'absent.csv',
      same.map(({ income: _, ...row }) => row),
    );
    const without = await run(files.model, absent);
    expect(without.skipped).toEqual([{ name: 'income', why: 'absent in CURRENT: all its cells count as missing' }]);
    expect(drifted(without)).toEqual(['income']);
    const wrong = csv(
      'wrong.csv',
      same.map((row, i) => (i === 700 ? { ...row, age: 'old' } : row)),
    );
    const found = await run(files.model, wrong);
    expect(found.skipped[0]).toMatchObject({ name: 'age', why: expect.stringContaining('line 702, row 700') });
    expect(found.found.rows.current).toBe(1500);
    expect(drifted(found)).toEqual(['age']);
  });

  test('a value of a private column is in no message', async () => {
    const schema = { features: [{ kind: 'numeric', name: 'age', private: true }], others: 'infer' } as const;
    writeFileSync(
      at('private.safetensors'),
      saveModel(withBaseline(fit(before, { target: 'bad', schema }).model, before)),
    );
    const wrong = csv(
      'secret.csv',
      same.map((row, i) => (i === 700 ? { ...row, age: 'secret' } : row)),
    );
    const { skipped } = await run(at('private.safetensors'), wrong);
    expect(skipped[0].name).toBe('age');
    expect(skipped[0].why).toContain('row 700');
    expect(skipped[0].why).not.toContain('secret"');
    expect(JSON.stringify((await run(files.model, wrong)).skipped)).toContain('got \\"secret\\"');
  });

  test('columns of another kind, of one side, of nothing, and identifiers', async () => {
    const more = (list: readonly Row[], own: (i: number) => Row) => list.map((row, i) => ({ ...row, ...own(i) }));
    const a = csv(
      'a.csv',
      more(before, (i) => ({ id: `a${i}`, old: 1, void: null, mixed: i, constant: 3 })),
    );
    const b = csv(
      'b.csv',
      more(same, (i) => ({ id: `b${i}`, fresh: 1, void: null, mixed: `t${i % 3}`, constant: 3 })),
    );
    const { skipped, found } = await run(a, b);
    const why = Object.fromEntries(skipped.map((one) => [one.name, one.why]));
    expect(why).toMatchObject({
      id: 'it looks like an identifier: 2,000 values in 2,000 rows',
      old: 'only REFERENCE has it',
      fresh: 'only CURRENT has it',
      mixed: 'numbers in REFERENCE and categories in CURRENT',
    });
    expect(why['void']).toBeDefined();
    const constant = found.features.find(({ feature }) => feature === 'constant')!;
    expect(constant).toMatchObject({ drifted: false, p: 1 });
  });

  test('NaN and infinite numbers count as missing, by column and count', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const path = at('nan.parquet');
    await connection.run(
      `copy (select case when age = 40 then 'nan'::double when age = 41 then 'inf'::double else age end as age, income, city, bad from read_csv('${files.same}')) to '${path}' (format parquet)`,
    );
    connection.closeSync();
    const wild = same.filter(({ age }) => age === 40 || age === 41).length;
    const { notes, found } = await run(files.model, path);
    expect(notes).toContain(
      `column "age" of CURRENT has ${wild} cells that are NaN or infinite; they count as missing`,
    );
    expect(found.features[0].current.missing).toBe(wild);
    expect(JSON.stringify(driftJson(await run(files.model, path)))).not.toContain('NaN,');
  });

  test('rows that the model refuses are counted, with the first', async () => {
    const strict = withBaseline(fit(before, { target: 'bad', unseen: 'error' }).model, before);
    writeFileSync(at('strict.safetensors'), saveModel(strict));
    const { found, notes } = await run(at('strict.safetensors'), files.after);
    const refused = after.filter(({ city }) => city === 'Quito').length;
    expect(found.refused).toEqual({ reference: 0, current: refused });
    expect(found.rows.current).toBe(1500 - refused);
    expect(notes[0]).toContain(
      `${refused} rows of CURRENT were refused by the model and are not compared; the first: row `,
    );
    const both = await run(files.after, files.after, { model: at('strict.safetensors'), domain: false });
    expect(both.found.refused).toEqual({ reference: refused, current: refused });
    const none = csv(
      'none.csv',
      after.slice(0, 20).map((row) => ({ ...row, city: 'Nowhere' })),
    );
    await expect(run(at('strict.safetensors'), none)).rejects.toThrow(
      error('ERR_DATA', 'CURRENT: expected rows that the model scores, got 20'),
    );
  });

  test('a model whose calibration is another than that of its baseline says so, as monitor does', async () => {
    writeFileSync(at('prior.safetensors'), saveModel(correctPrior(model, 0.05)));
    const { notes } = await run(at('prior.safetensors'), files.same);
    expect(notes).toContain(
      'the reference was scored with another calibration or decision: mean probabilities are not comparable',
    );
    expect((await run(files.model, files.same)).notes.join()).not.toContain('calibration');
  });

  test('no baseline, no rows, no column in common, and contradictions are errors that say what to do', async () => {
    writeFileSync(at('bare.safetensors'), saveModel(fit(before, { target: 'bad' }).model));
    await expect(run(at('bare.safetensors'), files.same)).rejects.toThrow(
      error('ERR_DATA', 'with a baseline, got one without'),
    );
    writeFileSync(at('empty.csv'), 'age,income,city,bad\n');
    await expect(run(files.model, at('empty.csv'))).rejects.toThrow(error('ERR_DATA', 'expected rows, got none'));
    await expect(run(at('empty.csv'), files.same, { model: files.model })).rejects.toThrow(
      error('ERR_DATA', 'got none'),
    );
    const other = csv('other.csv', [{ x: 1 }, { x: 2 }]);
    await expect(run(files.same, other)).rejects.toThrow(error('ERR_SCHEMA', 'both have, got none'));
    await expect(run(files.same, files.model)).rejects.toThrow(
      error('ERR_RANGE', 'CURRENT: expected data, got a model'),
    );
    await expect(run(files.model, files.same, { model: files.model })).rejects.toThrow(error('ERR_RANGE', '--model'));
    await expect(run('-', '-')).rejects.toThrow(error('ERR_RANGE', 'standard input twice'));
  });
});

describe('what is shown', () => {
  const origin = { argv: ['logodds'], versions: [], data: { name: 'x', sha256: null, bytes: null }, made: 'now' };

  test('the page has no script and no markup of the data, and says the same as the terminal', async () => {
    const result = await run(files.before, files.after, { model: files.model, convention: 'evidently' });
    const page = await driftPage(result, 0.01, origin as never);
    expect(page).not.toMatch(/<script|Paris <b>|https?:\/\/(?!www\.w3\.org)/);
    expect(page).toContain('Paris &lt;b&gt;');
    for (const id of ['scores', 'shifts', 'feature-0', 'feature-2']) expect(page).toContain(`id="figure-${id}"`);
    const text = driftText(result, 0.01);
    for (const said of ['3 of 3 features drifted', '; the scores drifted'])
      for (const one of [page, text]) expect(one).toContain(said);
    expect(await driftPage(result, 0.01, origin as never)).toBe(page);
    expect(page).not.toMatch(/NaN|undefined/);
    expect(text).not.toMatch(/NaN|undefined/);
  });

  test('of columns alone, of several classes, and of a side of one row', async () => {
    const many = before.map((row, i) => ({ ...row, bad: ['a', 'b', 'c'][(i + (row.city === 'Rome' ? 1 : 0)) % 3] }));
    writeFileSync(at('three.safetensors'), saveModel(withBaseline(fit(many, { target: 'bad' }).model, many)));
    const one = csv('one.csv', after.slice(0, 1));
    for (const result of [
      await run(files.before, files.after),
      await run(at('three.safetensors'), files.after),
      await run(files.model, one),
      await run(files.before, one),
    ]) {
      const page = await driftPage(result, 0.01, origin as never);
      for (const text of [page, driftText(result, 0.01), JSON.stringify(driftJson(result))])
        expect(text).not.toMatch(/NaN|undefined/);
    }
  });
});

describe('the command', () => {
  const { run: command, write, json, path } = workspace();
  beforeAll(() => {
    for (const [name, file] of Object.entries(files))
      write(name === 'model' ? 'm.safetensors' : `${name}.csv`, readFileSync(file));
  });

  test('--fail ends with 1 when something drifted, and says the same', () => {
    const args = ['drift', 'm.safetensors'];
    expect(command([...args, 'same.csv', '--fail']).status).toBe(0);
    expect(command([...args, 'after.csv']).status).toBe(0);
    const failed = command([...args, 'after.csv', '--fail', '--report', 'page.html']);
    expect(failed.status).toBe(1);
    expect(failed.stdout).toContain('3 of 3 features drifted');
    expect(readFileSync(path('page.html'), 'utf8')).toContain('<h1>');
  });

  test('--json is the contract', () => {
    const found = json(['drift', 'm.safetensors', 'after.csv']);
    expect(found).toMatchObject({
      rows: { reference: 2000, current: 1500 },
      score: { psi: expect.any(Number), ks: expect.any(Number), js: expect.any(Number), kl: expect.any(Number) },
      logitShift: { total: expect.any(Number) },
      drifted: { features: ['age', 'income', 'city'], score: true },
    });
    const [age, , city] = found.features;
    expect(age).toMatchObject({
      feature: 'age',
      drifted: true,
      tests: {
        psi: { value: expect.any(Number), p: expect.any(Number) },
        ks: { value: expect.any(Number), p: expect.any(Number) },
      },
      logitShift: expect.any(Number),
    });
    expect(city.tests.chi2.p).toBeLessThan(1e-6);
  });

  test('queries and standard input, and what is missing on the command line', () => {
    const query = "from 'after.csv'";
    const direct = json(['drift', 'm.safetensors', 'after.csv']);
    expect(json(['drift', 'm.safetensors', '--query', query]).features).toEqual(direct.features);
    expect(json(['drift', '--reference-query', "from 'before.csv'", '--query', query]).columns).toHaveLength(4);
    const stdin = readFileSync(path('after.csv'), 'utf8');
    const piped = json(['drift', 'm.safetensors', '-'], { stdin });
    expect(piped.features).toEqual(direct.features);
    expect(piped.current.name).toBe('standard input');
    const bad = command(['drift', 'm.safetensors', '-'], { stdin: 'age,income\n1\n' });
    expect(bad.status).toBe(1);
    expect(bad.stderr).toContain('standard input: cannot be read: line 2');
    expect(command(['drift', 'm.safetensors']).status).toBe(2);
    expect(command(['drift', 'm.safetensors', 'same.csv', '--query', query]).status).toBe(2);
    expect(command(['drift', 'm.safetensors', 'same.csv', '--report', 'same.csv']).stderr).toContain('ERR_OUTPUT');
  });
});

test('a model file that was read has the baseline', () => {
  expect(loadModel(readFileSync(files.model)).manifest.baseline).toBeDefined();
});

test('data of another schema are no drift of every feature', async () => {
  const strange = at('strange.csv');
  writeFileSync(strange, 'when,what\n1,a\n2,b\n');
  await expect(run(files.model, strange)).rejects.toThrow('got none of them; give data of this model');
});
