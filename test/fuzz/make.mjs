/*
 * Makes the model files that mutants are made of beside those of test/conformance: features of every kind, a calibration, decisions.
 *
 *   node test/fuzz/make.mjs
 */
import { writeFileSync } from 'node:fs';
import { fit, outOfFold, saveModel, stackModels, tableFromRecords } from 'logodds';

let state = 20260101;
/** in [0, 1) */
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const pick = (values) => values[Math.floor(random() * values.length)];
const sometimes = (value) => (random() < 0.1 ? null : value);
const day = () => new Date(Date.UTC(2001, 0, 1 + Math.floor(700 * random()))).toISOString().slice(0, 10);

const rows = Array.from({ length: 600 }, () => ({
  amount: sometimes(Math.round(1e4 * random()) / 100),
  age: sometimes(18 + Math.floor(60 * random())),
  day: sometimes(day()),
  city: sometimes(pick(['a', 'b', 'c', 'd'])),
  plan: pick(['free', 'plus']),
  tags: pick(['x y', 'x', 'y z', '']),
  outcome: pick(['no', 'yes', 'maybe']),
}));
const schema = {
  features: [
    { name: 'amount', kind: 'numeric', transform: 'log1p', low: 1, high: 90 },
    { name: 'spline', kind: 'numeric', column: 'age', spline: 3, missing: 'baseline' },
    { name: 'age', kind: 'numeric', bins: 4 },
    { name: 'day', kind: 'date', parts: ['month', 'epochDays'] },
    { name: 'city', kind: 'categorical', encoding: 'target' },
    { name: 'hashed', kind: 'categorical', column: 'city', encoding: 'hash', buckets: 4 },
    { name: 'plan', kind: 'categorical' },
    { name: 'words', kind: 'text', column: 'tags', buckets: 4 },
    { name: 'tags', kind: 'tags', separator: ' ' },
    { name: 'both', kind: 'cross', of: ['age', 'plan'] },
  ],
};
const binary = rows.map(({ outcome, ...row }) => ({ ...row, outcome: outcome === 'yes' ? 'yes' : 'no' }));
const options = { target: 'outcome', schema };
const folding = { folds: 3, seed: 1 };

const costs = [
  [0, 1, 2],
  [1, 0, 3],
  [2, 1, 0],
];
// all that a file only reports: errors by cluster, statistics, tests, profiles, resampled intervals, findings, how a threshold was chosen
const plain = tableFromRecords(
  binary.map(({ amount, city, plan, outcome }) => ({ amount, city: city ?? 'e', plan, outcome })),
);
const inference = { profile: true, covariance: { cluster: 'city' }, bootstrap: { replicates: 20, seed: 1 } };

/** Two bases that read some of the same columns, each in its way, and a meta-learner over their out-of-fold logits. */
function stacked() {
  const bases = {
    rich: options,
    plain: { target: 'outcome', features: ['amount', 'age', 'city'], C: 0.1 },
  };
  const table = tableFromRecords(binary);
  const planes = Object.values(bases).map((one) => outOfFold(table, { ...one, folding }).planes[0]);
  const logits = binary.map(({ outcome }, i) => ({ outcome, rich: planes[0][i], plain: planes[1][i] }));
  const meta = fit(tableFromRecords(logits), { target: 'outcome', calibrate: 'platt', folding });
  const models = Object.entries(bases).map(([name, one]) => [name, fit(table, one).model]);
  return { model: stackModels(meta.model, Object.fromEntries(models)) };
}

for (const [name, { model }] of Object.entries({
  rich: fit(tableFromRecords(binary), {
    ...{ ...options, folding, calibrate: 'isotonic', prior: 0.2 },
    ...{ decide: { threshold: 0.25 }, review: { low: 0.2, high: 0.3 } },
  }),
  report: fit(plain, {
    ...{ target: 'outcome', lambda: 0, inference, diagnose: true, folding },
    decide: { by: 'fbeta', beta: 2 },
  }),
  costs: fit(tableFromRecords(rows), {
    ...{ ...options, folding, calibrate: 'beta' },
    ...{ decide: { by: 'cost', costs }, review: { low: 0, high: 0.5 } },
  }),
  stack: stacked(),
})) {
  const file = saveModel(model);
  writeFileSync(new URL(`${name}.safetensors`, import.meta.url), file);
  console.log(`${name}: ${file.length} bytes`);
}
