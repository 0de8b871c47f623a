import { readdirSync, readFileSync } from 'node:fs';
import type { Calibration } from '../../src/calibrate/calibration.ts';
import type { Decision } from '../../src/decide/decision.ts';
import type { CategoricalFeature, Feature, NumericFeature } from '../../src/encode/schema.ts';
import { loadModel } from '../../src/index.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { Model } from '../../src/model/model.ts';
import { allStages } from '../../src/stages.ts';
import { CLASSES, manifestOf, smallSchema } from '../model/parts.ts';
import { chance } from './differ.ts';

export const numeric = (name: string, more: Partial<NumericFeature> = {}): NumericFeature => ({
  ...{ name, kind: 'numeric', mean: 0.5, scale: 1, min: -1, max: 2, indicator: false },
  ...more,
});

export const category = (name: string, levels: readonly string[], more: Partial<CategoricalFeature> = {}): Feature => ({
  ...{
    name,
    kind: 'categorical',
    levels,
    counts: levels.map((_, i) => i).concat(0),
    coding: 'onehot',
    reference: null,
  },
  ...{ missing: 'slot', unseen: 'slot' },
  ...more,
});

/** Names and labels that a generator may trip over. */
export const HOSTILE_NAMES = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'a b',
    '0',
    '1e3',
    '-1',
    '',
    'default',
    'é',
    '\u2028\u2029',
  ],
  ...[
    '"; throw 1; //',
    '\u0060$\u007b1}',
    "'",
    '\\',
    '\n',
    '</script>',
    '*/',
    '\ud800',
    '\0',
    'row',
    'record',
    'z',
    'weights',
  ],
];

/** A model by hand: weights of every size, zeros of both signs among them. */
export function hand(features: readonly Feature[], changes: Partial<Manifest> = {}, scale = 1): Model {
  const manifest = manifestOf({ features }, changes);
  const vectors = manifest.classes.length > 2 ? manifest.classes.length : 1;
  const slots = features.reduce(
    (sum, feature) =>
      sum +
      (feature.kind === 'numeric' ? (feature.indicator ? 3 : 1) : (feature as CategoricalFeature).levels.length + 2),
    0,
  );
  const { next, pick } = chance(7);
  const weight = (): number => pick([next() - 0.5, next() - 0.5, next() - 0.5, 0, -0, 1e-323, -1e-300, 1 / 3]) * scale;
  return new Model({
    manifest,
    weights: Float64Array.from({ length: vectors * slots }, weight),
    intercept: Float64Array.from({ length: vectors }, (_, k) => (k === 0 ? -0 : weight())),
    covariance: null,
    stages: allStages,
  });
}

const CALIBRATORS: Readonly<Record<string, Calibration['calibrators']>> = {
  none: [],
  platt: [{ method: 'platt', a: 1.25, b: -0 }],
  beta: [{ method: 'beta', a: 0.75, b: 1.5, c: -0.25 }],
  isotonic: [{ method: 'isotonic', logits: [-1, -0.25, 0, 2], probabilities: [0, 0.25, 0.25, 0.875] }],
  temperature: [{ method: 'temperature', inverse: 0.7 }],
};

const calibrationOf = (method: string, shift: readonly number[]): Calibration =>
  ({ method, calibrators: CALIBRATORS[method], shift, by: null }) as Calibration;

const LABELS = (n: number): string[] => Array.from({ length: n }, (_, i) => `label ${i.toString(36)}`);

/** Models by their names: those of files, and those by hand. */
export function models(): [name: string, model: Model][] {
  const files = ['conformance', 'conformance/stages', 'fuzz'].flatMap((folder) =>
    readdirSync(new URL(`../${folder}`, import.meta.url))
      .filter((file) => file.endsWith('.safetensors'))
      .map((file): [string, Model] => [
        `${folder}/${file}`,
        loadModel(readFileSync(new URL(`../${folder}/${file}`, import.meta.url))),
      ]),
  );
  const { features } = smallSchema;
  const band: Decision = { threshold: 0.4, abstain: { low: 0.3, high: 0.6 } };
  const costs = [
    [0, 1, 2],
    [1, 0, 3],
    [2, 1, 0],
  ];
  return [
    ...files,
    ['no feature', hand([])],
    ['hostile names of numbers', hand(HOSTILE_NAMES.map((name) => numeric(name)))],
    [
      'hostile names of categories',
      hand(HOSTILE_NAMES.map((name) => category(name, HOSTILE_NAMES, { rare: ['rare'] }))),
    ],
    ['hostile classes', hand(features, { classes: ['</script>\u2028', '__proto__'], positive: '__proto__' })],
    ['hostile offset', hand(features, { offset: 'constructor' })],
    ['numbers with indicators', hand([numeric('a', { indicator: true, mean: -0 }), numeric('b', { indicator: true })])],
    ['one letter', hand([category('sex', ['F', 'M', '']), category('grade', [...'ABCDEFGHIJ'])])],
    [
      'two features of one column',
      hand([category('a', LABELS(3), { column: 'c' }), category('b', LABELS(5), { column: 'c' })]),
    ],
    ['many levels', hand([category('few', LABELS(300)), category('many', LABELS(2500))])],
    [
      'defaults',
      hand([
        category('mode', LABELS(4), { missing: 'mode', unseen: 'baseline' }),
        category('baseline', LABELS(4), { missing: 'baseline', unseen: 'baseline', coding: 'treatment', reference: 2 }),
        category('error', LABELS(4), { missing: 'error', unseen: 'error' }),
      ]),
    ],
    [
      'many features',
      hand(Array.from({ length: 70 }, (_, i) => (i % 3 ? numeric(`n${i}`) : category(`c${i}`, LABELS(i + 2))))),
    ],
    [
      'overflow',
      hand([numeric('a', { max: 1e308 }), numeric('b', { min: -1e308 }), category('c', LABELS(3))], {}, 1e300),
    ],
    ['band', hand(features, { decision: band })],
    ...Object.keys(CALIBRATORS).flatMap((method): [string, Model][] => [
      [method, hand(features, { calibration: calibrationOf(method, []) })],
      [
        `${method}, shift, band, offset`,
        hand(features, { calibration: calibrationOf(method, [0.5]), decision: band, offset: 'o' }),
      ],
    ]),
    ['three classes', hand(features, CLASSES)],
    ['three classes, one against the rest', hand(features, { ...CLASSES, multiclass: 'ovr' })],
    ['three classes, costs and band', hand(features, { ...CLASSES, decision: { ...band, costs } })],
    ['three classes, overflow', hand([numeric('a', { max: 1e308 })], CLASSES, 1e300)],
  ];
}
