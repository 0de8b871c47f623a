import { readFileSync } from 'node:fs';
import { loadModel } from 'logodds/score';

const conformance = new URL('../../test/conformance/', import.meta.url);

const setOf = (name) => ({
  name,
  model: loadModel(readFileSync(new URL(`${name}.safetensors`, conformance))),
  ...JSON.parse(readFileSync(new URL(`${name}.json`, conformance), 'utf8')),
});

/** the shared conformance sets: { name, model, rows, logits, probabilities, labels } */
export const SETS = ['numeric', 'categorical', 'offset', 'treatment', 'wide'].map(setOf);

/** the set with records whose logit is no number: `refused` */
export const OVERFLOW = setOf('overflow');

/** the set whose features have columns of other names, one column twice: headers alone can give it */
export const POLICIES = setOf('policies');

/** every field a model reads, the offset last */
export function fieldNames({ manifest }) {
  const names = [...new Set(manifest.schema.features.map(({ name, column = name }) => column))];
  return manifest.offset === null ? names : [...names, manifest.offset];
}

export const fromHeaders = (model) =>
  Object.fromEntries(fieldNames(model).map((name) => [name, `header:x-${name.toLowerCase()}`]));

export const fromBody = (model) =>
  Object.fromEntries(
    fieldNames(model).map((name) => [name, `body:/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`]),
  );

/** a number keeps its sign of zero, which JSON.stringify drops */
const numberText = (value) => (Object.is(value, -0) ? '-0' : String(value));

/** a record as headers: text as it is in UTF-8, seen as latin1; a missing value is no header */
export function headersOf(record) {
  return Object.entries(record)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const text = typeof value === 'number' ? numberText(value) : String(value);
      return [`x-${name.toLowerCase()}`, Buffer.from(text, 'utf8').toString('latin1')];
    });
}

/** a record as a JSON body */
export function bodyOf(record) {
  const members = Object.entries(record).map(
    ([name, value]) =>
      `${JSON.stringify(name)}: ${typeof value === 'number' ? numberText(value) : JSON.stringify(value)}`,
  );
  return Buffer.from(`{${members.join(', ')}}`);
}

/** 16 hexadecimal digits of a double */
export function bitsOf(value) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

export const numeric = (name, more = {}) => ({ name, kind: 'numeric', mean: 0, indicator: false, ...more });

export const categorical = (name, levels, more = {}) => ({
  name,
  kind: 'categorical',
  levels,
  counts: [...levels.map(() => 1), 0],
  missing: 'slot',
  unseen: 'slot',
  ...more,
});

/** what `pack` reads of a model */
export function modelOf(
  features,
  weights,
  { intercept = 0, offset = null, threshold = 0.5, classes = ['no', 'yes'] } = {},
) {
  return {
    manifest: { classes, positive: classes[1], decision: { threshold }, offset, schema: { features } },
    weights: Float64Array.from(weights),
    intercept: Float64Array.of(intercept),
  };
}
