import { readFileSync } from 'node:fs';
import { deflateSync, gunzipSync, inflateSync } from 'node:zlib';
import { fieldsOf } from 'logodds/stages';
import { describe, expect, test } from 'vitest';
import { JSON_TYPE, models, serviceOf } from './models.ts';

const HEADER = 'inference-header-content-length';
const numbers = JSON.parse(readFileSync(new URL('../conformance/numeric.json', import.meta.url), 'utf8')) as {
  columns: string[];
  rows: Record<string, number | null>[];
};
const rows = numbers.rows.slice(0, 40);
const names = fieldsOf(models.numeric).map(({ name }) => name);
const scored = rows.map((row) => models.numeric.score(row));
const positive = models.numeric.manifest.classes.indexOf(models.numeric.manifest.positive!);

interface Output {
  readonly name: string;
  readonly shape: number[];
  readonly data?: (number | string)[];
  readonly parameters?: { readonly binary_data_size: number };
}

/** probability of the positive class, label and logit of each row of a JSON answer */
function told(outputs: Output[]) {
  const of = (name: string) => outputs.find((output) => output.name === name)!.data!;
  return rows.map((_, i) => [of('probability')[2 * i + positive], of('label')[i], of('logit')[i]]);
}
const expected = scored.map(({ probability, label, logit }) => [probability, label, logit]);

const column = (name: string) => rows.map((row) => row[name]);
const jsonInputs = names.map((name) => ({ name, datatype: 'FP64', shape: [rows.length], data: column(name) }));

/** A body whose inputs are bytes. */
function binary(
  inputs: readonly { name: string; datatype: string; shape: number[]; bytes: Uint8Array }[],
  more: object = {},
) {
  const head = Buffer.from(
    JSON.stringify({
      ...more,
      inputs: inputs.map(({ bytes, ...input }) => ({ ...input, parameters: { binary_data_size: bytes.length } })),
    }),
  );
  return {
    body: Buffer.concat([head, ...inputs.map(({ bytes }) => bytes)]) as BodyInit,
    headers: { 'content-type': 'application/octet-stream', [HEADER]: String(head.length) },
  };
}
const doubles = (values: readonly (number | null)[]) =>
  new Uint8Array(Float64Array.from(values, (value) => value ?? Number.NaN).buffer);

describe('inference gives the bits of model.score', () => {
  test('from tensors of JSON, with null where a value is missing', async () => {
    const { ask } = serviceOf('numeric');
    const response = await ask('/v2/models/numeric/infer', JSON.stringify({ id: '42', inputs: jsonInputs }), JSON_TYPE);
    const body = await response.json();
    expect(body).toMatchObject({ model_name: 'numeric', id: '42', parameters: { sha256: models.numeric.sha256 } });
    expect(told(body.outputs)).toEqual(expected);
    // as json.dumps of Python writes it; text stays as it is
    const text = JSON.stringify({ id: 'NaN', inputs: jsonInputs }).replaceAll('null', 'NaN');
    const python = await (await ask('/v2/models/numeric/infer', text, JSON_TYPE)).json();
    expect([python.id, told(python.outputs)]).toEqual(['NaN', expected]);
  });
  test('from bytes, to bytes', async () => {
    const { ask } = serviceOf('numeric');
    const inputs = names.map((name) => ({
      name,
      datatype: 'FP64',
      shape: [rows.length, 1],
      bytes: doubles(column(name)),
    }));
    const { body, headers } = binary(inputs, { parameters: { binary_data_output: true } });
    const response = await ask('/v2/models/numeric/infer', body, headers);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const bytes = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get(HEADER));
    const { outputs } = JSON.parse(bytes.subarray(0, length).toString()) as { outputs: Output[] };
    expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['probability', [40, 2]],
      ['label', [40]],
      ['logit', [40, 1]],
    ]);
    const at = length + outputs[0].parameters!.binary_data_size + outputs[1].parameters!.binary_data_size;
    expect(bytes.length).toBe(at + 8 * rows.length);
    scored.forEach(({ logit, probability }, i) => {
      expect(bytes.readDoubleLE(at + 8 * i)).toBe(logit);
      expect(bytes.readDoubleLE(length + 8 * (2 * i + positive))).toBe(probability);
    });
    // labels: their length, then their bytes
    let place = length + outputs[0].parameters!.binary_data_size;
    for (const { label } of scored) {
      expect(bytes.readUInt32LE(place)).toBe(label.length);
      expect(bytes.toString('utf8', place + 4, place + 4 + label.length)).toBe(label);
      place += 4 + label.length;
    }
  });
  test('compressed both ways', async () => {
    const { ask } = serviceOf('numeric');
    const text = JSON.stringify({ inputs: jsonInputs });
    for (const [accepted, encoding, inflate] of [
      ['gzip, deflate', 'gzip', gunzipSync],
      ['gzip;q=0, deflate', 'deflate', inflateSync],
      ['br', null, (bytes: Buffer) => bytes],
    ] as const) {
      const headers = { ...JSON_TYPE, 'accept-encoding': accepted, 'content-encoding': 'deflate' };
      const response = await ask('/v2/models/numeric/infer', deflateSync(text) as BodyInit, headers);
      expect(response.headers.get('content-encoding')).toBe(encoding);
      const { outputs } = JSON.parse(inflate(Buffer.from(await response.arrayBuffer())).toString());
      expect(told(outputs)).toEqual(expected);
    }
  });
  test('from one tensor of rows of numbers, in the order of the fields', async () => {
    const { ask } = serviceOf('numeric');
    const data = rows.flatMap((row) => names.map((name) => row[name]));
    const tensor = { name: 'input', datatype: 'FP64', shape: [rows.length, names.length] };
    const nested = rows.map((row) => names.map((name) => row[name]));
    for (const cells of [data, nested]) {
      const response = await ask(
        '/v2/models/numeric/infer',
        JSON.stringify({ inputs: [{ ...tensor, data: cells }] }),
        JSON_TYPE,
      );
      expect(told((await response.json()).outputs)).toEqual(expected);
    }
    const { body, headers } = binary([{ ...tensor, bytes: doubles(data) }]);
    expect(told((await (await ask('/v2/models/numeric/infer', body, headers)).json()).outputs)).toEqual(expected);
  });
  test('from one row of numbers, of JSON and of bytes, with cells that are missing or as good as', async () => {
    const { ask } = serviceOf('numeric');
    const of = async (body: BodyInit, headers: Record<string, string>) => {
      const { outputs } = await (await ask('/v2/models/numeric/infer', body, headers)).json();
      const data = (name: string) => (outputs as Output[]).find((output) => output.name === name)!.data!;
      return [data('probability')[positive], data('label')[0], data('logit')[0]];
    };
    for (const [i, row] of rows.entries()) {
      const cells = names.map((name) => row[name]);
      const input = { name: 'x', datatype: 'FP64', shape: [1, names.length] };
      expect(await of(JSON.stringify({ inputs: [{ ...input, data: cells }] }), JSON_TYPE)).toEqual(expected[i]);
      const bytes = binary([{ ...input, bytes: doubles(cells) }]);
      expect(await of(bytes.body, bytes.headers)).toEqual(expected[i]);
    }
    const cells = names.map((name) => rows[0][name]);
    for (const [datatype, wrong] of [
      ['FP64', '1'],
      ['INT64', 0.5],
      ['BYTES', 'a'],
    ] as const) {
      const input = { name: 'x', datatype, shape: [1, names.length], data: [wrong, ...cells.slice(1)] };
      expect((await ask('/v2/models/numeric/infer', JSON.stringify({ inputs: [input] }), JSON_TYPE)).status).toBe(400);
    }
  });

  test('from texts and numbers for categories', async () => {
    const { ask } = serviceOf('codes');
    const want = [models.codes.score({ code: '2', x: 0.5 }).logit, models.codes.score({ code: 'ü', x: 1 }).logit];
    const x = { name: 'x', datatype: 'FP32', shape: [2], bytes: new Uint8Array(Float32Array.of(0.5, 1).buffer) };
    const text = new TextEncoder().encode('ü');
    const code = {
      name: 'code',
      datatype: 'BYTES',
      shape: [2],
      bytes: Uint8Array.from([1, 0, 0, 0, 50, 2, 0, 0, 0, ...text]),
    };
    const { body, headers } = binary([x, code], { outputs: [{ name: 'logit' }] });
    expect((await (await ask('/v2/models/codes/infer', body, headers)).json()).outputs).toEqual([
      { name: 'logit', datatype: 'FP64', shape: [2, 1], data: want },
    ]);
    const whole = {
      name: 'code',
      datatype: 'INT64',
      shape: [2],
      bytes: new Uint8Array(BigInt64Array.of(2n, 2n).buffer),
    };
    const again = binary([x, whole], { outputs: [{ name: 'logit' }] });
    const { outputs } = await (await ask('/v2/models/codes/infer', again.body, again.headers)).json();
    expect(outputs[0].data[0]).toBe(want[0]);
  });
  test('by the names that clients of other servers use', async () => {
    const { ask } = serviceOf('numeric');
    const body = { inputs: jsonInputs, outputs: [{ name: 'predict' }, { name: 'predict_proba' }] };
    const { outputs } = await (await ask('/v2/models/numeric/infer', JSON.stringify(body), JSON_TYPE)).json();
    expect(outputs.map(({ name }: Output) => name)).toEqual(['predict', 'predict_proba']);
    expect(outputs[0].data).toEqual(scored.map(({ label }) => label));
  });
  test('with rows that parameters call missing', async () => {
    const { ask } = serviceOf('codes');
    const inputs = [
      { name: 'code', datatype: 'BYTES', shape: [2], data: ['2', '2'] },
      { name: 'x', datatype: 'INT32', shape: [2], data: [1, 1], parameters: { missing: [1] } },
    ];
    const { outputs } = await (await ask('/v2/models/codes/infer', JSON.stringify({ inputs }), JSON_TYPE)).json();
    expect(outputs[2].data).toEqual([1, null].map((x) => models.codes.score({ code: '2', x }).logit));
  });
});

test('health, metadata, versions, the index and statistics', async () => {
  const { ask, service } = serviceOf('codes', 'numeric');
  const get = async (path: string) => (await ask(path)).json();
  expect(await get('/v2')).toMatchObject({
    name: 'logodds',
    extensions: expect.arrayContaining(['binary_tensor_data']),
  });
  expect(await get('/v2/health/live')).toEqual({ live: true });
  expect(await get('/v2/health/ready')).toEqual({ ready: true, live: true });
  expect(await get('/v2/models')).toEqual({ models: ['codes', 'numeric'] });
  const version = models.codes.sha256!.slice(0, 12);
  expect(await get('/v2/models/codes')).toMatchObject({
    name: 'codes',
    versions: [version],
    inputs: [
      { name: 'code', datatype: 'BYTES', shape: [-1] },
      { name: 'x', datatype: 'FP64', shape: [-1] },
    ],
  });
  expect(await get(`/v2/models/codes/versions/${version}/ready`)).toEqual({ name: 'codes', ready: true });
  expect((await ask('/v2/models/codes/versions/2')).status).toBe(404);
  const index = await (await ask('/v2/repository/index', '{}')).json();
  expect(index).toHaveLength(2);
  expect(index[0]).toEqual({ name: 'codes', version, state: 'READY', reason: '' });
  await ask('/models/codes/score', '{"code":"2","x":1}', JSON_TYPE);
  const { model_stats } = await get('/v2/models/codes/stats');
  expect(model_stats[0]).toMatchObject({ name: 'codes', inference_count: 1, execution_count: 1 });
  expect((await ask('/v2/repository/models/codes/unload', '')).status).toBe(200);
  expect((await ask('/v2/models/codes')).status).toBe(404);
  await service.drain();
  expect((await ask('/v2/health/ready')).status).toBe(503);
});

const DEEP = `{"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":${'['.repeat(1e5)}${']'.repeat(1e5)}}]}`;
const good = { name: 'code', datatype: 'BYTES', shape: [1], data: ['2'] };
const x = (more: object) => ({ name: 'x', datatype: 'FP64', shape: [1], data: [1], ...more });
test.each([
  ['no JSON', '{', /expected JSON/],
  ['no inputs', '{}', /expected an object with inputs/],
  ['a field without tensor', { inputs: [good] }, /^inputs: expected "x", got none/],
  ['a tensor of no field', { inputs: [good, x({}), x({ name: 'y' })] }, /^input "y": expected a field/],
  ['a field twice', { inputs: [good, good] }, /expected distinct names/],
  ['another shape', { inputs: [good, x({ shape: [2], data: [1, 2] })] }, /^input "x": expected the shape \[1\]/],
  ['fewer values', { inputs: [good, x({ data: [] })] }, /^input "x": expected 1 value, as the shape says, got 0/],
  ['no datatype', { inputs: [good, x({ datatype: 'FP128' })] }, /^input "x": expected a datatype/],
  ['text as number', { inputs: [good, x({ data: ['1'] })] }, /^input "x", element 0: expected a number/],
  [
    'BYTES for a number',
    { inputs: [good, x({ datatype: 'BYTES', data: ['1'] })] },
    /^input "x": expected numbers, got texts/,
  ],
  ['whole numbers beyond 2^53', { inputs: [good, x({ datatype: 'INT64', data: [2 ** 53] })] }, /within ±2\^53/],
  ['a shape that is none', { inputs: [good, x({ shape: [-1] })] }, /expected a shape of whole numbers/],
  ['data nested without end', DEEP, /^input "x"|^body/],
  [
    'an output that is none',
    { inputs: [good, x({})], outputs: [{ name: 'p' }] },
    /^output "p": expected one of probability/,
  ],
  [
    'binary data that is not there',
    { inputs: [good, x({ data: undefined, parameters: { binary_data_size: 8 } })] },
    /binary_data_size/,
  ],
])('%s is refused by name', async (_, body, message) => {
  const { ask } = serviceOf('codes');
  const response = await ask(
    '/v2/models/codes/infer',
    typeof body === 'string' ? body : JSON.stringify(body),
    JSON_TYPE,
  );
  expect(response.status).toBe(400);
  expect((await response.json()).error).toMatch(message);
});

test('binary data of another length is refused', async () => {
  const { ask } = serviceOf('numeric');
  const inputs = names.map((name) => ({ name, datatype: 'FP64', shape: [rows.length], bytes: doubles(column(name)) }));
  const { body, headers } = binary(inputs);
  const all = Buffer.from(body as Uint8Array);
  for (const wrong of [all.subarray(0, -1), Buffer.concat([all, Buffer.alloc(1)])])
    expect((await ask('/v2/models/numeric/infer', wrong as BodyInit, headers)).status).toBe(400);
  for (const length of ['-1', 'a', '99999999', '10'])
    expect((await ask('/v2/models/numeric/infer', body, { ...headers, [HEADER]: length })).status).toBe(400);
});

test('a page of another site takes no model away; one of ours, and a program, may', async () => {
  const { ask } = serviceOf('codes', 'numeric', 'classes');
  const unload = async (model: string, headers: Record<string, string>) => {
    const response = await ask(`/v2/repository/models/${model}/unload`, '{}', headers);
    return [response.status, (await response.json()).code];
  };
  for (const site of ['cross-site', 'same-site'])
    expect(await unload('codes', { 'sec-fetch-site': site })).toEqual([403, 'ERR_ORIGIN']);
  // browsers tell no site to a service that is neither on their machine nor behind TLS
  for (const origin of ['http://evil.example', 'http://localhost:81', 'null', ''])
    expect(await unload('codes', { origin })).toEqual([403, 'ERR_ORIGIN']);
  expect(await unload('codes', { 'sec-fetch-site': 'same-origin', origin: 'https://localhost' })).toEqual([
    200,
    undefined,
  ]);
  expect(await unload('numeric', {})).toEqual([200, undefined]);
  expect(await unload('classes', { origin: 'https://localhost' })).toEqual([200, undefined]);
});
