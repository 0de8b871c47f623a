import { expect, test } from 'vitest';
import { bytes, JSON_TYPE, models, serviceOf, serviceWith } from './models.ts';

const body = '{"code":"2","x":0.5}';

test('a model is replaced between two requests; a request that began is answered by the one it began with', async () => {
  const { ask, service } = serviceOf('codes');
  const first = service.models.find('codes').begin();
  const free = service.models.memory;
  service.models.put({ name: 'codes', version: '2', model: bytes.codes });
  expect(service.models.versions('codes')).toEqual([models.codes.sha256!.slice(0, 12), '2']);
  expect((await (await ask('/models/codes/score', body, JSON_TYPE)).json()).version).toBe('2');
  service.models.remove('codes', first.version);
  const scorer = first.borrow();
  expect(scorer.json(new TextEncoder().encode(body)).rows).toBe(1);
  first.giveBack(scorer);
  first.end();
  expect(service.models.memory).toBeLessThanOrEqual(free);
});

test('memory is given back, swap after swap', async () => {
  const { ask, service } = serviceOf('codes');
  await ask('/models/codes/score', body, JSON_TYPE);
  const before = service.models.memory;
  for (let i = 0; i < 50; i++) {
    service.models.put({ name: 'codes', model: bytes.codes });
    expect((await ask('/models/codes/score', body, JSON_TYPE)).status).toBe(200);
  }
  expect(service.models.memory).toBe(before);
  service.models.remove('codes');
  expect(service.models.memory).toBe(0);
});

test('a model that a client asks to load takes the place of all versions that there were, swap after swap', async () => {
  let version = 0;
  const source = (name: string) => ({ name, version: `v${++version}`, model: bytes.codes });
  const { ask, service } = serviceWith({ source }, 'codes');
  const memory = new Set<number>();
  for (let i = 0; i < 20; i++) {
    expect((await ask('/v2/repository/models/codes/load', '{}', JSON_TYPE)).status).toBe(200);
    expect((await (await ask('/models/codes/score', body, JSON_TYPE)).json()).version).toBe(`v${version}`);
    memory.add(service.models.memory);
  }
  expect(service.models.versions('codes')).toEqual(['v20']);
  expect(memory.size).toBe(1);
});

test('what is no model leaves the old one as it is, and is told', async () => {
  const { ask, service } = serviceOf('codes');
  expect(() => service.models.put({ name: 'codes', model: bytes.codes.subarray(1) })).toThrow(/model/);
  expect((await ask('/models/codes/score', body, JSON_TYPE)).status).toBe(200);
  expect(service.isReady).toBe(false);
  expect((await ask('/v2/health/ready')).status).toBe(503);
  expect(service.models.list()).toContainEqual(expect.objectContaining({ name: 'codes', state: 'UNAVAILABLE' }));
  expect(await (await ask('/metrics')).text()).toContain('lr_models_failed 1');
  service.models.put({ name: 'codes', model: bytes.codes });
  expect(service.isReady).toBe(true);
});

test('a thousand models answer, in bounded memory', async () => {
  const memory = 2 ** 25;
  const { ask, service } = serviceWith({ memory });
  for (let i = 0; i < 1000; i++) service.models.put({ name: `m${i}`, model: models.codes });
  for (let i = 0; i < 1000; i += 37) expect((await ask(`/models/m${i}/score`, body, JSON_TYPE)).status).toBe(200);
  expect(service.models.memory).toBeLessThan(memory + 2 ** 20);
});

test('draining answers what has come, and is ready no more', async () => {
  const { ask, service } = serviceOf('codes');
  let release = () => {};
  const slow = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(body));
      release = () => controller.close();
    },
  });
  const asked = service.fetch(
    new Request('http://localhost/models/codes/score', {
      method: 'POST',
      body: slow,
      headers: JSON_TYPE,
      duplex: 'half',
    } as RequestInit),
  );
  let isDrained = false;
  const drained = service.drain().then(() => {
    isDrained = true;
  });
  expect((await ask('/ping')).status).toBe(503);
  expect(isDrained).toBe(false);
  release();
  expect((await asked).status).toBe(200);
  await drained;
});

test('a client that leaves a stream leaves no memory and no request behind', async () => {
  const { ask, service, lines } = serviceOf('codes');
  service.models.find('codes').rest();
  const response = await ask('/models/codes/score', `${body}\n${body}\n`.repeat(10), {
    'content-type': 'application/x-ndjson',
  });
  const reader = response.body!.getReader();
  expect((await reader.read()).done).toBe(false);
  expect(service.models.memory).toBeGreaterThan(0);
  await reader.cancel();
  expect(service.models.memory).toBe(0);
  await service.drain();
  expect(lines.filter(({ event }) => event === 'request').map(({ status }) => status)).toEqual([499]);
});

test('a name that no path can have is refused', () => {
  const { service } = serviceOf('codes');
  for (const name of ['', 'a/b', 'a b', 'a:b', 'x'.repeat(129)])
    expect(() => service.models.put({ name, model: bytes.codes })).toThrow(/^model name: expected 1 to 128 characters/);
});
