/*
 * Files made by hand: what a hostile file of a given size can make a loader do at worst.
 * Each is written to a file, and loaded in a process of its own.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { seal } from './mutate.mjs';

const START = `{"__metadata__":{"sha256":"${'0'.repeat(64)}","logodds":`;
const MANIFEST = {
  format: 1,
  producer: 'a hand',
  classes: ['no', 'yes'],
  positive: 'yes',
  target: 'target',
  schema: { features: [] },
  objective: {},
  decision: { threshold: 0.5 },
  offset: null,
  weight: null,
  fit: {},
  aliased: [],
  warnings: [],
};
const TENSORS =
  ',"weights":{"dtype":"F64","shape":[0],"data_offsets":[0,0]},"intercept":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}';

/** A sealed file of this header; `length` other than its own is a lie. */
function file(header, length = null, data = 8) {
  const json = Buffer.from(header);
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return seal(bytes);
}
const withManifest = (text) => file(`${START}${JSON.stringify(text)}}${TENSORS}}`);
const withField = (field, text) =>
  withManifest(JSON.stringify({ ...MANIFEST, [field]: '@' }).replace('"@"', () => text));
const withFeatures = (text) => withField('schema', `{"features":[${text}]}`);
const repeat = (n, item) => Array.from({ length: n }, (_, i) => item(i)).join();
const numeric = (i) => `{"name":"${i}","kind":"numeric","mean":0,"scale":1,"min":0,"max":1,"indicator":false}`;
const categorical = (levels, counts) =>
  `{"name":"a","kind":"categorical","levels":[${levels}],"counts":[${counts}],"coding":"onehot","reference":null,"missing":"slot","unseen":"slot"}`;
const nested = (n, open, close) => open.repeat(n) + close.repeat(n);

/** name → the bytes, or the length of a file of zeros */
export const HOSTILE = {
  'header of 2^63 bytes': () => file(START, 2n ** 63n),
  'header of 2^64 - 1 bytes': () => file(START, 2n ** 64n - 1n),
  'header of one byte more than the file': () => file(START, BigInt(START.length + 9)),
  'header nested 100,000 deep': () => file(`${START}"","x":${nested(100_000, '[', ']')}}}`),
  'header of objects nested 100,000 deep': () =>
    file(`${START}"","x":${nested(100_000, '{"a":', '}').replace('}', '1}')}}}`),
  'manifest nested 100,000 deep': () => withManifest(nested(100_000, '[', ']')),
  'fit report nested 100,000 deep': () => withField('fit', nested(100_000, '{"a":', '}').replace('}', '1}')),
  'producer nested 100,000 deep, another format': () =>
    withManifest(`{"format":2,"producer":${nested(100_000, '[', ']')}}`),
  'shape of 300,000 dimensions': () =>
    file(
      `${START}${JSON.stringify(JSON.stringify(MANIFEST))}}${TENSORS.replace('[0],', `[0${',1'.repeat(300_000)}],`)}}`,
    ),
  'tensor name of 900,000 characters': () =>
    file(`${START}"{}"},"${'n'.repeat(900_000)}":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}`),
  '450,000 aliased parameters': () => withField('aliased', `[${repeat(450_000, () => 1)}]`),
  '8,000 features without weights': () => withFeatures(repeat(8000, numeric)),
  '70,000 levels without weights': () =>
    withFeatures(
      categorical(
        repeat(70_000, (i) => `"${i}"`),
        repeat(70_001, () => 0),
      ),
    ),
  '70,000 levels that are one': () =>
    withFeatures(
      categorical(
        repeat(70_000, () => '"a"'),
        repeat(70_001, () => 0),
      ),
    ),
  '900,000 empty warnings': () => withField('warnings', `[${repeat(300_000, () => '{}')}]`),
};

/** The same, of 20 MB to 1 GB: a long run loads them too. */
export const LARGE = {
  'ten million features': () => null, // below: beyond what a string holds
  '200,000 features without weights': () => withFeatures(repeat(200_000, numeric)),
  'two million levels without weights': () =>
    withFeatures(
      categorical(
        repeat(2_000_000, (i) => `"${i.toString(36)}"`),
        repeat(2_000_001, () => 0),
      ),
    ),
  'ten million levels': () =>
    withFeatures(
      categorical(
        repeat(10_000_000, (i) => `"${i.toString(36)}"`),
        repeat(10_000_001, () => 0),
      ),
    ),
  'five million empty lists': () => withField('fit', `{"a":[${repeat(5_000_000, () => '[]')}]}`),
  '600 MB of zeros': () => 600_000_000,
};

/** Writes one of them to a path and returns its length. */
export function writeHostile(name, path) {
  const out = openSync(path, 'w');
  try {
    if (name === 'ten million features') return writeFeatures(out, 10_000_000);
    const content = (HOSTILE[name] ?? LARGE[name])();
    if (typeof content === 'number') {
      ftruncateSync(out, content);
      return content;
    }
    for (let at = 0; at < content.length; ) at += writeSync(out, content, at);
    return content.length;
  } finally {
    closeSync(out);
  }
}

/** Not sealed: its header is refused by its length alone. */
function writeFeatures(out, count) {
  const begin = `${START}${JSON.stringify(JSON.stringify({ ...MANIFEST, schema: '@' })).replace(/\\"@\\".*/, '{\\"features\\":[')}`;
  const escaped = (i) => JSON.stringify(numeric(i)).slice(1, -1);
  let length = 8 + writeSync(out, Buffer.from(begin), 0, null, 8);
  for (let i = 0; i < count; i += 50_000) {
    const text = `${i > 0 ? ',' : ''}${repeat(50_000, (j) => escaped(i + j))}`;
    length += writeSync(out, text, length);
  }
  length += writeSync(out, `]}}"}${TENSORS}}`, length);
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(length - 8), true);
  writeSync(out, prefix, 0, 8, 0);
  return length;
}
