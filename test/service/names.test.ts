import { fit, loadModel, saveModel } from 'logodds';
import { expect, test } from 'vitest';
import { type AuditEntry, createService, PredictionLines } from '../../service/src/index.ts';
import { JSON_TYPE } from './models.ts';

/** Names that every object of JavaScript has, as classes, fields and a model. */
const CLASSES = ['__proto__', 'constructor', 'toString'];
const FIELDS = ['__proto__', 'constructor', 'hasOwnProperty'];
const recordOf = (values: readonly unknown[]) => Object.fromEntries(FIELDS.map((name, i) => [name, values[i]]));
const { model } = fit(
  Array.from({ length: 120 }, (_, i) => ({
    ...recordOf([i % 7, ['a', '__proto__', 'constructor'][i % 3], (i * 37) % 11]),
    y: CLASSES[(i * 7919 + (i % 7)) % 3],
  })),
  { target: 'y', schema: { features: FIELDS.map((name, i) => ({ name, kind: i === 1 ? 'categorical' : 'numeric' })) } },
);
const bytes = saveModel(model);
const reference = loadModel(bytes);
const VALUES = [3, '__proto__', 5];
const record = recordOf(VALUES);
const { probabilities, label, logits } = reference.score(record);
const byClass = Object.fromEntries(
  CLASSES.map((name) => [name, probabilities![reference.manifest.classes.indexOf(name)]]),
);
const inOrder = reference.manifest.classes.map((name) => byClass[name]);

function serve() {
  const audit: AuditEntry[] = [];
  const lines = new PredictionLines({});
  const written: object[] = [];
  const service = createService({
    models: [{ name: '__proto__', model: bytes }],
    audit: { isStrict: true, put: (entry) => audit.push(entry), kept: async () => {} },
    predictions: { sink: { take: (item) => written.push(...lines.of(structuredClone(item))) } },
  });
  const ask = async (path: string, body?: string | Uint8Array, type = 'application/json') => {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = { ...JSON_TYPE, 'content-type': type, 'x-request-id': 'r' };
    const response = await service.fetch(new Request(`http://x${path}`, { method, body: body as BodyInit, headers }));
    expect(response.status, path).toBe(200);
    return response;
  };
  return { ask, audit, written };
}

const text = JSON.stringify(record);

test('names that objects have are names as others, in every protocol', async () => {
  const { ask } = serve();
  const json = async (path: string, body?: unknown) =>
    (await ask(path, body === undefined ? body : JSON.stringify(body))).json();
  const { scores } = await json('/models/__proto__/score', { records: [record, record], explain: 3, whatif: FIELDS });
  expect(scores[1]).toMatchObject({ label, logit: logits![reference.manifest.classes.indexOf(label)] });
  expect(Object.entries(scores[0].probabilities)).toEqual(Object.entries(byClass));
  expect(scores[0].whatif.map(({ feature }: { feature: string }) => feature)).toEqual(FIELDS);
  const inputs = FIELDS.map((name, i) => ({
    name,
    datatype: i === 1 ? 'BYTES' : 'FP64',
    shape: [1],
    data: [VALUES[i]],
  }));
  const { outputs } = await json('/v2/models/__proto__/infer', {
    inputs,
    parameters: JSON.parse('{"__proto__":{"a":1}}'),
  });
  expect(outputs[0].data).toEqual(inOrder);
  const split = { columns: FIELDS, data: [VALUES] };
  for (const body of [{ instances: [record] }, { instances: [VALUES] }])
    expect(await json('/v1/models/__proto__:predict', body)).toEqual({ predictions: [inOrder] });
  for (const body of [{ dataframe_split: split }, { dataframe_records: [record] }, [record], record])
    expect(await json('/invocations', body)).toEqual({ predictions: [inOrder] });
  const columns = Object.fromEntries(FIELDS.map((name, i) => [name, [VALUES[i]]]));
  expect(await json('/invocations', { inputs: columns })).toEqual({ predictions: [inOrder] });
  const predicted = (await json('/predictions/__proto__', record)) as object;
  expect(Object.entries(predicted)).toEqual(Object.entries(byClass));
  const csv = await (await ask('/models/__proto__/score', `${FIELDS}\n${VALUES}\n`, 'text/csv')).text();
  expect(csv).toBe(
    `row,${reference.manifest.classes.map((name) => `p_${name}`)},label,error\n0,${inOrder},${label},\n`,
  );
});

test('descriptions and logs have them', async () => {
  const { ask, audit, written } = serve();
  await ask('/models/__proto__/score', `[${text},${text}]`);
  await (await ask('/models/__proto__/score?explain=3', `${text}\n`, 'application/x-ndjson')).text();
  await (await ask('/models/__proto__/score', `${FIELDS}\n${VALUES}\n`, 'text/csv')).text();
  expect(audit.map(({ labels }) => Object.entries(labels))).toContainEqual([[label, 2]]);
  const reasons = audit.flatMap((entry) => Object.entries(entry.reasons));
  expect(reasons.length).toBeGreaterThan(0);
  for (const [name, count] of reasons) expect([FIELDS.includes(name), count]).toEqual([true, 1]);
  expect(written[0]).toMatchObject({ label });
  expect(Object.entries((written[0] as { inputs: object }).inputs)).toEqual(Object.entries(record));
  const api = await (await ask('/openapi.json')).json();
  const schema = Object.entries(api.components.schemas).find(([name]) => name === 'Record.__proto__')![1];
  expect(Object.keys((schema as { properties: object }).properties)).toEqual(FIELDS);
  const { fields, classes } = await (await ask('/models/__proto__')).json();
  expect([fields.map(({ name }: { name: string }) => name), classes]).toEqual([FIELDS, reference.manifest.classes]);
  const { chosen } = await (await ask('/console.json?model=__proto__')).json();
  expect(Object.keys(chosen.example)).toEqual(FIELDS);
  expect(await (await ask('/metrics')).text()).toContain('lr_requests_total{model="__proto__"');
});
