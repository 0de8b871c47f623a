/*
 * Makes the conformance set: model files, rows, and the bits that every runtime and host must give for them.
 *
 *   node test/conformance/make.mjs          stages/make.mjs makes that of models that need `logodds/stages`
 *
 * Run it when the model file or an order of summation changes, and commit what it writes. For each model NAME:
 *   NAME.safetensors   the model
 *   NAME.json          { columns: names, rows: records, logits, probabilities: 16 hexadecimal digits each (f64, big-endian), labels,
 *                        refused: records whose logit is no number, which must be refused (absent: none) }
 */
import { writeFileSync } from 'node:fs';
import { loadModel, pickEngine, saveModel, tableFromRecords, fit as train } from 'logodds';

const here = new URL('.', import.meta.url);

let state = 20260101;
/** in [0, 1) */
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const normal = () => random() + random() + random() + random() - 2;
const pick = (values) => values[Math.floor(random() ** 2 * values.length)];
const sometimes = (share, value) => (random() < share ? null : value);

const CITIES = Array.from({ length: 300 }, (_, i) => `city ${i}`);
const PLANS = ['free', 'plus', 'Größe L', '套餐', 'naïve \u{1f600}'];

/** name → a record, the options of `fit`, rows to train on, what scored rows may hold beside that, and by the weights what is refused */
const MODELS = {
  numeric: {
    record: () => ({
      amount: sometimes(0.1, Math.round(normal() * 1e4) / 100),
      age: sometimes(0.05, Math.floor(18 + random() * 70)),
      balance: normal() * 1e6,
      ratio: normal() * 1e-6,
      steps: Math.floor(random() * 1000),
    }),
    odd: () => ({ amount: -0, age: 1e300, balance: 5e-324, ratio: -1.7976931348623157e308 * 1e-300, steps: 2 ** 53 }),
    options: { C: 1 },
    train: 500,
  },
  categorical: {
    record: () => ({
      city: sometimes(0.03, pick(CITIES)),
      plan: pick(PLANS),
      member: random() < 0.5,
      visits: Math.floor(random() * 20),
      score: sometimes(0.1, normal()),
    }),
    odd: () => ({ city: 'a city nobody has seen', plan: '', member: null, visits: -3, score: null }),
    options: { C: 0.5 },
    train: 3000,
  },
  offset: {
    record: () => ({ exposure: Math.log(1 + random()), region: pick(['n', 's', 'w']), density: normal() }),
    odd: () => ({ exposure: -40, region: 'o', density: null }),
    options: { C: 2, offset: 'exposure' },
    train: 400,
  },
  wide: {
    record: () => Object.fromEntries(Array.from({ length: 200 }, (_, j) => [`x${j}`, normal()])),
    odd: () => Object.fromEntries(Array.from({ length: 200 }, (_, j) => [`x${j}`, j % 2 ? 1e5 : -1e-300])),
    options: { C: 0.1 },
    train: 1000,
    // 200 numbers each
    rows: 33,
  },
  codes: {
    record: () => ({ code: sometimes(0.05, pick([1e21, 0.1, 1e-7, -2.5, 5e-324, 2, 1 / 3, 2e23])), x: normal() }),
    odd: () => ({ code: 77, x: null }),
    options: { C: 1, categorical: ['code'], missing: 'mode' },
    train: 600,
  },
  treatment: {
    record: () => ({
      smoke: pick(['no', 'yes']),
      race: pick(['white', 'black', 'other']),
      weight: 100 + 50 * random(),
    }),
    odd: () => ({ smoke: 'yes', race: 'white', weight: 1e4 }),
    options: { penalty: 'none', inference: true, references: { race: 'white' } },
    train: 600,
  },
  // what a schema may say of categories: a column of another name, one column twice, levels folded, defaults
  policies: {
    record: () => ({
      place: sometimes(0.1, pick(CITIES.slice(0, 40))),
      plan: sometimes(0.05, pick(PLANS)),
      age: sometimes(0.1, Math.floor(18 + random() * 70)),
    }),
    odd: () => ({ place: 'a city nobody has seen', plan: 'a plan nobody has', age: null }),
    options: {
      C: 1,
      schema: {
        features: [
          { name: 'city', kind: 'categorical', column: 'place', minCount: 30, missing: 'mode' },
          { name: 'home', kind: 'categorical', column: 'place', levels: ['city 3', 'city 5'], missing: 'baseline' },
          {
            name: 'plan',
            kind: 'categorical',
            coding: 'treatment',
            reference: 'plus',
            missing: 'baseline',
            unseen: 'baseline',
          },
          { name: 'age', kind: 'numeric' },
        ],
      },
    },
    train: 1000,
  },
  // terms that overflow: one alone makes a logit infinite, two of opposite signs make it no number
  overflow: {
    record: () => ({ up: normal() * 1e-3, down: normal() * 1e-3, plan: pick(PLANS) }),
    odd: () => ({ up: 1e308, down: 0, plan: 'free' }),
    options: { C: 1 },
    train: 300,
    rows: 33,
    refused: ([up, down]) => {
      const record = { up: 1e308 * Math.sign(up), down: -1e308 * Math.sign(down), plan: 'plus' };
      return [record, { ...record, up: -record.up, down: -record.down, plan: null }];
    },
  },
};

function bits(value) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

for (const [name, { record, odd, options, train: many, rows: count = 257, refused }] of Object.entries(MODELS)) {
  const rows = Array.from({ length: many }, () => {
    const row = record();
    const first = Object.values(row).find((value) => typeof value === 'number') ?? 0;
    return { ...row, target: random() < 1 / (1 + Math.exp(-Math.tanh(first) - normal())) ? 'yes' : 'no' };
  });
  const { model } = train(tableFromRecords(rows), { target: 'target', engine: pickEngine('wasm'), ...options });
  const file = saveModel(model);
  const loaded = loadModel(file);
  const scored = [...Array.from({ length: count - 1 }, record), odd()];
  const { logits, probabilities, labels: codes } = loaded.scorer(pickEngine('wasm')).score(tableFromRecords(scored));
  const columns = Object.keys(scored[0]);
  const labels = Array.from(codes, (code) => loaded.manifest.classes[code]);
  const set = {
    columns,
    rows: scored,
    logits: Array.from(logits, bits),
    probabilities: Array.from(probabilities, bits),
    labels,
    ...(refused && { refused: refused(loaded.weights) }),
  };
  writeFileSync(new URL(`${name}.safetensors`, here), file);
  writeFileSync(new URL(`${name}.json`, here), `${JSON.stringify(set)}\n`);
  console.log(`${name}: ${file.length} bytes, ${loaded.weights.length} slots, ${scored.length} rows`);
}
