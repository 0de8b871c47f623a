/* The filter in the host of host.mjs: bits, decisions, bad input, memory. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Host } from '../host.mjs';
import { envoyValue, pack, seal } from '../pack.mjs';
import { test } from './harness.mjs';
import {
  bitsOf,
  bodyOf,
  categorical,
  fromBody,
  fromHeaders,
  headersOf,
  modelOf,
  numeric,
  OVERFLOW,
  POLICIES,
  SETS,
} from './models.mjs';

const module = new WebAssembly.Module(readFileSync(new URL('../build/filter.wasm', import.meta.url)));

/** a host with one filter on it: `ask(request)` gives what became of a request, headers as an object */
function filter(model, features, options) {
  const host = new Host(module);
  const root = host.configure(pack(model, features, options));
  assert.notEqual(root, null, JSON.stringify(host.logs));
  const ask = (request) => {
    const { headers, ...rest } = host.request(root, request);
    return { ...rest, pairs: headers, headers: Object.fromEntries(headers) };
  };
  const body = (text) => ask({ chunks: [Buffer.from(text)] });
  return { host, root, ask, body };
}

/** fixed seed, in [0, 2³²) */
let state = 20261122;
function random() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}
const below = (n) => random() % n;

/** the logit is the number itself (0 for −0) */
const identity = modelOf([numeric('x')], [1]);

for (const { name, model, rows, logits, probabilities, labels } of [...SETS, POLICIES, OVERFLOW]) {
  for (const [where, features, request] of [
    ['headers', fromHeaders(model), (row) => ({ headers: headersOf(row) })],
    ['the body', fromBody(model), (row) => ({ chunks: [bodyOf(row)] })],
  ]) {
    if (name === 'policies' && where === 'the body') continue;
    test(`conformance set "${name}" from ${where} has the committed bits`, () => {
      const { host, ask } = filter(model, features);
      rows.forEach((row, i) => {
        const { headers, response } = ask(request(row));
        assert.equal(response, null);
        assert.equal(headers['x-logodds-logit-bits'], logits[i], JSON.stringify(row));
        assert.equal(bitsOf(Number(headers['x-logodds-probability'])), probabilities[i]);
        assert.equal(headers['x-logodds-label'], labels[i]);
      });
      assert.equal(host.metrics.get('logodds.scored'), rows.length);
      assert.equal(host.metrics.get('logodds.positive'), labels.filter((label) => label === 'yes').length);
    });
  }
}

test('records whose logit is no number are refused, never labelled', () => {
  const { model, refused } = OVERFLOW;
  const { host, ask } = filter(model, fromBody(model));
  for (const row of refused) assert.equal(ask({ chunks: [bodyOf(row)] }).response.status, 400);
  assert.equal(host.metrics.get('logodds.scored') ?? 0, 0);
});

/** decimal texts that are hard to round */
function* decimals() {
  yield* [
    '0',
    '-0',
    '1',
    '-1',
    '0.1',
    '1e22',
    '1e23',
    '9007199254740993',
    '9007199254740992.5',
    '8.5e-9',
    '1e-400',
    '1e308',
  ];
  yield* ['2.2250738585072011e-308', '2.2250738585072012e-308', '4.9406564584124654e-324', '2.4703282292062327e-324'];
  yield* ['2.4703282292062328e-324', '1.7976931348623157e308', '1.7976931348623158e308', '1.7976931348623159e308'];
  yield* ['0.000000000000000000000000000000000000000000001e45', `1${'0'.repeat(308)}`, `0.${'0'.repeat(400)}1e400`];
  yield* [
    `1${'0'.repeat(10_000)}e-10000`,
    `0.${'0'.repeat(9_999)}1e10000`,
    '1e99999999999',
    '1e-99999999999',
    '0e99999999999',
  ];
  // exactly between two doubles, and a little off: 0x1p-1074 / 2 has 767 digits, and more digits than that decide nothing
  const view = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < 3000; i++) {
    view.setBigUint64(0, (BigInt(random()) << 32n) | BigInt(random()));
    const e = Number((view.getBigUint64(0) >> 52n) & 0x7ffn);
    if (e === 0x7ff) continue;
    const mantissa = (view.getBigUint64(0) & 0xfffffffffffffn) | (e ? 1n << 52n : 0n);
    const half = 2n * mantissa + 1n;
    const power = Math.max(e, 1) - 1076;
    const digits = power >= 0 ? (half << BigInt(power)).toString() : (half * 5n ** BigInt(-power)).toString();
    const exponent = Math.min(power, 0);
    yield `${digits}e${exponent}`;
    yield `${digits}${'0'.repeat(50)}1e${exponent - 51}`;
    yield `${BigInt(digits) - 1n}e${exponent}`;
  }
  for (let i = 0; i < 100_000; i++) {
    view.setUint32(0, random());
    view.setUint32(4, random());
    const value = view.getFloat64(0);
    if (!Number.isFinite(value)) continue;
    yield String(value);
    yield value.toPrecision(17 + (i % 8));
    const digits = String(random()) + String(random()) + String(random());
    const cut = 1 + below(digits.length - 1);
    yield `${digits[0]}.${digits.slice(1, cut)}1e${below(60) - 30}`;
    yield `${String(random()).replace(/^0+(?=.)/, '')}.${random()}`;
  }
}

test('a number is what JavaScript reads, to the last bit (400,000 texts)', () => {
  const { ask } = filter(identity, fromHeaders(identity));
  let count = 0;
  for (const text of decimals()) {
    const value = Number(text);
    const { headers, response } = ask({ headers: [['x-x', text]] });
    if (Number.isFinite(value)) assert.equal(headers['x-logodds-logit-bits'], bitsOf(0 + value), text);
    else assert.equal(response?.status, 400, text);
    count++;
  }
  assert.ok(count > 400_000, `${count} texts`);
});

test('a probability in the header reads back as the same double (100,000 logits)', () => {
  const { ask } = filter(identity, fromHeaders(identity));
  for (let i = 0; i < 100_000; i++) {
    const x = (random() / 2 ** 32 - 0.5) * (i % 2 ? 1400 : 20);
    const { headers } = ask({ headers: [['x-x', String(x)]] });
    const text = headers['x-logodds-probability'];
    assert.match(text, /^\d(\.\d+)?(e-\d+)?$/);
    // monotone sigmoid of the kernels: checked bit for bit by the conformance rows; here the text against a plain one
    const plain = 1 / (1 + Math.exp(-x));
    assert.ok(Math.abs(Number(text) - plain) <= 1e-14 * plain + 1e-300, `${x}: ${text}, ${plain}`);
  }
});

test('texts that are no JSON numbers are refused with the name of the field', () => {
  const { ask, body, host } = filter(identity, fromHeaders(identity));
  const bad = [
    '',
    ' 1',
    '1 ',
    '+1',
    '.5',
    '5.',
    '01',
    '1e',
    '1e+',
    '0x10',
    'NaN',
    'Infinity',
    '-',
    '--1',
    '1,5',
    '1_000',
    '１',
  ];
  for (const text of [...bad, '1e309', 'null', '1'.repeat(400)]) {
    const { response } = ask({ headers: [['x-x', Buffer.from(text).toString('latin1')]] });
    assert.equal(response?.status, 400, text);
    assert.equal(response.details, 'logodds_invalid');
    assert.deepEqual(response.headers, [['content-type', 'application/json']]);
    const { error, field } = JSON.parse(response.body);
    assert.equal(field, 'x');
    assert.match(error, /^header x-x: expected a finite number, got .*; correct it, or leave it out if it is unknown$/);
  }
  assert.equal(host.metrics.get('logodds.errors'), bad.length + 3);
  assert.equal(host.metrics.get('logodds.scored'), 0);
  assert.equal(body('anything').response, null); // a model of headers does not look at the body
});

test('a missing number takes its mean, and switches its indicator', () => {
  const plain = modelOf([numeric('x', { mean: 3 })], [2]);
  assert.equal(filter(plain, fromHeaders(plain)).ask({}).headers['x-logodds-logit-bits'], bitsOf(6));
  const flagged = modelOf([numeric('x', { mean: 3, indicator: true })], [2, 10, 100]);
  const { body } = filter(flagged, fromBody(flagged));
  for (const [text, logit] of [
    ['{"x": null}', 106],
    ['{}', 106],
    ['{"x": 5}', 20],
  ]) {
    assert.equal(body(text).headers['x-logodds-logit-bits'], bitsOf(logit), text);
  }
});

test('a level is its text; a JSON number is the level JavaScript would write', () => {
  const levels = ['2', '2.0', '10', '1e+21', '0.1', 'true', '', 'ß', '\u{1f600}', '-0'];
  const model = modelOf([categorical('c', levels)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 200]);
  const { body } = filter(model, fromBody(model));
  for (const [value, logit] of [
    ['2', 1],
    ['2.0', 1],
    ['2e0', 1],
    ['"2"', 1],
    ['"2.0"', 2],
    ['10', 3],
    ['1E1', 3],
    ['1000000000000000000000', 4],
    ['0.1', 5],
    ['0.10000000000000001', 5],
    ['"0.10"', 200],
    ['true', 6],
    ['"true"', 6],
    ['false', 200],
    ['""', 7],
    ['"ß"', 8],
    ['"\\u00df"', 8],
    ['"\\ud83d\\ude00"', 9],
    ['"\\uD83D"', 200],
    ['"\\ud83d\\u0041"', 200],
    ['"-0"', 10],
    ['-0', 200],
    ['null', 100],
    ['"a\\"\\\\\\/\\b\\f\\n\\r\\t"', 200],
  ]) {
    assert.equal(body(`{"c": ${value}}`).headers['x-logodds-logit-bits'], bitsOf(logit), value);
  }
  for (const value of ['[]', '{}', '1e999']) assert.equal(body(`{"c": ${value}}`).response?.status, 400, value);
  const { ask } = filter(model, fromHeaders(model));
  for (const [text, logit] of [
    ['2', 1],
    ['2.0', 2],
    ['', 7],
    ['1e21', 200],
  ]) {
    assert.equal(ask({ headers: [['X-C', text]] }).headers['x-logodds-logit-bits'], bitsOf(logit), text);
  }
  assert.equal(ask({}).headers['x-logodds-logit-bits'], bitsOf(100));
});

test('an unseen level is an error where the model says so; a missing one the most frequent where it says so', () => {
  const model = modelOf(
    [categorical('c', ['a', 'b', 'd'], { counts: [1, 5, 5, 0], unseen: 'error', missing: 'mode' })],
    [1, 2, 3, 4, 5],
  );
  const { ask } = filter(model, fromHeaders(model));
  assert.match(
    ask({ headers: [['x-c', 'z']] }).response.body,
    /header x-c: expected one of the levels seen in training, got \\"z\\"/,
  );
  assert.equal(ask({}).headers['x-logodds-logit-bits'], bitsOf(2));
});

test('an offset is added, and must be there', () => {
  const model = modelOf([numeric('x')], [1], { offset: 'o', intercept: 0.5 });
  const { ask } = filter(model, fromHeaders(model));
  assert.equal(
    ask({
      headers: [
        ['x-x', '1'],
        ['x-o', '-4'],
      ],
    }).headers['x-logodds-logit-bits'],
    bitsOf(-2.5),
  );
  assert.deepEqual(JSON.parse(ask({ headers: [['x-x', '1']] }).response.body), {
    error: 'header x-o: expected a finite number, got nothing; correct it',
    field: 'o',
  });
});

test('fields of a body: nested, escaped keys, in any order, and nothing else', () => {
  const model = modelOf([numeric('a'), numeric('b'), numeric('e')], [1, 10, 100]);
  const { body, ask } = filter(model, { a: 'body:/user/a', b: 'body:/user/more/b', e: 'body:/x~1y~0z' });
  for (const [text, logit] of [
    ['{"user": {"a": 1, "more": {"b": 2}}, "x/y~z": 3}', 321],
    ['{"x\\/y\\u007ez": 3, "user": {"more": {"c": [], "b": 2}, "a": 1}}', 321],
    ['{"a": 9, "b": 9, "more": {"b": 9}, "user": {"user": {"a": 9}, "b": 9}}', 0],
    ['[]'.padStart(40), null],
    ['{"user": null, "x/y~z": 3}', 300],
    ['{"user": {"more": null}}', 0],
    ['{"list": [{"user": {"a": 9}}]}', 0],
  ]) {
    const { headers, response } = body(text);
    if (logit === null) assert.match(response.body, /body: expected a JSON object, got another JSON value/);
    else assert.equal(headers['x-logodds-logit-bits'], bitsOf(logit), text);
  }
  for (const [text, message, field] of [
    ['{"user": 5}', /body \/user\/a: expected an object on the way to it, got something else/, 'a'],
    ['{"user": {"more": [1]}}', /body \/user\/more\/b: expected an object on the way to it/, 'b'],
    ['{"user": {"a": 1, "a": 2}}', /body \/user\/a: expected one value, got its key twice/, 'a'],
    ['{"user": {"a": 1}, "user": {}}', /body \/user\/a: expected one value, got its key twice/, 'a'],
    ['{"user": {"a": "1"}}', /body \/user\/a: expected a finite number, got \\"1\\"/, 'a'],
    ['{"user": {"a": {}}}', /expected a finite number, got an object/, 'a'],
    ['{"user": {"a": []}}', /expected a finite number, got an array/, 'a'],
    ['{"user": {"a": true}}', /expected a finite number, got true/, 'a'],
    ['{"x/y~z": 1e400}', /body \/x~1y~0z: expected a finite number, got 1e400/, 'e'],
    ['{"user": {"a": 1}', /body: expected JSON in UTF-8, got something else/, null],
    ['\ufeff{}', /body: expected JSON/, null],
  ]) {
    const { response } = body(text);
    assert.equal(response?.status, 400, text);
    assert.match(response.body, message);
    assert.equal(JSON.parse(response.body).field, field);
  }
  assert.equal(ask({}).headers['x-logodds-logit-bits'], bitsOf(0)); // no body: all missing
});

test('a body is JSON for the filter exactly when it is for JSON.parse (100,000 mutations)', () => {
  const model = modelOf([categorical('k', ['v'])], [1, 0, 0]);
  const { body } = filter(model, fromBody(model));
  const seeds = [
    '{"k": "v", "n": [1, -2.5e+3, 0.1, 1E9], "t": true, "f": false, "z": null, "o": {"": {}}}',
    '{"k":"\\u00e9\\n\\"\\\\\\/","a":[[],[[{}]],""],"m":-0}',
    ' \t\r\n{ "x" : [ 1 , 2 ] , "k" : "v" } \n',
  ];
  const alphabet = '{}[]",:\\ue0123456789.+-truefalsn \n\x01';
  let valid = 0;
  for (let i = 0; i < 100_000; i++) {
    let text = seeds[i % seeds.length];
    for (let edits = 1 + below(3); edits > 0; edits--) {
      const at = below(text.length + 1);
      const gone = below(3);
      text = text.slice(0, at) + (below(2) ? alphabet[below(alphabet.length)] : '') + text.slice(at + gone);
    }
    let parsed;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = undefined;
    }
    const { response } = body(text);
    const isJson = !response?.body.includes('body: expected JSON');
    assert.equal(isJson, text.length === 0 || parsed !== undefined, JSON.stringify(text));
    if (parsed !== undefined) valid++;
  }
  assert.ok(valid > 10_000 && valid < 90_000, `${valid} valid`);
});

test('a body comes in parts, ends with trailers, or is too large', () => {
  const model = modelOf([numeric('x')], [1]);
  const { ask, host } = filter(model, fromBody(model), { maxBody: 100 });
  const parts = [...'{"x": 42}'].map((c) => Buffer.from(c));
  assert.equal(ask({ chunks: parts }).headers['x-logodds-logit-bits'], bitsOf(42));
  assert.equal(ask({ chunks: parts, trailers: true }).headers['x-logodds-logit-bits'], bitsOf(42));
  assert.equal(ask({ trailers: true }).headers['x-logodds-logit-bits'], bitsOf(0));
  assert.equal(ask({ chunks: [...parts, Buffer.alloc(0)] }).headers['x-logodds-logit-bits'], bitsOf(42));
  assert.equal(ask({ chunks: [Buffer.from('{"x": 42}'.padEnd(100))] }).response, null);
  const { response } = ask({ chunks: [Buffer.from('{"x": 42}'.padEnd(60)), Buffer.alloc(41, ' '), Buffer.alloc(1)] });
  assert.equal(response.status, 413);
  assert.match(response.body, /body: expected at most 100 bytes, got 101 or more/);
  assert.ok(!host.logs.some(({ level }) => level !== 'info'));
});

test('a proxy that never hands over the body is named in the log', () => {
  const model = modelOf([numeric('x')], [1]);
  const { host, root } = filter(model, fromBody(model));
  const stream = host.open(root, []);
  stream.sendHeaders(false);
  assert.equal(stream.close().stalled, true);
  assert.match(host.logs.at(-1).message, /allow_on_headers_stop_iteration/);
  assert.equal(host.metrics.get('logodds.errors'), 1);
});

test('actions: tag, reject, route; what a client sends under these names never gets through', () => {
  const spoofed = [
    'x-logodds-probability',
    'x-logodds-logit-bits',
    'x-logodds-label',
    'x-logodds-error',
    'x-pool',
  ].flatMap((name) => [
    [name, 'spoofed'],
    [name.toUpperCase(), 'spoofed again'],
  ]);
  const route = { header: 'x-pool', positive: 'review', negative: 'main' };
  const cases = [
    { options: {}, sent: '2', pool: 'spoofed again', label: 'yes' },
    { options: {}, sent: '-2', pool: 'spoofed again', label: 'no' },
    { options: { action: 'reject' }, sent: '2', status: 403 },
    { options: { action: 'reject' }, sent: '-2', pool: 'spoofed again', label: 'no' },
    { options: { action: 'route', route }, sent: '2', pool: 'review', label: 'yes' },
    { options: { action: 'route', route }, sent: '-2', pool: 'main', label: 'no' },
    {
      options: { action: 'route', route: { ...route, negative: undefined } },
      sent: '-2',
      pool: undefined,
      label: 'no',
    },
    { options: { invalid: 'pass' }, sent: 'bad', pool: 'spoofed again', label: undefined, error: 'x' },
    {
      options: { invalid: 'pass', action: 'reject' },
      sent: 'bad',
      pool: 'spoofed again',
      label: undefined,
      error: 'x',
    },
    {
      options: { invalid: 'pass', action: 'route', route },
      sent: 'bad',
      pool: undefined,
      label: undefined,
      error: 'x',
    },
  ];
  for (const { options, sent, status, pool, label, error } of cases) {
    const { ask, host } = filter(identity, fromHeaders(identity), options);
    const { response, headers, pairs } = ask({ headers: [...spoofed, ['x-x', sent]] });
    const what = JSON.stringify({ options, sent });
    assert.equal(response?.status, status, what);
    if (status) {
      assert.deepEqual(JSON.parse(response.body), { error: 'rejected by a model', label: 'yes' });
      assert.equal(response.details, 'logodds_rejected');
      assert.deepEqual([...host.metrics.values()], [1, 1, 1, 0]);
      continue;
    }
    assert.equal(headers['x-pool'], pool, what);
    assert.equal(headers['x-logodds-label'], label, what);
    assert.equal(headers['x-logodds-error'], error, what);
    assert.equal('x-logodds-logit-bits' in headers, !error, what);
    assert.equal('x-logodds-probability' in headers, !error, what);
    assert.ok(!pairs.some(([name, value]) => name.startsWith('x-logodds-') && value.startsWith('spoofed')), what);
    assert.deepEqual([...host.metrics.values()], error ? [0, 0, 0, 1] : [1, label === 'yes' ? 1 : 0, 0, 0], what);
  }
});

test('a logit that is not a number is an error, not a negative label; infinite ones score', () => {
  const model = modelOf([numeric('a'), numeric('b')], [1e10, -1e10]);
  const { ask } = filter(model, fromHeaders(model));
  assert.match(
    ask({
      headers: [
        ['x-a', '1e300'],
        ['x-b', '1e300'],
      ],
    }).response.body,
    /logit is not a number/,
  );
  const { headers } = ask({
    headers: [
      ['x-a', '1e300'],
      ['x-b', '0'],
    ],
  });
  assert.equal(headers['x-logodds-probability'], '1');
  assert.equal(
    ask({
      headers: [
        ['x-b', '1e300'],
        ['x-a', '0'],
      ],
    }).headers['x-logodds-probability'],
    '0',
  );
});

test('label and threshold of the model: positive above it, not at it', () => {
  const model = modelOf([numeric('x')], [1], { threshold: 0.5, classes: ['gut "so"', 'schlecht Größe'] });
  const { ask } = filter(model, fromHeaders(model));
  const label = (x) => Buffer.from(ask({ headers: [['x-x', x]] }).headers['x-logodds-label'], 'latin1').toString();
  assert.equal(label('0'), 'gut "so"');
  assert.equal(label('1e-15'), 'schlecht Größe');
  const rejecting = filter(model, fromHeaders(model), { action: 'reject' });
  assert.equal(JSON.parse(rejecting.ask({ headers: [['x-x', '1']] }).response.body).label, 'schlecht Größe');
});

const configured = () => {
  const { model } = SETS[1];
  return pack(
    model,
    { ...fromBody(model), score: 'header:x-score' },
    { action: 'route', route: { header: 'x-pool', positive: 'a' } },
  );
};

test('a broken configuration is refused with a reason, never a trap', () => {
  const host = new Host(module);
  const good = configured();
  const refused = (bytes, reason) => {
    host.logs.length = 0;
    assert.equal(host.configure(bytes), null);
    assert.equal(host.logs.length, 1);
    assert.equal(host.logs[0].level, 'error');
    assert.match(host.logs[0].message, /^logodds: plugin configuration: expected /);
    if (reason) assert.match(host.logs[0].message, reason);
  };
  refused(new Uint8Array(0), /got nothing/);
  refused(Buffer.from('{"model": "x"}'), /expected the output of pack.mjs, got something else/);
  refused(Buffer.from(Buffer.from(good).toString('base64')), /something else/);
  for (let length = 1; length < good.length; length += length < 200 ? 1 : 97) refused(good.slice(0, length));
  refused(good.slice(0, -1), /cut short/);
  refused(Buffer.concat([good, Buffer.alloc(1)]), /added to/);
  const other = good.slice();
  other[4] = 2;
  refused(other, /expected format 1, got another/);
  // a tree of fields that leads back to its root
  const circle = good.slice();
  new DataView(circle.buffer).setUint32(new DataView(circle.buffer).getUint32(40, true) + 12, 0, true);
  refused(seal(circle), /expected tables within it/);
  for (let i = 0; i < 3000; i++) {
    const flipped = good.slice();
    flipped[below(good.length)] ^= 1 << below(8);
    refused(flipped);
    const noise = new Uint8Array(below(400)).map(() => random());
    refused(noise);
    if (noise.length < 16) continue;
    noise.set(good.subarray(0, 4));
    refused(noise);
  }
  assert.notEqual(host.configure(good), null);
});

test('a forged configuration, its check sum right, is refused or scores: no trap, no hang (50,000 mutations)', () => {
  const good = configured();
  const row = bodyOf({ ...SETS[1].rows[0], city: 'zz' });
  let host = new Host(module);
  let accepted = 0;
  for (let i = 0; i < 50_000; i++) {
    if (i % 1000 === 0) host = new Host(module);
    const forged = good.slice();
    const view = new DataView(forged.buffer);
    for (let edits = 1 + below(3); edits > 0; edits--) {
      // mostly in the header and the tables that say where things are
      const at = below(4) ? below(112 + 5 * 64) : below(good.length);
      const value = [below(256), random(), 0xffffffff, good.length - below(32), below(64)][below(5)];
      if (below(2) && at + 4 <= good.length) view.setUint32(at & ~3, value, true);
      else forged[at] = value;
    }
    const root = host.configure(seal(forged));
    if (root === null) continue;
    accepted++;
    host.request(root, {
      headers: [
        ['x-score', '1'],
        ['', 'x'],
      ],
      chunks: [row],
    });
    host.remove(root);
  }
  assert.ok(accepted > 1000 && accepted < 49_000, `${accepted} accepted`);
  assert.ok(host.memoryBytes <= 4 * 65536, `${host.memoryBytes} bytes`);
});

test('a body that is no UTF-8 is refused, as a strict decoder does (200,000 texts)', () => {
  const { body } = filter(SETS[1].model, fromBody(SETS[1].model));
  const strict = new TextDecoder('utf-8', { fatal: true });
  const around = (bytes) => Buffer.concat([Buffer.from('{"of nobody": "'), bytes, Buffer.from('"}')]);
  const isText = (bytes) => {
    try {
      strict.decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  const edges = [
    0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xee, 0xef, 0xf0, 0xf4, 0xf5, 0xff, 0x41,
  ];
  const seen = [0, 0];
  for (let n = 0; n < 200_000; n++) {
    const bytes = Buffer.from(Array.from({ length: below(12) }, () => (below(4) ? edges[below(edges.length)] : 0x61)));
    if (n % 3 === 0) bytes.set(Buffer.from(['é', '日', '😀'][below(3)]).subarray(0, bytes.length));
    const valid = isText(bytes);
    seen[Number(valid)]++;
    const { response } = body(around(bytes));
    if (valid) assert.doesNotMatch(response?.body ?? '', /JSON in UTF-8/);
    else assert.match(response?.body ?? '', /body: expected JSON in UTF-8/, bytes.toString('hex'));
  }
  assert.ok(Math.min(...seen) > 2000, seen.join());
});

test('hostile requests: 10 kB headers, broken UTF-8, huge numbers, deep JSON, bodies of 1 MB (60,000 requests)', () => {
  const { model } = SETS[1];
  const { ask, host } = filter(
    model,
    { ...fromBody(model), visits: 'header:x-visits', plan: 'header:x-plan' },
    { maxBody: 1 << 20 },
  );
  const noise = (length) => Buffer.from(new Uint8Array(length).map(() => random()));
  const answered = ({ response }) => assert.ok(response === null || response.status === 400 || response.status === 413);
  answered(ask({ headers: [['x-visits', '9'.repeat(10_240)]], chunks: [Buffer.from('{}')] }));
  answered(ask({ headers: [['x-visits', `0.${'0'.repeat(10_000)}1`]], chunks: [Buffer.from('{}')] }));
  answered(ask({ headers: [['x-visits', `1e${'9'.repeat(10_000)}`]], chunks: [Buffer.from('{}')] }));
  answered(ask({ headers: [['x-plan', noise(10_240).toString('latin1')]], chunks: [Buffer.from('{}')] }));
  for (const text of ['['.repeat(500_000), '{"a":'.repeat(200_000), `${'['.repeat(65)}${']'.repeat(65)}`]) {
    assert.match(ask({ chunks: [Buffer.from(text)] }).response.body, /body: expected JSON nested at most 64 deep/);
  }
  assert.equal(ask({ chunks: [Buffer.from(`{"a":${'['.repeat(63)}${']'.repeat(63)}}`)] }).response, null);
  answered(ask({ chunks: [Buffer.from(`{"city": "${'\\u0041'.repeat(170_000)}"}`)] }));
  answered(ask({ chunks: [noise(1 << 20)] }));
  answered(ask({ chunks: [Buffer.alloc((1 << 20) + 1)] }));
  const memory = host.memoryBytes;
  for (let i = 0; i < 60_000; i++) {
    const chunk = below(2)
      ? noise(below(300))
      : Buffer.from(`{"city": ${noise(below(40)).toString('latin1')}}`, 'latin1');
    answered(
      ask({
        headers: [
          ['x-visits', noise(below(30)).toString('latin1')],
          ['x-plan', noise(below(30)).toString('latin1')],
        ],
        chunks: below(4) ? [chunk] : [chunk, noise(below(100))],
        trailers: below(8) === 0,
      }),
    );
  }
  assert.equal(host.memoryBytes, memory);
});

test('what a message shows of a request is short, printable, and JSON whatever came', () => {
  const name = `"\\<ü${'n'.repeat(240)}`;
  const model = modelOf([numeric(name)], [1]);
  const { body } = filter(model, fromBody(model));
  for (const value of ['x'.repeat(5000), '\u0001"\\\n', 'é\u{1f600}\u007f']) {
    const { response } = body(JSON.stringify({ [name]: value }));
    const { error, field } = JSON.parse(response.body);
    assert.equal(field, name);
    assert.match(error, /got "[ !#-[\]-~]{0,43}"; correct it, or leave it out if it is unknown$/);
  }
});

test('a million requests leave memory as it was after the first thousand', () => {
  const { model, rows } = SETS[1];
  const { host, root } = filter(model, { ...fromBody(model), visits: 'header:x-visits' }, { invalid: 'reject' });
  const requests = rows.map((row, i) => ({
    headers: [['x-visits', i % 10 ? String(row.visits) : 'bad']],
    chunks: [bodyOf(row)],
  }));
  let memory = 0;
  for (let i = 0; i < 1_000_000; i++) {
    host.request(root, requests[i % requests.length]);
    if (i === 1000) memory = host.memoryBytes;
  }
  assert.equal(host.memoryBytes, memory);
  assert.ok(memory <= 4 * 65536, `${memory} bytes`);
  assert.equal(host.metrics.get('logodds.scored') + host.metrics.get('logodds.errors'), 1_000_000);
});

test('several models share a VM; a replaced one lives until its streams end, and leaves no memory behind', () => {
  const host = new Host(module);
  const times = (weight) => pack(modelOf([numeric('x')], [weight]), { x: 'body:/x' });
  const logit = (stream) => {
    stream.sendBody(Buffer.from('{"x": 1}'), true);
    return Object.fromEntries(stream.close().headers)['x-logodds-logit-bits'];
  };
  const opened = (root) => {
    const stream = host.open(root, []);
    stream.sendHeaders(false);
    return stream;
  };
  const [one, two] = [host.configure(times(1)), host.configure(times(2))];
  const streams = Array.from({ length: 500 }, (_, i) => opened(i % 2 ? one : two));
  host.remove(one);
  const three = host.configure(times(3));
  const late = opened(three);
  // ended in another order than they were opened in
  for (let i = 0; i < 500; i++) {
    const at = (i * 7) % 500;
    assert.equal(logit(streams[at]), bitsOf(at % 2 ? 1 : 2), `stream ${at}`);
  }
  assert.equal(logit(late), bitsOf(3));
  assert.equal(opened(999_999).close().response, null); // a context nobody configured lets requests pass
  const large = pack(SETS[1].model, fromBody(SETS[1].model));
  let memory = 0;
  for (let i = 0; i < 5000; i++) {
    const root = host.configure(large);
    const stream = opened(root);
    host.remove(root);
    stream.close();
    if (i === 100) memory = host.memoryBytes;
  }
  assert.equal(host.memoryBytes, memory);
});

test('pack refuses what the filter could not do', () => {
  const model = modelOf([numeric('x'), categorical('c', ['a'])], [1, 2, 3, 4], { offset: 'o' });
  const all = { x: 'header:x', c: 'body:/c', o: 'header:o' };
  for (const [features, options, message] of [
    [{ x: 'header:x' }, {}, /features: expected a source of "c", "o" too, got none/],
    [{ ...all, y: 'header:y' }, {}, /features: expected x, c, o, got y/],
    [{ ...all, x: 'x' }, {}, /source of "x": expected header:NAME or body:\/POINTER, got "x"/],
    [{ ...all, x: 'body:age' }, {}, /source of "x"/],
    [{ ...all, x: 'body:/a~2' }, {}, /source of "x"/],
    [{ ...all, x: 'header:a b' }, {}, /source of "x": expected the name of a header/],
    [{ ...all, x: 'header:X-Logodds-Label' }, {}, /not x-logodds-/],
    [{ ...all, x: 'body:/c' }, {}, /body:\/c: expected a field that no other one is/],
    [{ ...all, x: 'body:/c/d' }, {}, /expected a field that no other one is, or lies in/],
    [all, { action: 'drop' }, /action: expected tag, reject, route, got drop/],
    [all, { action: 'route' }, /route: expected a header/],
    [all, { action: 'route', route: { header: 'X Y', positive: 'a' } }, /route header/],
    [all, { action: 'route', route: { header: 'x', positive: 'a\nb' } }, /positive "a\\nb"/],
    [all, { invalid: 'ignore' }, /invalid: expected reject, pass, got ignore/],
    [all, { maxBody: 0.5 }, /maxBody/],
  ]) {
    assert.throws(() => pack(model, features, options), message);
  }
  assert.throws(
    () => pack(modelOf([categorical('c', ['\ud800'])], [1, 2, 3]), { c: 'header:c' }),
    /half a surrogate pair/,
  );
  assert.throws(
    () => pack(modelOf([numeric('x')], [1], { classes: ['a', 'b\r\nx: y'] }), { x: 'header:x' }),
    /positive "b\\r\\nx: y"/,
  );
  assert.throws(
    () => pack(POLICIES.model, fromBody(POLICIES.model)),
    /body:\/place: .*read each field of the body once/,
  );
  const decided = (manifest) => {
    const { manifest: plain, ...rest } = modelOf([numeric('x')], [1]);
    return { ...rest, manifest: { ...plain, ...manifest } };
  };
  const rare = { rare: ['b'], unseen: 'error' };
  for (const [refused, message] of [
    [modelOf([numeric('x', { kind: 'curve' })], [1]), /feature "x": expected numeric or categorical, got curve/],
    [modelOf([numeric('x', { kind: 'offset' })], [1]), /feature "x": expected numeric or categorical, got offset/],
    [
      modelOf([categorical('x', ['a'], { missing: 'error' })], [1, 2, 3]),
      /"x": expected missing as slot, mode or base/,
    ],
    [modelOf([categorical('x', ['a'], rare)], [1, 2, 3]), /"x": expected unseen as slot where rare levels share it/],
    [decided({ calibration: { method: 'platt' } }), /model: expected none with calibration, got one/],
    [decided({ decision: { threshold: 0.5, costs: [] } }), /model: expected none with a decision by costs/],
    [decided({ decision: { threshold: 0.5, abstain: {} } }), /model: expected none with a band for review/],
  ]) {
    assert.throws(() => pack(refused, { x: 'header:x' }), message);
  }
  assert.throws(
    () => pack(modelOf([numeric('x')], [1, 2, 3], { classes: ['a', 'b', 'c'] }), { x: 'header:x' }),
    /model: expected two classes, got 3; the gateway decides between two/,
  );
});

test('pack as a command writes what Envoy reads, and says in one line what is wrong', () => {
  const path = (name) => fileURLToPath(new URL(name, import.meta.url));
  const out = path('../build/packed.json');
  const model = path('../../test/conformance/offset.safetensors');
  const command = (...args) => spawnSync(process.execPath, [path('../pack.mjs'), ...args], { encoding: 'utf8' });
  const features = 'region=header:X-Region,density=body:/a,exposure=header:x-exposure';
  const route = ['--action', 'route=x-pool:review:main', '--invalid', 'pass', '--max-body', '1000'];
  const { status, stderr } = command(model, '--features', features, '--out', out, ...route);
  assert.equal(status, 0, stderr);
  const sources = { region: 'header:x-region', density: 'body:/a', exposure: 'header:x-exposure' };
  const options = { route: { header: 'x-pool', positive: 'review', negative: 'main' }, invalid: 'pass', maxBody: 1000 };
  const expected = envoyValue(pack(SETS[2].model, sources, { action: 'route', ...options }));
  assert.deepEqual(JSON.parse(readFileSync(out, 'utf8')), expected);
  for (const [args, message] of [
    [[], /^usage: node gateway\/pack.mjs MODEL/],
    [
      [model, '--features', 'region=header:a', '--out', out],
      /^features: expected a source of "density", "exposure" too/,
    ],
    [[model, '--features', 'region', '--out', out], /^features: expected FIELD=header:NAME or FIELD=body:/],
    [[path('models.mjs'), '--features', features, '--out', out], /^model file: expected a model that logodds saved/],
    [[`${model}.gone`, '--features', features, '--out', out], /no such file/],
  ]) {
    const refused = command(...args);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, message);
    assert.equal(refused.stderr.trim().split('\n').length, 1, refused.stderr);
  }
});
