import { expect, test } from 'vitest';
import { armOf, createService, type Ended, type LogLine, type Route, Routing } from '../../service/src/index.ts';
import { sweep } from '../full.ts';
import { bytes, JSON_TYPE } from './models.ts';

const ROUTE: Route = {
  name: 'codes',
  id: '1',
  champion: { model: 'codes', version: '1' },
  arms: [{ name: 'challenger', model: 'codes', version: '2', share: 0.05 }],
  salt: 'autumn',
  key: null,
};
const RECORD = '{"code":"2","x":0.5}';

/** A service with two versions of a model and a route. */
function serviceWith(route: Partial<Route> = {}, options: ConstructorParameters<typeof Routing>[0] = {}) {
  const ended: Ended[] = [];
  const lines: LogLine[] = [];
  const routing = new Routing({ onBreach: (one) => ended.push(one), ...options });
  const service = createService({
    models: ['2', '1'].map((version) => ({ name: 'codes', version, model: bytes.codes })),
    routing,
    log: (line) => lines.push(line),
  });
  routing.set({ ...ROUTE, ...route });
  const ask = (headers: Record<string, string> = {}, body = RECORD, path = '/models/codes/score') =>
    service.fetch(
      new Request(`http://localhost${path}`, { method: 'POST', body, headers: { ...JSON_TYPE, ...headers } }),
    );
  return { service, routing, ask, ended, lines };
}
const routeOf = async (response: Response | Promise<Response>) => (await response).headers.get('x-model-route');

const KEYS = Array.from({ length: sweep(50_000, 1_000_000) }, (_, k) => `customer-${k}`);
const armNames = (share: number, more: Partial<Route> = {}, keys = KEYS) => {
  const route = { ...ROUTE, ...more, arms: [{ ...ROUTE.arms[0], share }, ...(more.arms ?? [])] };
  return keys.map((key) => armOf(route, key)?.name ?? 'champion');
};
const shareOf = (names: readonly string[], name: string) => names.filter((one) => one === name).length / names.length;

test('keys are assigned by their share; a greater share moves as many as it grew, and nobody twice', () => {
  let before = armNames(0);
  let grown = 0;
  for (const share of [0.05, 0.1, 0.25, 0.5, 1]) {
    const now = armNames(share);
    // four standard errors of a binomial share
    const error = 4 * Math.sqrt((share * (1 - share)) / KEYS.length);
    expect(Math.abs(shareOf(now, 'challenger') - share)).toBeLessThanOrEqual(error);
    const moved = now.filter((name, k) => name !== before[k]);
    expect(moved.every((name) => name === 'challenger')).toBe(true);
    expect(Math.abs(moved.length / KEYS.length - (share - grown))).toBeLessThanOrEqual(0.005);
    [before, grown] = [now, share];
  }
});

test('further arms have their shares whatever the challenger has, and keep their keys', () => {
  const others = [
    { name: 'b', model: 'codes', version: '3', share: 0.1 },
    { name: 'c', model: 'codes', version: '4', share: 0.2 },
  ];
  const few = armNames(0.05, { arms: others });
  const many = armNames(0.6, { arms: others });
  for (const { name, share } of others) {
    expect(Math.abs(shareOf(few, name) - share)).toBeLessThanOrEqual(
      4 * Math.sqrt((share * (1 - share)) / KEYS.length),
    );
    expect(few.every((one, k) => (one === name) === (many[k] === name))).toBe(true);
  }
});

test('another salt assigns independently, and the sample of a log does too', () => {
  const [a, b] = [armNames(0.5), armNames(0.5, { salt: 'spring' })];
  const both = a.filter((name, k) => name === 'challenger' && b[k] === 'challenger').length / KEYS.length;
  expect(Math.abs(both - 0.25)).toBeLessThanOrEqual(4 * Math.sqrt((0.25 * 0.75) / KEYS.length));
});

test('a request is answered by the version of its arm, on every protocol, and says so', async () => {
  const { ask } = serviceWith({ arms: [{ ...ROUTE.arms[0], share: 0.5 }] });
  for (const key of KEYS.slice(0, 40)) {
    const name = armOf({ ...ROUTE, arms: [{ ...ROUTE.arms[0], share: 0.5 }] }, key)?.name ?? 'champion';
    const answers = [
      await ask({ 'x-logodds-key': key }),
      await ask({ 'x-logodds-key': key }, `{"instances":[${RECORD}]}`, '/v1/models/codes:predict'),
      await ask({ 'x-logodds-key': key }, `{"dataframe_records":[${RECORD}]}`, '/invocations'),
    ];
    for (const response of answers) {
      expect(response.status).toBe(200);
      expect(response.headers.get('x-model-route')).toBe(name);
      expect(response.headers.get('x-model-version')).toBe(name === 'challenger' ? '2' : '1');
    }
  }
});

test('a version that is named is asked whatever the route says, and a header names an arm', async () => {
  const { ask } = serviceWith();
  expect(await routeOf(ask({}, RECORD, '/models/codes/score?version=2'))).toBeNull();
  expect(await routeOf(ask({ 'x-logodds-route': 'challenger' }))).toBe('challenger');
  expect(await routeOf(ask({ 'x-logodds-route': 'champion' }))).toBe('champion');
  const unknown = await ask({ 'x-logodds-route': 'blue' });
  expect(unknown.status).toBe(400);
  expect((await unknown.json()).error).toMatch(/^x-logodds-route: expected one of champion, challenger, got another/);
});

test('a key that no header can hold comes percent-encoded, and is the one that a field of the record has', async () => {
  const arms = [{ ...ROUTE.arms[0], share: 0.5 }];
  const names = new Set<string>();
  for (let i = 0; i < 30; i++) {
    const key = `Jürgen ${i}% \u{1f600}`;
    const expected = armOf({ ...ROUTE, arms }, key)?.name ?? 'champion';
    names.add(expected);
    const { ask } = serviceWith({ arms });
    expect(await routeOf(ask({ 'x-logodds-key': encodeURIComponent(key) }))).toBe(expected);
    const { ask: byField } = serviceWith({ arms, key: { field: 'customer' } });
    expect(await routeOf(byField({}, JSON.stringify({ code: '2', x: 0.5, customer: key })))).toBe(expected);
    const { ask: byHeader } = serviceWith({ arms, key: { header: 'x-customer' } });
    expect(await routeOf(byHeader({ 'x-customer': encodeURIComponent(key) }))).toBe(expected);
  }
  expect(names.size).toBe(2);
  // what is not encoded stands for itself
  const { ask } = serviceWith({ arms });
  for (const key of ['50%', '%zz', 'a%20b%'])
    expect(await routeOf(ask({ 'x-logodds-key': key }))).toBe(armOf({ ...ROUTE, arms }, key)?.name ?? 'champion');
});

test('a key may be a field of the record, or a header; without it the champion answers, and that is counted', async () => {
  const arms = [{ ...ROUTE.arms[0], share: 0.5 }];
  const { ask, routing } = serviceWith({ arms, key: { field: 'code' } });
  const expected = armOf({ ...ROUTE, arms }, '2')?.name ?? 'champion';
  for (const body of [RECORD, `[${RECORD}]`, `{"records":[${RECORD}]}`])
    expect(await routeOf(ask({}, body))).toBe(expected);
  expect(routing.state('codes')!.unkeyed).toBe(0);
  expect(await routeOf(ask({}, `[${RECORD},${RECORD}]`))).toBe('champion');
  expect(await routeOf(ask({}, '{"x":0.5}'))).toBe('champion');
  expect(routing.state('codes')!.unkeyed).toBe(2);
  routing.set({ ...ROUTE, arms, id: '2', key: { header: 'x-customer' } });
  expect(await routeOf(ask({}))).toBe('champion');
  expect(await routeOf(ask({ 'x-customer': 'customer-1' }))).toBe(
    armOf({ ...ROUTE, arms }, 'customer-1')?.name ?? 'champion',
  );
  expect(routing.state('codes')!.unkeyed).toBe(1);
});

test('a version that is not there is answered by the champion, then by the fallback, then by the default', async () => {
  const arms = [{ ...ROUTE.arms[0], version: '9', share: 1 }];
  const { ask, routing, service, lines } = serviceWith({ arms });
  expect(await routeOf(ask())).toBe('champion');
  expect(lines.at(-1)).toMatchObject({ level: 'warn', event: 'fell back', route: 'challenger' });
  service.models.put({ name: 'simple', model: bytes.codes });
  routing.set({ ...ROUTE, arms, id: '2', fallback: { model: 'simple', version: null }, answer: { probability: 0.02 } });
  expect(await routeOf(ask())).toBe('champion');
  service.models.remove('codes', '1');
  expect(await routeOf(ask())).toBe('fallback');
  service.models.remove('simple');
  const response = await ask();
  expect([response.status, response.headers.get('x-model-route'), response.headers.get('x-model-version')]).toEqual([
    200,
    'default',
    'default',
  ]);
  const { scores } = await response.json();
  expect(scores[0].probability).toBeCloseTo(0.02, 12);
  // what the client did wrong, it is told
  expect((await ask({}, '{"x":"far"}')).status).toBe(400);
  expect(service.numbers().gauges['lr_route_fallbacks_total'].value).toBeGreaterThan(0);
});

test('a default answer needs no model, if its labels are given', async () => {
  const routing = new Routing();
  const service = createService({ routing });
  routing.set({
    ...ROUTE,
    name: 'fraud',
    champion: { model: 'fraud', version: null },
    arms: [],
    answer: { probability: 0.25, classes: ['no', 'yes'] },
  });
  const response = await service.fetch(
    new Request('http://localhost/models/fraud/score', {
      method: 'POST',
      body: '[{"a":1},{"b":2}]',
      headers: JSON_TYPE,
    }),
  );
  expect([
    response.status,
    (await response.json()).scores.map(({ probability, label }: { probability: number; label: string }) => [
      probability,
      label,
    ]),
  ]).toEqual([
    200,
    [
      [0.25, 'no'],
      [0.25, 'no'],
    ],
  ]);
});

test.each([
  [
    { arms: [{ ...ROUTE.arms[0], share: 1.5 }] },
    /^route codes, share of challenger: expected a number from 0 to 1, got 1.5/,
  ],
  [
    {
      arms: [
        { ...ROUTE.arms[0], share: 0.6 },
        { name: 'b', model: 'codes', version: null, share: 0.5 },
      ],
    },
    /shares: expected at most 1 together/,
  ],
  [{ arms: [{ ...ROUTE.arms[0] }, { ...ROUTE.arms[0] }] }, /arms: expected a name of its own/],
  [{ salt: '' }, /salt: expected a text, got none/],
  [{ answer: { probability: 1 } }, /answer: expected a probability between 0 and 1, got 1/],
])('a route that cannot be followed is refused, and the one before stays: %j', async (more, message) => {
  const { routing, ask } = serviceWith();
  expect(() => routing.set({ ...ROUTE, ...more } as Route)).toThrow(message);
  expect(await routeOf(ask({ 'x-logodds-route': 'challenger' }))).toBe('challenger');
});

test('a header that no request can have is no key: it would refuse every request', () => {
  const { routing } = serviceWith();
  for (const header of ['', 'x y', 'x:y', 'é'])
    expect(() => routing.set({ ...ROUTE, key: { header } })).toThrow(
      /^route codes, key: expected a name that a header can have, got "/,
    );
});

test('GET /models/{m} says which version answers which part of the traffic', async () => {
  const { service, ask } = serviceWith({ arms: [{ ...ROUTE.arms[0], share: 1 }] });
  await ask({ 'x-logodds-key': 'a' });
  const told = async () => (await (await service.fetch(new Request('http://localhost/models/codes'))).json()).rollout;
  expect(await told()).toEqual({
    champion: { model: 'codes', version: '1' },
    arms: [{ name: 'challenger', share: 1, model: 'codes', version: '2' }],
    shadow: null,
    requests: { challenger: 1 },
    breach: null,
  });
  const plain = createService({ models: [{ name: 'codes', model: bytes.codes }] });
  expect((await (await plain.fetch(new Request('http://localhost/models/codes'))).json()).rollout).toBeNull();
});

test('a label that comes before its record was scored by both is not lost to the guard', async () => {
  const { routing, ask } = serviceWith({ guards: {} });
  const sink = routing.labels(null)!;
  const counted = () => routing.state('codes')!.guards.find(({ guard }) => guard === 'log loss')!.count;
  await (await ask({ 'x-request-id': 'early' })).json();
  expect(routing.isComparing).toBe(true);
  await sink.take([{ id: 'early', label: 'yes', model: 'codes' } as never]);
  expect(counted()).toBe(0);
  while (routing.isComparing) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(counted()).toBe(1);
});
