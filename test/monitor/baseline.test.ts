import { describe, expect, test } from 'vitest';
import { type FitOptions, fit, loadModel, saveModel, tableFromRecords } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { sampleRows } from '../../src/monitor/summary/baselineRows.ts';
import { baselineOf, distributionsOf, drift, scoreDistribution, summarise, withBaseline } from '../../src/monitor.ts';
import { error } from '../metrics/oracle.ts';

const random = splitmix32(11);
const rows = Array.from({ length: 3000 }, (_, i) => {
  const age = 20 + 40 * random() + i / 3e5;
  const city = ['Oslo', 'Rome', 'Lima'][Math.floor(random() ** 2 * 3)];
  return { age, city, bad: random() < 0.05 + age / 1000 ? 'yes' : 'no' };
});
const options: FitOptions = { target: 'bad' };
const { model } = fit(rows, options);

describe('a sample of the rows', () => {
  const based = withBaseline(model, rows, { rows: 500, seed: 3 });
  const { whole, classes, of } = baselineOf(loadModel(saveModel(based)));

  test('says of how many rows it is, and has the classes in proportion', () => {
    expect(of).toBe(3000);
    const share = rows.filter(({ bad }) => bad === 'yes').length / 3000;
    const error = Math.sqrt((share * (1 - share)) / 500);
    expect(Math.abs(classes.get('yes')!.rows / 500 - share)).toBeLessThan(3 * error);
    expect(whole.rows).toBe(classes.get('yes')!.rows + classes.get('no')!.rows);
  });

  test('is spread like the rows: no drift of them from it, and the range is that of training', () => {
    const { features, score } = drift(based, rows);
    expect(features.filter(({ drifted }) => drifted)).toEqual([]);
    expect(score.drifted).toBe(false);
    expect(features[0].current).toMatchObject({ below: 0, above: 0 });
    const feature = model.manifest.schema.features[0] as { min: number; max: number };
    const [age] = whole.bins.columns;
    expect([age!.low, age!.high]).toEqual([feature.min, feature.max]);
  });

  test('is the same for the same seed, and another for another', () => {
    const bytes = (seed: number) => JSON.stringify(withBaseline(model, rows, { rows: 500, seed }).manifest.baseline);
    expect(bytes(3)).toBe(JSON.stringify(based.manifest.baseline));
    expect(bytes(4)).not.toBe(bytes(3));
  });

  test('of every size has each row once', () => {
    for (const most of [1, 2, 7, 1499, 2999, 3000, 5000]) {
      const found = baselineOf(withBaseline(model, rows, { rows: most }));
      expect(found.whole.rows).toBe(Math.min(most, 3000));
    }
    const all = baselineOf(withBaseline(model, rows, { rows: 3000 }));
    for (const [count, most] of [
      [10, 9],
      [1e6, 999],
      [7, 1],
      [1000, 667],
    ]) {
      const found = sampleRows(count, most, 1);
      expect(new Set(found).size).toBe(most);
      expect(Math.max(...found)).toBeLessThan(count);
      expect([...found]).toEqual([...found].sort((a, b) => a - b));
    }
    expect({ ...all.whole.toJSON(), next: 3000 }).toEqual(summarise(model, rows, all.bins).toJSON());
    expect(baselineOf(withBaseline(model, rows)).of).toBe(3000);
  });

  test('data that are a sample themselves say so', () => {
    expect(baselineOf(withBaseline(model, rows, { of: 90_000 })).of).toBe(90_000);
    expect(() => withBaseline(model, rows, { of: 10 })).toThrow(error('ERR_RANGE', 'of'));
    expect(() => withBaseline(model, rows, { rows: 0 })).toThrow(error('ERR_RANGE', 'rows'));
    expect(() => withBaseline(model, rows, { many: 3 } as never)).toThrow(error('ERR_RANGE', 'many'));
  });
});

test('a feature that would take too much is left out by name, and the others are compared', () => {
  const words = Array.from({ length: 900 }, (_, k) => `w${k}`);
  const texts = rows.map((row, i) => ({ ...row, text: [0, 1, 2].map((k) => words[(i * 7 + k * 13) % 900]).join(' ') }));
  const schema = { features: [{ kind: 'text', name: 'text', buckets: 1024 }], others: 'infer' } as const;
  const { model: wordy } = fit(texts, { target: 'bad', schema });
  const based = loadModel(saveModel(withBaseline(wordy, texts)));
  const { without, whole } = baselineOf(based);
  expect(without).toEqual(['text']);
  expect(JSON.stringify(based.manifest.baseline).length).toBeLessThan(8000);
  const moved = texts.map((row) => ({ ...row, age: row.age + 8, text: null }));
  const found = drift(based, moved);
  const byName = Object.fromEntries(found.features.map((one) => [one.feature, one]));
  expect(byName['age'].drifted).toBe(true);
  expect(byName['text']).toMatchObject({ logitShift: null, note: 'the baseline leaves out its values' });
  expect(byName['text'].tests.missing!.value).toBe(1);
  expect(found.notes).toEqual(['the split of the shift is without "text", which the baseline leaves out']);
  expect(distributionsOf(whole)[0]).toBeNull();
});

describe('private features', () => {
  const schema = { features: [{ kind: 'numeric', name: 'age', private: true }], others: 'infer' } as const;
  const hidden = fit(rows, { target: 'bad', schema }).model;
  const based = withBaseline(hidden, rows);

  test('no value of a row is in the baseline, but those that the file has already', () => {
    const text = JSON.stringify(based.manifest.baseline);
    const { min, max } = hidden.manifest.schema.features.find(({ name }) => name === 'age') as never as {
      min: number;
      max: number;
    };
    const values = rows.map(({ age }) => age).filter((age) => age !== min && age !== max);
    expect(values.filter((age) => text.includes(String(age)))).toEqual([]);
    const scores = hidden.scoreTable(tableFromRecords(rows));
    expect([...scores.logits].filter((logit) => text.includes(String(logit)))).toEqual([]);
    // a model without private features has quantiles
    const open = JSON.stringify(withBaseline(model, rows).manifest.baseline);
    expect(values.filter((age) => open.includes(String(age))).length).toBeGreaterThan(5);
  });

  test('they are compared as any other', () => {
    expect(drift(based, rows).features.some(({ drifted }) => drifted)).toBe(false);
    const moved = drift(
      based,
      rows.map((row) => ({ ...row, age: row.age + 5 })),
    );
    expect(moved.features.find(({ feature }) => feature === 'age')).toMatchObject({ drifted: true });
    const { total, observed } = moved.logitShift;
    expect(total).toBeCloseTo(observed!, 10);
  });

  test('a class of fewer than 10 rows is not told apart; fewer than 10 rows have none', () => {
    const few = [
      ...rows.filter(({ bad }) => bad === 'no').slice(0, 100),
      ...rows.filter(({ bad }) => bad === 'yes').slice(0, 5),
    ];
    const { classes, whole } = baselineOf(withBaseline(hidden, few));
    expect(classes.size).toBe(0);
    expect(whole.rows).toBe(105);
    expect(baselineOf(withBaseline(hidden, few.slice(0, 8))).without).toEqual(['age']);
    expect(baselineOf(withBaseline(model, few)).classes.size).toBe(2);
  });
});

test('distributions have every row once', () => {
  const seen = summarise(model, rows);
  const sums = distributionsOf(seen).map((one) => one!.counts.reduce((sum, count) => sum + count, 0));
  expect(sums).toEqual([3000, 3000]);
  expect(scoreDistribution(seen).counts.reduce((sum, count) => sum + count, 0)).toBe(3000);
  expect(distributionsOf(seen)[1]).toMatchObject({ levels: ['Lima', 'Oslo', 'Rome', '(missing)', '(unseen)'] });
});
