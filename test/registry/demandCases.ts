import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  MemoryStore,
  modelPath,
  type Registry,
  type RolloutPlan,
  type Store,
  signaturePath,
} from '../../registry/src/index.ts';
import { loadModel } from '../../src/index.ts';
import { open } from './cases.ts';
import { NOW, pair, release, signatureOf, stranger } from './keys.ts';
import { FILE, modelFile, OTHER } from './models.ts';

const ann = { by: 'ann' };
const PEM = release.publicKey.pem;
const KEY = release.publicKey.keyId;
const HOUR = 3_600_000;
const plan = (more: Partial<RolloutPlan> = {}): RolloutPlan => ({
  ...{ kind: 'canary', steps: [{ share: 0.1, holdSeconds: null }], salt: 's' },
  ...more,
});
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const [FIRST, SECOND] = [digest(FILE), digest(OTHER)];
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A model whose first version is champion and signed, whose second was champion before it, is signed too, and whose third is not signed. */
async function signedModel(store: Store, clock = { now: NOW }) {
  const registry = open(store, clock);
  for (const file of [FILE, OTHER]) {
    const signature = await signatureOf(file, { expires: NOW + HOUR });
    await registry.push({ ...ann, name: 'fraud', file, signature });
  }
  await registry.push({ ...ann, name: 'fraud', file: modelFile(1) });
  for (const version of [2, 1]) await registry.alias('fraud', version, 'champion', ann);
  await registry.demand('fraud', 'champion', { keys: [PEM] }, ann);
  return { registry, clock };
}

/** Appends an event as an earlier version wrote it. */
export async function append(store: Store, event: object): Promise<void> {
  const log = (await store.log())!;
  const last = log.text.trimEnd().split('\n').at(-1)!;
  const { format, seq, at } = JSON.parse(last);
  const envelope = { format, seq: seq + 1, before: digest(utf8(last)), id: `x${seq}`, at, by: 'mallory' };
  await store.append(`${JSON.stringify({ ...envelope, ...event })}\n`, log.mark);
}

/** Whatever brings the second version to the place of the champion. */
const ACTS: Readonly<Record<string, (registry: Registry) => Promise<unknown>>> = {
  promotes: (r) => r.alias('fraud', 2, 'champion', ann),
  'rolls back': (r) => r.rollback('fraud', null, ann),
  'rolls back by number': (r) => r.rollback('fraud', 2, ann),
  'starts a canary': (r) => r.startRollout('fraud', 2, plan(), ann),
  'starts blue-green': (r) =>
    r.startRollout('fraud', 2, plan({ kind: 'blue-green', steps: [{ share: 1, holdSeconds: null }] }), ann),
  'starts a shadow that is promoted': (r) => r.startRollout('fraud', 2, plan({ kind: 'shadow', promotes: true }), ann),
};

type Harm = (store: Store, registry: Registry, clock: { now: number }) => Promise<unknown>;
const beside =
  (signature: Uint8Array | Promise<Uint8Array>): Harm =>
  async (store) =>
    store.write(signaturePath(SECOND), await signature);
const revoke =
  (kind: 'key' | 'model' | 'signature', what: string | (() => Promise<string>)): Harm =>
  async (store, registry) => {
    const id = typeof what === 'string' ? what : digest((await store.read(signaturePath(SECOND)))!);
    const revoked = JSON.stringify([{ [kind]: id, reason: 'the laptop was lost' }]);
    await registry.demand('fraud', 'champion', { keys: [PEM], revoked }, ann);
  };

/** What is done to the second version behind the registry, and why it is refused then. */
const HARMS: Readonly<Record<string, readonly [harm: Harm, reason: string, message: RegExp]>> = {
  'has no signature': [
    (store) => store.remove(signaturePath(SECOND)),
    'missing',
    /expected one of a trusted key, got none; .*logodds push sends MODEL\.sig too$/,
  ],
  'has a signature that was cut': [
    async (store) => store.write(signaturePath(SECOND), (await store.read(signaturePath(SECOND)))!.slice(0, -20)),
    'truncated',
    /the beginning of it; copy it again/,
  ],
  'has an empty signature': [beside(new Uint8Array(0)), 'truncated', /got an empty file/],
  'has what is no signature': [beside(utf8('{"signature":1}')), 'malformed', /mediaType: expected text/],
  'was signed again by another key': [
    beside(signatureOf(OTHER, { signer: stranger })),
    'untrusted',
    /expected one of the 1 trusted keys, got another/,
  ],
  'has the signature of another file': [
    beside(signatureOf(FILE)),
    'other-file',
    /expected one of the file with SHA-256/,
  ],
  'has a signature whose text was changed': [
    async (store) => {
      const bundle = JSON.parse(new TextDecoder().decode((await store.read(signaturePath(SECOND)))!));
      const payload = atob(bundle.dsseEnvelope.payload).replace('m.safetensors', 'n.safetensors');
      bundle.dsseEnvelope.payload = btoa(payload);
      await store.write(signaturePath(SECOND), utf8(JSON.stringify(bundle)));
    },
    'altered',
    /expected a signature of what it signs by key/,
  ],
  'has another file in its place': [
    (store) => store.write(modelPath(SECOND), FILE),
    'altered',
    /expected the file that it signs, of SHA-256 .*, got [0-9a-f]{64}; put it back from a copy$/,
  ],
  'has lost its file': [(store) => store.remove(modelPath(SECOND)), 'missing', /, got none; put it back from a copy$/],
  'was signed for another model': [
    beside(signatureOf(OTHER, { model: 'loans' })),
    'other-model',
    /expected one for the model "fraud", got one for "loans"; .*, or sign it for this one$/,
  ],
  'was signed for later': [
    beside(signatureOf(OTHER, { notBefore: NOW + HOUR })),
    'not-yet',
    /valid from 2026-11-30T01:00:00Z on; wait, or look at the clock$/,
  ],
  'has a signature that has expired': [
    async (_store, _registry, clock) => {
      clock.now = NOW + HOUR;
    },
    'expired',
    /got one that expired at 2026-11-30T01:00:00Z/,
  ],
  'has a signature that has expired by the log, though this clock went back': [
    async (_store, registry, clock) => {
      clock.now = NOW + HOUR;
      await registry.tag('fraud', 1, { later: 'yes' }, ann);
      clock.now = NOW;
    },
    'expired',
    /expected one that is valid at 2026-11-30T01:00:00Z/,
  ],
  'has a key that was revoked': [
    revoke('key', KEY),
    'revoked',
    /the key is revoked \(the laptop was lost\); .*, or serve another$/,
  ],
  'was revoked': [revoke('model', SECOND), 'revoked', /the model is revoked/],
  'has a signature that was revoked': [revoke('signature', async () => ''), 'revoked', /the signature is revoked/],
  'was signed by the word of the log alone': [
    async (store) => {
      await store.remove(signaturePath(SECOND));
      await append(store, { event: 'signed', sha256: SECOND, keyId: KEY });
    },
    'missing',
    /got none/,
  ],
};

/** What demands of signatures do, whatever the place. @param make  gives an empty store */
export function demandCases(place: string, make: () => Store): void {
  describe(`demands of signatures in ${place}`, () => {
    test.each(Object.entries(HARMS))('a version that %s stands in no place that demands one', async (_, harmed) => {
      const [harm, reason, message] = harmed;
      const store = make();
      const { registry, clock } = await signedModel(store);
      await harm(store, registry, clock);
      const { seq } = await registry.state();
      for (const [name, act] of Object.entries(ACTS))
        await expect(act(registry), name).rejects.toMatchObject({
          code: 'ERR_SIGNATURE',
          reason,
          message: expect.stringMatching(message),
        });
      const { aliases, rollout } = await registry.entry('fraud');
      expect([aliases.get('champion'), rollout, (await registry.state()).seq]).toEqual([1, null, seq]);
    });

    test.each(Object.entries(ACTS))('with the signature that is demanded: who %s does so', async (_, act) => {
      const { registry } = await signedModel(make());
      const { seq } = await registry.state();
      await act(registry);
      expect((await registry.state()).seq).toBe(seq + 1);
      expect(await registry.unmet()).toEqual([]);
      expect((await registry.verify()).problems).toEqual([]);
    });

    test('a rollout whose challenger loses its signature goes no step on, is not promoted, and can be ended', async () => {
      const store = make();
      const { registry } = await signedModel(store);
      const steps = [0.1, 0.5].map((share) => ({ share, holdSeconds: null }));
      await registry.startRollout('fraud', 2, plan({ steps }), ann);
      const signature = (await store.read(signaturePath(SECOND)))!;
      await store.remove(signaturePath(SECOND));
      await expect(registry.advanceRollout('fraud', ann)).rejects.toMatchObject({ reason: 'missing' });
      expect((await registry.verify()).problems).toEqual([
        expect.stringMatching(/^signature of version 2 of fraud, which champion demands: expected one/),
      ]);
      await store.write(signaturePath(SECOND), signature);
      expect(await registry.advanceRollout('fraud', ann)).toBe(true);
      await store.remove(signaturePath(SECOND));
      await expect(registry.advanceRollout('fraud', ann)).rejects.toMatchObject({ reason: 'missing' });
      expect((await registry.entry('fraud')).aliases.get('champion')).toBe(1);
      expect(await registry.endRollout('fraud', 'aborted', ann)).toBe(true);
    });

    test('a champion that has lost its signature goes on to answer: a rollout beside it is ended, also by a rollback', async () => {
      const store = make();
      const { registry } = await signedModel(store);
      await store.remove(signaturePath(FIRST));
      for (const end of [
        () => registry.rollback('fraud', null, ann),
        () => registry.endRollout('fraud', 'rolled-back', ann),
      ]) {
        await registry.startRollout('fraud', 2, plan(), ann);
        await end();
        expect((await registry.entry('fraud')).rollout!.outcome).toBe('rolled-back');
      }
      expect(await registry.unmet()).toHaveLength(1);
    });

    test('further arms of a rollout need it too; a shadow that answers nobody does not', async () => {
      const { registry } = await signedModel(make());
      const arms = [{ name: 'b', version: 3, share: 0.1 }];
      await expect(registry.startRollout('fraud', 2, plan({ kind: 'ab', arms }), ann)).rejects.toThrow(
        /^signature of version 3 of fraud, which champion demands/,
      );
      await registry.startRollout('fraud', 3, plan({ kind: 'shadow' }), ann);
      expect(await registry.unmet()).toEqual([]);
      await expect(registry.advanceRollout('fraud', ann)).rejects.toMatchObject({ reason: 'missing' });
    });

    test('a demand is of an alias, of a model or of all; another alias is free, and taking one away is too', async () => {
      const { registry } = await signedModel(make());
      await registry.alias('fraud', 3, 'challenger', ann);
      await registry.demand('*', 'prod', { keys: [PEM] }, ann);
      await expect(registry.alias('fraud', 3, 'prod', ann)).rejects.toMatchObject({ reason: 'missing' });
      await registry.alias('fraud', 1, 'prod', ann);
      await registry.alias('fraud', null, 'prod', ann);
      await registry.demand('*', 'prod', {}, ann);
      await registry.alias('fraud', 3, 'prod', ann);
      await registry.push({ ...ann, name: 'loans', file: modelFile(2) });
      await registry.alias('loans', 1, 'champion', ann);
      expect((await registry.state()).demands).toHaveLength(1);
      // what stands under a demand that comes later is named, and stays
      await registry.demand('*', 'champion', { keys: [PEM] }, ann);
      expect(await registry.unmet()).toEqual([
        expect.stringMatching(/^signature of version 1 of loans, which champion demands/),
      ]);
      expect(await registry.unmet('fraud')).toEqual([]);
      expect((await registry.verify()).problems).toHaveLength(1);
    });

    test('what an event brings to one place twice is verified once', async () => {
      const store = make();
      await signedModel(store);
      let reads = 0;
      const counted = Object.create(store) as Store;
      counted.read = (path) => {
        if (path === signaturePath(SECOND)) reads++;
        return store.read(path);
      };
      for (const name of ['log', 'append', 'write', 'move', 'remove', 'list'] as const)
        counted[name] = (store[name] as (...given: unknown[]) => never).bind(store) as never;
      const arms = [{ name: 'b', version: 2, share: 0.1 }];
      await open(counted).startRollout('fraud', 2, plan({ kind: 'ab', arms }), ann);
      expect(reads).toBe(1);
    });

    test('a place that does not answer is said to be away; a key that was damaged in the log is named', async () => {
      const store = make();
      const { registry } = await signedModel(store);
      const keys = { keys: [KEY], publicKeys: [PEM.replace('MFk', 'AAA')], gate: false };
      await append(store, { event: 'demanded', name: 'fraud', alias: 'champion', ...keys });
      const damaged = /^signature of version 1 of fraud, which champion demands: expected a key of .* in PEM/;
      expect(await registry.unmet()).toEqual([expect.stringMatching(damaged)]);
      await expect(registry.alias('fraud', 2, 'champion', ann)).rejects.toMatchObject({ code: 'ERR_DATA' });
      await registry.demand('fraud', 'champion', { keys: [PEM] }, ann);
      const away = () => Promise.reject(Object.assign(new Error('away'), { code: 'ERR_STORE' }));
      store.read = away;
      await expect(registry.unmet()).rejects.toThrow(/^away$/);
      // a verification goes on, and names it once
      expect((await registry.verify()).problems).toEqual(['away']);
      await expect(registry.alias('fraud', 2, 'champion', ann)).rejects.toThrow(/^away$/);
    });

    test('one of several keys is enough; two demands that no key has both of are refused', async () => {
      const { registry } = await signedModel(make());
      const next = await pair();
      await registry.demand('fraud', 'champion', { keys: [next.publicKey.pem + PEM, PEM] }, ann);
      const [demand] = (await registry.state()).demands;
      expect(demand!.keys).toEqual([next.publicKey.keyId, KEY]);
      await registry.alias('fraud', 2, 'champion', ann);
      await expect(registry.demand('*', 'champion', { keys: [stranger.publicKey.pem] }, ann)).rejects.toThrow(
        /^champion: expected a key that the demand on fraud has too, .*demand fraud champion --none$/,
      );
      await registry.demand('*', 'champion', { keys: [stranger.publicKey.pem, PEM] }, ann);
      await expect(registry.demand('fraud', 'champion', { keys: [next.publicKey.pem] }, ann)).rejects.toThrow(
        /demand on every model has too, .*demand '\*' champion --none$/,
      );
      await registry.demand('fraud', 'champion', { keys: [stranger.publicKey.pem] }, ann);
      await registry.demand('loans', 'champion', { keys: [PEM] }, ann);
      await registry.demand('*', 'prod', { keys: [next.publicKey.pem] }, ann);
      // without keys there is nothing to have together
      await registry.demand('*', 'gated', { gate: true }, ann);
      await registry.demand('cards', 'gated', { keys: [stranger.publicKey.pem] }, ann);
      await registry.demand('fraud', 'prod', { gate: true }, ann);
      await registry.demand('fraud', 'champion', {}, ann);
      const [gate, none] = (await registry.events()).slice(-2);
      const { format, seq, before, id, at, by, ...said } = gate!;
      expect(said).toEqual({ event: 'demanded', name: 'fraud', alias: 'prod', keys: [], gate: true });
      expect(Object.keys(none!)).not.toContain('publicKeys');
    });

    test.each<[string, object, RegExp]>([
      ['the id of a key', { keys: [KEY] }, /^demand: expected public keys in PEM, got the id of one/],
      ['what is no key', { keys: ['release.pem'] }, /^demand: expected a key of .* in PEM, got none/],
      ['a list of revoked keys alone', { revoked: `[{"key":"${KEY}","reason":"x"}]` }, /got a revoked list alone/],
      ['a revoked list that is none', { keys: [PEM], revoked: '{}' }, /expected \[\{"key" or/],
    ])('a demand with %s is refused, and the one before stays', async (_, demand, message) => {
      const { registry } = await signedModel(make());
      await expect(registry.demand('fraud', 'champion', demand, ann)).rejects.toThrow(message);
      expect((await registry.state()).demands).toMatchObject([{ keys: [KEY] }]);
    });

    test('a demand of an earlier version, by ids alone, is read, named and verified by nothing until it has its key', async () => {
      const store = make();
      const { registry } = await signedModel(store);
      await append(store, { event: 'demanded', name: 'fraud', alias: 'champion', keys: [KEY], gate: false });
      expect((await registry.state()).demands).toMatchObject([{ keys: [KEY], publicKeys: [], revoked: [] }]);
      const alone =
        /which champion demands: expected a demand that has its public keys, got ids alone \([0-9a-f]{12}\), .*; logodds registry demand fraud champion --key FILE\.pem gives them$/;
      await expect(registry.alias('fraud', 2, 'champion', ann)).rejects.toThrow(alone);
      expect(await registry.unmet()).toEqual([expect.stringMatching(alone)]);
      // pushing goes on, and says it
      const { unmet } = await registry.push({
        ...ann,
        name: 'fraud',
        file: modelFile(3),
        signature: await signatureOf(modelFile(3)),
      });
      expect(unmet).toMatchObject([{ alias: 'champion', message: expect.stringMatching(alone) }]);
      // a key that was put into the line is none that the ids name
      const keys = { keys: [KEY], publicKeys: [stranger.publicKey.pem], gate: false };
      await append(store, { event: 'demanded', name: 'fraud', alias: 'champion', ...keys });
      await expect(registry.alias('fraud', 2, 'champion', ann)).rejects.toThrow(alone);
      await registry.demand('fraud', 'champion', { keys: [PEM] }, ann);
      await registry.alias('fraud', 2, 'champion', ann);
    });

    test('sixteen promote at once: what is not signed never is champion, and the history is linear', async () => {
      const store = make();
      const { registry } = await signedModel(store);
      const files = Array.from({ length: 8 }, (_, k) => modelFile(10 + k));
      for (const [k, file] of files.entries())
        await registry.push({
          ...ann,
          name: 'fraud',
          file,
          ...(k % 2 === 0 && { signature: await signatureOf(file) }),
        });
      const promoted = await Promise.allSettled(
        Array.from({ length: 16 }, (_, k) => open(store).alias('fraud', 4 + (k % 8), 'champion', { by: `p${k}` })),
      );
      expect(promoted.map(({ status }) => status)).toEqual(
        Array.from({ length: 16 }, (_, k) => (k % 2 === 0 ? 'fulfilled' : 'rejected')),
      );
      const { champions } = await registry.entry('fraud');
      expect(champions.slice(2).every((version) => version % 2 === 0 && version >= 4)).toBe(true);
      expect(champions.length).toBeGreaterThan(2);
      const events = await registry.events();
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, k) => k + 1));
      expect(await registry.verify()).toMatchObject({ problems: [] });
    });
  });

  describe(`signatures that are pushed to ${place}`, () => {
    test('are verified against what is demanded, and the log has who signed', async () => {
      const { registry } = await signedModel(make());
      const file = modelFile(5);
      const unsigned = await registry.push({ ...ann, name: 'fraud', file });
      expect(unsigned).toMatchObject({ signedBy: [], unmet: [{ alias: 'champion' }] });
      const signature = await signatureOf(file);
      const again = await registry.push({ ...ann, name: 'fraud', file, signature });
      expect(again).toMatchObject({ isNew: false, signedBy: [KEY], unmet: [] });
      expect((await registry.state()).signatures.get(digest(file))).toEqual([KEY]);
      const { seq } = await registry.state();
      await registry.push({ ...ann, name: 'fraud', file, signature });
      expect((await registry.state()).seq).toBe(seq);
      expect(await registry.signature(again.version)).toEqual(signature);
    });

    test('of keys that nobody demands are kept, unverified, unless their key is given', async () => {
      const registry = open(make());
      const given = { ...ann, name: 'loans', file: FILE, signature: await signatureOf(FILE, { signer: stranger }) };
      expect(await registry.push(given)).toMatchObject({ signedBy: [], unmet: [] });
      const trust = { keys: [stranger.publicKey.pem] };
      expect((await registry.push({ ...given, trust })).signedBy).toEqual([stranger.publicKey.keyId]);
      await expect(registry.push({ ...given, trust: { keys: [PEM] } })).rejects.toMatchObject({ reason: 'untrusted' });
      const revoked = JSON.stringify([{ key: stranger.publicKey.keyId, reason: 'lost' }]);
      await expect(registry.push({ ...given, trust: { ...trust, revoked } })).rejects.toMatchObject({
        reason: 'revoked',
      });
    });

    test.each<[string, () => Promise<Uint8Array>, string]>([
      ['of another file', () => signatureOf(OTHER), 'other-file'],
      ['that was cut', async () => (await signatureOf(FILE)).slice(0, -9), 'truncated'],
      ['that is none', async () => utf8('{"signature":1}'), 'malformed'],
      ['that is empty', async () => new Uint8Array(0), 'truncated'],
    ])('%s are refused, and nothing is kept', async (_, make_, reason) => {
      const store = make();
      const registry = open(store);
      const push = { ...ann, name: 'fraud', file: FILE, signature: await make_() };
      await expect(registry.push(push)).rejects.toMatchObject({ code: 'ERR_SIGNATURE', reason });
      expect([(await registry.state()).seq, await store.list('models/')]).toEqual([0, []]);
    });

    test.each<[string, (file: Uint8Array) => Promise<Uint8Array>, string | null]>([
      ['expired', (file) => signatureOf(file, { signedAt: 0, expires: NOW }), 'expired'],
      ['for another model', (file) => signatureOf(file, { model: 'loans' }), 'other-model'],
      ['of later', (file) => signatureOf(file, { notBefore: NOW + HOUR }), null],
      ['of another key', (file) => signatureOf(file, { signer: stranger }), null],
    ])('by a demanded key that are %s are refused, or told', async (_, sign, reason) => {
      const { registry } = await signedModel(make());
      const file = modelFile(6);
      const pushed = registry.push({ ...ann, name: 'fraud', file, signature: await sign(file) });
      if (reason !== null) await expect(pushed).rejects.toMatchObject({ reason });
      else expect(await pushed).toMatchObject({ isNew: true, signedBy: [], unmet: [{ alias: 'champion' }] });
    });

    test('do not take the place of one that a demand takes, by whatever name they come', async () => {
      const store = make();
      const { registry } = await signedModel(store);
      const before = await store.read(signaturePath(FIRST));
      const worse = await signatureOf(FILE, { signer: stranger });
      const message =
        /^signature of fraud, which champion demands: expected one that is as good as the one that is there, got one that is untrusted/;
      for (const name of ['fraud', 'fraud-eu'])
        await expect(registry.push({ ...ann, name, file: FILE, signature: worse })).rejects.toThrow(message);
      await expect(registry.sign('fraud', 1, worse, ann)).rejects.toThrow(message);
      const named = await signatureOf(FILE, { model: 'fraud-eu' });
      await expect(registry.push({ ...ann, name: 'fraud-eu', file: FILE, signature: named })).rejects.toThrow(
        /got one that is other-model/,
      );
      expect(await store.read(signaturePath(FIRST))).toEqual(before);
      // one that is as good does
      const better = await signatureOf(FILE, { expires: NOW + 2 * HOUR });
      expect(await registry.sign('fraud', 1, better, ann)).toEqual([KEY]);
      expect(await store.read(signaturePath(FIRST))).toEqual(better);
      // what is not good can be replaced by what is not either
      await registry.sign('fraud', 3, await signatureOf(modelFile(1), { signer: stranger }), ann);
      await expect(registry.sign('fraud', 3, worse, ann)).rejects.toMatchObject({ reason: 'other-file' });
      await expect(registry.sign('fraud', 9, worse, ann)).rejects.toThrow(/expected one of its versions/);
    });

    test('and files are there before their event, and after it, whatever a collection does in between', async () => {
      const store = make();
      const file = modelFile(8);
      const [sha256, signature] = [digest(file), await signatureOf(file)];
      const clock = { now: NOW };
      const registry = open(store, clock);
      await registry.push({ ...ann, name: 'fraud', file, signature });
      await registry.retire('fraud', 1, ann);
      await registry.collect(ann);
      const there: boolean[] = [];
      // before each event of the push a collection removes what no version in use has
      const slow = {
        place: store.place,
        ...Object.fromEntries(
          (['log', 'read', 'write', 'move', 'remove', 'list'] as const).map((name) => [
            name,
            (...given: never[]) => (store[name] as (...all: never[]) => unknown)(...given),
          ]),
        ),
        async append(text: string, mark: string) {
          if (there.length === 0) {
            there.push((await store.read(modelPath(sha256))) !== null);
            there.push((await store.read(signaturePath(sha256))) !== null);
            await registry.collect(ann);
            there.push((await store.read(modelPath(sha256))) !== null);
          }
          return store.append(text, mark);
        },
      } as unknown as Store;
      const { version, isNew } = await open(slow, clock).push({
        ...ann,
        name: 'fraud',
        file,
        signature,
        restore: true,
      });
      expect([there, isNew, version.isRetired]).toEqual([[true, true, false], false, false]);
      expect([await registry.file(version), await registry.signature(version)]).toEqual([file, signature]);
    });

    test('are judged by demands on models of this file alone', async () => {
      const { registry } = await signedModel(make());
      await registry.demand('loans', 'champion', { keys: [stranger.publicKey.pem] }, ann);
      const file = modelFile(7);
      const sign = (signer: typeof release) => signatureOf(file, { signer });
      const first = await registry.push({ ...ann, name: 'cards', file, signature: await sign(stranger) });
      expect(first).toMatchObject({ signedBy: [], unmet: [] });
      expect((await registry.push({ ...ann, name: 'cards', file, signature: await sign(release) })).signedBy).toEqual(
        [],
      );
    });

    test('that lie beside files and are none are found by verify', async () => {
      const store = make();
      const { registry } = await signedModel(store);
      await store.write(signaturePath(digest(modelFile(1))), await signatureOf(FILE));
      expect((await registry.verify()).problems).toEqual([
        expect.stringMatching(/^signature of version 3 of fraud: expected one of the file with SHA-256/),
      ]);
    });
  });

  describe(`digests in ${place}`, () => {
    test('of the file and of the model are kept, and either finds its version', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
      const { sha256: inside } = loadModel(OTHER);
      const version = await registry.resolve({ name: 'fraud', version: 2 });
      expect(version).toMatchObject({ sha256: SECOND, modelSha256: inside });
      expect(inside).not.toBe(SECOND);
      for (const sha256 of [SECOND, inside!, SECOND.slice(0, 12), inside!.slice(0, 12)])
        expect((await registry.resolve({ name: 'fraud', sha256 })).version).toBe(2);
      await expect(registry.resolve({ name: 'fraud', sha256: 'ab'.repeat(6) })).rejects.toThrow(
        /^fraud: expected a version with the digest abababababab, got none; see logodds registry show fraud$/,
      );
    });

    test('that begin alike ask for more digits; versions of before have none of the model, and that is said', async () => {
      const store = new MemoryStore();
      const registry = open(store);
      await registry.push({ ...ann, name: 'fraud', file: FILE });
      const old = { event: 'pushed', name: 'fraud', bytes: 9 };
      await append(store, { ...old, version: 2, sha256: `${FIRST.slice(0, 20)}${'0'.repeat(44)}` });
      expect((await registry.entry('fraud')).versions.get(2)!.modelSha256).toBe(null);
      await expect(registry.resolve({ name: 'fraud', sha256: FIRST.slice(0, 20) })).rejects.toThrow(
        /got versions 1, 2; give more digits$/,
      );
      expect((await registry.resolve({ name: 'fraud', sha256: FIRST })).version).toBe(1);
      await expect(registry.resolve({ name: 'fraud', sha256: 'ab'.repeat(32) })).rejects.toThrow(
        /got none; see logodds registry show fraud, where 1 of 2 have no digest of the model/,
      );
    });
  });
}
