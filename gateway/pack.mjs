/*
 * Turns a model file into the plugin configuration of the gateway filter.
 *
 *   node gateway/pack.mjs MODEL.safetensors --features 'amount=header:x-amount,age=body:/user/age' --out config.json
 *
 * --features   where each field of the model (its offset too) comes from: a request header, or a field of the JSON body by
 *              JSON pointer; or the name of a JSON file: { "amount": "header:x-amount", … }
 * --action     tag (when absent), reject, or route=HEADER:POSITIVE[:NEGATIVE]: the header a route is matched by, and its
 *              value for each label (without NEGATIVE it is removed)
 * --invalid    reject (when absent): a request that cannot be scored is answered 400; pass: it goes on without a score
 * --max-body   greatest body in bytes that is read, 65536 when absent
 * --out        the configuration as JSON, which is YAML too: what stands under `configuration` in Envoy's plugin config
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from 'logodds/score';

// The layout is described in assembly/config.ts, which reads it.
const FORMAT = 1;
const HEADER = 112;
const SIZES = { field: 64, level: 12, number: 16, node: 20 };
const KINDS = { numeric: 0, categorical: 1, offset: 2 };
const ACTIONS = { tag: 0, reject: 1, route: 2 };
const POLICIES = { reject: 0, pass: 1 };
const LONGEST = 256;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const NO_LEAF = 0xffffffff;

const utf8 = (text) => new TextEncoder().encode(text);

function refuse(what, expected, got, next) {
  throw new Error(`${what}: expected ${expected}, got ${got}; ${next}`);
}

/**
 * The configuration as bytes.
 * @param model     what `loadModel` gives: its manifest, weights and intercept are read
 * @param features  { field: 'header:NAME' | 'body:/POINTER' } for every feature, and the offset
 * @param options   { action: 'tag' | 'reject' | 'route', route: { header, positive, negative? }, invalid: 'reject' | 'pass', maxBody }
 * @throws Error when the model has more than two classes, features or stages that the filter does not know, a field has no source or an unknown one, or a name cannot be sent in a header
 */
export function pack(model, features, { action = 'tag', route, invalid = 'reject', maxBody = 65536 } = {}) {
  const { manifest, weights, intercept } = model;
  const { classes, positive, decision, offset, schema } = manifest;
  if (classes.length !== 2) refuse('model', 'two classes', String(classes.length), 'the gateway decides between two');
  knownOnly(manifest);
  if (!(action in ACTIONS)) refuse('action', Object.keys(ACTIONS).join(', '), action, 'give one of these');
  if (!(invalid in POLICIES)) refuse('invalid', Object.keys(POLICIES).join(', '), invalid, 'give one of these');
  if (!Number.isInteger(maxBody) || maxBody < 1 || maxBody > 2 ** 28) {
    refuse('maxBody', 'bytes from 1 to 268435456', maxBody, 'give a whole number');
  }
  if ((action === 'route') !== (route !== undefined)) {
    refuse('route', 'a header exactly when the action is "route"', JSON.stringify(route), 'give both or none');
  }
  const fields = schema.features.map((feature) => ({ ...feature, name: feature.column ?? feature.name }));
  if (offset !== null) fields.push({ name: offset, kind: 'offset' });
  const sources = sourcesOf(fields, features);
  const needed = { positive, negative: classes.find((name) => name !== positive) };
  const sent = [
    ...Object.entries(needed),
    ...Object.entries(route ?? {}),
    ...fields.map(({ name }) => ['feature', name]),
  ];
  for (const [what, text = ''] of sent) sendable(what, text);
  if (route) headerName('route header', route.header);

  const heap = new Heap(HEADER);
  const fieldsAt = heap.take(fields.length * SIZES.field);
  const weightsAt = heap.take(weights.length * 8, 16);
  for (const [slot, weight] of weights.entries()) heap.f64(weightsAt + slot * 8, weight);
  let columns = 0;
  let slot = 0;
  fields.forEach((field, i) => {
    const at = fieldsAt + i * SIZES.field;
    const { kind, name, indicator = false, mean = 0 } = field;
    columns += kind === 'offset' ? 0 : indicator ? 2 : 1;
    heap.u32(at, KINDS[kind], sources[i].kind === 'header' ? 0 : 1);
    heap.text(at + 8, name);
    heap.text(at + 16, sources[i].key);
    heap.u32(at + 24, Number(indicator) | (field.unseen === 'error' ? 2 : 0));
    heap.f64(at + 32, mean);
    if (kind === 'categorical') {
      writeLevels(heap, at, field);
      const unseen = slot + field.levels.length + 1;
      if (field.unseen === 'baseline') heap.f64(weightsAt + unseen * 8, weights[slot + defaultLevel(field, 'unseen')]);
      slot = unseen + 1;
    } else slot += indicator ? 3 : 1;
  });
  const { count, at: nodesAt } = writeTree(heap, sources);
  heap.set([0x4c, 0x47, 0x44, 0x47]);
  heap.u32(16, fields.length, columns, weights.length, fieldsAt, weightsAt, count, nodesAt);
  heap.u32(44, ACTIONS[action], POLICIES[invalid], maxBody);
  heap.f64(56, intercept[0], decision.threshold);
  heap.text(72, needed.positive);
  heap.text(80, needed.negative);
  heap.text(88, route?.header ?? '');
  heap.text(96, route?.positive ?? '');
  heap.text(104, route?.negative ?? '');
  return seal(heap.bytes);
}

/** Format, length and check sum of a configuration, written into it. */
export function seal(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(4, FORMAT, true);
  view.setUint32(8, bytes.length, true);
  let h = 0x811c9dc5;
  for (let i = 16; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  view.setUint32(12, h, true);
  return bytes;
}

/** The configuration as the JSON that Envoy reads: a message of bytes. */
export const envoyValue = (bytes) => ({
  '@type': 'type.googleapis.com/google.protobuf.BytesValue',
  value: Buffer.from(bytes).toString('base64'),
});

/** bytes that grow; an offset into them stays right */
class Heap {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(header) {
    this.take(header);
  }

  get bytes() {
    return this.#bytes.slice(0, this.#length);
  }

  /** @returns where `size` new bytes of 0 start */
  take(size, alignment = 8) {
    const at = Math.ceil(this.#length / alignment) * alignment;
    this.#length = at + size;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  set(bytes, at = 0) {
    this.#bytes.set(bytes, at);
  }

  u32(at, ...values) {
    for (const [i, value] of values.entries()) this.#view.setUint32(at + i * 4, value, true);
  }

  f64(at, ...values) {
    for (const [i, value] of values.entries()) this.#view.setFloat64(at + i * 8, value, true);
  }

  text(at, text) {
    const bytes = utf8(text);
    const to = this.take(bytes.length, 1);
    this.set(bytes, to);
    this.u32(at, to, bytes.length);
  }
}

/** Refuses what the filter would score in another way than the library. */
function knownOnly({ schema, calibration, decision }) {
  const without = (what, value) => {
    if (value != null) refuse('model', `none with ${what}`, 'one', 'train one without it for the gateway');
  };
  without('calibration', calibration);
  without('a decision by costs', decision.costs);
  without('a band for review', decision.abstain);
  for (const { name, kind, missing, unseen, rare = [] } of schema.features) {
    const what = `feature "${name}"`;
    if (!(kind in KINDS) || kind === 'offset')
      refuse(what, 'numeric or categorical', kind, 'leave it out of the model');
    if (missing === 'error') refuse(what, 'missing as slot, mode or baseline', 'error', 'train with one of these');
    if (rare.length > 0 && unseen !== 'slot') {
      refuse(what, 'unseen as slot where rare levels share it', unseen, 'train with that');
    }
  }
}

/** The level that a missing or unseen value takes where it has no slot: the reference, or the most frequent one, the first of several. */
function defaultLevel(feature, of) {
  const { levels, counts, reference = null } = feature;
  if (feature[of] === 'baseline' && reference !== null) return reference;
  return levels.reduce((best, _, code) => (counts[code] > counts[best] ? code : best), 0);
}

function writeLevels(heap, at, feature) {
  const { name, levels, missing } = feature;
  for (const level of levels) {
    if (!level.isWellFormed()) {
      refuse(
        `level ${JSON.stringify(level)} of "${name}"`,
        'Unicode text',
        'half a surrogate pair',
        'rename it and train again',
      );
    }
  }
  const sorted = levels
    .map((level, code) => ({ level, code }))
    .sort((a, b) => Buffer.compare(utf8(a.level), utf8(b.level)));
  const levelsAt = heap.take(levels.length * SIZES.level);
  sorted.forEach(({ level, code }, i) => {
    heap.text(levelsAt + i * SIZES.level, level);
    heap.u32(levelsAt + i * SIZES.level + 8, code);
  });
  // a JSON number is the level that is how JavaScript writes it
  const numbers = sorted
    .map(({ level, code }) => ({ level, code, value: Number(level) }))
    .filter(({ level, value }) => String(value) === level && Number.isFinite(value))
    .sort((a, b) => a.value - b.value);
  const numbersAt = heap.take(numbers.length * SIZES.number);
  numbers.forEach(({ value, code }, i) => {
    heap.f64(numbersAt + i * SIZES.number, value);
    heap.u32(numbersAt + i * SIZES.number + 8, code);
  });
  const gap = missing === 'slot' ? levels.length : defaultLevel(feature, 'missing');
  heap.u32(at + 40, gap, levels.length, levelsAt, numbers.length, numbersAt);
}

/** the tree of wanted body fields, level by level, so that children lie together and after their parent */
function writeTree(heap, sources) {
  const root = { key: '', field: NO_LEAF, children: new Map() };
  sources.forEach(({ kind, key, path }, field) => {
    if (kind !== 'body') return;
    let node = root;
    path.forEach((segment, depth) => {
      let child = node.children.get(segment);
      const last = depth === path.length - 1;
      if (child && (last || child.field !== NO_LEAF)) {
        refuse(
          `body:${key}`,
          'a field that no other one is, or lies in',
          'one that is',
          'read each field of the body once',
        );
      }
      child ??= { key: segment, field: last ? field : NO_LEAF, children: new Map() };
      node.children.set(segment, child);
      node = child;
    });
  });
  if (root.children.size === 0) return { count: 0, at: 0 };
  const nodes = [root];
  for (const node of nodes) {
    node.first = nodes.length;
    nodes.push(...[...node.children.values()].sort((a, b) => Buffer.compare(utf8(a.key), utf8(b.key))));
  }
  const at = heap.take(nodes.length * SIZES.node);
  nodes.forEach(({ key, field, first, children }, i) => {
    heap.text(at + i * SIZES.node, key);
    heap.u32(at + i * SIZES.node + 8, field, children.size ? first : 0, children.size);
  });
  return { count: nodes.length, at };
}

/** where each field comes from, in the order of the fields */
function sourcesOf(fields, features) {
  const names = new Set(fields.map(({ name }) => name));
  const absent = [...names].filter((name) => !Object.hasOwn(features, name));
  const unknown = Object.keys(features).filter((name) => !names.has(name));
  if (absent.length > 0)
    refuse('features', `a source of ${absent.map((name) => `"${name}"`).join(', ')} too`, 'none', 'name them');
  if (unknown.length > 0) {
    refuse('features', [...names].join(', '), unknown.join(', '), 'leave out what is no field of the model');
  }
  return fields.map(({ name }) => {
    const text = String(features[name]);
    const split = text.indexOf(':');
    const kind = text.slice(0, split);
    let key = text.slice(split + 1);
    if (kind === 'header') {
      key = key.toLowerCase();
      headerName(`source of "${name}"`, key);
      return { kind, key };
    }
    if (kind !== 'body' || !/^(\/([^~/]|~[01])*)+$/.test(key)) {
      refuse(`source of "${name}"`, 'header:NAME or body:/POINTER', JSON.stringify(text), 'write one of these');
    }
    sendable(`source of "${name}"`, key);
    return {
      kind,
      key,
      path: key
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
    };
  });
}

function headerName(what, name) {
  if (!HEADER_NAME.test(name) || name.startsWith('x-logodds-')) {
    refuse(what, 'the name of a header in lower case, not x-logodds-…', JSON.stringify(name), 'give another');
  }
}

/** what the filter writes into a header must survive there */
function sendable(what, text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
  const bad = /[\x00-\x1f\x7f]|^ | $/.test(text) || !text.isWellFormed() || utf8(text).length > LONGEST;
  if (bad) {
    refuse(
      `${what} ${JSON.stringify(text)}`,
      `at most ${LONGEST} bytes, no control characters, no outer spaces`,
      'more',
      'rename it',
    );
  }
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(
      ['features', 'action', 'invalid', 'max-body', 'out'].map((name) => [name, { type: 'string' }]),
    ),
  });
  const { features, action = 'tag', out } = values;
  if (positionals.length !== 1 || !features || !out) {
    throw new Error(
      "usage: node gateway/pack.mjs MODEL.safetensors --features 'FIELD=header:NAME,FIELD=body:/POINTER' --out config.json",
    );
  }
  const [kind, target] = action.split(/=(.*)/s);
  const [header, positive, negative] = target?.split(':') ?? [];
  const model = loadModel(readFileSync(positionals[0]));
  const bytes = pack(model, readFeatures(features), {
    action: kind,
    ...(target !== undefined && { route: { header, positive: positive ?? '', negative } }),
    ...(values.invalid !== undefined && { invalid: values.invalid }),
    ...(values['max-body'] !== undefined && { maxBody: Number(values['max-body']) }),
  });
  writeFileSync(out, `${JSON.stringify(envoyValue(bytes))}\n`);
  console.log(
    `${out}: ${model.manifest.schema.features.length} features, ${model.weights.length} weights, ${bytes.length} bytes`,
  );
}

function readFeatures(text) {
  if (text.endsWith('.json')) return JSON.parse(readFileSync(text, 'utf8'));
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const split = pair.lastIndexOf('=', pair.search(/=(header|body):/));
      if (split < 1) refuse('features', 'FIELD=header:NAME or FIELD=body:/POINTER', JSON.stringify(pair), 'correct it');
      return [pair.slice(0, split), pair.slice(split + 1)];
    }),
  );
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
