/*
 * Mutants of model files. Most are made of the parts of a model (manifest, tensors, metadata, numbers) and then sealed: they
 * carry the right SHA-256, so that they reach the checks behind it. A mutant depends on the seeds, a number and its index
 * alone, so any of a million can be made again by itself.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

/** Where the 64 digits of the SHA-256 are in every model file. */
const DIGEST = 35;
const HEADER = 8;

/** JSON text that JSON.stringify would not write: it goes through it as a string and comes out as it is. */
const raw = (text) => `\u0000raw:${text}`;
const write = (value) =>
  JSON.stringify(value).replaceAll(/"\\u0000raw:((?:[^"\\]|\\.)*)"/g, (_, text) => JSON.parse(`"${text}"`));
const deep = (levels) => raw('['.repeat(levels) + ']'.repeat(levels));

/** Names that objects have without being given them, and others that are easily taken for something else. */
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'length',
  '0',
  '',
  '\u0000',
  '\ud800',
];

const VALUES = [
  ...NAMES,
  ...[null, true, false, 0, 1, -1, 0.5, 7, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 1e7, 1e200, 1e308, -1e308, 5e-324],
  ...['1e999', '-1e999', '-0', '1.0', '1e2', '', '{"__proto__":{"format":1}}', '{"a":1,"a":2}', '[,]', 'NaN'].map(raw),
  ...[[], {}, [[]], [null], ['a', 'a'], [0.5, -1], { toString: 1 }, { length: 1e9 }, { 0: 'a' }, [['a']]],
  ...[
    'numeric',
    'categorical',
    'onehot',
    'treatment',
    'slot',
    'error',
    'mode',
    'baseline',
    'clip',
    'curve',
    'target',
    'hashed',
    'cross',
    'platt',
    'isotonic',
    'no',
    'yes',
    'x'.repeat(1000),
    deep(50),
  ],
];
const NUMBERS = [
  Number.NaN,
  Infinity,
  -Infinity,
  1.7976931348623157e308,
  -1.7976931348623157e308,
  5e-324,
  -0,
  0,
  1,
  1e200,
];
const LENGTHS = [
  0n,
  1n,
  2n,
  7n,
  100n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Numbers in [0, 1) that depend on two integers: mulberry32. */
function generator(seed, index) {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A model file in parts that can be changed one by one. */
function takeApart(file) {
  // a Buffer would share its memory with others
  const bytes = new Uint8Array(file);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const { __metadata__: metadata, ...entries } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(HEADER, HEADER + length)),
  );
  const data = bytes.slice(HEADER + length).buffer;
  return {
    metadata: [
      ['sha256', '0'.repeat(64)],
      ['logodds', null],
    ],
    manifest: JSON.parse(metadata.logodds),
    tensors: Object.entries(entries).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => ({
        ...{ name, dtype, shape, offsets: null, more: {} },
        values: [...new Float64Array(data, begin, (end - begin) / 8)],
      }),
    ),
    headerLength: null,
    padding: ' ',
    trailing: 0,
  };
}

/** The bytes of a file of these parts; not sealed. */
export function putTogether({ metadata, manifest, tensors, headerLength, padding, trailing }) {
  const manifestText = typeof manifest === 'string' ? manifest : write(manifest);
  const pairs = (list) => `{${list.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`;
  const values = tensors.flatMap((tensor) => tensor.values);
  let at = 0;
  const entries = tensors.map(({ name, dtype, shape, offsets, more, values }) => {
    const begin = at;
    at += 8 * values.length;
    return [name, write({ dtype, shape, data_offsets: offsets ?? [begin, at], ...more })];
  });
  const texts = metadata.map(([key, value]) => [key, value === null ? JSON.stringify(manifestText) : write(value)]);
  const header = new TextEncoder().encode(pairs([['__metadata__', pairs(texts)], ...entries]));
  const length = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(HEADER + length + 8 * values.length + trailing).fill(padding.charCodeAt(0), HEADER);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, headerLength ?? BigInt(length), true);
  bytes.set(header, HEADER);
  values.forEach((value, i) => {
    view.setFloat64(HEADER + length + 8 * i, value, true);
  });
  return bytes;
}

/** Writes the SHA-256 that the bytes ask for. */
export function seal(bytes) {
  if (bytes.length < DIGEST + 64) return bytes;
  bytes.fill(0x30, DIGEST, DIGEST + 64);
  bytes.set(new TextEncoder().encode(createHash('sha256').update(bytes).digest('hex')), DIGEST);
  return bytes;
}

/** A place in a JSON value: a container and a key of it, any depth. */
function place(value, { below, pick }) {
  for (let holder = value; ; ) {
    const keys = Object.keys(holder);
    if (keys.length === 0) return null;
    const key = pick(keys);
    const inner = holder[key];
    if (typeof inner !== 'object' || inner === null || below(4) === 0) return { holder, key };
    holder = inner;
  }
}

const REPORTED = ['objective', 'fit', 'inference', 'warnings', 'aliased', 'decision', 'calibration'];

/** A part of a manifest that is mostly reported, of those that are there. */
function reported(manifest, { pick }) {
  const there = REPORTED.filter((key) => typeof manifest[key] === 'object' && manifest[key] !== null);
  return there.length > 0 ? manifest[pick(there)] : manifest;
}

/** An object with these fields, "__proto__" among them: an assignment would not make it. */
const asObject = (entries) => Object.fromEntries(entries);

/** name → what it does to the parts; `chance` draws. */
const PARTS = {
  nothing: () => {},
  'manifest value': ({ manifest }, chance) => {
    const at = place(manifest, chance);
    if (at) at.holder[at.key] = chance.value();
  },
  'manifest key gone': ({ manifest }, chance) => {
    const at = place(manifest, chance);
    if (at) delete at.holder[at.key];
  },
  'manifest key added': ({ manifest }, chance) => {
    const at = place(manifest, chance);
    if (at)
      at.holder[at.key] = asObject([...Object.entries(at.holder[at.key] ?? {}), [chance.pick(NAMES), chance.value()]]);
  },
  'reported value': ({ manifest }, chance) => {
    const at = place(reported(manifest, chance), chance);
    if (at) at.holder[at.key] = chance.value();
  },
  'reported key gone': ({ manifest }, chance) => {
    const at = place(reported(manifest, chance), chance);
    if (at) delete at.holder[at.key];
  },
  'manifest part twice': ({ manifest }, chance) => {
    const at = place(manifest, chance);
    if (at && Array.isArray(at.holder)) at.holder.push(at.holder[at.key]);
  },
  'manifest parts swapped': ({ manifest }, chance) => {
    const [one, other] = [place(manifest, chance), place(manifest, chance)];
    if (one && other) {
      [one.holder[one.key], other.holder[other.key]] = [other.holder[other.key], one.holder[one.key]];
    }
  },
  'manifest text': (parts, { below, pick }) => {
    const text = typeof parts.manifest === 'string' ? parts.manifest : write(parts.manifest);
    const at = below(text.length);
    parts.manifest =
      text.slice(0, at) + pick(['', '"', '\\', ',', '{', '[1,', '\ufeff', ' ', '"a":1,']) + text.slice(at + below(3));
  },
  'manifest key twice': (parts, { pick, value }) => {
    const { manifest } = parts;
    const key = pick(['format', 'schema', 'classes', 'positive', 'decision', 'offset']);
    parts.manifest = `{${JSON.stringify(key)}:${write(value())},${write(manifest).slice(1)}`;
  },
  'manifest deep': (parts, { pick }) => {
    const key = pick(['format', 'producer', 'objective', 'fit', 'warnings', 'schema', 'more']);
    parts.manifest = { ...parts.manifest, [key]: pick([[deep(2000)], deep(2000), { toString: deep(2000) }]) };
    if (pick([true, false])) parts.manifest = { ...parts.manifest, format: 2 };
  },
  'other format': (parts, { pick, value }) => {
    parts.manifest = { ...parts.manifest, format: pick([0, 2, -1, 1e308, 2 ** 53]), producer: value() };
  },
  'feature named as a property': ({ manifest }, { pick }) => {
    pick(manifest.schema.features).name = pick(NAMES);
  },
  'level named as a property': ({ manifest }, { below, pick }) => {
    const { levels } = pick(manifest.schema.features);
    if (levels) levels[below(levels.length)] = pick(NAMES);
  },
  'class named as a property': ({ manifest }, { pick }) => {
    manifest.classes[1] = manifest.positive = pick(NAMES);
  },
  'level with its weight added': ({ manifest, tensors }, { below, pick }) => {
    const { features } = manifest.schema;
    let first = 0;
    for (const { levels, counts, indicator } of features) {
      if (levels && tensors.length === 2) {
        const at = below(levels.length + 1);
        levels.splice(at, 0, pick([...NAMES, `level ${at}`]));
        counts.splice(at, 0, pick([0, 3, 1e300]));
        tensors[0].values.splice(first + at, 0, pick(NUMBERS));
        tensors[0].shape[0]++;
      }
      first += levels ? levels.length + 2 : indicator ? 3 : 1;
    }
  },
  'many levels declared': ({ manifest }, { pick }) => {
    const feature = pick(manifest.schema.features);
    const many = 10 ** pick([1, 2, 2, 3]);
    feature.kind = 'categorical';
    feature.levels = Array.from({ length: many }, (_, i) => String(i));
    feature.counts = new Array(many + 1).fill(1);
  },
  'no features': ({ manifest, tensors }) => {
    manifest.schema.features = [];
    tensors[0] = { ...tensors[0], shape: [0], values: [] };
    tensors.splice(2);
  },
  'offset column': ({ manifest }, { pick }) => {
    manifest.offset = pick([...NAMES, pick(manifest.schema.features).name]);
  },
  'strict about unseen levels': ({ manifest }, { pick }) => {
    pick(manifest.schema.features).unseen = 'error';
  },
  'number in a tensor': ({ tensors }, { below, pick }) => {
    const { values } = pick(tensors);
    values[below(values.length)] = pick(NUMBERS);
  },
  'tensor offsets': ({ tensors }, { below, pick }) => {
    const tensor = pick(tensors);
    const numbers = [-8, -1, 0, 0.5, 1, 7, 8, 16, 1e300, 2 ** 53, 2 ** 63, raw('1e999'), raw('-1e999'), '0', null, [0]];
    tensor.offsets = pick([
      [pick(numbers), pick(numbers)],
      [pick(numbers)],
      [0, 8, 16],
      {},
      below(64),
      [0, 8 * below(64)],
    ]);
  },
  'tensor shape': ({ tensors }, { below, pick }) => {
    const huge = [2 ** 32, 2 ** 32, 2 ** 63, 1e200, 1e200];
    const shapes = [
      [],
      [0],
      [-1],
      [-1, -8],
      [1.5],
      ['7'],
      [null],
      huge,
      [0, ...huge],
      [...huge, 0],
      7,
      null,
      { length: 1 },
    ];
    pick(tensors).shape = pick([...shapes, [below(20)], [below(20), 1], [raw('-0')], new Array(5000).fill(1)]);
  },
  'tensor type': ({ tensors }, { pick }) => {
    pick(tensors).dtype = pick(['F32', 'F16', 'BF16', 'I64', 'f64', 'U8', '', null, 8, ['F64'], '__proto__']);
  },
  'tensor name': ({ tensors }, { pick }) => {
    pick(tensors).name = pick([...NAMES, 'weights', 'intercept', 'covariance', '__metadata__', 'n'.repeat(2000)]);
  },
  'tensor gone': ({ tensors }, { below }) => {
    tensors.splice(below(tensors.length), 1);
  },
  'tensor added': ({ tensors }, { below, pick }) => {
    const name = pick([...NAMES, 'covariance', 'weights', 'more']);
    const values = Array.from({ length: below(4) }, () => pick(NUMBERS));
    const tensor = { name, dtype: 'F64', shape: [values.length], offsets: null, more: {}, values };
    tensors.splice(below(tensors.length + 1), 0, tensor);
  },
  'tensors in another order': ({ tensors }) => {
    tensors.reverse();
  },
  'tensor with another field': ({ tensors }, { pick, value }) => {
    pick(tensors).more = { [pick([...NAMES, 'dtype', 'shape', 'data_offsets'])]: value() };
  },
  metadata: ({ metadata }, { below, pick, value }) => {
    const entry = [pick([...NAMES, 'logodds', 'sha256', 'more']), pick([value(), null, deep(1000)])];
    metadata.splice(1 + below(metadata.length), below(2), entry);
  },
  'header length': (parts, { below, pick }) => {
    parts.headerLength = pick([...LENGTHS, BigInt(below(4000))]);
  },
  'header padding': (parts, { pick }) => {
    parts.padding = pick(['\n', '\t', '\u0000', '}', '0']);
  },
  'bytes behind the end': (parts, { below }) => {
    parts.trailing = 1 + below(64);
  },
};

const join = (...parts) => new Uint8Array(Buffer.concat(parts));

/** name → the bytes with some of them changed. */
const BYTES = {
  'bits flipped': (bytes, { below }) => {
    for (let i = below(4); i >= 0; i--) bytes[below(bytes.length)] ^= 1 << below(8);
    return bytes;
  },
  'bytes replaced': (bytes, { below, pick }) => {
    const at = below(bytes.length);
    return bytes.fill(pick([0, 0x20, 0x22, 0x5b, 0x7b, 0x80, 0xc0, 0xed, 0xff]), at, at + 1 + below(16));
  },
  'cut short': (bytes, { below }) => bytes.slice(0, below(bytes.length)),
  'bytes inserted': (bytes, { below }) => {
    const at = below(bytes.length);
    const added = Uint8Array.from({ length: 1 + below(16) }, () => below(256));
    return join(bytes.subarray(0, at), added, bytes.subarray(at));
  },
  'bytes removed': (bytes, { below }) => {
    const at = below(bytes.length);
    return join(bytes.subarray(0, at), bytes.subarray(at + 1 + below(16)));
  },
  'bytes copied': (bytes, { below }) => {
    const at = below(bytes.length);
    return bytes.copyWithin(below(bytes.length), at, at + below(256));
  },
  'random bytes': (_, { below }) => Uint8Array.from({ length: below(300) }, () => below(256)),
};

/** What mutants are made of: model files, taken apart, the smallest first. */
export function seedsOf(files) {
  const smallestFirst = [...files].sort((a, b) => a.length - b.length);
  return smallestFirst.map((bytes) => JSON.stringify(takeApart(bytes)));
}

/**
 * Mutant number `index` of a run.
 * @returns kind: the first thing done to it; sealed: whether its SHA-256 is right
 */
export function mutant(seeds, seed, index) {
  const random = generator(seed, index);
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const chance = { below, pick, value: () => structuredClone(pick(VALUES)) };
  const names = Object.keys(PARTS);
  const kinds = [];
  // mostly the three smallest: most checks depend neither on the size nor on what features there are
  const parts = JSON.parse(seeds[below(3) === 0 ? below(seeds.length) : below(3)]);
  for (let n = pick([1, 1, 1, 2, 2, 3]); n > 0; n--) {
    const kind = pick(names);
    if (kind === 'manifest deep' && below(4) > 0) continue;
    try {
      PARTS[kind](parts, chance);
    } catch (error) {
      // the change before took away what this one needs
      if (!(error instanceof TypeError)) throw error;
    }
    kinds.push(kind);
  }
  let bytes = putTogether(parts);
  if (below(4) === 0) {
    const kind = pick(Object.keys(BYTES));
    bytes = BYTES[kind](bytes, chance);
    kinds.unshift(kind);
  }
  const sealed = below(20) > 0;
  return { kind: kinds[0] ?? 'nothing', sealed, bytes: sealed ? seal(bytes) : bytes };
}
