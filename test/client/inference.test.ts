import { describe, expect, test } from 'vitest';
import { type Datatype, InferenceClient, type InputData, ServiceError } from '../../client/src/index.ts';
import { models, serviceWith } from '../service/models.ts';

const { service } = serviceWith({ source: (name) => ({ name, model: models.codes }) }, 'codes', 'numeric');
const inProcess = (url: string, init: RequestInit) => service.fetch(new Request(url, init));
const client = new InferenceClient({ baseUrl: 'http://localhost', fetch: inProcess });

const rows = [
  { code: '2', x: 0.5 },
  { code: 'ü', x: null },
  { code: '0.1', x: -3 },
];
const inputs = [
  { name: 'code', data: rows.map(({ code }) => code) },
  { name: 'x', data: rows.map(({ x }) => x) },
];
const expected = rows.map((row) => models.codes.score(row));

test.each([
  ['JSON', {}],
  ['bytes', { binary: true }],
  ['bytes, of which one output is JSON', { binary: true, outputs: ['label', { name: 'logit', binary: false }] }],
  ['JSON, of which one output is bytes', { outputs: [{ name: 'logit', binary: true }, 'label'] }],
])('%s give the bits of model.score', async (_, options) => {
  const result = await client.infer('codes', inputs, { id: '7', ...options });
  expect([result.model, result.version, result.id]).toEqual(['codes', models.codes.sha256!.slice(0, 12), '7']);
  expect(result.parameters).toEqual({ sha256: models.codes.sha256 });
  expect(result.output('label').data).toEqual(expected.map(({ label }) => label));
  expect(result.output('logit')).toEqual({
    name: 'logit',
    datatype: 'FP64',
    shape: [3, 1],
    data: Float64Array.from(expected, ({ logit }) => logit),
  });
  expect(() => result.output('p')).toThrow('output "p": expected one of ');
});

test('a version is asked for in the path; BYTES may be had as bytes', async () => {
  const version = models.codes.sha256!.slice(0, 12);
  for (const binary of [true, false]) {
    const result = await client.infer('codes', inputs, { version, binary, texts: false });
    expect(result.output('label').data).toEqual(expected.map(({ label }) => new TextEncoder().encode(label)));
  }
  await expect(client.infer('codes', inputs, { version: '9' })).rejects.toMatchObject({
    code: 'ERR_VERSION',
    status: 404,
  });
});

test('metadata, health, the repository, statistics', async () => {
  expect((await client.metadata()).name).toBe('logodds');
  expect((await client.metadata('codes')).inputs.map(({ name }) => name)).toEqual(['code', 'x']);
  expect([await client.isLive(), await client.isReady(), await client.isReady('codes')]).toEqual([true, true, true]);
  expect([await client.isReady('none'), await client.isReady('codes', { version: '9' })]).toEqual([false, false]);
  const names = async () => (await client.repository({ ready: true })).map(({ name }) => name);
  expect(await names()).toEqual(['codes', 'numeric']);
  await client.unload('numeric');
  expect(await names()).toEqual(['codes']);
  await client.load('numeric');
  expect(await names()).toEqual(['codes', 'numeric']);
  await expect(client.unload('none')).rejects.toMatchObject({ status: 404, attempts: 1 });
  const [stats] = await client.statistics('codes');
  expect(stats.inference_count).toBeGreaterThan(0);
  expect((await client.statistics()).map(({ name }) => name)).toContain('codes');
});

/** What a server gets, and answers to. */
function echo(answer: () => Response) {
  const asked: { head: { inputs: object[] }; blobs: Uint8Array; headers: Headers }[] = [];
  const one = new InferenceClient({
    baseUrl: 'http://localhost',
    async fetch(_, { body, headers }) {
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : (body as Uint8Array);
      const all = new Headers(headers);
      const end = Number(all.get('inference-header-content-length') ?? bytes.length);
      const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
      asked.push({ head, blobs: bytes.subarray(end), headers: all });
      return answer();
    },
  });
  return { client: one, asked };
}
const NOTHING = () => Response.json({ model_name: 'm', outputs: [] });

const FLOATS = [1.5, -2];
/** data, the datatype that is sent, its values in JSON, its bytes */
const SENT: readonly (readonly [InputData, Datatype | undefined, Datatype, string, number[]])[] = [
  [Float64Array.of(1.5), undefined, 'FP64', '[1.5]', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]],
  [[1.5, null], undefined, 'FP64', '[1.5,null]', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
  [Float32Array.of(1.5), undefined, 'FP32', '[1.5]', [0, 0, 0xc0, 0x3f]],
  [FLOATS, 'FP32', 'FP32', '[1.5,-2]', [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]],
  [Uint16Array.of(0x3e00), 'FP16', 'FP16', '[1.5]', [0, 0x3e]],
  [Uint16Array.of(0x3fc0), 'BF16', 'BF16', '[1.5]', [0xc0, 0x3f]],
  [Int8Array.of(-1), undefined, 'INT8', '[-1]', [0xff]],
  [Uint8Array.of(200), undefined, 'UINT8', '[200]', [200]],
  [Int16Array.of(-2), undefined, 'INT16', '[-2]', [0xfe, 0xff]],
  [Uint16Array.of(258), undefined, 'UINT16', '[258]', [2, 1]],
  [[7], 'INT32', 'INT32', '[7]', [7, 0, 0, 0]],
  [Uint32Array.of(7), undefined, 'UINT32', '[7]', [7, 0, 0, 0]],
  [[2n ** 53n + 1n], undefined, 'INT64', '[9007199254740993]', [1, 0, 0, 0, 0, 0, 0x20, 0]],
  [[5], 'UINT64', 'UINT64', '[5]', [5, 0, 0, 0, 0, 0, 0, 0]],
  [[true, false], undefined, 'BOOL', '[true,false]', [1, 0]],
  [['ü', ''], undefined, 'BYTES', '["ü",""]', [2, 0, 0, 0, 0xc3, 0xbc, 0, 0, 0, 0]],
  [[Uint8Array.of(65)], undefined, 'BYTES', '["A"]', [1, 0, 0, 0, 65]],
];

describe('data are sent as their datatype has them', () => {
  test.each(SENT.map((row) => [`${row[2]} of ${row[0].constructor.name}`, ...row] as const))(
    '%s',
    async (_, data, given, datatype, text, bytes) => {
      const { client, asked } = echo(NOTHING);
      const tensor = { name: 't', data, ...(given && { datatype: given }) };
      let said = '';
      const parse = JSON.parse;
      await client.infer('m', [tensor], { binary: true });
      expect(asked[0].head.inputs).toEqual([
        { name: 't', shape: [data.length], datatype, parameters: { binary_data_size: bytes.length } },
      ]);
      expect([...asked[0].blobs]).toEqual(bytes);
      const json = new InferenceClient({
        baseUrl: 'http://localhost',
        fetch(_, { body }) {
          said = body as string;
          return NOTHING();
        },
      });
      await json.infer('m', [tensor]);
      expect(said).toBe(`{"inputs":[{"name":"t","shape":[${data.length}],"datatype":"${datatype}","data":${text}}]}`);
      expect(parse(said)).toBeTruthy();
    },
  );

  test('with parameters, outputs and an id only where they are given', async () => {
    const { client, asked } = echo(NOTHING);
    const tensor = { name: 't', shape: [1, 2], data: [1, 2], parameters: { missing: [0] } };
    await client.infer('m', [tensor], {
      id: 'i',
      parameters: { p: 1 },
      outputs: ['a', { name: 'b', parameters: { q: 2 } }],
    });
    expect(asked[0].head).toEqual({
      inputs: [{ name: 't', shape: [1, 2], datatype: 'FP64', parameters: { missing: [0] }, data: [1, 2] }],
      id: 'i',
      parameters: { p: 1 },
      outputs: [{ name: 'a' }, { name: 'b', parameters: { q: 2 } }],
    });
    expect(asked[0].headers.get('content-type')).toBe('application/json');
  });
});

test.each([
  [
    'another length',
    { name: 't', data: [1, 2], shape: [3] },
    /^input "t": expected 3 values, as the shape \[3\] says, got 2/,
  ],
  [
    'a number beyond its datatype',
    { name: 't', data: [1, 300], datatype: 'UINT8' },
    /^input "t", element 1: expected a value of UINT8/,
  ],
  ['a part of a whole number', { name: 't', data: [0.5], datatype: 'INT32' }, /element 0: expected a value of INT32/],
  [
    'a big number that was rounded',
    { name: 't', data: [2 ** 53], datatype: 'INT64' },
    /element 0: expected a value of INT64/,
  ],
  [
    'a negative number without sign',
    { name: 't', data: [-1n], datatype: 'UINT64' },
    /element 0: expected a value of UINT64/,
  ],
  ['nothing that is whole', { name: 't', data: [null], datatype: 'INT32' }, /element 0: expected a value of INT32/],
  ['text as a number', { name: 't', data: ['1'], datatype: 'FP64' }, /element 0: expected a value of FP64/],
  ['numbers as bits', { name: 't', data: [1], datatype: 'FP16' }, /element 0: expected bits in a Uint16Array for FP16/],
  [
    'infinity in JSON',
    { name: 't', data: [Infinity] },
    /element 0: expected a finite number in JSON, got Infinity; send binary/,
  ],
  ['bytes that are no text in JSON', { name: 't', data: [Uint8Array.of(255)] }, /element 0: expected UTF-8 in JSON/],
  ['records', { name: 't', data: [{}] }, /^input "t": expected a typed array/],
])('%s is refused before it is sent', async (_, tensor, message) => {
  const { client, asked } = echo(NOTHING);
  await expect(client.infer('m', [tensor as never])).rejects.toThrow(message);
  await expect(client.infer('m', [tensor as never])).rejects.toMatchObject({ code: 'ERR_REQUEST', attempts: 0 });
  expect(asked).toHaveLength(0);
});

/** An answer whose outputs are bytes. */
function binary(outputs: readonly (readonly [datatype: string, shape: number[], bytes: number[]])[], more = 0) {
  const head = new TextEncoder().encode(
    JSON.stringify({
      model_name: 'm',
      outputs: outputs.map(([datatype, shape, bytes], i) => ({
        name: `o${i}`,
        datatype,
        shape,
        parameters: { binary_data_size: bytes.length },
      })),
    }),
  );
  const body = new Uint8Array([...head, ...outputs.flatMap(([, , bytes]) => bytes), ...new Array(more).fill(0)]);
  return new Response(body, { headers: { 'inference-header-content-length': `${head.length}` } });
}

/** datatype, its bytes, its JSON, the data */
const RECEIVED: readonly (readonly [string, number[], unknown[], unknown])[] = [
  ['FP64', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], [1.5], Float64Array.of(1.5)],
  ['FP32', [0, 0, 0xc0, 0x3f, 0, 0, 0xc0, 0x7f], [1.5, null], Float32Array.of(1.5, Number.NaN)],
  ['FP16', [0, 0x3e, 0, 0xfc, 1, 0], [1.5, -Infinity, 2 ** -24], Float32Array.of(1.5, -Infinity, 2 ** -24)],
  ['BF16', [0xc0, 0x3f], [1.5], Float32Array.of(1.5)],
  ['INT8', [0xff], [-1], Int8Array.of(-1)],
  ['UINT8', [200], [200], Uint8Array.of(200)],
  ['INT16', [0xfe, 0xff], [-2], Int16Array.of(-2)],
  ['UINT16', [2, 1], [258], Uint16Array.of(258)],
  ['INT32', [7, 0, 0, 0], [7], Int32Array.of(7)],
  ['UINT32', [7, 0, 0, 0], [7], Uint32Array.of(7)],
  ['INT64', [7, 0, 0, 0, 0, 0, 0, 0], [7], BigInt64Array.of(7n)],
  ['UINT64', [7, 0, 0, 0, 0, 0, 0, 0], [7], BigUint64Array.of(7n)],
  ['BOOL', [1, 0], [true, 0], [true, false]],
  ['BYTES', [2, 0, 0, 0, 0xc3, 0xbc], ['ü'], ['ü']],
];

test.each(RECEIVED)('%s comes from bytes and from JSON', async (datatype, bytes, json, data) => {
  // a text before it, so that it begins anywhere
  const fromBytes = echo(() =>
    binary([
      ['BYTES', [1], [1, 0, 0, 0, 65]],
      [datatype, [json.length], bytes],
    ]),
  );
  expect((await fromBytes.client.infer('m', [])).outputs[1].data).toEqual(data);
  const isJson = json.every((value) => value !== -Infinity);
  if (!isJson) return;
  for (const values of [json, [json]]) {
    const output = { name: 'o', datatype, shape: [1, json.length], data: values };
    const fromJson = echo(() =>
      Response.json({ model_name: 'm', model_version: null, id: null, parameters: null, outputs: [output] }),
    );
    const result = await fromJson.client.infer('m', []);
    expect([result.output('o').data, result.version, result.id]).toEqual([data, null, null]);
  }
});

test.each([
  [
    'fewer bytes',
    () => binary([['FP64', [2], [0, 0, 0, 0, 0, 0, 0, 0]]]),
    'output "o0": expected 2 values of FP64, got 8 bytes',
  ],
  ['more bytes', () => binary([['INT8', [1], [0]]], 1), /^answer: expected \d+ bytes, as its outputs say/],
  ['a part of a text', () => binary([['BYTES', [1], [9, 0, 0, 0, 65]]]), 'output "o0": expected 1 text, got 0'],
  [
    'a text more',
    () => binary([['BYTES', [1], [0, 0, 0, 0, 0, 0, 0, 0]]]),
    'output "o0": expected 1 text, got 4 bytes more',
  ],
  ['bytes that are no text', () => binary([['BYTES', [1], [1, 0, 0, 0, 255]]]), 'ask with texts: false'],
  ['no datatype', () => binary([['FP8', [1], [0]]]), 'output "o0": expected a datatype of V2, got FP8'],
  [
    'another number of values',
    () => Response.json({ outputs: [{ name: 'o', datatype: 'FP64', shape: [2], data: [1] }] }),
    'output "o": expected 2 values, as the shape says, got 1',
  ],
  [
    'a whole number that JSON has rounded',
    () => Response.json({ outputs: [{ name: 'o', datatype: 'INT64', shape: [1], data: [2 ** 53] }] }),
    'element 0: expected a value of INT64, got another; ask for binary',
  ],
  ['no outputs', () => Response.json({}), 'answer: expected outputs, got none'],
  ['a page', () => new Response('<html>'), 'answer: expected JSON'],
])('an answer with %s is an error', async (_, answer, message) => {
  const error = await echo(answer)
    .client.infer('m', [])
    .catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ServiceError);
  expect(error).toMatchObject({
    code: 'ERR_RESPONSE',
    status: 200,
    message: expect.stringMatching(typeof message === 'string' ? message.replace(/[[\]]/g, '.') : message),
  });
});

test('servers that answer health without a body, or by 400, are understood', async () => {
  const of = (answer: () => Response) => new InferenceClient({ baseUrl: 'http://localhost', fetch: answer });
  expect(await of(() => new Response()).isReady()).toBe(true);
  expect(await of(() => Response.json({ ready: false })).isReady('m')).toBe(false);
  expect(await of(() => Response.json({ live: true })).isLive()).toBe(true);
  expect(await of(() => Response.json({ error: 'not ready' }, { status: 400 })).isReady()).toBe(false);
  await expect(of(() => Response.json({ error: 'who?' }, { status: 401 })).isReady()).rejects.toMatchObject({
    status: 401,
  });
  await expect(of(() => new Response('', { status: 200 })).load('m')).resolves.toBeUndefined();
});
