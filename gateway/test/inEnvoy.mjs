/* The filter in Envoy: one process, several listeners with a model each, two upstream servers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { cluster, FILTER, installEnvoy, listener, startEnvoy } from '../envoy.mjs';
import { load, residentKb } from '../load.mjs';
import { envoyValue, pack } from '../pack.mjs';
import { after, test } from './harness.mjs';
import { bitsOf, bodyOf, fromBody, fromHeaders, headersOf, modelOf, numeric, SETS } from './models.mjs';

const binary = installEnvoy();
const set = Object.fromEntries(SETS.map((one) => [one.name, one]));

/** an upstream that answers with its name and what reached it */
function upstream(name) {
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const { headers } = request;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ upstream: name, headers, body: Buffer.concat(parts).toString('utf8') }));
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** @param headers  [name, value][] @returns { status, headers, text, seen } with `seen` what the upstream got */
function send(port, { method = 'GET', headers = [], body, parts = body === undefined ? [] : [body] }) {
  return new Promise((resolve, reject) => {
    const flat = [['host', 'test'], ...headers].flat();
    const framed = body === undefined && parts.length ? [...flat, 'transfer-encoding', 'chunked'] : flat;
    if (body !== undefined) framed.push('content-length', String(body.length));
    const request = httpRequest({ host: '127.0.0.1', port, method, headers: framed, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => {
        const seen = response.statusCode === 200 ? JSON.parse(text) : null;
        resolve({ status: response.statusCode, headers: response.headers, text, seen });
      });
    });
    request.on('error', reject);
    for (const part of parts) request.write(part);
    request.end();
  });
}

const toMain = { match: { prefix: '/' }, route: { cluster: 'main' } };
const toReview = {
  match: { prefix: '/', headers: [{ name: 'x-logodds-label', string_match: { exact: 'yes' } }] },
  route: { cluster: 'review' },
};
const direct = { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } };

const flag = modelOf([numeric('x')], [1]);
const servers = { main: await upstream('main'), review: await upstream('review') };
const clusters = Object.entries(servers).map(([name, server]) => cluster(name, server.address().port));
const envoy = await startEnvoy(
  binary,
  {
    listeners: [
      ...Object.values(set).map(({ name, model }) =>
        listener(`${name}-body`, { plugin: pack(model, fromBody(model)), routes: [toMain] }),
      ),
      listener('numeric-headers', {
        plugin: pack(set.numeric.model, fromHeaders(set.numeric.model)),
        routes: [toReview, toMain],
        responseHeaders: [{ key: 'x-logodds-probability', value: '%REQ(x-logodds-probability)%' }],
      }),
      listener('categorical-headers', {
        plugin: pack(set.categorical.model, fromHeaders(set.categorical.model)),
        routes: [toMain],
      }),
      listener('reject', { plugin: pack(flag, fromHeaders(flag), { action: 'reject' }), routes: [toMain] }),
      listener('route', {
        plugin: pack(flag, fromHeaders(flag), {
          action: 'route',
          route: { header: 'x-pool', positive: 'review', negative: 'main' },
        }),
        routes: [{ match: { prefix: '/' }, route: { cluster_header: 'x-pool' } }],
      }),
      listener('pass', { plugin: pack(flag, fromBody(flag), { invalid: 'pass', maxBody: 1000 }), routes: [toMain] }),
      listener('direct', { plugin: pack(set.numeric.model, fromHeaders(set.numeric.model)), routes: [direct] }),
    ],
    clusters,
  },
  'envoy-test',
);
assert.ok(!envoy.exited, envoy.log);
after(async () => {
  await envoy.stop();
  for (const server of Object.values(servers)) server.close();
});

const counters = async () => {
  const stats = await envoy.stats();
  return Object.fromEntries(
    ['scored', 'positive', 'rejected', 'errors'].map((name) => [
      name,
      Number(stats[`wasmcustom.logodds.${name}`] ?? 0),
    ]),
  );
};

for (const { name, rows, logits, probabilities, labels } of SETS) {
  test(`Envoy: conformance set "${name}" from the body has the committed bits`, async () => {
    for (let i = 0; i < rows.length; i++) {
      const { seen } = await send(envoy.ports[`${name}-body`], { method: 'POST', body: bodyOf(rows[i]) });
      assert.equal(seen.headers['x-logodds-logit-bits'], logits[i], JSON.stringify(rows[i]));
      assert.equal(bitsOf(Number(seen.headers['x-logodds-probability'])), probabilities[i]);
      assert.equal(seen.headers['x-logodds-label'], labels[i]);
      assert.equal(seen.body, bodyOf(rows[i]).toString('utf8'));
    }
  });
}

for (const name of ['numeric', 'categorical']) {
  test(`Envoy: conformance set "${name}" from headers has the committed bits`, async () => {
    const { rows, logits } = set[name];
    for (let i = 0; i < rows.length; i++) {
      const { seen } = await send(envoy.ports[`${name}-headers`], { headers: headersOf(rows[i]) });
      assert.equal(seen.headers['x-logodds-logit-bits'], logits[i], JSON.stringify(rows[i]));
    }
  });
}

test('Envoy: a route may match the label, and a response carry the probability', async () => {
  const { rows, labels } = set.numeric;
  for (let i = 0; i < 20; i++) {
    const { seen, headers } = await send(envoy.ports['numeric-headers'], { headers: headersOf(rows[i]) });
    assert.equal(seen.upstream, labels[i] === 'yes' ? 'review' : 'main');
    assert.equal(headers['x-logodds-probability'], seen.headers['x-logodds-probability']);
  }
});

test('Envoy: route by the header of the filter; headers a client forged are gone', async () => {
  for (const [x, pool, label] of [
    ['3', 'review', 'yes'],
    ['-3', 'main', 'no'],
  ]) {
    const forged = [
      'x-pool',
      'X-Pool',
      'x-logodds-label',
      'x-logodds-logit-bits',
      'x-logodds-probability',
      'x-logodds-error',
    ];
    const { seen } = await send(envoy.ports.route, {
      headers: [...forged.map((name) => [name, 'forged']), ['x-x', x]],
    });
    assert.equal(seen.upstream, pool);
    assert.equal(seen.headers['x-pool'], pool);
    assert.equal(seen.headers['x-logodds-label'], label);
    assert.equal(seen.headers['x-logodds-logit-bits'], bitsOf(Number(x)));
    assert.ok(!JSON.stringify(seen.headers).includes('forged'));
  }
});

test('Envoy: a positive request is rejected, counted, and never reaches the upstream', async () => {
  const before = await counters();
  const answer = await send(envoy.ports.reject, { headers: [['x-x', '3']] });
  assert.equal(answer.status, 403);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(answer.text), { error: 'rejected by a model', label: 'yes' });
  assert.equal((await send(envoy.ports.reject, { headers: [['x-x', '-3']] })).seen.upstream, 'main');
  const after = await counters();
  const more = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
  assert.deepEqual(more, { scored: 2, positive: 1, rejected: 1, errors: 0 });
});

test('Envoy: bad input is answered 400 with the field, counted as an error, or passed on unscored as configured', async () => {
  const before = await counters();
  const bad = await send(envoy.ports.reject, { headers: [['x-x', '12,5']] });
  assert.equal(bad.status, 400);
  assert.deepEqual(JSON.parse(bad.text), {
    error: 'header x-x: expected a finite number, got "12,5"; correct it, or leave it out if it is unknown',
    field: 'x',
  });
  const post = (body) => send(envoy.ports['numeric-body'], { method: 'POST', body: Buffer.from(body) });
  assert.match((await post('{"amount": "1"}')).text, /body \/amount: expected a finite number/);
  assert.match((await post('{"amount": 1')).text, /body: expected JSON in UTF-8/);
  assert.match((await post('['.repeat(60_000))).text, /nested at most 64 deep/);
  assert.match((await post(Buffer.from([0x7b, 0xff, 0xfe]))).text, /body: expected JSON/);
  const huge = await send(envoy.ports['numeric-body'], { method: 'POST', body: Buffer.alloc(1_000_000, ' ') });
  assert.equal(huge.status, 413);
  const passed = await send(envoy.ports.pass, { method: 'POST', body: Buffer.from('{"x": []}') });
  assert.equal(passed.seen.headers['x-logodds-error'], 'x');
  assert.ok(!('x-logodds-label' in passed.seen.headers));
  assert.equal(passed.seen.body, '{"x": []}');
  const large = Buffer.alloc(300_000, 'x');
  const through = await send(envoy.ports.pass, { method: 'POST', body: large });
  assert.equal(through.seen.headers['x-logodds-error'], 'request');
  assert.equal(through.seen.body.length, large.length);
  const after = await counters();
  assert.equal(after.errors - before.errors, 8);
  assert.equal(after.scored, before.scored);
});

test('Envoy: hostile headers: 10 kB, bytes that are no UTF-8, numbers of ten thousand digits', async () => {
  const ask = (value) => send(envoy.ports.reject, { headers: [['x-x', value]] });
  assert.equal((await ask('x'.repeat(10_240))).status, 400);
  assert.equal((await ask('9'.repeat(10_240))).status, 400);
  assert.equal((await ask('\xff\xfe\x80')).status, 400);
  const { seen } = await ask(`-0.${'0'.repeat(300)}${'123456789'.repeat(1000)}`);
  assert.equal(
    seen.headers['x-logodds-logit-bits'],
    bitsOf(Number(`-0.${'0'.repeat(300)}${'123456789'.repeat(1000)}`)),
  );
  const bytes = [
    ['x-city', '\xff\xfe'],
    ['x-plan', ''],
  ];
  assert.equal((await send(envoy.ports['categorical-headers'], { headers: bytes })).status, 200);
});

test('Envoy: a body in parts, and one that ends with trailers (HTTP/2)', async () => {
  const { rows, logits } = set.categorical;
  const body = bodyOf(rows[0]);
  const port = envoy.ports['categorical-body'];
  const { seen } = await send(port, { method: 'POST', parts: [...body].map((byte) => Buffer.of(byte)) });
  assert.equal(seen.headers['x-logodds-logit-bits'], logits[0]);
  const session = http2Connect(`http://127.0.0.1:${port}`);
  const text = await new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    let received = '';
    stream.setEncoding('utf8').on('data', (part) => {
      received += part;
    });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'yes' }));
    stream.on('end', () => resolve(received)).on('error', reject);
    stream.write(body.subarray(0, 10));
    stream.end(body.subarray(10));
  });
  session.close();
  assert.equal(JSON.parse(text).headers['x-logodds-logit-bits'], logits[0]);
});

test('Envoy: one VM serves all listeners, and 40,000 requests leave its memory as it was', async () => {
  const stats = await envoy.stats();
  // one each for the main thread and the worker, and the one that compiled
  assert.ok(Number(stats['wasm.envoy.wasm.runtime.v8.active']) <= 3, stats['wasm.envoy.wasm.runtime.v8.active']);
  const requests = set.numeric.rows.map((row) => {
    const lines = headersOf(row).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET / HTTP/1.1\r\nhost: test\r\n${lines.join('')}\r\n`;
  });
  const before = await counters();
  await load(envoy.ports.direct, requests, { total: 10_000, end: 'ok' });
  const warm = residentKb(envoy.pid);
  const { statuses } = await load(envoy.ports.direct, requests, { total: 40_000, end: 'ok' });
  assert.deepEqual([...statuses], [['200', 40_000]]);
  const grown = residentKb(envoy.pid) - warm;
  assert.ok(grown < 0.05 * warm, `${grown} kB more than ${warm} kB`);
  assert.equal((await counters()).scored - before.scored, 50_000);
});

test('Envoy: nothing of all this was logged but that models are ready', () => {
  const lines = envoy.log.split('\n').filter((line) => line.includes('wasm log'));
  assert.ok(lines.length > 0);
  assert.deepEqual(
    lines.filter((line) => !line.includes('logodds: model of')),
    [],
  );
  assert.ok(!/\[(error|critical)\]/.test(envoy.log), envoy.log);
});

test('Envoy: a broken configuration stops the start with the reason in the log', async () => {
  const good = pack(flag, fromHeaders(flag));
  for (const [bytes, reason] of [
    [good.slice(0, -3), /logodds: plugin configuration: expected as many bytes as it says/],
    [Buffer.from('{"model": 1}'), /logodds: plugin configuration: expected the output of pack.mjs/],
    [good.map((byte, i) => (i === 60 ? byte ^ 1 : byte)), /logodds: plugin configuration: expected the check sum/],
  ]) {
    const refused = await startEnvoy(
      binary,
      { listeners: [listener('a', { plugin: bytes, routes: [toMain] })], clusters },
      'envoy-broken',
    );
    if (!refused.exited) await refused.stop();
    assert.match(refused.log, reason);
    assert.equal(Object.keys(refused.ports).length, 0, 'it must not listen');
  }
});

/** the configuration in the README, with the ports, the file and the model of this run */
function readmeConfiguration() {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, yaml] = /```yaml\n(.*?)```/s.exec(readme);
  return [
    ['port_value: 10000', 'port_value: 0'],
    ['port_value: 9901', 'port_value: 0'],
    ['port_value: 8080', `port_value: ${servers.main.address().port}`],
    ['/etc/envoy/filter.wasm', FILTER],
    [/^( *configuration:).*$/m, `$1 ${JSON.stringify(envoyValue(pack(flag, fromBody(flag))))}`],
  ].reduce((text, [from, to]) => {
    assert.ok(text.search(from) >= 0, `README: ${from}`);
    return text.replace(from, to);
  }, yaml);
}

test('Envoy: the configuration of the README works as it stands', async () => {
  const running = await startEnvoy(binary, readmeConfiguration(), 'envoy-readme');
  try {
    assert.ok(!running.exited, running.log);
    const { seen } = await send(running.ports.scored, { method: 'POST', body: Buffer.from('{"x": 2}') });
    assert.equal(seen.headers['x-logodds-logit-bits'], bitsOf(2));
  } finally {
    if (!running.exited) await running.stop();
  }
});

test('Envoy: without allow_on_headers_stop_iteration the body never comes, and the log says what is missing', async () => {
  const held = readmeConfiguration().replace(/allow_on_headers_stop_iteration: true/, 'fail_open: false');
  const running = await startEnvoy(binary, held, 'envoy-held');
  try {
    assert.ok(!running.exited, running.log);
    const options = { method: 'POST', body: '{"x": 2}', signal: AbortSignal.timeout(500) };
    await assert.rejects(fetch(`http://127.0.0.1:${running.ports.scored}/`, options), /abort|timeout/i);
    for (let tries = 0; tries < 40 && !running.log.includes('wasm log logodds: logodds: a request'); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.match(running.log, /Envoy needs allow_on_headers_stop_iteration: true/);
  } finally {
    if (!running.exited) await running.stop();
  }
});
