/*
 * Makes the conformance set of the stages: models with features of every kind, calibrators, decisions, covariances and reasons, rows, and
 * the bits that every runtime must give for them with `logodds/score` and `logodds/stages`.
 *
 *   node test/conformance/stages/make.mjs [NAME …]
 *
 * Without names it writes all: run it so when the model file or an order of summation changes, and commit what it writes. For a new kind of
 * feature add a model at the end, and name it: the others stay as they are. For each model NAME:
 *   NAME.safetensors   the model
 *   NAME.json          { rows: records, refused: records, ask: what is asked of the model, answers: as conformStages.js gives them by the
 *                      JavaScript engine: f64 as 16 hexadecimal digits each (big-endian), class k of row i at k · rows + i }
 */
import { writeFileSync } from 'node:fs';
import { fit, loadModel, outOfFold, pickEngine, saveModel, stackModels, tableFromRecords } from 'logodds';
import { chooseDecision, chooseReview, decisionByCosts } from 'logodds/decide';
import * as stages from 'logodds/stages';
import { conformStages } from '../../runtimes/programs/conformStages.js';

const here = new URL('.', import.meta.url);

let state = 20261122;
/** in [0, 1) */
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const normal = () => random() + random() + random() + random() - 2;
const round = (x) => Math.round(100 * x) / 100;
const pick = (values) => values[Math.floor(random() ** 2 * values.length)];
const sometimes = (value, share = 0.06) => (random() < share ? null : value);
/** ISO 8601, some with a time, some with a zone */
const moment = () => {
  const text = new Date(
    Date.UTC(2001, 0, 1) + Math.floor(random() * 1000) * 86_400_000 + Math.floor(random() * 86_400) * 1000,
  )
    .toISOString()
    .slice(0, 19);
  return pick([
    text,
    `${text}Z`,
    text.slice(0, 10),
    `${text.slice(0, 16)}+05:30`,
    `${text.slice(0, 16).replace('T', ' ')}-0230`,
  ]);
};
const some = (values) => values.filter(() => random() < 0.35);
const sentence = () =>
  Array.from({ length: Math.floor(random() * 5) }, () => pick(WORDS)).join(pick([' ', ', ', '-', '  ']));

const CITIES = [
  'Köln',
  '東京',
  'Bonn',
  'São Paulo',
  'naïve \u{1f600}',
  'constructor',
  'İzmir',
  'Ålesund',
  '',
  '__proto__',
  'cafe\u0301',
  'Ωμέγα',
];
const WORDS = [
  'Late',
  'late',
  'DELIVERY',
  'paid',
  'große',
  'GROẞE',
  'ΟΔΟΣ',
  'платёж',
  '支払い',
  'e\u0301te',
  'x',
  '42',
  'don\u2019t',
  '\u{10400}\u{10401}',
];
const TAGS = ['new', 'vip', 'Größe L', '套餐', 'b2b'];

/**
 * name → a record, its classes as logits, options of `fit`, the decision, rows to train on, what is odd in
 * the first rows that are scored (by field), rows that are refused, and what is asked: columns of what-if, changes of odds ratios, level of intervals, number of reasons
 */
const MODELS = {
  // numbers and dates through every curve, bins; offset, Platt with a prior, a threshold that follows from costs, a covariance
  numbers: {
    record: () => ({
      income: sometimes(round(Math.exp(8 + 2 * normal()))),
      age: Math.floor(18 + random() * 70),
      visits: sometimes(Math.floor(random() ** 3 * 200)),
      area: round(150 * random()),
      ratio: 1e-3 + random() ** 4,
      change: round(10 * normal() ** 3),
      balance: sometimes(round(1e4 * normal())),
      points: sometimes(Math.floor(1000 * random())),
      opened: sometimes(moment()),
      exposure: Math.log(0.5 + random()),
    }),
    logits: ({ income, age, change, exposure }) => [
      Math.log(income ?? 3000) - 8 + Math.sin(age / 12) + change / 20 + exposure,
    ],
    classes: ['no', 'yes'],
    options: {
      offset: 'exposure',
      penalty: 'none',
      inference: true,
      calibrate: 'platt',
      folding: { folds: 3, seed: 1 },
      prior: 0.2,
      schema: {
        features: [
          {
            name: 'income',
            kind: 'numeric',
            transform: 'log',
            low: 100,
            high: 50_000,
            impute: 'median',
            reason: 'an income of {value} €',
          },
          { name: 'age', kind: 'numeric', spline: 4, scaling: 'none', reason: 'your age of {value}' },
          { name: 'age band', kind: 'numeric', column: 'age', bins: [18, 25, 50, 80], range: 'slot' },
          { name: 'visits', kind: 'numeric', transform: 'log1p', scaling: 'robust', impute: 3 },
          { name: 'area', kind: 'numeric', transform: 'sqrt', low: 0, high: 120, range: 'baseline' },
          { name: 'ratio', kind: 'numeric', transform: 'box-cox', low: 1e-6, range: 'slot', missing: 'error' },
          {
            name: 'change',
            kind: 'numeric',
            transform: 'yeo-johnson',
            low: -60,
            high: 60,
            range: 'error',
            missing: 'baseline',
          },
          { name: 'balance', kind: 'numeric' },
          { name: 'points', kind: 'numeric', bins: 4, missing: 'baseline', range: 'clip' },
          {
            name: 'opened',
            kind: 'date',
            parts: ['weekday', 'quarter', 'epochDays'],
            reason: 'it was opened on {value}',
          },
          { name: 'hour', kind: 'numeric', column: 'opened', part: 'hour', spline: [3, 9, 20], missing: 'baseline' },
          {
            name: 'minute',
            kind: 'numeric',
            column: 'opened',
            part: 'minute',
            transform: { name: 'yeo-johnson', lambda: 0.3 },
          },
        ],
      },
    },
    decide: ({ manifest: { classes, positive } }) =>
      decisionByCosts(
        [
          [0, 2],
          [5, -1],
        ],
        classes,
        positive,
      ),
    train: 1500,
    rows: 20,
    odd: {
      income: [1e300, 0, null, 100, 50_000, 101],
      age: [18, 17, 120.5, 24.999999999999996, 25, 80],
      visits: [0, 2 ** 53, null, 1e-17, 1, 7],
      area: [1e9, -0, null, 120, 120.00000000000001, 1],
      ratio: [1e-300, 1e12, 1e-6, 1, 0, 2],
      change: [0, -60, null, 1e-9, 60, -1e-9],
      balance: [5e-324, -1e12, null, 0, 0.1, 1],
      points: [-1e9, 1e9, null, 500, 0, 1],
      opened: [
        '0000-03-01',
        '9999-12-31T23:59:59.999Z',
        null,
        '2004-02-29T23:59:59,9995-11:30',
        '1969-12-31 00:00+14',
        '1968-11-23T20:30:00.001',
      ],
      exposure: [0, -40, 40, -0, 1e-300, 0],
    },
    refused: [
      { change: 61 },
      { ratio: null },
      { visits: -1 },
      { opened: '2023-02-29' },
      { opened: '3/5/2024' },
      { income: '100' },
      { exposure: null },
    ],
    ask: {
      whatIf: ['income', 'age', 'ratio', 'points', 'exposure', 'opened'],
      changes: { balance: -2500 },
      level: 0.95,
      k: 3,
    },
  },
  // categories, words, tags and crosses; beta calibration, F-score, a band for review
  categories: {
    record: () => ({
      city: sometimes(pick(CITIES)),
      merchant: sometimes(`merchant ${Math.floor(random() ** 2 * 400)}`),
      region: sometimes(pick(['north', 'süd', 'east', 'west', 'rare 1', 'rare 2']), 0.1),
      plan: sometimes(pick([1, 2, 0.1, 1e21])),
      member: sometimes(random() < 0.5),
      age: sometimes(Math.floor(18 + random() * 70)),
      flags: sometimes(some(TAGS)),
      interests: sometimes(some(WORDS).join('|')),
      comment: sometimes(sentence()),
      größe: sometimes(moment()),
    }),
    logits: ({ city, member, flags, comment, plan }) => [
      (city?.length ?? 3) / 3 -
        3.5 +
        (member ? 0.7 : -0.4) +
        (flags?.length ?? 1) / 2 -
        /late/i.test(comment ?? '') +
        (plan === 2 ? 1 : 0),
    ],
    classes: ['decline', 'approve'],
    options: {
      positive: 'approve',
      C: 1,
      calibrate: 'beta',
      folding: { folds: 4, seed: 2 },
      schema: {
        features: [
          { name: 'city', kind: 'categorical', encoding: 'target', reason: 'the city: {value}' },
          { name: 'merchant', kind: 'categorical', encoding: 'hash', buckets: 8 },
          {
            name: 'region',
            kind: 'categorical',
            coding: 'treatment',
            reference: 'east',
            minCount: 140,
            missing: 'baseline',
          },
          { name: 'region as it is', kind: 'categorical', column: 'region', levels: ['north', 'süd', 'west', 'east'] },
          { name: 'plan', kind: 'categorical', missing: 'mode', unseen: 'baseline' },
          { name: 'member', kind: 'boolean', reason: 'being a member or not ({value})' },
          { name: 'age', kind: 'numeric', bins: 3, binning: 'uniform' },
          { name: 'flags', kind: 'tags', minCount: 2 },
          { name: 'interests', kind: 'tags', separator: '|', buckets: 6 },
          { name: 'comment', kind: 'text', buckets: 8, reason: 'what you wrote: {value}' },
          { name: 'größe', kind: 'date', parts: ['month', 'dayOfYear', 'day', 'year'], missing: 'baseline' },
          { kind: 'cross', of: ['region', 'member'], minCount: 20 },
          { name: 'who', kind: 'cross', of: ['plan', 'age', 'member'], buckets: 4 },
          { name: 'when', kind: 'cross', of: ['größe.month', 'region as it is'], buckets: 4 },
        ],
      },
    },
    decide: (model, rows) => {
      const { chosen, ...decision } = chooseDecision(model, rows, { by: 'fbeta', beta: 0.5 });
      const decided = model.with({ decision });
      return { ...decision, chosen: { ...chosen, curve: [] }, abstain: chooseReview(decided, rows, 0.2) };
    },
    train: 1500,
    rows: 20,
    odd: {
      city: ['a city nobody has seen', null, '__proto__', '', 'cafe\u0301', 'constructor'],
      merchant: ['\ud83d', null, '__proto__', '', 'caf\u00e9', 'toString'],
      region: ['nowhere', null, 'rare 1', '', 'Süd', 'süd'],
      plan: [77, null, 1e21, '', '1', 0.1],
      member: [true, null, false, '', 'true', 'yes'],
      age: [17, null, 88, 1e300, -1e300, 40.5],
      flags: [['vip', 'vip', 'unknown', null, ' new '], null, '["vip", "套餐"]', '', [], ['Größe L', 0.1]],
      interests: ['||late| |late', null, ['late', 42, true], '', [], 'x|y'],
      comment: [
        '\udc00 LATE \ud800 İİ ΣΑΣ',
        null,
        'late'.repeat(300),
        '',
        '\u{10400}\u{10401} \u01c5x ﬁn \u2167\u2168 ٣٤ __ a_b',
        'don\u2019t\u200bstop \u{10940}\u{10941} x\u{16ea0}y \u{10d50}zz \ua7cba ΑΣ\u{10d70}',
      ],
      größe: [
        '2000-02-29',
        null,
        '1900-03-01T00:00:00+23:59',
        '2400-12-31T23:59',
        '0001-01-01',
        '2001-12-31T23:30:00-0230',
      ],
    },
    refused: [{ merchant: {} }, { flags: [[]] }, { größe: 'May' }, { comment: { text: 'late' } }, { age: '40' }],
    ask: {
      whatIf: ['city', 'region', 'member', 'plan', 'age', 'flags', 'interests', 'größe'],
      changes: {},
      level: 0.95,
      k: 4,
    },
  },
  // isotonic, costs of a matrix, prior; target encoding beside a covariance
  steps: {
    record: () => ({ x: normal(), y: sometimes(round(50 * random())), group: sometimes(pick(['a', 'b', 'c', 'd'])) }),
    logits: ({ x, y, group }) => [x + Math.sin((y ?? 25) / 10) + (group === 'b' ? 1 : 0)],
    classes: ['0', '1'],
    options: {
      penalty: 'none',
      inference: { covariance: 'robust' },
      calibrate: 'isotonic',
      folding: { folds: 2, seed: 3 },
      prior: 0.3,
      schema: {
        features: [
          { name: 'x', kind: 'numeric', low: -1.5, high: 1.5, reason: 'x is {value}' },
          { name: 'y', kind: 'numeric', spline: 3, missing: 'slot' },
          { name: 'group', kind: 'categorical', encoding: 'target', smooth: 10 },
        ],
      },
    },
    decide: ({ manifest: { classes, positive } }) => ({
      ...decisionByCosts(
        [
          [-1, 3],
          [4, 0],
        ],
        classes,
        positive,
      ),
      abstain: { low: 0.35, high: 0.6 },
    }),
    train: 1200,
    odd: { x: [1e6, -1e6, 1.5], y: [1e3, -1e3, null], group: ['e', null, 'a'] },
    refused: [{ x: true }],
    ask: { whatIf: ['x', 'y', 'group'], changes: { x: 0.1 }, level: 0.9, k: 2 },
  },
  // softmax with a temperature, least expected cost, review below a probability
  classes: {
    record: () => ({
      length: round(4 + normal()),
      width: sometimes(round(2 + normal() ** 2)),
      place: sometimes(pick(['bog', 'Wald', '丘', 'shore'])),
      tags: some(['a', 'b', 'c']),
      seen: moment(),
    }),
    logits: ({ length, place, tags }) => [
      length - 4,
      (place === 'Wald' ? 1.5 : 0) - 0.3,
      tags.includes('b') ? 1 : -0.5,
    ],
    classes: ['bird', 'fish', 'frog'],
    options: {
      penalty: 'none',
      inference: true,
      calibrate: 'temperature',
      folding: { folds: 3, seed: 4 },
      schema: {
        features: [
          { name: 'length', kind: 'numeric', spline: 3, reason: 'it is {value} long' },
          { name: 'width', kind: 'numeric', transform: 'log1p' },
          { name: 'place', kind: 'categorical', encoding: 'target' },
          { name: 'tags', kind: 'tags', reason: 'its marks {value}' },
          { name: 'seen', kind: 'date', parts: ['epochDays'] },
          { name: 'weight', kind: 'numeric', column: 'width', low: 0, high: 5, missing: 'baseline' },
        ],
      },
    },
    decide: ({ manifest: { classes, positive } }) => ({
      ...decisionByCosts(
        [
          [0, 1, 4],
          [2, 0, 1],
          [1, 3, -1],
        ],
        classes,
        positive,
      ),
      abstain: { low: 0, high: 0.45 },
    }),
    train: 900,
    odd: {
      length: [1e5, -1e5],
      width: [1e5, null],
      place: ['sea', null],
      tags: [['d', 'a', 'a'], null],
      seen: ['2100-01-01', '1583-01-01T00:00:01Z'],
    },
    refused: [{ seen: '' }, { tags: {} }, { width: -2 }],
    ask: { whatIf: ['length', 'width', 'place'], changes: {}, level: 0.99, k: 2 },
  },
  // one against the rest, calibrated class by class, with priors of all classes
  rest: {
    record: () => ({ u: normal(), v: sometimes(normal()), kind: pick(['k', 'l']) }),
    logits: ({ u, v, kind }) => [u, v ?? 0, kind === 'k' ? 0.5 : -0.5],
    classes: ['left', 'middle', 'right'],
    options: {
      multiclass: 'ovr',
      penalty: 'none',
      inference: true,
      calibrate: 'beta',
      folding: { folds: 3, seed: 5 },
      prior: { left: 0.1, middle: 0.2, right: 0.7 },
      schema: {
        features: [
          { name: 'u', kind: 'numeric', spline: [-1, 0, 1] },
          { name: 'v', kind: 'numeric' },
          { name: 'kind', kind: 'categorical' },
        ],
      },
    },
    train: 900,
    odd: { u: [300, -1e4], v: [-300, null], kind: ['m', null] },
    refused: [{ v: [] }],
    ask: { whatIf: ['u', 'v', 'kind'], changes: { v: 1 }, level: 0.95, k: 2 },
  },
  // isotonic steps of each of several classes, bins; no covariance, and no decision but the greatest probability
  levels: {
    record: () => ({ u: normal(), v: normal() }),
    logits: ({ u, v }) => [2 * u, 2 * v, 0],
    classes: ['left', 'middle', 'right'],
    options: {
      C: 10,
      calibrate: 'isotonic',
      folding: { folds: 2, seed: 6 },
      schema: {
        features: [
          { name: 'u', kind: 'numeric', low: -1, high: 1 },
          { name: 'v', kind: 'numeric', bins: 5 },
        ],
      },
    },
    train: 1000,
    odd: { u: [1e3], v: [-1e3] },
    refused: [],
    ask: { whatIf: ['u', 'v'], changes: { u: -1 }, level: 0.95, k: 2 },
  },
  // no calibrator but a prior, Firth's covariance, plain features: the interval of a model that needs `outcomes` alone
  prior: {
    record: () => ({ dose: round(10 * random()), arm: pick(['a', 'b']) }),
    logits: ({ dose, arm }) => [dose / 3 - 2 + (arm === 'b' ? 1 : 0)],
    classes: ['alive', 'dead'],
    options: { positive: 'dead', penalty: 'firth', inference: true, prior: 0.02 },
    train: 120,
    odd: { dose: [1e7, -1e7], arm: ['b', 'c'] },
    refused: [{ dose: null, arm: {} }],
    ask: { whatIf: ['dose', 'arm'], changes: { dose: 5 }, level: 0.8, k: 1 },
  },
  // a stack: bases that share a field as it is (u), have one of the same name in two ways (v, kind), and one whose positive class is the other
  stack: {
    record: () => ({ u: normal(), v: sometimes(normal()), kind: pick(['a', 'b', 'c']) }),
    logits: ({ u, v, kind }) => [1.5 * u - (v ?? 0.5) + (kind === 'a' ? 1 : 0)],
    classes: ['no', 'yes'],
    options: { positive: 'yes', calibrate: 'platt', folding: { folds: 3, seed: 8 } },
    bases: {
      first: { options: { positive: 'yes', features: ['u', 'v'] }, rows: 500 },
      second: { options: { positive: 'no', features: ['u', 'v', 'kind'], C: 0.1 }, rows: 500 },
      early: {
        options: {
          positive: 'yes',
          schema: {
            features: [
              { name: 'kind', kind: 'categorical' },
              { name: 'v', kind: 'numeric', bins: 3 },
              { name: 'both', kind: 'cross', of: ['kind', 'v'] },
            ],
          },
        },
        rows: 200,
      },
    },
    train: 500,
    odd: { u: [1e6, -1e6, 0], v: [null, 1e6], kind: ['d', null] },
    refused: [{ u: null }, { v: 'x' }],
    ask: { whatIf: ['u', 'v', 'kind'], changes: { u: 1 }, level: 0.95, k: 2 },
  },
};

/** A model of these rows: fitted to them, or stacked over the out-of-fold logits of its bases. */
function modelOf({ options, bases }, rows) {
  const one = (of, by) => [tableFromRecords(of), { target: 'target', engine: pickEngine('wasm'), ...by }];
  if (!bases) return fit(...one(rows, options));
  const { folding } = options;
  const planes = Object.entries(bases).map(([name, base]) => [
    name,
    outOfFold(...one(rows, { ...base.options, folding })).planes[0],
  ]);
  const logits = rows.map(({ target }, i) => ({
    target,
    ...Object.fromEntries(planes.map(([name, plane]) => [name, plane[i]])),
  }));
  const found = fit(...one(logits, options));
  const models = Object.entries(bases).map(([name, base]) => [
    name,
    fit(...one(rows.slice(0, base.rows), base.options)).model,
  ]);
  return { ...found, model: stackModels(found.model, Object.fromEntries(models)) };
}

/** A class drawn by its logits; of two classes the logit of the second. */
function draw({ logits, classes }, record) {
  const powers = (classes.length > 2 ? logits(record) : [0, ...logits(record)]).map(Math.exp);
  let rest = random() * powers.reduce((a, b) => a + b, 0);
  for (const [k, power] of powers.entries()) {
    rest -= power;
    if (rest < 0) return classes[k];
  }
  return classes.at(-1);
}

const js = pickEngine('js');
const asked = process.argv.slice(2);
const strange = asked.filter((name) => !Object.hasOwn(MODELS, name));
if (strange.length > 0)
  throw new Error(`expected names among ${Object.keys(MODELS).join(', ')}, got ${strange.join(', ')}`);
for (const [name, made] of Object.entries(MODELS)) {
  const { record, decide, train, rows: count = 10, odd, refused, ask } = made;
  const rows = Array.from({ length: train }, record).map((row) => ({ ...row, target: draw(made, row) }));
  const { model, warnings, outOfFold: scores } = modelOf(made, rows);
  const file = saveModel(decide ? model.with({ decision: decide(model, scores) }) : model);
  const scored = Array.from({ length: count }, (_, i) => {
    const rare = Object.entries(odd).filter(([, values]) => i < values.length);
    return { ...record(), ...Object.fromEntries(rare.map(([field, values]) => [field, values[i]])) };
  });
  // fields that a refused record does not name are those of one that is taken
  const set = { rows: scored, refused: refused.map((fields) => ({ ...scored.at(-1), ...fields })), ask };
  const base64 = Buffer.from(file).toString('base64');
  const { answers } = conformStages({ loadModel, engines: { js }, stages }, [{ name, model: base64, ...set }]);
  const kept = ['record', 'explained', 'top', 'intervals', 'what-if', 'refused'].flatMap((way) =>
    answers[`${name}, ${way}`] ? [[way, answers[`${name}, ${way}`]]] : [],
  );
  // all are made, since each begins where the random numbers of the one before end
  if (asked.length > 0 && !asked.includes(name)) continue;
  writeFileSync(new URL(`${name}.safetensors`, here), file);
  writeFileSync(new URL(`${name}.json`, here), `${JSON.stringify({ ...set, answers: Object.fromEntries(kept) })}\n`);
  console.log(
    `${name}: ${file.length} bytes, ${model.encoder.slots} slots, ${warnings.map(({ code }) => code).join(' ')}`,
  );
}
