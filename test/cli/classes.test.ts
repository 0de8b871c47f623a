import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import { evaluateClasses } from '../../src/metrics/multiclass.ts';
import { saveModel } from '../../src/model/file.ts';
import { Model } from '../../src/model/model.ts';
import { allStages } from '../../src/stages.ts';
import { CLASSES, classModel, manifestOf, smallSchema } from '../model/parts.ts';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();

const MODES = ['bike', 'bus', 'car'];
const rows = Array.from({ length: 60 }, (_, i) => ({
  age: i % 11 === 5 ? null : 20 + ((i * 37) % 41),
  city: ['Bonn', 'Köln', null, 'Ulm'][i % 4],
  mode: MODES[(i * i + (i >> 2)) % 3],
  trips: (i % 3) + 0.5,
}));
const cell = (value: unknown) => (value === null ? '' : String(value));
write('rows.csv', `age,city,mode,trips\n${rows.map((row) => Object.values(row).map(cell).join()).join('\n')}\n`);

/** The same model, its classes renamed. */
const renamed = (classes: string[], changes = {}): Model => classModel({ ...changes, classes });
const save = (name: string, model: Model) => write(name, saveModel(model));
const models = { multinomial: classModel(), ovr: classModel({ multiclass: 'ovr' }) };
for (const [name, model] of Object.entries(models)) save(`${name}.safetensors`, model);

describe.each(Object.entries(models))('score with three classes (%s)', (name, model) => {
  const expected = rows.map(({ age, city }) => model.score({ age, city }));

  it.each([
    ['csv', ','],
    ['tsv', '\t'],
  ])('.%s: a probability for every class, the shortest digits that read back, and the label', (ending, delimiter) => {
    json(['score', `${name}.safetensors`, 'rows.csv', '--out', `${name}.${ending}`]);
    const [header, ...lines] = readFileSync(path(`${name}.${ending}`), 'utf8')
      .trimEnd()
      .split('\n');
    expect(header.split(delimiter)).toEqual(['row', 'p_bike', 'p_bus', 'p_car', 'label']);
    expect(lines).toEqual(expected.map(({ probabilities, label }, i) => [i, ...probabilities!, label].join(delimiter)));
  });

  it('.jsonl', () => {
    json(['score', `${name}.safetensors`, 'rows.csv', '--out', `${name}.jsonl`]);
    const lines = readFileSync(path(`${name}.jsonl`), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      expected.map(({ probabilities: [p_bike, p_bus, p_car] = [], label }, row) => ({
        row,
        p_bike,
        p_bus,
        p_car,
        label,
      })),
    );
  });

  it.each(['f64', 'f32'])('.parquet has the same bits (%s)', async (precision) => {
    const out = `${name}-${precision}.parquet`;
    json(['score', `${name}.safetensors`, 'rows.csv', '--precision', precision, '--out', out]);
    const scorer = model.scorer(pickEngine(), { precision: precision as 'f32' | 'f64' });
    const { probabilities } = scorer.score(tableFromRecords(rows));
    const connection = await (await DuckDBInstance.create()).connect();
    const read = await connection.runAndReadAll(`select * from '${path(out)}' order by "row"`);
    expect(read.getRowObjectsJS()).toEqual(
      expected.map(({ label }, i) => ({
        row: BigInt(i),
        p_bike: probabilities[i],
        p_bus: probabilities[60 + i],
        p_car: probabilities[120 + i],
        label,
      })),
    );
    connection.closeSync();
    scorer.free();
  });

  it('--precision f32', () => {
    json(['score', `${name}.safetensors`, 'rows.csv', '--precision', 'f32', '--out', 'f32.csv']);
    const lines = readFileSync(path('f32.csv'), 'utf8').trimEnd().split('\n').slice(1);
    lines.forEach((line, i) => {
      const [row, ...cells] = line.split(',');
      expect(row).toBe(String(i));
      expected[i].probabilities!.forEach((p, k) => {
        expect(Math.fround(Number(cells[k]))).toBeCloseTo(p, 5); // logits up to 10 in f32
      });
    });
  });

  it('eval: the metrics of evaluateClasses, weighted too', () => {
    const logits = MODES.map((_, k) => Float64Array.from(expected, (score) => score.logits![k]));
    const y = rows.map(({ mode }) => MODES.indexOf(mode));
    const link = name as 'multinomial' | 'ovr';
    const args = ['eval', `${name}.safetensors`, 'rows.csv', '--target', 'mode'];
    expect(json(args).metrics).toEqual(evaluateClasses({ logits, link }, y));
    const weights = Float64Array.from(rows, ({ trips }) => trips);
    expect(json([...args, '--weight', 'trips']).metrics).toEqual(evaluateClasses({ logits, link }, y, weights));
    expect(run(args).stdout).toMatch(/log loss \d.*AUC 0\.\d+.*Brier/);
  });
});

describe('eval with three classes', () => {
  it('a class that no row has: no AUC', () => {
    const sql = `select * from '${path('rows.csv')}' where mode <> 'bus'`;
    const { metrics } = json(['eval', 'ovr.safetensors', '--query', sql, '--target', 'mode']);
    expect(metrics.auc).toBeNull();
    expect(metrics.logLoss).toBeGreaterThan(0);
  });

  it('a label that is no class is refused with its row', () => {
    const sql = `select *, case when age = 20 then 'tram' else mode end as m from '${path('rows.csv')}'`;
    const { status, stderr } = run(['eval', 'ovr.safetensors', '--query', sql, '--target', 'm']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/ERR_RECORD row 0 .*expected a class of the model \("bike", "bus", "car"\), got "tram"/);
  });
});

describe('inspect with three classes', () => {
  it('--json: the lines of every class but the reference', () => {
    save('reference.safetensors', classModel({ reference: 'bus' }));
    const seen = json(['inspect', 'reference.safetensors']);
    expect(seen).toMatchObject({ classes: MODES, positive: null });
    expect(seen.coefficients.map((line: { class: string; feature: string }) => [line.class, line.feature])).toEqual(
      ['bike', 'car'].flatMap((name) => [
        [name, '(intercept)'],
        [name, 'age'],
        [name, 'age'],
        [name, 'city'],
      ]),
    );
  });

  it('a column for every class', () => {
    const { stdout } = run(['inspect', 'multinomial.safetensors']);
    expect(stdout).toMatch(/classes +bike, bus, car {3}\(multinomial\)/);
    expect(stdout).toMatch(/coefficient +bike +bus +car\n +\(intercept\) +9 +-5 +-10.5\n +age +-0.25 +0.125 +0.25\n/);
  });

  it('with standard errors a table for every class', () => {
    const covariance = new Float64Array(24 * 24);
    for (let i = 0; i < 24; i++) covariance[25 * i] = 0.25;
    save('errors.safetensors', classModel({ reference: 'bus' }, { covariance }));
    const { stdout } = run(['inspect', 'errors.safetensors']);
    expect(stdout).toMatch(/multinomial, the reference is bus/);
    expect(stdout).toMatch(/class bike\n.*std\. error.*\n +\(intercept\) +9 +0.5 +18.000/);
    expect(stdout).toMatch(/class car\n/);
    expect(stdout).not.toMatch(/class bus\n/);
  });
});

describe('many classes', () => {
  const COUNT = 40;
  const classes = Array.from({ length: COUNT }, (_, k) => `class ${String(k).padStart(2, '0')}`);
  const many = new Model({
    manifest: manifestOf(smallSchema, { ...CLASSES, classes }),
    weights: Float64Array.from({ length: 7 * COUNT }, (_, i) => (i % 7 === 0 ? Math.sin(i) / 9 : 0)),
    intercept: Float64Array.from({ length: COUNT }, (_, k) => Math.cos(k)),
    covariance: null,
    stages: allStages,
  });
  save('many.safetensors', many);

  it('inspect stays within the width of a terminal', () => {
    const { stdout } = run(['inspect', 'many.safetensors']);
    expect(stdout).toMatch(/class 10, 29 more {3}\(multinomial\)/);
    for (const line of stdout.split('\n').filter((one) => !/classes|sha256/.test(one)))
      expect(line.length).toBeLessThan(100);
    expect(stdout).toContain('class 39');
  });

  it('score and eval in blocks of another size', () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${i % 90},Bonn,class ${String(i % COUNT).padStart(2, '0')}`);
    write('many.csv', `age,city,mode\n${lines.join('\n')}\n`);
    json(['score', 'many.safetensors', 'many.csv', '--out', 'many-out.csv']);
    const out = readFileSync(path('many-out.csv'), 'utf8').trimEnd().split('\n');
    expect(out.length).toBe(5001);
    const { probabilities, label } = many.score({ age: 4999 % 90, city: 'Bonn' });
    expect(out[5000]).toBe([4999, ...probabilities!, label].join());
    expect(json(['eval', 'many.safetensors', 'many.csv', '--target', 'mode']).rows).toBe(5000);
  });
});

it('names of classes are quoted where the format asks for it', () => {
  save('names.safetensors', renamed(['a "b"', 'c,d', 'p_e']));
  const names = (out: string) => {
    json(['score', 'names.safetensors', 'rows.csv', '--out', out]);
    return readFileSync(path(out), 'utf8').split('\n')[0];
  };
  expect(names('names.csv')).toBe('row,"p_a ""b""","p_c,d",p_p_e,label');
  expect(Object.keys(JSON.parse(names('names.jsonl')))).toEqual(['row', 'p_a "b"', 'p_c,d', 'p_p_e', 'label']);
});

describe('train, score and eval from end to end', () => {
  const lines = Array.from({ length: 600 }, (_, i) => {
    const x = ((i * 37) % 200) / 50 - 2;
    return `${x},${['a', 'b'][i % 2]},${MODES[Math.min(2, Math.max(0, Math.round(x + 1 + Math.sin(i))))]}`;
  });
  write('train.csv', `x,g,mode\n${lines.join('\n')}\n`);

  it('held-out metrics are those of eval on the held-out rows', () => {
    const {
      classes,
      holdout,
      rows: split,
    } = json(['train', 'train.csv', '--target', 'mode', '--out', 'trained.safetensors']);
    expect(classes).toEqual(MODES);
    expect(split).toEqual({ train: 480, holdout: 120 });
    expect(Object.keys(holdout)).toEqual(['logLoss', 'auc', 'brier', 'ece', 'accuracy']);
    expect(holdout.accuracy).toBeGreaterThan(0.5);
    const { metrics } = json(['eval', 'trained.safetensors', 'train.csv', '--target', 'mode']);
    // the same model on all rows: near the figure of a fifth of them
    expect(Math.abs(metrics.logLoss - holdout.logLoss)).toBeLessThan(0.2);
  });

  it('held-out rows of a class that was not fitted are named and left out', () => {
    write(
      'later.csv',
      `day,x,mode\n${lines.map((line, i) => `${i},${line.split(',')[0]},${i >= 590 ? 'tram' : line.split(',')[2]}`).join('\n')}\n`,
    );
    const args = ['train', 'later.csv', '--target', 'mode', '--holdout-by', 'day', '--out', 'later.safetensors'];
    const { holdout, warnings, rows: split } = json(args);
    expect(split).toEqual({ train: 480, holdout: 120 });
    expect(holdout.logLoss).toBeGreaterThan(0);
    expect(warnings.map(({ code }: { code: string }) => code)).toContain('HOLDOUT_UNSEEN_CLASS');
    expect(warnings.find(({ code }: { code: string }) => code === 'HOLDOUT_UNSEEN_CLASS').message).toMatch(
      /^10 held-out rows /,
    );
  });
});
