import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { Declaration } from '../../src/encode/declare.ts';
import { encoders } from '../../src/encode/kinds/index.ts';
import { fit as fitTable, loadModel, type Model, saveModel, type Table, tableFromRecords } from '../../src/index.ts';
import { loadModel as loadBare } from '../../src/score.ts';

const random = (seed: number) => () => {
  seed = (seed * 1664525 + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

/** Records with every kind of field, some of them missing. */
function recordsOf(count: number, seed = 7): Record<string, unknown>[] {
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)];
  return Array.from({ length: count }, (_, i) => {
    const income = Math.exp(6 + 3 * next());
    const age = 18 + Math.floor(60 * next());
    const city = `city ${Math.floor(20 * next() ** 2)}`;
    const day = new Date(Date.UTC(2024, 0, 1 + Math.floor(360 * next()), Math.floor(24 * next()))).toISOString();
    const z = Math.log(income) - 7.5 + 0.002 * (age - 40) ** 2 - 0.4 + (city === 'city 1' ? 1.5 : 0);
    return {
      bought: next() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no',
      income: i % 11 === 3 ? null : income,
      age,
      city: i % 13 === 5 ? null : city,
      plan: pick(['free', 'pro', 'team']),
      user: `u${Math.floor(5000 * next())}`,
      when: day,
      vip: next() < 0.3,
      tags: i % 7 === 0 ? '' : [pick(['red', 'green', 'blue']), pick(['small', 'large'])].join(','),
      note: pick(['please call me back', 'late delivery, very late', 'thanks', 'ÄRGER über Lieferung']),
    };
  });
}

const DECLARATION: Declaration = {
  features: [
    { name: 'income', kind: 'numeric', transform: 'log', missing: 'slot', impute: 'median' },
    {
      name: 'power',
      kind: 'numeric',
      column: 'income',
      transform: 'yeo-johnson',
      scaling: 'robust',
      missing: 'baseline',
    },
    { name: 'age', kind: 'numeric', spline: 4, low: 20, high: 75 },
    { name: 'age band', kind: 'numeric', column: 'age', bins: 4, reason: 'age is {value}' },
    { name: 'city', kind: 'categorical', minCount: 30, missing: 'baseline', unseen: 'baseline' },
    { name: 'city rate', kind: 'categorical', column: 'city', encoding: 'target' },
    { name: 'plan', kind: 'categorical' },
    { name: 'user', kind: 'categorical', encoding: 'hash', buckets: 64 },
    { name: 'when', kind: 'date', parts: ['month', 'weekday', 'dayOfYear', 'hour'] },
    { name: 'vip', kind: 'boolean' },
    { name: 'tags', kind: 'tags' },
    { name: 'note', kind: 'text', buckets: 16 },
    { kind: 'cross', of: ['plan', 'age band'] },
    { name: 'plan by city', kind: 'cross', of: ['plan', 'city'], buckets: 32 },
  ],
};

const records = recordsOf(2000);
const table: Table = tableFromRecords(records);
const trained = (schema: Declaration = DECLARATION): Model => fitTable(table, { target: 'bought', schema, C: 1 }).model;

describe('a declared schema', () => {
  const model = trained();

  test('fits, with features in the order of the declaration', () => {
    expect(model.manifest.fit.converged).toBe(true);
    expect(model.manifest.schema.features.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      'income: curve',
      'power: curve',
      'age: curve',
      'age band: binned',
      'city: categorical',
      'city rate: target',
      'plan: categorical',
      'user: hashed',
      'when.month: date',
      'when.weekday: date',
      'when.dayOfYear: curve',
      'when.hour: date',
      'vip: categorical',
      'tags: tokens',
      'note: tokens',
      'plan × age band: cross',
      'plan by city: hashed',
    ]);
  });

  test('has every kind, and so have the models of the conformance and the seeds of the fuzzer', () => {
    const featuresIn = (folder: string) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.safetensors'))
        .flatMap((name) => loadModel(readFileSync(`${folder}/${name}`)).manifest.schema.features);
    for (const features of [
      model.manifest.schema.features,
      featuresIn('test/conformance/stages'),
      featuresIn('test/fuzz'),
    ])
      expect(Object.keys(encoders).filter((name) => !features.some(({ kind }) => kind === name))).toEqual([]);
  });

  test.each(['wasm', 'js'] as const)(
    'scores a table on %s with the bits of single records, of rows with gaps and of the unseen',
    (name) => {
      const strange = [
        ...recordsOf(300, 99),
        {
          ...recordsOf(1, 3)[0],
          city: 'nowhere',
          user: null,
          age: 3,
          income: null,
          plan: 'gold',
          note: null,
          tags: 'violet',
        },
        { ...recordsOf(1, 4)[0], when: null, age: 99, vip: null, plan: null },
      ];
      const scorer = model.scorer(pickEngine(name === 'wasm' ? 'auto' : 'js'), { capacity: 64 });
      const { logits, probabilities, labels, defaulted } = scorer.score(tableFromRecords(strange));
      strange.forEach((record, i) => {
        const score = model.score(record);
        expect([logits[i], probabilities[i], model.manifest.classes[labels[i]], defaulted[i]]).toEqual([
          score.logit,
          score.probability,
          score.label,
          score.defaulted,
        ]);
      });
      scorer.free();
      expect(defaulted.slice(-2).every((share) => share > 0.2)).toBe(true);
    },
  );

  test('comes back from its file bit for bit, and needs the stage of encoders', () => {
    const bytes = saveModel(model);
    const loaded = loadModel(bytes);
    expect(loaded.manifest).toEqual(model.manifest);
    for (const record of recordsOf(50, 5)) expect(loaded.score(record)).toEqual(model.score(record));
    expect(() => loadBare(bytes)).toThrow(/ERR_FORMAT|stage "encoders" \(feature "income" is "curve"\)/);
  });

  test('the baseline is the mean of the logits when each slot is multiplied by its weight', () => {
    const mean = model.baseline!.reduce((sum, share, j) => sum + share * model.weights[j], model.intercept[0]);
    const scorer = model.scorer(pickEngine());
    const fitted = scorer.score(table).logits;
    // target-encoded training rows have other values than those that are scored
    expect(Float64Array.from(fitted).reduce((sum, z) => sum + z, 0) / table.rows).toBeCloseTo(mean, 1);
    scorer.free();
  });
});
