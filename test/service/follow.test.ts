import { afterEach, expect, test } from 'vitest';
import { MemoryStore, Registry, type RolloutPlan, signaturePath } from '../../registry/src/index.ts';
import {
  type Change,
  createService,
  Follower,
  type LogLine,
  type ModelTrust,
  Routing,
  type Signed,
} from '../../service/src/index.ts';
import { release, signatureOf } from '../registry/keys.ts';
import { modelFile } from '../registry/models.ts';
import { JSON_TYPE } from './models.ts';

const ann = { by: 'ann' };
const CANARY: RolloutPlan = {
  kind: 'canary',
  salt: 'autumn',
  steps: [
    { share: 0.2, holdSeconds: 60 },
    { share: 0.6, holdSeconds: 60 },
  ],
  guards: { minRequests: 5 },
};
const closing: Routing[] = [];
afterEach(() => {
  for (const routing of closing.splice(0)) routing.close();
});

/** A registry with three versions, of which the first is champion. */
async function registryWith(store = new MemoryStore(), clock = { now: Date.UTC(2026, 10, 30) }) {
  const registry = new Registry(store, { now: () => clock.now });
  for (const k of [1, 2, 3]) await registry.push({ ...ann, name: 'fraud', file: modelFile(k) });
  await registry.alias('fraud', 1, 'champion', ann);
  return { store, registry, clock };
}

/** A replica that follows the registry. */
async function replica(
  store: MemoryStore,
  clock: { now: number },
  options: Partial<ConstructorParameters<typeof Follower>[0]> = {},
  trust?: ModelTrust,
) {
  const lines: LogLine[] = [];
  const changes: Change[] = [];
  let follower: Follower;
  const routing = new Routing({ onBreach: (ended) => follower.breach(ended), pairs: { share: 1, waiting: 1e6 } });
  closing.push(routing);
  const service = createService({ routing, log: (line) => lines.push(line), ...(trust && { trust }) });
  follower = new Follower({
    registry: new Registry(store, { now: () => clock.now }),
    models: [{ name: 'fraud', of: 'fraud', alias: 'champion' }],
    shelf: service.models,
    routing,
    log: (line) => lines.push(line),
    onChange: (change) => changes.push(change),
    now: () => clock.now,
    ...options,
  });
  await follower.look();
  const ask = async (key: string, body = '{"x":3}') => {
    const request = new Request('http://localhost/models/fraud/score', {
      method: 'POST',
      body,
      headers: { ...JSON_TYPE, 'x-logodds-key': key },
    });
    const response = await service.fetch(request);
    return {
      status: response.status,
      version: response.headers.get('x-model-version'),
      route: response.headers.get('x-model-route'),
      id: response.headers.get('x-request-id'),
      text: await response.text(),
    };
  };
  return { service, routing, follower, ask, lines, changes };
}
const versions = async (ask: (key: string) => Promise<{ version: string | null }>, keys = 50) =>
  (await Promise.all(Array.from({ length: keys }, (_, k) => ask(`k${k}`)))).map(({ version }) => version);

test('a service answers by the champion, and by another one when the alias moves; the one before stays on the shelf', async () => {
  const { registry, store, clock } = await registryWith();
  const { ask, follower, service } = await replica(store, clock);
  expect((await ask('a')).version).toBe('1');
  await registry.alias('fraud', 2, 'champion', ann);
  await follower.look();
  expect((await ask('a')).version).toBe('2');
  await registry.alias('fraud', 3, 'champion', ann);
  await follower.look();
  expect(service.models.versions('fraud')).toEqual(['2', '3']);
  await registry.rollback('fraud', null, ann);
  await follower.look();
  expect((await ask('a')).version).toBe('2');
});

test('candidates that their gate has refused are counted until they are retired, pass, or another one is champion', async () => {
  const { registry, store, clock } = await registryWith();
  const { follower } = await replica(store, clock);
  const refused = async () => {
    await follower.look();
    return follower.refused;
  };
  const said = { against: 1, passed: false, failed: ['schema'] };
  expect(await refused()).toBe(0);
  await registry.gated('fraud', 1, said, ann);
  expect(await refused()).toBe(0);
  await registry.gated('fraud', 2, said, ann);
  await registry.gated('fraud', 3, said, ann);
  expect(await refused()).toBe(2);
  await registry.retire('fraud', 2, ann);
  expect(await refused()).toBe(1);
  await registry.gated('fraud', 3, { ...said, passed: true, failed: [] }, ann);
  expect(await refused()).toBe(0);
});

test('every replica gives a key the same version, at every step', async () => {
  const { registry, store, clock } = await registryWith();
  const replicas = [await replica(store, clock), await replica(store, clock)];
  await registry.startRollout('fraud', 2, CANARY, ann);
  const shares: number[] = [];
  for (const _ of CANARY.steps) {
    for (const { follower } of replicas) await follower.look();
    const [a, b] = await Promise.all(replicas.map(({ ask }) => versions(ask, 200)));
    expect(a).toEqual(b);
    shares.push(a.filter((version) => version === '2').length / 200);
    await registry.advanceRollout('fraud', ann);
  }
  expect(shares[0]).toBeGreaterThan(0.1);
  expect(shares[1]).toBeGreaterThan(0.5);
  // promoted
  for (const { follower } of replicas) await follower.look();
  expect(new Set(await versions(replicas[0].ask))).toEqual(new Set(['2']));
});

test('a replica that starts anew goes on where the rollout is', async () => {
  const { registry, store, clock } = await registryWith();
  await registry.startRollout('fraud', 2, CANARY, ann);
  const before = await versions((await replica(store, clock)).ask, 200);
  expect(await versions((await replica(store, clock)).ask, 200)).toEqual(before);
});

test('steps go on when their time is over and enough was seen, each once among replicas', async () => {
  const { registry, store, clock } = await registryWith();
  const replicas = [await replica(store, clock), await replica(store, clock)];
  await registry.startRollout('fraud', 2, { ...CANARY, promotes: true }, ann);
  const look = async () => {
    for (const { follower } of replicas) await follower.look();
  };
  const step = async () => (await registry.entry('fraud')).rollout!;
  await look();
  clock.now += 61_000;
  await look();
  expect((await step()).step).toBe(0); // nobody has asked
  for (const { ask } of replicas) await versions(ask, 100);
  await look();
  expect(await step()).toMatchObject({ step: 1, outcome: null });
  clock.now += 30_000;
  await look();
  expect((await step()).step).toBe(1);
  clock.now += 31_000;
  await look();
  expect((await step()).outcome).toBe('promoted');
  expect(replicas.flatMap(({ changes }) => changes.map(({ event }) => event))).toEqual(['advanced', 'promoted']);
  expect((await registry.events()).at(-1)).toMatchObject({
    by: 'logodds serve',
    why: expect.stringMatching(/^held for 60 s, \d+ requests/),
  });
});

test('a guard that speaks in one replica brings all back, is written with its figures, and told once', async () => {
  const { registry, store, clock } = await registryWith();
  const replicas = [await replica(store, clock), await replica(store, clock)];
  await registry.startRollout('fraud', 2, { ...CANARY, steps: [{ share: 0.5, holdSeconds: null }] }, ann);
  for (const { follower } of replicas) await follower.look();
  // the challenger fails of itself
  for (const { service } of replicas)
    service.models.find('fraud', '2').borrow = () => {
      throw new Error('planted');
    };
  const answers = await Promise.all(Array.from({ length: 100 }, (_, k) => replicas[0].ask(`k${k}`)));
  // nobody noticed: the champion answered
  expect(new Set(answers.map(({ status, route }) => `${status} ${route}`))).toEqual(new Set(['200 champion']));
  await replicas[0].follower.look();
  const { rollout } = await registry.entry('fraud');
  expect(rollout).toMatchObject({
    outcome: 'rolled-back',
    why: expect.stringMatching(/^errors of the challenger: expected at most 1 times/),
  });
  await replicas[1].follower.look();
  expect(new Set(await versions(replicas[1].ask))).toEqual(new Set(['1']));
  expect(replicas.map(({ changes }) => changes.length)).toEqual([1, 0]);
});

test('what was sent back is dealt with by another rollout, another champion or its retirement; replicas that start anew know', async () => {
  const { registry, store, clock } = await registryWith();
  const told = async (act: () => Promise<unknown>) => {
    await registry.startRollout('fraud', 2, CANARY, ann);
    await registry.endRollout('fraud', 'rolled-back', { by: 'logodds serve', why: 'errors' });
    // it was not there when the guard spoke
    const { follower, changes } = await replica(store, clock);
    await follower.look();
    expect(changes).toEqual([]);
    await act();
    await follower.look();
    await follower.look();
    return changes.map(({ event, name, version }) => `${event} ${name} ${version}`);
  };
  const resolved = ['resolved fraud 2'];
  expect(await told(() => registry.startRollout('fraud', 3, CANARY, ann))).toEqual(resolved);
  await registry.endRollout('fraud', 'aborted', ann);
  expect(await told(() => registry.alias('fraud', 3, 'champion', ann))).toEqual(resolved);
  expect(await told(() => registry.tag('fraud', 2, { seen: 'yes' }, ann))).toEqual([]);
  expect(await told(() => registry.retire('fraud', 2, ann))).toEqual(resolved);
});

test('a guard that speaks while the registry is away brings this replica back, and is written when it is there again', async () => {
  const { registry, store, clock } = await registryWith();
  const { follower, service, ask } = await replica(store, clock);
  await registry.startRollout('fraud', 2, { ...CANARY, steps: [{ share: 0.5, holdSeconds: null }] }, ann);
  await follower.look();
  const log = store.log.bind(store);
  store.log = () => Promise.reject(new Error('registry: expected an answer, got none; try again'));
  service.models.find('fraud', '2').borrow = () => {
    throw new Error('planted');
  };
  await versions(ask, 100);
  await follower.look();
  expect(new Set(await versions(ask))).toEqual(new Set(['1']));
  store.log = log;
  expect((await registry.entry('fraud')).rollout!.outcome).toBeNull();
  await follower.look();
  expect((await registry.entry('fraud')).rollout!.outcome).toBe('rolled-back');
});

test('a shadow scores and never answers; what both said is compared', async () => {
  const { registry, store, clock } = await registryWith();
  const { follower, ask, routing } = await replica(store, clock);
  await registry.startRollout('fraud', 2, { kind: 'shadow', salt: 's', steps: [{ share: 0, holdSeconds: null }] }, ann);
  await follower.look();
  expect(new Set(await versions(ask, 60))).toEqual(new Set(['1']));
  while (routing.state('fraud')!.pairs.scored < 60) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(routing.state('fraud')!.pairs).toMatchObject({ scored: 60, dropped: 0 });
});

test('a version that cannot be loaded leaves what answers, is said once, and is tried again', async () => {
  const { registry, store, clock } = await registryWith();
  let isOpen = false;
  const trust: ModelTrust = {
    async check({ signature }) {
      if (!signature && !isOpen) throw new Error('model file: expected a signature of a trusted key, got none');
      return { keyId: 'k' } as Signed;
    },
    doubt: () => null,
  };
  // the first is signed, the others are not
  const first = await registry.file(await registry.resolve({ name: 'fraud', version: 1 }));
  await registry.sign('fraud', 1, await signatureOf(first), ann);
  const { follower, ask, lines, service } = await replica(store, clock, {}, trust);
  const failed = async () => {
    const metrics = await (await service.fetch(new Request('http://service/metrics'))).text();
    return [/^lr_models_failed (\d+)$/m.exec(metrics)![1], service.isReady];
  };
  await registry.alias('fraud', 2, 'champion', ann);
  await follower.look();
  // the alert speaks, and the version before goes on answering
  expect(await failed()).toEqual(['1', true]);
  await registry.alias('fraud', 3, 'champion', ann);
  await follower.look();
  await registry.alias('fraud', 2, 'champion', ann);
  await follower.look();
  await follower.look();
  expect((await ask('a')).version).toBe('1');
  expect(lines.filter(({ event }) => event === 'failed')).toMatchObject([
    { version: '2', reason: expect.stringMatching(/signature/) },
    { version: '3' },
  ]);
  // who goes back to the version that answers ends it
  await registry.alias('fraud', 1, 'champion', ann);
  await follower.look();
  expect(await failed()).toEqual(['0', true]);
  await registry.alias('fraud', 2, 'champion', ann);
  isOpen = true;
  await follower.look();
  expect((await ask('a')).version).toBe('2');
  // a challenger that cannot be loaded has no share
  await registry.alias('fraud', 1, 'champion', ann);
  isOpen = false;
  const other = await replica(store, clock, {}, trust);
  await registry.startRollout('fraud', 3, { ...CANARY, steps: [{ share: 1, holdSeconds: null }] }, ann);
  await other.follower.look();
  expect(new Set(await versions(other.ask))).toEqual(new Set(['1']));
});

test('where the champion cannot be loaded no challenger answers in its place', async () => {
  const { registry, store, clock } = await registryWith();
  await registry.startRollout('fraud', 2, CANARY, ann);
  let isTrusted = false;
  const trust: ModelTrust = {
    async check({ signature }) {
      if (!signature && !isTrusted) throw new Error('model file: expected a signature of a trusted key, got none');
      return { keyId: 'k' } as Signed;
    },
    doubt: () => null,
  };
  // the challenger is signed, the champion is not
  const { sha256 } = await registry.resolve({ name: 'fraud', version: 2 });
  await store.write(`models/${sha256}.safetensors.sig`, Uint8Array.of(1));
  const { ask, follower, service } = await replica(store, clock, {}, trust);
  expect(service.isReady).toBe(false);
  expect([(await ask('a')).status, service.models.versions('fraud')]).toEqual([503, []]);
  isTrusted = true;
  await follower.look();
  expect(new Set(await versions(ask))).toEqual(new Set(['1', '2']));
});

test('while versions of a rollout are loaded one after the other the champion answers', async () => {
  const { registry, store, clock } = await registryWith();
  const { sha256: third } = await registry.resolve({ name: 'fraud', version: 3 });
  const { ask, follower, service } = await replica(store, clock, {
    registry: {
      state: () => registry.state(),
      damage: () => registry.damage(),
      signature: (version) => registry.signature(version),
      advanceRollout: registry.advanceRollout.bind(registry),
      endRollout: registry.endRollout.bind(registry),
      async file(version) {
        // asked while version 2 is on the shelf and no route has its share
        if (version.sha256 === third) seen.push(...(await versions(ask, 5)));
        return registry.file(version);
      },
    },
  });
  const seen: (string | null)[] = [];
  const arms = [{ name: 'b', version: 3, share: 0.1 }];
  await registry.startRollout('fraud', 2, { ...CANARY, kind: 'ab', arms }, ann);
  await follower.look();
  expect(seen).toEqual(['1', '1', '1', '1', '1']);
  expect(service.models.versions('fraud')).toEqual(['2', '3', '1']);
});

test('an alias that is not there makes a service that is not ready, and says what to do', async () => {
  const { store, clock } = await registryWith();
  const { service, lines } = await replica(store, clock, { models: [{ name: 'f', of: 'fraud', alias: 'best' }] });
  expect(service.isReady).toBe(false);
  expect(lines.at(-1)).toMatchObject({
    event: 'failed',
    reason: expect.stringMatching(/^fraud: expected the alias or version best in the registry, got none/),
  });
});

test('a rollout whose promotion the registry refuses stays where it is, said once; other models are followed on', async () => {
  const { registry, store, clock } = await registryWith();
  for (const k of [1, 2]) await registry.push({ ...ann, name: 'loans', file: modelFile(k) });
  await registry.alias('loans', 1, 'champion', ann);
  await registry.sign('fraud', 2, await signatureOf(modelFile(2)), ann);
  await registry.demand('fraud', 'champion', { keys: [release.publicKey.pem] }, ann);
  const models = ['fraud', 'loans'].map((name) => ({ name, of: name, alias: 'champion' }));
  const { follower, ask, lines, service } = await replica(store, clock, { models });
  await registry.startRollout('fraud', 2, { ...CANARY, promotes: true }, ann);
  await follower.look();
  await versions(ask, 100);
  await store.remove(signaturePath((await registry.resolve({ name: 'fraud', version: 2 })).sha256));
  clock.now += 61_000;
  await registry.alias('loans', 2, 'champion', ann);
  for (let look = 0; look < 3; look++) await follower.look();
  expect((await registry.entry('fraud')).rollout).toMatchObject({ step: 0, outcome: null });
  const body = { method: 'POST', body: '{"x":3}', headers: JSON_TYPE };
  const answer = await service.fetch(new Request('http://localhost/models/loans/score', body));
  expect(answer.headers.get('x-model-version')).toBe('2');
  expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
    {
      event: 'registry',
      model: 'fraud',
      reason: expect.stringMatching(/^signature of version 2 of fraud, which champion/),
    },
  ]);
});
