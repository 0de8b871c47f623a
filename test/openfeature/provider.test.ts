// The provider in the real SDK, before real services: in this process, and at an address.
import { ErrorCode, type EventDetails, OpenFeature, ProviderEvents, ProviderStatus } from '@openfeature/server-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Host } from '../../cli/src/serve/host.ts';
import { type FlagRules, LogoddsProvider, type ScoringService } from '../../openfeature/src/index.ts';
import { createService, Routing } from '../../service/src/index.ts';
import { bytes, models, serviceOf, serviceWith } from '../service/models.ts';

const { service } = serviceOf('codes', 'classes');
const probability = models.codes.score({ code: '2', x: 0.5 }).probability!;
const label = models.codes.score({ code: '2', x: 0.5 }).label;
const flags: FlagRules = {
  on: { model: 'codes', threshold: probability },
  off: { model: 'codes', threshold: Math.min(1, probability + 1e-9) },
  share: { model: 'codes', number: 'probability' },
  colour: {
    model: 'codes',
    bands: [
      { from: 0, value: 'green' },
      { from: probability, value: 'red', variant: 'alarm' },
    ],
  },
  above: { model: 'codes', bands: [{ from: 1, value: 'never' }] },
  offer: { model: 'codes', labels: { [label]: { price: 3 } } },
  other: { model: 'codes', labels: { nobody: 'x' } },
};
const context = { targetingKey: 'user-7', code: '2', x: 0.5 };

let host: Host;
let baseUrl: string;
beforeAll(async () => {
  host = new Host(service, { headerTimeout: 60, bodyTimeout: 60, idleTimeout: 60 }, null);
  baseUrl = await host.listen({ kind: 'port', host: '127.0.0.1', port: 0, flag: '--port' });
});
afterAll(async () => {
  await OpenFeature.clearProviders();
  await host.close();
});

/** A client of the SDK with a provider, once it is ready. */
async function clientOf(domain: string, provider: LogoddsProvider) {
  await OpenFeature.setProviderAndWait(domain, provider);
  return OpenFeature.getClient(domain);
}

test.each([
  ['a service in this process', () => new LogoddsProvider({ service, flags })],
  ['a service at an address', () => new LogoddsProvider({ client: { baseUrl }, flags })],
])('%s: values of every type by threshold, bands, labels and the probability', async (domain, make) => {
  const client = await clientOf(domain, make());
  const on = await client.getBooleanDetails('on', false, context);
  const sha256 = models.codes.sha256!;
  expect(on).toMatchObject({ value: true, variant: 'on', reason: 'TARGETING_MATCH', flagKey: 'on' });
  expect(on.flagMetadata).toEqual({
    model: 'codes',
    version: sha256.slice(0, 12),
    sha256,
    requestId: expect.stringMatching(/^[\w-]{36}$/),
    label,
    probability,
  });
  expect(await client.getBooleanDetails('off', true, context)).toMatchObject({ value: false, variant: 'off' });
  expect(await client.getNumberValue('share', -1, context)).toBe(probability);
  expect(await client.getStringDetails('colour', '', context)).toMatchObject({ value: 'red', variant: 'alarm' });
  expect(await client.getObjectDetails('offer', {}, context)).toMatchObject({ value: { price: 3 }, variant: label });
});

test('a score of which a rule says nothing gives the default of the caller, by its reason', async () => {
  const client = await clientOf('default', new LogoddsProvider({ service, flags }));
  for (const flag of ['above', 'other']) {
    const found = await client.getStringDetails(flag, 'mine', context);
    expect(found).toMatchObject({ value: 'mine', reason: 'DEFAULT', flagMetadata: { probability } });
    expect(found.errorCode).toBeUndefined();
  }
});

test('the key goes along as a header, percent-encoded where a header could not hold it, and the arm of the answer makes a split', async () => {
  const keys: (string | null)[] = [];
  const routed: ScoringService = {
    async fetch(request) {
      if (request.method === 'POST') keys.push(request.headers.get('x-logodds-key'));
      const answer = await service.fetch(request);
      const headers = new Headers(answer.headers);
      headers.set('x-model-route', 'challenger');
      return new Response(answer.body, { status: answer.status, headers });
    },
  };
  const client = await clientOf('routed', new LogoddsProvider({ service: routed, flags }));
  const found = await client.getBooleanDetails('on', false, context);
  expect(found).toMatchObject({ value: true, reason: 'SPLIT', flagMetadata: { arm: 'challenger' } });
  await client.getBooleanValue('on', false, { ...context, targetingKey: 'jürgen 50%' });
  await client.getBooleanValue('on', false, { code: '2', x: 0.5 });
  await client.getBooleanValue('on', false, { ...context, targetingKey: '' });
  expect(keys).toEqual(['user-7', 'j%C3%BCrgen%2050%25', null, null]);
  // the service reads it as it was
  const text = 'jürgen 50%';
  expect(decodeURIComponent(keys[1]!)).toBe(text);
  // the key itself is no field of the record, and calls at once do not mix
  const many = await Promise.all(
    Array.from({ length: 40 }, (_, i) => client.getBooleanDetails('on', false, { ...context, targetingKey: `k${i}` })),
  );
  expect(many.every(({ value, flagMetadata }) => value && flagMetadata['arm'] === 'challenger')).toBe(true);
  expect(keys.slice(4).sort()).toEqual(Array.from({ length: 40 }, (_, i) => `k${i}`).sort());
});

test('a segment that chose the model is targeting; an arm of its rollout is a split', async () => {
  let arm = 'champion';
  const divided: ScoringService = {
    async fetch(request) {
      const answer = await service.fetch(request);
      const headers = new Headers(answer.headers);
      headers.set('x-model-segment', 'de');
      headers.set('x-model-route', arm);
      return new Response(answer.body, { status: answer.status, headers });
    },
  };
  const client = await clientOf('divided', new LogoddsProvider({ service: divided, flags }));
  expect(await client.getBooleanDetails('on', false, context)).toMatchObject({
    reason: 'TARGETING_MATCH',
    flagMetadata: { arm: 'champion', segment: 'de' },
  });
  arm = 'challenger';
  expect(await client.getBooleanDetails('on', false, context)).toMatchObject({
    reason: 'SPLIT',
    flagMetadata: { arm: 'challenger', segment: 'de' },
  });
});

test('a rollout that assigns by another header: no split and why, and a split once the provider sends it', async () => {
  const routing = new Routing();
  const { codes } = bytes;
  const service = createService({
    models: ['2', '1'].map((version) => ({ name: 'codes', version, model: codes })),
    routing,
  });
  const arms = [{ name: 'challenger', model: 'codes', version: '2', share: 1 }];
  const champion = { model: 'codes', version: '1' };
  routing.set({ name: 'codes', id: '1', champion, arms, salt: 's', key: { header: 'x-customer' } });
  const plain = await clientOf('unkeyed', new LogoddsProvider({ service, flags }));
  const found = await plain.getBooleanDetails('on', false, context);
  expect(found).toMatchObject({ value: true, reason: 'STATIC', flagMetadata: { arm: 'champion' } });
  expect(found.flagMetadata['message']).toMatch(/^rollout: expected the key .*, got targetingKey in x-logodds-key, so/);
  const keyed = await clientOf('keyed', new LogoddsProvider({ service, flags, keyHeader: 'x-customer' }));
  const split = await keyed.getBooleanDetails('on', false, context);
  expect(split).toMatchObject({ reason: 'SPLIT', flagMetadata: { arm: 'challenger' } });
  expect(split.flagMetadata).not.toHaveProperty('message');
  const none = await keyed.getBooleanDetails('on', false, { code: '2', x: 0.5 });
  expect(none).toMatchObject({
    reason: 'STATIC',
    flagMetadata: { message: expect.stringMatching(/without targetingKey/) },
  });
  expect(() => new LogoddsProvider({ service, flags, keyHeader: 'a b' })).toThrow(/^keyHeader: expected a name/);
});

test('what goes wrong gives the default of the caller with a code, and a hook hears of it', async () => {
  const client = await clientOf('wrong', new LogoddsProvider({ service, flags }));
  const heard: string[] = [];
  client.addHooks({ error: (_, error) => void heard.push((error as Error).message) });
  const codeOf = async (details: Promise<{ value: unknown; reason?: string; errorCode?: string }>) => {
    const { value, reason, errorCode } = await details;
    expect(reason).toBe('ERROR');
    return [value, errorCode];
  };
  expect(await codeOf(client.getBooleanDetails('nobody', true, context))).toEqual([true, ErrorCode.FLAG_NOT_FOUND]);
  expect(await codeOf(client.getBooleanDetails('toString', true, context))).toEqual([true, ErrorCode.FLAG_NOT_FOUND]);
  expect(await codeOf(client.getStringDetails('on', 'mine', context))).toEqual(['mine', ErrorCode.TYPE_MISMATCH]);
  expect(await codeOf(client.getBooleanDetails('on', true, { code: '2', x: 'far' }))).toEqual([
    true,
    ErrorCode.INVALID_CONTEXT,
  ]);
  expect(heard).toHaveLength(4);
  expect(heard[3]).toMatch(/"x"/);
});

test('a record of another form, and dates as text', async () => {
  const seen: unknown[] = [];
  const watching: ScoringService = {
    async fetch(request) {
      if (request.method === 'POST') seen.push(await request.clone().json());
      return service.fetch(request);
    },
  };
  const record = (given: { readonly [name: string]: unknown }) => ({
    code: typeof given['code'] === 'string' ? given['code'] : '2',
    x: 0.5,
  });
  const client = await clientOf('record', new LogoddsProvider({ service: watching, flags, record }));
  expect(await client.getBooleanValue('on', false, { when: new Date(0), code: '2' })).toBe(true);
  const plain = await clientOf('plain', new LogoddsProvider({ service: watching, flags }));
  await plain.getBooleanValue('on', false, { ...context, code: new Date(0) });
  expect(seen).toEqual([
    { code: '2', x: 0.5 },
    { code: '1970-01-01T00:00:00.000Z', x: 0.5 },
  ]);
});

test('a model that is not there, or a service that is not reached, fails the start', async () => {
  const absent = new LogoddsProvider({ service, flags: { a: { model: 'nobody', threshold: 0.5 } } });
  await expect(OpenFeature.setProviderAndWait('absent', absent)).rejects.toThrow(/nobody/);
  expect(OpenFeature.getClient('absent').providerStatus).toBe(ProviderStatus.ERROR);
  const gone = new LogoddsProvider({ client: { baseUrl: 'http://127.0.0.1:9', retry: false }, flags });
  await expect(OpenFeature.setProviderAndWait('gone', gone)).rejects.toThrow(/127\.0\.0\.1:9/);
});

test('events: error when it cannot be reached, stale when it cannot answer now, ready with the next score, and another file', async () => {
  let answer: ((request: Request) => Promise<Response>) | null = null;
  const changing = serviceWith({});
  changing.service.models.put({ name: 'codes', model: models.codes });
  const flaky = { fetch: (request: Request) => answer?.(request) ?? changing.service.fetch(request) };
  const provider = new LogoddsProvider({
    client: {
      baseUrl: 'http://localhost',
      retry: false,
      fetch: (url, init) => flaky.fetch(new Request(url, init)),
    },
    flags: { on: flags['on'], lone: { model: 'codes', version: models.codes.sha256!.slice(0, 12), threshold: 0.5 } },
  });
  const client = await clientOf('events', provider);
  const events: [string, EventDetails | undefined][] = [];
  for (const type of [
    ProviderEvents.Ready,
    ProviderEvents.Error,
    ProviderEvents.Stale,
    ProviderEvents.ConfigurationChanged,
  ])
    client.addHandler(type, (details) => void events.push([type, details]));
  // the handler of ready is told at once that it is
  await new Promise((done) => setTimeout(done));
  const look = () => client.getBooleanDetails('on', false, context);

  answer = () => Promise.reject(new TypeError('socket hang up'));
  expect(await look()).toMatchObject({ value: false, reason: 'ERROR', errorCode: ErrorCode.GENERAL });
  await look();
  expect(client.providerStatus).toBe(ProviderStatus.ERROR);
  answer = () => Promise.resolve(Response.json({ error: 'too many', code: 'ERR_LOAD' }, { status: 429 }));
  await look();
  expect(client.providerStatus).toBe(ProviderStatus.STALE);
  answer = null;
  expect(await look()).toMatchObject({ value: true });
  expect(client.providerStatus).toBe(ProviderStatus.READY);
  answer = async (request) => {
    const body = await (await changing.service.fetch(request)).json();
    return Response.json({ ...body, sha256: 'another' });
  };
  await look();
  expect(events.map(([type]) => type)).toEqual([
    ProviderEvents.Ready,
    ProviderEvents.Error,
    ProviderEvents.Stale,
    ProviderEvents.Ready,
    ProviderEvents.ConfigurationChanged,
  ]);
  expect(events[4][1]).toMatchObject({ flagsChanged: ['on'] });
});

test('rules that cannot hold are refused when the provider is made', () => {
  const made = (rule: object) => () => new LogoddsProvider({ service, flags: { f: rule as never } });
  expect(made({ threshold: 0.5 })).toThrow(TypeError);
  expect(made({ model: 'm' })).toThrow(/one of threshold, bands, labels, number, got none/);
  expect(made({ model: 'm', threshold: 0.5, labels: {} })).toThrow(/threshold and labels/);
  for (const threshold of [-0.1, 1.1, Number.NaN, '0.5']) expect(made({ model: 'm', threshold })).toThrow(RangeError);
  expect(made({ model: 'm', bands: [] })).toThrow(TypeError);
  expect(made({ model: 'm', bands: [{ from: 0.5 }, { from: 0.5 }] })).toThrow(RangeError);
  expect(made({ model: 'm', number: 'logit' })).toThrow(RangeError);
  expect(() => new LogoddsProvider({ flags: {} } as never)).toThrow(/client or service/);
});
