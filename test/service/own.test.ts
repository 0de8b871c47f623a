import { gzipSync } from 'node:zlib';
import { fieldsOf } from 'logodds/stages';
import { expect, test } from 'vitest';
import { JSON_TYPE, models, serviceOf } from './models.ts';

const LINES = { 'content-type': 'application/x-ndjson' };
const record = { code: '2', x: 0.5 };

const told = ({ logit, probability, label, defaulted }: ReturnType<typeof models.codes.score>) => ({
  probability,
  label,
  logit,
  defaulted,
});

test('a record, an array and {"records"} are answered with the bits of model.score, and say model, version, digest and id', async () => {
  const { ask } = serviceOf('codes');
  const expected = told(models.codes.score(record));
  for (const body of [record, [record], { records: [record] }]) {
    const response = await ask('/models/codes/score', JSON.stringify(body), { ...JSON_TYPE, 'x-request-id': 'a-1' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-request-id')).toBe('a-1');
    const sha256 = models.codes.sha256!;
    expect(await response.json()).toEqual({
      model: 'codes',
      version: sha256.slice(0, 12),
      sha256,
      id: 'a-1',
      scores: [expected],
    });
  }
});

test('with several classes each has its probability, the score that of the label', async () => {
  const { ask } = serviceOf('classes');
  const row = Object.fromEntries(fieldsOf(models.classes).map(({ name }) => [name, null]));
  let score: ReturnType<typeof models.classes.score> | null = null;
  try {
    score = models.classes.score(row);
  } catch {
    // this model takes no missing values
  }
  const response = await ask('/models/classes/score', JSON.stringify(row), JSON_TYPE);
  expect(response.status).toBe(score ? 200 : 400);
  if (!score) return;
  const [found] = (await response.json()).scores;
  expect(Object.keys(found.probabilities)).toEqual(models.classes.manifest.classes);
  expect(Object.values(found.probabilities)).toEqual([...score.probabilities!]);
  expect([found.label, found.probability]).toEqual([score.label, score.probability]);
});

test('a record that is refused alone is the error of its request; among others it is its own', async () => {
  const { ask } = serviceOf('codes');
  const alone = await ask('/models/codes/score', '{"code":"2","x":"far"}', JSON_TYPE);
  expect(alone.status).toBe(400);
  const body = await alone.json();
  expect(body).toMatchObject({ code: 'ERR_RECORD', problems: [{ field: 'x', row: 0 }] });
  expect(body.error).toBe(
    'record 0 (from 0), field "x": expected a finite number, got text; use null for a missing value',
  );
  const both = await ask('/models/codes/score', '[{"code":"2","x":"far"},{"code":"2","x":0.5}]', JSON_TYPE);
  expect(both.status).toBe(200);
  const { scores } = await both.json();
  expect(scores[0]).toMatchObject({ code: 'ERR_RECORD', problems: [{ field: 'x', row: 0 }] });
  expect(scores[1]).toEqual(told(models.codes.score(record)));
});

test('each line is answered by a line, whatever its neighbours are', async () => {
  const { ask, lines } = serviceOf('codes');
  const text = '{"code":"2","x":0.5}\n{"code":"2",}\n\n{"code":"2","x":0.5}';
  for (const [body, headers] of [
    [text, LINES],
    [gzipSync(text), { ...LINES, 'content-encoding': 'gzip' }],
  ] as const) {
    const response = await ask('/models/codes/score', body as BodyInit, headers);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const rows = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map((row) => row.code ?? row)).toEqual([
      told(models.codes.score(record)),
      'ERR_DATA',
      told(models.codes.score(record)),
    ]);
    expect(lines.at(-1)).toMatchObject({ event: 'request', status: 200, rows: 3 });
  }
});

test('CSV comes back as CSV: a probability of each class, the label, the error', async () => {
  const { ask } = serviceOf('codes');
  const response = await ask('/models/codes/score', 'x,code\n0.5,2\nfar,2\n', {
    'content-type': 'text/csv; charset=utf-8',
  });
  const { probability } = models.codes.score(record);
  expect((await response.text()).split('\n')).toEqual([
    'row,p_no,p_yes,label,error',
    `0,${1 - probability},${probability},yes,`,
    '1,,,,"record 1 (from 0), field ""x"": expected a finite number, got text; leave it empty for a missing value"',
    '',
  ]);
});

test('reasons, an interval and what would change the label come when they are asked for', async () => {
  const { ask } = serviceOf('codes');
  const asked = { records: [record], explain: 1, whatif: ['x'] };
  const response = await ask('/models/codes/score', JSON.stringify(asked), JSON_TYPE);
  const [score] = (await response.json()).scores;
  expect(score.reasons).toHaveLength(1);
  expect(score.reasons[0]).toMatchObject({ feature: 'code', text: 'code is 2' });
  const { to } = score.whatif[0];
  expect(models.codes.score({ ...record, x: to }).label).not.toBe(models.codes.score(record).label);
  const lines = await ask('/models/codes/score?explain=2', '{"code":"2","x":0.5}\n', LINES);
  expect(JSON.parse(await lines.text()).reasons).toHaveLength(2);
});

const LONG = new Uint8Array(2 ** 24 + 1);

test.each([
  ['/models/none/score', '{}', JSON_TYPE, 404, 'ERR_MODEL'],
  ['/models/codes/score?version=7', '{}', JSON_TYPE, 404, 'ERR_VERSION'],
  ['/models/codes/score', '{}', { 'content-type': 'image/png' }, 415, 'ERR_TYPE'],
  ['/models/codes/score', '{}', { ...JSON_TYPE, 'content-encoding': 'br' }, 415, 'ERR_ENCODING'],
  ['/models/codes/score', '{}', { ...JSON_TYPE, 'content-encoding': 'constructor' }, 415, 'ERR_ENCODING'],
  ['/models/codes/score', '{}', { ...LINES, 'content-encoding': 'br' }, 415, 'ERR_ENCODING'],
  ['/models/codes/score', 'x', { 'content-type': 'text/csv', 'content-encoding': 'br' }, 415, 'ERR_ENCODING'],
  ['/models/codes/score', LONG, JSON_TYPE, 413, 'ERR_BODY'],
  ['/models/codes/score', '{"code":"2",', JSON_TYPE, 400, 'ERR_DATA'],
  ['/models/codes/score', '', JSON_TYPE, 400, 'ERR_DATA'],
  ['/models/codes/score', '{"records":5}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/models/codes/score', '{"records":[{"code":"2","x":1}],"explian":3}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/models/codes/score?explain=-1', '{"code":"2","x":1}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/models/codes/score?interval=2', '{"code":"2","x":1}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/models/codes/score?explain=', '{"code":"2","x":1}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/models/codes/score', '{"records":[],"explain":{"toString":1}}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/invocations', '{"dataframe_split":{"columns":[{"toString":1}],"data":[[1]]}}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/v2/models/codes/infer', '{"inputs":[],"outputs":[{"name":{"toString":1}}]}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/v2/repository/index', 'null', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/v2/repository/index', '{"ready":1}', JSON_TYPE, 400, 'ERR_REQUEST'],
  ['/v2/repository/index', LONG, JSON_TYPE, 413, 'ERR_BODY'],
  ['/nowhere', '{}', JSON_TYPE, 404, 'ERR_PATH'],
])('%s, %#, is refused with one sentence of JSON', async (path, body, headers, status, code) => {
  const { ask } = serviceOf('codes');
  const response = await ask(path, body, headers);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/json');
  const told = await response.json();
  expect(told.code).toBe(code);
  expect(told.error).not.toMatch(/\n|\/src\/|:\d+:\d+/);
});

test('a bomb of gzip is stopped where the limit is', async () => {
  const { ask } = serviceOf('codes');
  const bomb = gzipSync(Buffer.alloc(2 ** 26, 32));
  const response = await ask('/models/codes/score', bomb as BodyInit, { ...JSON_TYPE, 'content-encoding': 'gzip' });
  expect(response.status).toBe(413);
  const cut = await ask('/models/codes/score', gzipSync('{"code":"2"}').subarray(0, 12) as BodyInit, {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  });
  expect(cut.status).toBe(400);
});

test('a client that ends its body early is refused, and no fault of the service', async () => {
  const { service, lines } = serviceOf('codes');
  for (const headers of [JSON_TYPE, LINES, { ...JSON_TYPE, 'content-length': '100' }]) {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"code":"2"')),
      pull: (controller) => controller.error(new Error('socket')),
    });
    const request = new Request('http://localhost/models/codes/score', {
      method: 'POST',
      body,
      headers,
      duplex: 'half',
    } as RequestInit);
    const response = await service.fetch(request);
    expect(await response.text()).toContain('connection that ended');
  }
  expect(lines.map(({ event, status }) => [event, status])).toEqual([
    ['request', 400],
    ['request', 400],
    ['request', 400],
  ]);
});

test('what a service fails at is told in its log, whatever was asked', async () => {
  const { service, ask, lines } = serviceOf('codes');
  Object.defineProperty(service.models, 'versions', {
    value() {
      throw new TypeError('broken');
    },
  });
  const response = await ask('/models/codes', undefined, { 'x-request-id': 'a-2' });
  expect([response.status, await response.json()]).toMatchObject([500, { code: 'ERR_INTERNAL', id: 'a-2' }]);
  expect(lines).toMatchObject([
    { level: 'error', event: 'failed', id: 'a-2', reason: expect.stringContaining('broken') },
  ]);
});

test.each([
  'whatif=x&whatif=code',
  'explain=1&explain=2',
  'interval=0.9&interval=0.9',
  'version=a&version=b',
  'other=1&other=2',
])('a name of the query given twice is refused, not read as one of the two: %s', async (query) => {
  const { ask, service } = serviceOf('codes');
  const { version } = service.models.find('codes');
  const own = query.replace('version=a', `version=${version}`);
  for (const [body, headers] of [
    ['{"code":"2","x":0.5}', JSON_TYPE],
    ['{"code":"2","x":0.5}\n', { 'content-type': 'application/x-ndjson' }],
  ] as const) {
    const response = await ask(`/models/codes/score?${own}`, body, headers);
    const { error, code } = await response.json();
    expect([response.status, code, error]).toEqual([
      400,
      'ERR_REQUEST',
      `query: expected each name once, got "${query.split('=')[0]}" again; send one, several fields as whatif=a,b`,
    ]);
  }
  for (const path of ['/models/codes', '/console.json']) expect((await ask(`${path}?${own}`)).status).toBe(400);
  expect((await ask(`/models/codes/labels?${own}`, '[]', JSON_TYPE)).status).toBe(400);
  expect((await ask('/models/codes/score?whatif=x,code', '{"code":"2","x":0.5}', JSON_TYPE)).status).toBe(200);
});

test.each(['\u001f[', '\u0000[{"code":"2","x":1}]', '\u001f{"code":"2","x":1}', '\u000b[]'])(
  'a body that begins with %j is no JSON',
  async (body) => {
    const { ask } = serviceOf('codes');
    for (const path of ['/models/codes/score', '/predictions/codes', '/v1/models/codes:predict', '/invocations']) {
      const response = await ask(path, body, JSON_TYPE);
      expect([path, response.status]).toEqual([path, 400]);
    }
  },
);
