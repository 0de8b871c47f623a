import { expect, test } from 'vitest';
import { JSON_TYPE, models, serviceOf } from './models.ts';

const record = { code: '2', x: 0.5 };
const { probability } = models.codes.score(record);

test.each([
  ['instances of records', { instances: [record, record] }, { predictions: [probability, probability] }],
  ['instances in the order of the fields', { instances: [['2', 0.5]] }, { predictions: [probability] }],
  ['inputs by column', { inputs: { code: ['2', '2'], x: [0.5, 0.5] } }, { outputs: [probability, probability] }],
])('V1 predicts %s', async (_, body, expected) => {
  const { ask } = serviceOf('codes', 'numeric');
  const version = models.codes.sha256!.slice(0, 12);
  for (const path of ['/v1/models/codes:predict', `/v1/models/codes/versions/${version}:predict`]) {
    const response = await ask(path, JSON.stringify(body), JSON_TYPE);
    expect([response.status, await response.json()]).toEqual([200, expected]);
  }
});

test('V1 says what there is, and refuses what is not', async () => {
  const { ask } = serviceOf('codes', 'numeric');
  const status = await (await ask('/v1/models/codes')).json();
  expect(status.model_version_status).toEqual([
    { version: models.codes.sha256!.slice(0, 12), state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
  ]);
  expect((await ask('/v1/models/none')).status).toBe(404);
  expect((await ask('/v1/models/codes:explode', '{}', JSON_TYPE)).status).toBe(404);
  expect((await ask('/v1/models/codes:predict', '{}', JSON_TYPE)).status).toBe(400);
  const wrong = await ask('/v1/models/codes:predict', '{"instances":[{"code":"2","x":"far"}]}', JSON_TYPE);
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({ problems: [{ field: 'x' }] });
});

test.each([
  ['dataframe_split', { dataframe_split: { index: [0], columns: ['x', 'code'], data: [[0.5, '2']] } }],
  ['dataframe_records', { dataframe_records: [record] }],
  ['instances', { instances: [record] }],
  ['inputs', { inputs: { code: ['2'], x: [0.5] } }],
  ['an array', [record]],
  ['a record', record],
])('/invocations takes %s', async (_, body) => {
  const { ask } = serviceOf('codes');
  const response = await ask('/invocations', JSON.stringify(body), JSON_TYPE);
  expect([response.status, await response.json()]).toEqual([200, { predictions: [probability] }]);
});

test('/invocations takes CSV, with and without an end of its last line', async () => {
  const { ask } = serviceOf('codes');
  for (const text of ['code,x\n2,0.5\n2,0.5', 'code,x\n2,0.5\n2,0.5\n']) {
    const response = await ask('/invocations', text, { 'content-type': 'text/csv' });
    expect(await response.json()).toEqual({ predictions: [probability, probability] });
  }
  expect((await ask('/invocations', 'code,x\n2,far\n', { 'content-type': 'text/csv' })).status).toBe(400);
  expect((await ask('/ping')).status).toBe(200);
  const several = serviceOf('codes', 'numeric');
  expect((await several.ask('/invocations', '{}', JSON_TYPE)).status).toBe(404);
});

test('TorchServe has the probability of each class', async () => {
  const { ask } = serviceOf('codes');
  const one = { no: 1 - probability, yes: probability };
  expect(await (await ask('/predictions/codes', JSON.stringify(record))).json()).toEqual(one);
  expect(await (await ask('/predictions/codes', JSON.stringify([record, record]))).json()).toEqual([one, one]);
});

test('V1: the verb may be encoded; without it, or with another, the status says what is there', async () => {
  const { ask } = serviceOf('codes');
  const body = JSON.stringify({ instances: [{ code: '2', x: 0.5 }] });
  const answer = async (path: string, method: string) => {
    const response = await ask(path, method === 'GET' ? undefined : body, JSON_TYPE, method);
    return [response.status, response.headers.get('allow')];
  };
  const version = models.codes.sha256!.slice(0, 12);
  for (const path of ['/v1/models/codes', `/v1/models/codes/versions/${version}`]) {
    for (const verb of [':predict', '%3Apredict', '%3apredict'])
      expect([await answer(`${path}${verb}`, 'POST'), path]).toEqual([[200, null], path]);
    expect(await answer(`${path}:predict`, 'GET')).toEqual([405, 'POST']);
    expect(await answer(path, 'GET')).toEqual([200, null]);
    expect(await answer(path, 'POST')).toEqual([405, 'GET']);
    for (const method of ['GET', 'POST']) expect(await answer(`${path}:classify`, method)).toEqual([404, null]);
  }
});
