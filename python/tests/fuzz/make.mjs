/*
 * Random models and records, and the bits that TypeScript gives for them: what test_differential.py compares Python with.
 *
 *   node python/tests/fuzz/make.mjs SEED COUNT > cases.jsonl
 *
 * A line for each model: { seed, model (base64), rows, answers: for each row { logits, probabilities, defaulted, label, contributions } with f64
 * as 16 hexadecimal digits, or { code } where it is refused }. A schema that its rows refuse is left out, and the last line counts those.
 */
import { explain, fit, loadModel, saveModel, tableFromRecords } from 'logodds';

const [first = 1, count = 20] = process.argv.slice(2).map(Number);

/** In [0, 1), the same for a seed everywhere. */
function randomOf(seed) {
  let state = Math.imul(seed, 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const CITIES = [
  'Köln',
  '東京',
  'Bonn',
  '__proto__',
  'constructor',
  '',
  'a × b',
  'İzmir',
  'naïve \u{1f600}',
  '1',
  '1.0',
  'true',
];
const WORDS = ['Late', 'late', 'große', 'GROẞE', 'ΟΔΟΣ', 'платёж', '支払い', 'x', '42', 'don’t', 'red', ' small '];

/** Of each column its cell: `strange` ones are of another kind or beyond what training has. */
const COLUMNS = {
  number: (r, strange) => (strange ? r.pick([1e300, -1e300, 5e-324, -0, '7', true, 61, -61]) : (r() - 0.5) * 29),
  amount: (r, strange) => (strange ? r.pick([0, -1, 1e12, '3', 1e-300]) : Math.exp(4 * r())),
  share: (r, strange) => (strange ? r.pick([0, 1, 1.5, -0.1]) : 0.001 + 0.998 * r()),
  city: (r, strange) => (strange ? r.pick(['nowhere', '\ud83d', 7, false, {}, ['x']]) : r.pick(CITIES)),
  grade: (r, strange) => (strange ? r.pick([99, '1', 2.5, 1e21, 2 ** 60]) : Math.floor(r() * 5)),
  vip: (r, strange) => (strange ? r.pick(['true', 1, 'yes']) : r() < 0.4),
  when: (r, strange) =>
    strange
      ? r.pick([
          '2023-02-29',
          '0000-03-01',
          '9999-12-31T23:59:59.999Z',
          0,
          1e15,
          1e18,
          'May',
          '1900-03-01T00:00:00+23:59',
        ])
      : new Date(Date.UTC(2020, 0, 1) + Math.floor(r() * 1.5e11)).toISOString().slice(0, r.pick([10, 19, 23])),
  tags: (r, strange) =>
    strange ? r.pick([[[]], 'violet,red', ['__proto__', null, true], {}, '']) : WORDS.filter(() => r() < 0.3),
  note: (r, strange) =>
    strange
      ? r.pick(['\ud800 lone', 5, { a: 1 }, '…', 'late'.repeat(300)])
      : WORDS.filter(() => r() < 0.4).join(r.pick([' ', ', ', '-'])),
  user: (r, strange) => (strange ? r.pick(['new one', null, 3, '\udc00']) : `u${Math.floor(r() * 60)}`),
};

/** A declared feature of a column, with options that belong together. */
const FEATURES = {
  number: (r) =>
    r.pick([
      { missing: r.pick(POLICIES), scaling: r.pick(['standard', 'robust', 'none']) },
      {
        low: -15,
        high: 15,
        range: r.pick(['clip', 'baseline', 'slot', 'error']),
        missing: r.pick(POLICIES),
        ...r.maybe({ spline: r.pick([3, 4, 5]) }),
      },
      {
        bins: r.pick([2, 4, [-20, -3, 0.5, 20]]),
        range: r.pick(['clip', 'baseline', 'slot']),
        missing: r.pick(POLICIES),
      },
      {
        transform: r.pick(['yeo-johnson', { name: 'yeo-johnson', lambda: 2 }, { name: 'yeo-johnson', lambda: 0 }]),
        missing: r.pick(POLICIES),
      },
    ]),
  amount: (r) => ({
    transform: r.pick(['log', 'log1p', 'sqrt', 'box-cox', { name: 'box-cox', lambda: -0.5 }]),
    missing: r.pick(POLICIES),
    ...r.maybe({ low: 1e-3, range: r.pick(['clip', 'slot']) }),
  }),
  share: (r) => ({
    ...r.maybe({ transform: 'logit', low: 1e-4, high: 0.9999, range: r.pick(['clip', 'baseline']) }),
    impute: r.pick(['median', 'mean', 0.5]),
  }),
  city: (r) =>
    r.pick([
      { kind: 'categorical', ...codes(r), coding: r.pick(['onehot', 'treatment']) },
      { kind: 'categorical', ...codes(r), minCount: r.pick([2, 12]) },
      { kind: 'categorical', ...codes(r), maxLevels: r.pick([2, 5]) },
      {
        kind: 'categorical',
        encoding: 'target',
        missing: r.pick(['slot', 'baseline', 'error']),
        unseen: r.pick(['baseline', 'error']),
        smooth: r.pick(['auto', 0, 7.5]),
      },
    ]),
  grade: (r) => ({ kind: 'categorical', ...codes(r) }),
  vip: (r) => ({ kind: 'boolean', ...codes(r) }),
  when: (r) =>
    r.pick([
      {
        kind: 'date',
        parts: r.pick([
          ['month', 'epochDays'],
          ['weekday'],
          ['hour', 'year'],
          ['quarter', 'day', 'minute', 'dayOfYear'],
        ]),
        missing: r.pick(POLICIES),
      },
      { part: r.pick(['dayOfYear', 'hour']), bins: 3, missing: r.pick(POLICIES) },
      { kind: 'categorical', part: r.pick(['quarter', 'month']), ...codes(r) },
    ]),
  tags: (r) => ({ kind: 'tags', ...r.pick([{ minCount: 2 }, { buckets: 7 }]), missing: r.pick(['baseline', 'error']) }),
  note: (r) => ({ kind: 'text', buckets: r.pick([4, 16]), missing: r.pick(['baseline', 'error']) }),
  user: (r) => ({ kind: 'categorical', encoding: 'hash', buckets: r.pick([4, 32]) }),
};
const POLICIES = ['slot', 'baseline', 'error'];
const codes = (r) => ({ missing: r.pick(['slot', 'baseline', 'mode', 'error']), unseen: r.pick(['slot', 'error']) });

function schemaOf(r) {
  const names = Object.keys(COLUMNS).filter(() => r() < 0.6);
  if (names.length === 0) names.push('number');
  const features = names.map((name) => ({ name, kind: 'numeric', ...FEATURES[name](r) }));
  const crossable = features.filter(
    ({ name, encoding, part }) => (name === 'grade' || name === 'vip' || name === 'city') && !encoding && !part,
  );
  if (crossable.length > 1 && r() < 0.5)
    features.push({
      name: 'both',
      kind: 'cross',
      of: crossable.slice(0, 2).map(({ name }) => name),
      ...r.maybe({ buckets: 8 }),
    });
  return { features };
}

/** @param complete  columns without missing cells */
function rowsOf(r, names, rows, complete, strange) {
  const cell = (name) => (r() < 0.07 && !complete.has(name) ? null : COLUMNS[name](r, r() < strange));
  return Array.from({ length: rows }, () => Object.fromEntries(names.map((name) => [name, cell(name)])));
}

const view = new DataView(new ArrayBuffer(8));
function bits(value) {
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}
const all = (values) => (typeof values === 'number' ? [values] : [...values]).map(bits);

function answerOf(model, row) {
  try {
    const { logit, probability, probabilities, logits, label, defaulted } = model.score(row);
    const { contributions } = explain(model, row);
    return {
      logits: all(logits ?? logit),
      probabilities: all(
        probabilities && model.manifest.positive === null ? Object.values(probabilities) : probability,
      ),
      label,
      defaulted: bits(defaulted),
      contributions: contributions.map(({ feature, contribution }) => [feature, bits(contribution)]),
    };
  } catch (error) {
    if (!error.code) throw error;
    return { code: error.code };
  }
}

let refused = 0;
for (let seed = first; seed < first + count; seed++) {
  const r = randomOf(seed);
  for (let i = 0; i < 10; i++) r();
  r.pick = (values) => values[Math.floor(r() * values.length)];
  r.maybe = (fields) => (r() < 0.5 ? fields : {});
  const schema = schemaOf(r);
  const names = schema.features.filter(({ kind }) => kind !== 'cross').map(({ name }) => name);
  const complete = new Set(schema.features.filter(({ missing }) => missing === 'error').map(({ name }) => name));
  const classes = r() < 0.3 ? ['a', 'b', 'c'] : ['no', 'yes'];
  const training = rowsOf(r, names, 240, complete, 0).map((row, i) => ({
    ...row,
    y: classes[i < 6 ? i % classes.length : Math.floor(r() * classes.length)],
  }));
  const options = { target: 'y', schema, C: 1, maxIter: 50, ...(classes.length === 2 ? { positive: 'yes' } : {}) };
  if (r() < 0.4)
    Object.assign(options, {
      calibrate: r.pick(['platt', 'isotonic', 'beta', 'temperature']),
      folding: { folds: 2, seed: 1 },
    });
  let bytes;
  try {
    bytes = saveModel(fit(tableFromRecords(training), options).model);
  } catch (error) {
    if (!error.code) throw error;
    refused++;
    continue;
  }
  const model = loadModel(bytes);
  const rows = [...rowsOf(r, names, 12, new Set(), 0), ...rowsOf(r, names, 18, new Set(), 0.25)];
  const answers = rows.map((row) => answerOf(model, row));
  console.log(JSON.stringify({ seed, model: Buffer.from(bytes).toString('base64'), rows, answers }));
}
console.log(JSON.stringify({ refused }));
