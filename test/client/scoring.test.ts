import { afterAll, beforeAll, expect, test } from 'vitest';
import { Host } from '../../cli/src/serve/host.ts';
import { ScoringClient, ServiceError } from '../../client/src/index.ts';
import { models, serviceOf, serviceWith } from '../service/models.ts';

const { service, lines } = serviceOf('codes', 'classes');
let host: Host;
let client: ScoringClient;
beforeAll(async () => {
  host = new Host(service, { headerTimeout: 60, bodyTimeout: 60, idleTimeout: 60 }, null);
  client = new ScoringClient({
    baseUrl: await host.listen({ kind: 'port', host: '127.0.0.1', port: 0, flag: '--port' }),
  });
});
afterAll(() => host.close());

const record = { code: '2', x: 0.5 };
const told = ({ logit, probability, label, defaulted }: ReturnType<typeof models.codes.score>) => ({
  probability,
  label,
  logit,
  defaulted,
});
const codes = ['2', 'ü', '0.1'];
const many = Array.from({ length: 1203 }, (_, i) => ({ code: codes[i % 3], x: i % 7 === 0 ? null : i / 100 }));
const expected = many.map((row) => told(models.codes.score(row)));

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

test('a record and an array have the bits of model.score, with model, version, digest and the id of the request', async () => {
  const sha256 = models.codes.sha256!;
  const model = { name: 'codes', version: sha256.slice(0, 12), sha256 };
  expect(await client.score('codes', record, { requestId: 'a' })).toEqual({
    model,
    requestId: 'a',
    score: told(models.codes.score(record)),
  });
  expect(await client.score('codes', many, { requestId: 'b', version: model.version })).toEqual({
    model,
    requestId: 'b',
    scores: expected,
  });
  expect((await client.score('codes', [])).scores).toEqual([]);
});

test('a record that is refused is an error alone, a fault among others, whatever else is asked', async () => {
  const wrong = { code: '2', x: 'far' };
  for (const options of [{}, { explain: 1 }]) {
    const error: ServiceError = await client.score('codes', wrong, options).catch((error) => error);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'ERR_RECORD', status: 400, attempts: 1, problems: [{ field: 'x' }] });
    expect(error.requestId).toMatch(/^\w{32}$/);
    const { scores } = await client.score('codes', [wrong, record], options);
    expect(scores[0]).toMatchObject({ code: 'ERR_RECORD', problems: [{ field: 'x', row: 0 }] });
    expect(scores[1]).toMatchObject(told(models.codes.score(record)));
  }
});

test('reasons, an interval and what would change the label come when they are asked for, in streams too', async () => {
  const { score } = await client.score('codes', record, { explain: 1, whatif: ['x'] });
  expect(score.reasons).toHaveLength(1);
  expect(score.reasons![0]).toMatchObject({ feature: 'code', text: 'code is 2' });
  expect(score.whatif![0].feature).toBe('x');
  for (const batch of [1, null]) {
    const [found] = await all(client.stream('codes', [record], { explain: 2, whatif: ['x'], batch }));
    expect(found.error === undefined && [found.reasons?.length, found.whatif?.length]).toEqual([2, 1]);
  }
});

test('several classes have a probability each', async () => {
  const { fields } = await client.describe('classes');
  const row = Object.fromEntries(fields.map(({ name, type }) => [name, type === 'date' ? '2024-05-03' : 1]));
  const { score } = await client.score('classes', row);
  expect(Object.keys(score.probabilities!)).toEqual(models.classes.manifest.classes);
});

test('a stream has a score for each record, in batches and in one request, from arrays and from what is made as it goes', async () => {
  async function* made() {
    yield* many;
  }
  for (const batch of [undefined, 1000, null]) {
    expect(await all(client.stream('codes', many, { batch }))).toEqual(expected);
    expect(await all(client.stream('codes', made(), { batch }))).toEqual(expected);
    expect(await all(client.stream('codes', [], { batch }))).toEqual([]);
  }
});

test('in one request each record is answered as it is sent, and no more is taken than is asked for', async () => {
  let taken = 0;
  // so long that a few hundred fill the buffers of a connection
  const long = { code: '2'.repeat(50_000), x: 0.5 };
  async function* endless() {
    try {
      for (;;) {
        taken++;
        yield long;
      }
    } finally {
      taken = -1;
    }
  }
  const stream = client.stream('codes', endless(), { batch: null });
  for (let i = 0; i < 3; i++) expect((await stream.next()).value).toEqual(told(models.codes.score(long)));
  expect(taken).toBeLessThan(2000);
  await stream.return();
  await expect.poll(() => taken).toBe(-1);
});

test('an answer comes before the next record is made', async () => {
  let answer: () => void = () => {};
  async function* inTurn() {
    for (let i = 0; i < 3; i++) {
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      yield { ...record, x: i };
      await answered;
    }
  }
  const logits: unknown[] = [];
  for await (const found of client.stream('codes', inTurn(), { batch: null })) {
    logits.push(found.error ?? found.logit);
    answer();
  }
  expect(logits).toEqual([0, 1, 2].map((x) => models.codes.score({ ...record, x }).logit));
});

test('a fault in a stream stands in its place; what makes records fails for itself', async () => {
  async function* broken() {
    yield record;
    throw new RangeError('no more');
  }
  for (const batch of [2, null]) {
    const found = await all(client.stream('codes', [record, { code: '2', x: 'far' }, record], { batch }));
    expect(found.map(({ error }) => error === undefined)).toEqual([true, false, true]);
    await expect(all(client.stream('codes', broken(), { batch }))).rejects.toThrow(RangeError);
    await expect(all(client.stream('none', [record], { batch }))).rejects.toMatchObject({
      code: 'ERR_MODEL',
      status: 404,
    });
  }
});

test('who leaves a stream ends its request', async () => {
  const controller = new AbortController();
  const stream = client.stream('codes', many, { batch: null, signal: controller.signal });
  await stream.next();
  controller.abort();
  await expect(all(stream)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  await expect.poll(() => lines.map(({ status }) => status)).toContain(499);
});

test('an infinite number is refused before it becomes a missing value', async () => {
  const error = 'field "x": expected a finite number, got Infinity; correct the record';
  await expect(client.score('codes', { ...record, x: Infinity })).rejects.toThrow(error);
  for (const batch of [1, null])
    await expect(all(client.stream('codes', [{ ...record, x: Infinity }], { batch }))).rejects.toThrow(error);
});

test('CSV goes and comes, as text, as bytes and as a stream', async () => {
  const text = `code,x\n${many.map(({ code, x }) => `${code},${x ?? ''}`).join('\n')}\n`;
  const bytes = new TextEncoder().encode(text);
  const stream = new Blob([text]).stream() as ReadableStream<Uint8Array>;
  for (const rows of [text, bytes, stream]) {
    const found = (await new Response(await client.csv('codes', rows)).text()).trimEnd().split('\n');
    expect(found).toHaveLength(many.length + 1);
    expect(found[0]).toBe('row,p_no,p_yes,label,error');
    expect(found[9].split(',')[2]).toBe(`${expected[8].probability}`);
  }
  await expect(client.csv('none', text)).rejects.toMatchObject({ status: 404 });
});

test('labels go to a service that keeps them', async () => {
  const taken: unknown[] = [];
  const keeping = serviceWith({ labels: { take: async (labels) => void taken.push(...labels) } }, 'codes').service;
  const asks = new ScoringClient({
    baseUrl: 'http://localhost',
    fetch: async (...given) => keeping.fetch(new Request(...given)),
  });
  const at = '2026-11-29T10:00:00Z';
  const answer = await asks.label('codes', [
    { id: 'a', label: 'yes', at },
    { id: 'b', label: 'perhaps' },
  ]);
  expect(answer).toMatchObject({
    accepted: 1,
    refused: [{ row: 1, error: expect.stringContaining('one of the classes') }],
  });
  expect(taken).toMatchObject([{ id: 'a', label: 'yes', at: new Date(at).toISOString(), model: 'codes' }]);
});

test('a service that takes no labels says so', async () => {
  const error: ServiceError = await client.label('codes', [{ id: 'a', label: 'yes' }]).catch((error) => error);
  expect([error.code, error.status]).toEqual(['ERR_LABELS', 501]);
});

test('where nobody listens, the connection is tried again and told of', async () => {
  const silent = new ScoringClient({ baseUrl: 'http://127.0.0.1:9', retry: { baseMs: 0 } });
  const error: ServiceError = await silent.score('codes', record).catch((error) => error);
  expect(error).toMatchObject({ code: 'ERR_CONNECTION', status: null, attempts: 3 });
  expect(error.message).toMatch(
    /^connection to http:\/\/127\.0\.0\.1:9\/: expected an answer, got none in 3 attempts \(/,
  );
});
