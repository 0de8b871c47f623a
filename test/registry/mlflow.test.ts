import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { keyOf, MlflowTracking, openMlflow, parseReference, saidOf } from '../../registry/src/index.ts';
import { digestIn, mlmodelOf, yamlOf } from '../../registry/src/mlflow/mlmodel.ts';
import { FILE } from './models.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A server that answers as it is told, what it was asked, and how long its client waited between attempts. */
async function hostile(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  const asked: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url!, authorization: request.headers.authorization });
    answer(request, response, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const waits: number[] = [];
  const wait = async (ms: number) => {
    waits.push(ms);
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    waits,
    options: { wait, environment: {} },
  };
}

const html = (response: ServerResponse, status: number) =>
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>secret page</h1>');
const json = (response: ServerResponse, status: number, body: object) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

test.each([
  [403, /got 403 with a page of HTML; ask for the right/, 1],
  [401, /got 401 with a page of HTML; set MLFLOW_TRACKING_TOKEN/, 1],
  [404, /got 404 with a page of HTML; check that the address/, 1],
  [302, /got 302 with a page of HTML; name the address that it leads to/, 1],
  [500, /got 500 with a page of HTML; see the log of the server/, 5],
  [200, /expected JSON, got a page of HTML/, 1],
])('an answer of %i that is a page is one sentence', async (status, sentence, attempts) => {
  const { url, options, asked } = await hostile((_, response) => html(response, status));
  const error = await openMlflow(`mlflow+${url}`, options)
    .entry('fraud')
    .catch((one) => one);
  expect(error.code).toBe('ERR_STORE');
  expect(error.message).toMatch(sentence);
  expect(error.message).not.toContain('secret page');
  expect(asked).toHaveLength(attempts);
});

test('what is too much now is asked again, after the time that the server says', async () => {
  const { url, options, waits } = await hostile((_, response, count) => {
    if (count === 1) response.writeHead(429, { 'retry-after': '7' }).end();
    else if (count === 2) response.writeHead(503, { 'retry-after': '100000' }).end();
    else if (count === 3) response.writeHead(502).end();
    else json(response, 200, { registered_model: { name: 'fraud' } });
  });
  const { versions } = await openMlflow(url, options).entry('fraud');
  expect(versions.size).toBe(0);
  expect(waits).toEqual([7000, 60_000, 1000]);
});

test('what must not happen twice is not sent again once it may have been seen', async () => {
  const { url, options, asked } = await hostile((_, response) => html(response, 500));
  await expect(new MlflowTracking(url, options).start('0', 'one', {})).rejects.toThrow(/got 500/);
  expect(asked).toHaveLength(1);
});

test('a server that is not there, or ends a connection, is said in one sentence', async () => {
  const { url, options } = await hostile((request) => request.socket.destroy());
  await expect(openMlflow(url, options).state()).rejects.toThrow(
    /expected an MLflow server, got no answer \(.+\) in 5 attempts; start it, or correct the address$/,
  );
});

test('credentials come from the environment, stand in a header, and in no address or message', async () => {
  const { url, options, asked } = await hostile((_, response) => html(response, 403));
  const token = 'token-of-ann';
  for (const [environment, header] of [
    [{ MLFLOW_TRACKING_TOKEN: token }, `Bearer ${token}`],
    [
      { MLFLOW_TRACKING_USERNAME: 'änn', MLFLOW_TRACKING_PASSWORD: token },
      `Basic ${Buffer.from(`änn:${token}`).toString('base64')}`,
    ],
  ] as const) {
    const error = await openMlflow(url, { ...options, environment })
      .state()
      .catch((one) => one);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error.cause)}`).not.toContain(token);
    expect(asked.at(-1)!.authorization).toBe(header);
    expect(asked.at(-1)!.path).not.toContain(token);
  }
  expect(() => openMlflow(`mlflow+http://ann:${token}@127.0.0.1:5000`)).toThrow(/without a password/);
  expect(() => openMlflow(`mlflow+http://127.0.0.1:5000/?token=${token}`)).toThrow(/without \? and #/);
  for (const bad of [
    `mlflow+http://ann:${token}@127.0.0.1:5000`,
    `mlflow+http://h/?token=${token}`,
    `not an address ${token}`,
  ])
    try {
      openMlflow(bad);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toContain(token);
    }
});

test('a token with a line break is refused before it is sent', () => {
  expect(() => openMlflow('http://127.0.0.1:5000', { environment: { MLFLOW_TRACKING_TOKEN: 'a\r\nx: y' } })).toThrow(
    /letters of a header/,
  );
});

test('artifacts that clients fetch without the server are refused by name', async () => {
  const { url, options } = await hostile((request, response) =>
    request.url!.includes('get-download-uri')
      ? json(response, 200, { artifact_uri: 's3://bucket/1/model' })
      : html(response, 500),
  );
  await expect(openMlflow(url, options).file({ name: 'fraud', version: 1, sha256: 'a' })).rejects.toThrow(
    /expected a server that hands them on .*, got s3:\/\/bucket\/1\/model/,
  );
});

test('what MLflow has no place for is refused by name', async () => {
  const registry = openMlflow('http://127.0.0.1:5000');
  const act = { by: 'ann' };
  await expect(registry.retire('fraud', 1, act)).rejects.toThrow(/versions that are retired, got MLflow/);
  await expect(registry.events()).rejects.toThrow(/a log of events, got MLflow/);
  await expect(registry.rollback('fraud', null, act)).rejects.toThrow(/name one by --to/);
  await expect(registry.alias('fraud', 1, 'a.b', act)).rejects.toThrow(/as MLflow has them/);
  await expect(registry.tag('fraud', 1, { 'logodds.sha256': 'x' }, act)).rejects.toThrow(/none of logodds.sha256/);
});

test('a version of another maker is refused by name; one with an MLmodel of ours is taken', async () => {
  let mlmodel = 'flavors:\n  sklearn:\n    data: model.pkl\n';
  const { url, options } = await hostile((request, response) => {
    const path = request.url!;
    if (path.includes('registered-models/get'))
      json(response, 200, { registered_model: { name: 'fraud', aliases: [{ alias: 'champion', version: '3' }] } });
    else if (path.includes('model-versions/search'))
      json(response, 200, {
        model_versions: [
          {
            name: 'fraud',
            version: '3',
            creation_timestamp: 1,
            tags: [{ key: 'logodds.lineage', value: '[not an object' }],
          },
        ],
      });
    else if (path.includes('get-download-uri'))
      json(response, 200, { artifact_uri: 'mlflow-artifacts:/1/r/artifacts/model' });
    else response.end(mlmodel);
  });
  const registry = openMlflow(url, options);
  const champion = parseReference('models:/fraud@champion');
  await expect(registry.resolve(champion)).rejects.toThrow(/expected a model of logodds/);
  const sha256 = 'ab'.repeat(32);
  mlmodel = yamlOf(mlmodelOf({ file: FILE, sha256, runId: 'r', at: 0 }));
  expect((await registry.resolve(champion)).sha256).toBe(sha256);
  // as PyYAML writes it again
  expect(digestIn(`flavors:\n  logodds:\n    data: model.safetensors\n    sha256: ${sha256}\n`)).toBe(sha256);
});

test('missing things are told from refusals by what the server said', async () => {
  const { url, options } = await hostile((request, response) =>
    request.url!.includes('/get?')
      ? json(response, 404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'gone' })
      : json(response, 400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'a\nsecond line' }),
  );
  const error = await openMlflow(url, options)
    .entry('fraud')
    .catch((one) => one);
  expect(saidOf(error)).toEqual({ status: 400, code: 'INVALID_PARAMETER_VALUE' });
  expect(error.message).toMatch(/got INVALID_PARAMETER_VALUE \(a\); correct what was asked$/);
});

test('curves and parameters go in as many requests as the limits ask, and NaN goes as a text', async () => {
  const bodies: { metrics?: { value: unknown }[]; params?: object[] }[] = [];
  const { url, options } = await hostile((request, response) => {
    let text = '';
    request.on('data', (piece) => {
      text += piece;
    });
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      json(response, 200, {});
    });
  });
  const metrics = Array.from({ length: 2500 }, (_, step) => ({
    key: 'loss',
    value: step === 0 ? Number.NaN : step,
    step,
  }));
  const params = Object.fromEntries(Array.from({ length: 150 }, (_, k) => [`p${k}`, 'x']));
  await new MlflowTracking(url, options).log('run', { metrics, params });
  expect(bodies.map((body) => (body.params ?? body.metrics)!.length)).toEqual([100, 50, 1000, 1000, 500]);
  expect(bodies[2]!.metrics![0]!.value).toBe('NaN');
});

test.each([
  ['cv.logLoss', 'cv.logLoss'],
  ['über/größe', 'über/größe'],
  ['a=b?c', 'a_b_c'],
  ['/root/', 'root'],
  ['../up/../x', '_/up/_/x'],
  ['', '_'],
])('a name for MLflow: %s', (name, key) => {
  expect(keyOf(name)).toBe(key);
});

test('what a gate says is a tag of the version; one that failed is not promoted, one that passed later is', async () => {
  const tags = new Map<string, string>([['logodds.sha256', 'a'.repeat(64)]]);
  const moved: unknown[] = [];
  const { url, options } = await hostile(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : null;
    const [path] = request.url!.split('?');
    if (path!.endsWith('registered-models/get')) json(response, 200, { registered_model: { name: 'fraud' } });
    else if (path!.endsWith('model-versions/search')) {
      const all = [...tags].map(([key, value]) => ({ key, value }));
      json(response, 200, { model_versions: [{ name: 'fraud', version: '2', tags: all }] });
    } else {
      if (path!.endsWith('set-tag')) tags.set(body.key, body.value);
      else moved.push([path!.split('/').at(-1), body]);
      json(response, 200, {});
    }
  });
  const registry = openMlflow(`mlflow+${url}`, options);
  const act = { by: 'ann' };
  const gate = async () => (await registry.entry('fraud')).versions.get(2)!.gate;
  expect(await gate()).toBe(null);
  await registry.gated('fraud', 2, { against: 1, passed: false, failed: ['auc'] }, act);
  expect(await gate()).toMatchObject({ against: 1, passed: false, failed: ['auc'], at: expect.any(String) });
  await expect(registry.alias('fraud', 2, 'champion', act)).rejects.toThrow(/got one that failed it \(auc\)/);
  await registry.alias('fraud', 2, 'challenger', act);
  await registry.gated('fraud', 2, { against: 1, passed: true, failed: [] }, act);
  await registry.alias('fraud', 2, 'champion', act);
  expect(moved).toEqual(['challenger', 'champion'].map((alias) => ['alias', { name: 'fraud', alias, version: '2' }]));
  // it is no tag of the user's, and one that somebody has written over says nothing
  expect((await registry.entry('fraud')).versions.get(2)!.tags).toEqual({});
  tags.set('logodds.gate', '{"passed": "yes"}');
  expect(await gate()).toBe(null);
  await expect(registry.gated('fraud', 9, { against: 1, passed: true, failed: [] }, act)).rejects.toThrow(
    /expected one of its versions/,
  );
});
