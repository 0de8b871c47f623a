// What all services promise: the bits of the library, and refusals that say what to do.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { check } from './harness.mjs';

const folder = new URL('../conformance/', import.meta.url);

/** The models that every runtime must score alike, with rows, and the bits of their logits and probabilities. */
export const conformance = readdirSync(folder)
  .filter((file) => file.endsWith('.safetensors'))
  .map((file) => {
    const name = file.replace('.safetensors', '');
    const expected = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
    return { name, path: fileURLToPath(new URL(file, folder)), ...expected };
  });

const bits = (value) => new BigUint64Array(Float64Array.of(value).buffer)[0].toString(16).padStart(16, '0');

/** JSON has no infinite numbers: of a logit that is null */
const infinite = (probability) => (probability === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);

/** Scores as a service sends them, against the bits expected. */
export function sameBits(scores, { logits, probabilities, labels }) {
  assert.deepEqual(
    scores.map(({ logit, probability, label }) => [
      bits(logit ?? infinite(probability)),
      bits(probability),
      String(label),
    ]),
    logits.map((logit, i) => [logit, probabilities[i], String(labels[i])]),
  );
}

/** @param fetch  as the global one, of the service */
export async function post(fetch, url, body) {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(url, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The contract of score-request.mjs, for a service with the model of the flights. */
export async function checkContract(call, model, { maxBytes, wrongMethod = 'GET' }) {
  const { fetch, url } = call;
  const record = { hour: 18, weekday: 'Fri', origin: 'ORD', destination: 'BOS', distance: 870 };
  const others = [
    record,
    { ...record, origin: 'XXX', more: true },
    { ...record, hour: 'night', distance: null },
    { ...record, weekday: null, destination: 'other', distance: 0.1 },
  ];

  await check('one record is answered with one score, the bits of model.score', async () => {
    const { status, body, headers } = await post(fetch, url, record);
    assert.equal(status, 200);
    assert.deepEqual(body, model.score(record));
    assert.match(headers.get('content-type'), /^application\/json/);
  });

  await check('an array is answered with an array in its order, unseen and missing values included', async () => {
    assert.deepEqual(
      (await post(fetch, url, others)).body,
      others.map((other) => model.score(other)),
    );
    assert.deepEqual((await post(fetch, url, [])).body, []);
  });

  const refused = [
    ['what is not JSON', '{"hour": 18', 400, 'ERR_DATA', /^body: expected JSON/],
    ['what is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 400, 'ERR_DATA', /^body: expected JSON/],
    ['nothing at all', '', 400, 'ERR_DATA', /^body: expected JSON/],
    ['a number for a record', '7', 400, 'ERR_DATA', /expected an object of fields, got a number/],
    ['an array in an array', [record, [record]], 400, 'ERR_DATA', /record 1 \(from 0\).* got an array/],
    ['null among records', [null], 400, 'ERR_DATA', /record 0 \(from 0\).* got null/],
    ['a record without a field', { ...record, hour: undefined }, 422, 'ERR_SCHEMA', /"hour"/],
    [
      'text for a number',
      [record, { ...record, distance: 'far' }],
      422,
      'ERR_RECORD',
      /1 \(from 0\).*"distance".*got text/,
    ],
    ['an object for a level', { ...record, origin: {} }, 422, 'ERR_RECORD', /"origin".* got a value of type object/],
    ['a body above the limit', ' '.repeat(maxBytes + 1), 413, 'ERR_RANGE', new RegExp(`at most ${maxBytes} bytes`)],
  ];
  for (const [what, body, status, code, sentence] of refused) {
    await check(`${what} is refused: ${status} ${code}`, async () => {
      const answer = await post(fetch, url, body);
      assert.deepEqual([answer.status, answer.body.error.code], [status, code]);
      assert.match(answer.body.error.message, sentence);
      assert.match(answer.body.error.message, /expected .*, got .*; /s);
    });
  }

  await check(`${wrongMethod} is refused with 405 and the method to use`, async () => {
    const response = await fetch(url, { method: wrongMethod });
    assert.equal(response.status, 405);
    assert.match(response.headers.get('allow'), /POST/);
    assert.match((await response.json()).error.message, new RegExp(`got ${wrongMethod}`));
  });

  await check('after all that the service answers as before', async () => {
    assert.deepEqual((await post(fetch, url, record)).body, model.score(record));
  });
}
