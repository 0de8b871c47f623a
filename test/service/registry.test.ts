import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AuditFile } from '../../cli/src/serve/observation/auditFile.ts';
import { verifyAudit } from '../../cli/src/serve/observation/auditVerify.ts';
import { DirectoryStore } from '../../registry/src/directory.ts';
import { MemoryStore, Registry } from '../../registry/src/index.ts';
import { RULES } from '../../service/src/access/routes.ts';
import { scopesOf } from '../../service/src/access/scopes.ts';
import { createService, Follower, Routing, registryApi } from '../../service/src/index.ts';
import { JSON_TYPE } from './models.ts';
import { privateModel, RECORD, SECRET, SECRET_NUMBER } from './observation/private.ts';
import { CANARY, FILES, FRAUD, KEYS, type Key, registered, serving } from './registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const of = async (response: Response) => [response.status, (await response.json()).code];

/** Each route, a body for it, and who may. A reader of fraud is one of all that it asks here. */
const READ: readonly Key[] = ['reader', 'readerOfFraud', 'pusher', 'promoter', 'admin'];
const PROMOTE: readonly Key[] = ['promoter', 'admin'];
const ROUTES: readonly (readonly [path: string, body: object | Uint8Array | undefined, may: readonly Key[]])[] = [
  [FRAUD, undefined, READ],
  [`${FRAUD}/events`, undefined, READ],
  [`${FRAUD}/versions/1/file`, undefined, READ],
  [`${FRAUD}/versions?tag.from=test&why=new`, FILES[3], ['pusher', 'promoter', 'admin']],
  [`${FRAUD}/versions?alias=challenger`, FILES[3], PROMOTE],
  [`${FRAUD}/aliases/champion`, { version: 3, why: 'better' }, PROMOTE],
  [`${FRAUD}/rollback`, { why: 'worse' }, PROMOTE],
  [`${FRAUD}/rollout`, { challenger: 3, plan: CANARY, why: 'try' }, PROMOTE],
  [`${FRAUD}/versions/3/retire`, { retired: true, why: 'old' }, PROMOTE],
];

test.each(ROUTES)('%s is for those whose role has it', async (path, body, may) => {
  for (const key of Object.keys(KEYS) as Key[]) {
    const { ask, registry } = await serving();
    const before = (await registry.state()).seq;
    const response = await ask(key, path, body);
    expect([key, response.status]).toEqual([key, may.includes(key) ? 200 : 403]);
    if (response.status === 403) {
      expect((await response.json()).code).toBe('ERR_SCOPE');
      expect((await registry.state()).seq).toBe(before);
    }
  }
  const { ask } = await serving();
  expect((await ask(null, path, body)).status).toBe(401);
});

test('rollouts are advanced and aborted by who may promote', async () => {
  for (const path of ['/rollout/advance', '/rollout/abort'])
    for (const key of Object.keys(KEYS) as Key[]) {
      const { ask, registry } = await serving();
      await registry.startRollout('fraud', 3, CANARY, { by: 'ann' });
      const { status } = await ask(key, FRAUD + path, { why: 'enough' });
      expect([path, key, status]).toEqual([path, key, PROMOTE.includes(key) ? 200 : 403]);
    }
});

test('each route has a rule, and without the extension none is there', async () => {
  const { service } = await serving();
  const own = service.app.routes.filter(({ path }) => path.startsWith('/registry'));
  expect(own.length).toBe(16);
  for (const { method, path } of own) expect([path, RULES.has(`${method} ${path}`)]).toEqual([path, true]);
  const plain = createService({ registry: await registered() });
  expect(plain.app.routes.filter(({ path }) => path.startsWith('/registry'))).toEqual([]);
  expect(() => createService({ extensions: [registryApi] })).toThrow(/expected a service with a registry/);
});

test('a role stands for its scopes, of one model or of all; what is none stands for nothing', () => {
  const verbs = (text: string) => scopesOf(text).map(({ verb }) => verb);
  expect(verbs('role:promoter')).toEqual(['read', 'push', 'promote']);
  expect(verbs('role:admin')).toEqual(['score', 'labels', 'read', 'push', 'promote', 'admin']);
  expect(scopesOf('role:reader:fraud-*')).toEqual([{ verb: 'read', before: 'fraud-', after: '' }]);
  for (const text of ['role:', 'role:owner', 'role', 'role:reader:', 'role:reader:a*b*', 'role:constructor', 'reader'])
    expect(scopesOf(text)).toEqual([]);
});

test('lists, pages and descriptions tell of models that the caller may read alone; a name tells nothing of others', async () => {
  const { ask } = await serving();
  const names = async (key: Key) =>
    (await (await ask(key, '/registry/models')).json()).models.map(({ name, may }: Record<string, unknown>) => [
      name,
      may,
    ]);
  expect(await names('readerOfFraud')).toEqual([['fraud', ['read']]]);
  expect(await names('promoter')).toEqual([['fraud', ['read', 'push', 'promote']]]);
  expect(await names('scorer')).toEqual([]);
  expect((await names('pusher')).map(([name]: unknown[]) => name)).toEqual(['fraud', 'secret']);
  const unknown = await ask('reader', '/registry/models/none');
  expect(unknown.status).toBe(404);
  expect(await unknown.text()).not.toContain('secret');
  expect((await ask('promoter', '/registry/models/secret')).status).toBe(403);
  expect(await (await ask('scorer', '/openapi.json')).text()).not.toContain('fraud');
});

test('a model is told with its versions, aliases, rollout and what its guards have seen', async () => {
  const { ask, registry, routing } = await serving();
  await registry.startRollout('fraud', 3, { ...CANARY, guards: { maxPsi: 0.2 } }, { by: 'ann', why: 'try' });
  const { rollout } = await registry.entry('fraud');
  const arm = { name: 'challenger', model: 'fraud', version: '3', share: 0.2 };
  routing.set({
    ...{ name: 'fraud', id: String(rollout!.seq), champion: { model: 'fraud', version: '2' }, arms: [arm] },
    ...{ salt: 'autumn', key: null, guards: { maxPsi: 0.2 } },
  });
  const told = await (await ask('reader', FRAUD)).json();
  expect(told).toMatchObject({
    name: 'fraud',
    aliases: { champion: 2 },
    champions: [1, 2],
    rollout: { challenger: 3, champion: 2, share: 0.2, step: 0, outcome: null },
    routing: { id: String(rollout!.seq), breach: null },
    may: ['read'],
  });
  expect(told.rollout.holdLeft).toBeGreaterThan(50);
  expect(told.routing.guards.map(({ guard }: { guard: string }) => guard)).toContain('scores');
  expect(told.versions[1]).toMatchObject({
    version: 2,
    by: 'ann',
    why: 'for a test',
    aliases: ['champion'],
    signedBy: [],
  });
  const file = await ask('reader', `${FRAUD}/versions/2/file`);
  expect(new Uint8Array(await file.arrayBuffer())).toEqual(FILES[1]);
  expect(file.headers.get('x-model-sha256')).toBe(told.versions[1].modelSha256);
});

test('each change has a line in the audit log, with who, what, which version and why; a refused one too', async () => {
  const { ask, audited, registry } = await serving();
  const answers = [
    await ask('pusher', `${FRAUD}/versions?why=new&metric.auc=0.9&lineage.parent=2`, FILES[3]),
    await ask('promoter', `${FRAUD}/rollout`, { challenger: 4, plan: CANARY, why: 'try' }),
    await ask('promoter', `${FRAUD}/rollout/advance`, { why: 'good' }),
    await ask('promoter', `${FRAUD}/rollout/advance`, { why: 'very good', from: 1 }),
    await ask('promoter', `${FRAUD}/rollback`, { why: 'worse' }),
    await ask('promoter', `${FRAUD}/versions/2/retire`, { retired: true, why: 'old' }),
  ];
  expect(await Promise.all(answers.map(async (one) => [one.status, (await one.json()).version]))).toEqual([
    [200, 4],
    [200, 4],
    [200, 4],
    [200, 4],
    [200, 2],
    [409, undefined],
  ]);
  expect(
    audited.map(({ event, caller, what, model, version, status, why }) => [
      event,
      caller,
      what,
      model,
      version,
      status,
      why,
    ]),
  ).toEqual([
    ['change', 'pusher', 'pushed', 'fraud', '4', 200, 'new'],
    ['change', 'promoter', 'rollout-started', 'fraud', '4', 200, 'try'],
    ['change', 'promoter', 'rollout-advanced', 'fraud', '4', 200, 'good'],
    ['change', 'promoter', 'rollout-advanced', 'fraud', '4', 200, 'very good'],
    ['change', 'promoter', 'rolled-back', 'fraud', '2', 200, 'worse'],
    ['change', 'promoter', 'retired', 'fraud', null, 409, 'old'],
  ]);
  const { events } = await (await ask('reader', `${FRAUD}/events?count=5`)).json();
  expect(events.map(({ event, by, why }: Record<string, unknown>) => [event, by, why])).toEqual([
    ['pushed', 'pusher', 'new'],
    ['rollout-started', 'promoter', 'try'],
    ['rollout-advanced', 'promoter', 'good'],
    ['rollout-ended', 'promoter', 'very good'],
    ['rolled-back', 'promoter', 'worse'],
  ]);
  expect((await registry.entry('fraud')).versions.get(4)).toMatchObject({
    metrics: { auc: 0.9 },
    lineage: { parent: 2 },
  });
  const file = new AuditFile({ path: join(folder, 'audit.jsonl'), sync: 'never', size: 1e9 });
  file.take(audited);
  file.close();
  expect(verifyAudit([join(folder, 'audit.jsonl')])).toMatchObject({ valid: true, lines: 7 });
});

test('strict: a change whose line is not kept is told as such, and its caller learns that it was made', async () => {
  let isKept = false;
  const audit = {
    isStrict: true,
    put: () => {},
    kept: () =>
      new Promise<void>((resolve) =>
        setTimeout(() => {
          isKept = true;
          resolve();
        }, 20),
      ),
  };
  const slow = await serving({ audit });
  await slow.ask('promoter', `${FRAUD}/aliases/challenger`, { version: 3 });
  expect(isKept).toBe(true);
  const full = await serving({ audit: { ...audit, kept: () => Promise.reject(new Error('ENOSPC')) } });
  const response = await full.ask('promoter', `${FRAUD}/aliases/challenger`, { version: 3 });
  expect([response.status, (await response.json()).error]).toEqual([
    503,
    expect.stringContaining('the change was made'),
  ]);
});

test('two promoters at once: one moves the alias, one step is gone, and each is told what came of it', async () => {
  const { ask, registry } = await serving();
  await registry.startRollout('fraud', 3, CANARY, { by: 'ann' });
  const advance = () => ask('promoter', `${FRAUD}/rollout/advance`, { from: 0 });
  const told = await Promise.all((await Promise.all([advance(), advance(), advance()])).map((one) => one.json()));
  expect(told.filter(({ changed }) => changed)).toHaveLength(1);
  expect((await registry.entry('fraud')).rollout!.step).toBe(1);
  await ask('admin', `${FRAUD}/rollout/abort`, {});
  await Promise.all([1, 3, 1, 3].map((version) => ask('promoter', `${FRAUD}/aliases/champion`, { version })));
  const { aliases } = await (await ask('reader', FRAUD)).json();
  expect([1, 3]).toContain(aliases.champion);
  expect((await registry.verify()).problems).toEqual([]);
});

test('a registry that is away: 503 without its place, the log has it, and serving goes on', async () => {
  const store = new MemoryStore();
  const { ask, service, lines } = await serving({}, true, store);
  service.models.put({ name: 'fraud', version: '2', model: FILES[1] as Uint8Array<ArrayBuffer> });
  const away = Object.assign(new Error('s3://bucket/secret: expected an answer, got none'), {
    name: 'LogoddsError',
    code: 'ERR_STORE',
  });
  store.log = () => Promise.reject(away);
  for (const [path, body] of [
    ['/registry/models', undefined],
    ...ROUTES.map(([path, body]) => [path, body] as const),
  ] as const) {
    const response = await ask('admin', path, body);
    expect([path, response.status, response.headers.get('retry-after')]).toEqual([path, 503, '5']);
    expect(await response.text()).not.toContain('bucket');
  }
  expect(JSON.stringify(lines)).toContain('s3://bucket/secret');
  expect((await ask('scorer', '/models/fraud/score', { x: 3 }, JSON_TYPE)).status).toBe(200);
  expect((await ask('admin', '/openapi.json')).status).toBe(200);
});

test('a registry of a newer format is away, too; it is no fault of what was pushed', async () => {
  const store = new MemoryStore();
  const { ask } = await serving({}, true, store);
  const log = await store.log();
  await store.append(
    `${JSON.stringify({ ...JSON.parse(log!.text.trimEnd().split('\n').at(-1)!), format: 99 })}\n`,
    log!.mark,
  );
  expect(await of(await ask('admin', `${FRAUD}/versions`, FILES[3]))).toEqual([503, 'ERR_STORE']);
});

test.each([
  ['/versions', new Uint8Array(2 ** 24 + 1), 413, 'ERR_BODY'],
  ['/versions', new Uint8Array(2 ** 24), 400, 'ERR_FORMAT'],
  ['/versions', new Uint8Array(0), 400, 'ERR_REQUEST'],
  ['/versions', FILES[3].subarray(0, -1), 400, 'ERR_FORMAT'],
  ['/versions?tags.a=1', FILES[3], 400, 'ERR_REQUEST'],
  ['/versions?metric.auc=high', FILES[3], 400, 'ERR_REQUEST'],
  ['/versions?lineage.parent=x', FILES[3], 400, 'ERR_REQUEST'],
  ['/versions?alias=latest', FILES[3], 400, 'ERR_REGISTRY'],
  ['/aliases/champion', {}, 400, 'ERR_REQUEST'],
  ['/aliases/champion', { version: 9 }, 404, 'ERR_REGISTRY'],
  ['/aliases/champion', { version: '2' }, 400, 'ERR_REQUEST'],
  ['/aliases/champion', { version: 2, reason: 'x' }, 400, 'ERR_REQUEST'],
  ['/aliases/%3Cb%3E', { version: 2 }, 400, 'ERR_REGISTRY'],
  ['/aliases/champion', '[1', 400, 'ERR_REQUEST'],
  ['/aliases/champion', '[]', 400, 'ERR_REQUEST'],
  ['/rollback', { why: 'a'.repeat(1001) }, 400, 'ERR_REQUEST'],
  ['/rollback', { to: 3.5 }, 400, 'ERR_REQUEST'],
  ['/rollout/advance', {}, 409, 'ERR_REGISTRY'],
  ['/rollout/abort', {}, 409, 'ERR_REGISTRY'],
  ['/rollout', { challenger: 2, plan: CANARY }, 409, 'ERR_REGISTRY'],
  ['/rollout', { challenger: 'none', plan: CANARY }, 404, 'ERR_REGISTRY'],
  ['/rollout', { challenger: 'constructor', plan: CANARY }, 404, 'ERR_REGISTRY'],
  ['/rollout', { challenger: 3 }, 400, 'ERR_REQUEST'],
  ['/rollout', { challenger: 3, plan: { ...CANARY, steps: null } }, 400, 'ERR_REQUEST'],
  ['/rollout', { challenger: 3, plan: { ...CANARY, steps: [null] } }, 400, 'ERR_REQUEST'],
  ['/rollout', { challenger: 3, plan: { ...CANARY, guards: [] } }, 400, 'ERR_REQUEST'],
  ['/rollout', { challenger: 3, plan: { ...CANARY, note: 'x' } }, 400, 'ERR_REQUEST'],
  ['/rollout', { challenger: 3, plan: { kind: 'canary', steps: CANARY.steps } }, 400, 'ERR_REQUEST'],
  ['/rollout', { challenger: 3, plan: { ...CANARY, steps: [{ share: 2, holdSeconds: null }] } }, 400, 'ERR_RANGE'],
  ['/versions/2/retire', { retired: true }, 409, 'ERR_REGISTRY'],
  ['/versions/3/retire', {}, 400, 'ERR_REQUEST'],
  ['/versions/0/retire', { retired: true }, 404, 'ERR_REGISTRY'],
  ['/versions/..%2F1/retire', { retired: true }, 404, 'ERR_REGISTRY'],
] as const)('refused, and nothing is changed: %s', async (path, body, status, code) => {
  const { ask, registry } = await serving();
  const before = await registry.events();
  expect(await of(await ask('admin', FRAUD + path, body as object))).toEqual([status, code]);
  const after = await registry.events();
  // of a push with a wrong alias the version stays, which the sentence says
  expect(after.length - before.length).toBe(path.includes('alias=latest') ? 1 : 0);
});

test('names of every kind are names: markup, members of objects, ways out of the folder', async () => {
  const registry = new Registry(new DirectoryStore(join(folder, 'registry')));
  const service = createService({ registry, extensions: [registryApi] });
  const ask = (path: string, body?: Uint8Array) =>
    service.fetch(new Request(`http://localhost${path}`, { method: body ? 'POST' : 'GET', body: body as BodyInit }));
  for (const name of ['<img src=x>', '__proto__', 'constructor', 'toString', 'é😀', 'a%2Fb', 'a-']) {
    const path = `/registry/models/${encodeURIComponent(name)}`;
    const pushed = await ask(`${path}/versions`, FILES[0]);
    expect([name, pushed.status]).toEqual([name, name.includes(' ') ? 400 : 200]);
    if (pushed.status === 200) expect((await (await ask(path)).json()).name).toBe(name);
  }
  for (const name of [
    '-',
    '*',
    'a%1Bb',
    'a%E2%80%AEb',
    '..%2F..%2Fetc',
    '.hidden',
    'a%5Cb',
    'a%00b%20',
    'a@b',
    `${'a'.repeat(129)}`,
  ]) {
    const response = await ask(`/registry/models/${name}/versions`, FILES[0]);
    expect([name, response.status]).toEqual([name, 400]);
  }
  expect((await registry.verify()).problems).toEqual([]);
});

test('a page of another site changes nothing where nobody asks for keys; who is there is called anyone', async () => {
  const { ask, registry } = await serving({}, false);
  const foreign = await ask(null, `${FRAUD}/aliases/champion`, { version: 3 }, { 'sec-fetch-site': 'cross-site' });
  expect(await of(foreign)).toEqual([403, 'ERR_ORIGIN']);
  expect((await ask(null, `${FRAUD}/aliases/champion`, { version: 3 })).status).toBe(200);
  expect((await registry.events()).at(-1)).toMatchObject({ event: 'promoted', by: 'anyone', version: 3 });
});

test('a rollback over HTTP is answered by the old version with the next request; in a rollout it ends that', async () => {
  const registry = await registered();
  const routing = new Routing();
  let follower: Follower | null = null;
  let looked: Promise<void> = Promise.resolve();
  const service = createService({
    ...{ registry, routing, extensions: [registryApi] },
    onRegistryChange: () => {
      looked = follower!.look();
    },
  });
  const models = [{ name: 'fraud', of: 'fraud', alias: 'champion' }];
  follower = new Follower({ registry, models, shelf: service.models, routing });
  await follower.look();
  const post = (path: string, body: object) =>
    service.fetch(
      new Request(`http://localhost${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    );
  const version = async () => (await post('/models/fraud/score', { x: 3 })).headers.get('x-model-version');
  expect(await version()).toBe('2');
  const begin = performance.now();
  expect((await post(`${FRAUD}/rollback`, { why: 'worse' })).status).toBe(200);
  await looked;
  expect(await version()).toBe('1');
  expect(performance.now() - begin).toBeLessThan(1000);
  await registry.startRollout('fraud', 3, CANARY, { by: 'ann' });
  expect((await post(`${FRAUD}/rollback`, { why: 'worse' })).status).toBe(200);
  expect((await registry.entry('fraud')).rollout?.outcome).toBe('rolled-back');
});

test('private values of records stand in nothing that is stored: audit log, log of the service, registry, its answers', async () => {
  const { ask, audited, lines, registry, service } = await serving({ logRequests: true });
  expect((await ask('pusher', `${FRAUD}/versions?why=new`, privateModel)).status).toBe(200);
  service.models.put({ name: 'fraud', version: '4', model: privateModel });
  for (const record of [RECORD, { ...RECORD, income: -SECRET_NUMBER }])
    await ask('scorer', '/models/fraud/score', { records: [record], explain: 3 }, JSON_TYPE);
  await ask('promoter', `${FRAUD}/rollout`, { challenger: 4, plan: { ...CANARY, key: 'person' } });
  const stored = JSON.stringify([audited, lines, await registry.events(), await (await ask('admin', FRAUD)).json()]);
  expect(audited.map(({ event }) => event)).toEqual(['change', 'request', 'request', 'change']);
  for (const secret of [SECRET, String(SECRET_NUMBER)]) expect(stored).not.toContain(secret);
});

test('a policy is asked for each verb that a request needs', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => {
      text += piece;
    });
    request.on('end', () => {
      const { verb, model } = JSON.parse(text).input;
      asked.push(`${verb} ${model}`);
      response.end(JSON.stringify({ result: verb !== 'promote' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { ask } = await serving({ access: { policy: { url, holdMs: 0 } } });
    expect((await ask(null, `${FRAUD}/versions`, FILES[3])).status).toBe(200);
    expect(await of(await ask(null, `${FRAUD}/versions?alias=prod`, FILES[3]))).toEqual([403, 'ERR_POLICY']);
    expect(await of(await ask(null, `${FRAUD}/rollback`, {}))).toEqual([403, 'ERR_POLICY']);
    expect(asked).toEqual(['push fraud', 'push fraud', 'promote fraud', 'promote fraud']);
  } finally {
    server.close();
  }
});

test('four files are taken at a time: the next push is asked to come again, and a place is free when one has ended', async () => {
  const { service, ask } = await serving();
  const ends: (() => void)[] = [];
  const slow = () =>
    service.fetch(
      new Request(`http://localhost${FRAUD}/versions`, {
        method: 'POST',
        body: new ReadableStream({
          start: (controller) => {
            ends.push(() => controller.close());
          },
        }),
        headers: { authorization: 'Bearer key-of-pusher' },
        duplex: 'half',
      } as RequestInit),
    );
  const open = Array.from({ length: 4 }, slow);
  expect(await of(await ask('pusher', `${FRAUD}/versions`, FILES[3]))).toEqual([503, 'ERR_BUSY']);
  for (const end of ends) end();
  expect((await Promise.all(open)).map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  expect((await ask('pusher', `${FRAUD}/versions`, FILES[3])).status).toBe(200);
});
