import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, expect, test } from 'vitest';
import {
  type Alerting,
  type AlertSilence,
  type AlertsState,
  type AuditEntry,
  alertsApi,
  createService,
  type LogLine,
  type Service,
  Tokens,
} from '../../service/src/index.ts';
import { LogoddsError } from '../../src/index.ts';
import { digest } from './access.ts';

const SILENCE: AlertSilence = {
  ...{ id: 's-1', alert: null, model: 'flights', by: 'ann', why: 'moving' },
  ...{ at: '2026-11-30T08:00:00.000Z', until: '2026-11-30T10:00:00.000Z' },
};

const STATE: AlertsState = {
  at: '2026-11-30T08:00:00.000Z',
  every: 30,
  alerts: [
    {
      ...{ alert: 'LogoddsAvailabilityFastBurn', severity: 'page', state: 'firing', since: '2026-11-30T07:58:00.000Z' },
      labels: { slo: 'availability', model: 'flights' },
      ...{ value: 40, window: '1h', events: 900, summary: 'spent fast', runbook: 'https://runbooks/errors.md' },
      ...{ silencedBy: 's-1', inhibitedBy: null },
    },
  ],
  budgets: [{ slo: 'availability', model: 'flights', target: 0.999, bad: 40, all: 900, remaining: -43.4 }],
  silences: [SILENCE],
  known: ['LogoddsAvailabilityFastBurn'],
  receivers: [{ severity: 'page', kind: 'webhook' }],
  sent: 1,
  lost: 0,
  notes: [],
};

interface Operation {
  readonly parameters?: readonly { readonly example?: string }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { examples?: Record<string, { value: object }> }>>;
  };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { schema: object }>> }>>;
}

let asked: unknown[] = [];
let service: Service;
let lines: LogLine[] = [];
let audited: AuditEntry[] = [];
const alerting: Alerting = {
  state: async () => STATE,
  async silence(given, by) {
    asked.push([given, by]);
    if ((given as { until?: string } | null)?.until === undefined)
      throw new LogoddsError('ERR_RANGE', 'silence: until: expected a time, got none; give one');
    return { ...SILENCE, by };
  },
  unsilence: async (id) => (id === 's-1' ? SILENCE : null),
};
beforeEach(() => {
  [asked, lines, audited] = [[], [], []];
  const key = (name: string, ...scopes: string[]) => ({ name, sha256: digest(`key-of-${name}`), scopes });
  const keys = [key('reader', 'read'), key('some', 'read:flights', 'admin:flights'), key('admin', 'admin', 'read')];
  service = createService({
    extensions: [alertsApi(alerting)],
    log: (line) => lines.push(line),
    audit: { isStrict: false, put: (entry) => audited.push(entry), kept: async () => {} },
    access: { tokens: new Tokens(JSON.stringify(keys)) },
  });
});

const ask = async (by: string | null, path: string, init: RequestInit = {}) => {
  const headers: Record<string, string> = by === null ? {} : { authorization: `Bearer key-of-${by}` };
  const response = await service.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
  return { status: response.status, body: await response.json() };
};
const post = (body: unknown) => ({ method: 'POST', body: JSON.stringify(body) });

test('who may read every model sees alerts, and who may do all with every model silences them', async () => {
  const silence = post({ model: 'flights', until: '2h', why: 'moving' });
  const gone = { method: 'DELETE' };
  const statuses = async (by: string | null) => [
    (await ask(by, '/alerts')).status,
    (await ask(by, '/alerts/silences', silence)).status,
    (await ask(by, '/alerts/silences/s-1', gone)).status,
  ];
  expect(await statuses(null)).toEqual([401, 401, 401]);
  expect(await statuses('some')).toEqual([403, 403, 403]);
  expect(await statuses('reader')).toEqual([200, 403, 403]);
  expect(await statuses('admin')).toEqual([200, 200, 200]);
  expect((await ask('admin', '/alerts')).body).toEqual(STATE);
  // only one who may reached it
  expect(asked).toEqual([[{ model: 'flights', until: '2h', why: 'moving' }, 'admin']]);
});

test('who has silenced what, until when and why is in the log and in the audit log', async () => {
  await ask('admin', '/alerts/silences', post({ model: 'flights', until: '2h', why: 'moving' }));
  await ask('admin', '/alerts/silences/s-1', { method: 'DELETE' });
  const why = 'all alerts until 2026-11-30T10:00:00.000Z: moving';
  expect(lines.filter(({ event }) => event === 'change')).toMatchObject([
    { change: 'silenced', caller: 'admin', status: 200, model: 'flights', why },
    { change: 'unsilenced', caller: 'admin', status: 200, model: 'flights', why },
  ]);
  expect(audited).toMatchObject([
    { event: 'change', what: 'silenced', caller: 'admin', model: 'flights', why },
    { event: 'change', what: 'unsilenced', caller: 'admin', model: 'flights', why },
  ]);
});

test('what is no silence is refused with a sentence, and so is one that is not there', async () => {
  expect(await ask('admin', '/alerts/silences', post({ model: 'a' }))).toMatchObject({
    status: 400,
    body: { code: 'ERR_RANGE', error: 'silence: until: expected a time, got none; give one' },
  });
  expect((await ask('admin', '/alerts/silences', { method: 'POST', body: '{' })).status).toBe(400);
  expect((await ask('admin', '/alerts/silences', { method: 'POST', body: ' '.repeat(20_000) })).status).toBe(413);
  expect(await ask('admin', '/alerts/silences/none', { method: 'DELETE' })).toMatchObject({
    status: 404,
    body: { code: 'ERR_SILENCE' },
  });
});

test('a page of another site cannot silence a service without keys', async () => {
  const open = createService({ extensions: [alertsApi(alerting)] });
  const from = async (site: string) => {
    const init = { ...post({ model: 'a', until: '2h', why: 'x' }), headers: { 'sec-fetch-site': site } };
    return (await open.fetch(new Request('http://localhost/alerts/silences', init))).status;
  };
  expect([await from('cross-site'), await from('same-origin')]).toEqual([403, 200]);
});

test('a service without alerts has none of this', async () => {
  const plain = createService();
  expect((await plain.fetch(new Request('http://localhost/alerts'))).status).toBe(404);
  const script = async (of: Service) => (await of.fetch(new Request('http://localhost/console.js'))).text();
  expect(await script(plain)).not.toContain('lookAtAlerts');
  expect(await script(service)).toContain('await lookAtAlerts();');
});

test('each route is told, its examples are answered, and the answers are as the description says', async () => {
  const { body: api } = await ask('admin', '/openapi.json');
  const { errors = [] } = await new Validator().validate({ ...api });
  expect(errors).toEqual([]);
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const closed = (_: string, value: unknown) =>
    value && typeof value === 'object' && 'properties' in value && 'required' in value
      ? { ...value, additionalProperties: false }
      : value;
  ajv.addSchema(JSON.parse(JSON.stringify({ $id: 'api', components: api.components }, closed)));
  const paths = Object.entries(api.paths as Record<string, Record<string, Operation>>).filter(([path]) =>
    path.startsWith('/alerts'),
  );
  expect(paths.flatMap(([path, one]) => Object.keys(one).map((method) => `${method} ${path}`))).toEqual([
    'get /alerts',
    'post /alerts/silences',
    'delete /alerts/silences/{id}',
  ]);
  for (const [path, methods] of paths)
    for (const [method, { parameters = [], requestBody, responses }] of Object.entries(methods)) {
      const way = path.replace('{id}', parameters[0]?.example ?? '');
      const examples = requestBody?.content['application/json'].examples as
        | Record<string, { value: object }>
        | undefined;
      const values = examples ? Object.values(examples).map(({ value }) => value) : [undefined];
      for (const value of values) {
        const init = value ? post(value) : { method: method.toUpperCase() };
        const { status, body } = await ask('admin', way, init);
        expect([way, status]).toEqual([way, 200]);
        const { schema } = responses[200]!.content['application/json']!;
        const fits = ajv.compile(JSON.parse(JSON.stringify(schema, closed).replaceAll('"#/', '"api#/')));
        expect([way, fits(body) ? [] : fits.errors]).toEqual([way, []]);
      }
    }
});
