import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { MemoryStore, modelPath, signaturePath } from '../../registry/src/index.ts';
import { release, signatureOf, stranger } from '../registry/keys.ts';
import { CANARY, FILES, FRAUD, KEYS, type Key, serving } from './registry.ts';

/*
 * Signatures that a registry demands, over HTTP.
 */

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const ann = { by: 'ann' };
const THIRD = digest(FILES[2]);
const SIGNATURE = `${FRAUD}/versions/3/signature`;
const told = async (response: Response) => {
  const { code, error } = await response.json();
  return [response.status, code, error];
};

/** A service whose champion demands the release key, which has signed the first two versions. */
async function demanding() {
  const store = new MemoryStore();
  const served = await serving({}, true, store);
  for (const version of [1, 2])
    await served.registry.sign('fraud', version, await signatureOf(FILES[version - 1]), ann);
  await served.registry.demand('fraud', 'champion', { keys: [release.publicKey.pem] }, ann);
  return { ...served, store };
}

test('a version without the signature that champion demands comes to no place by any route, and its reason is told', async () => {
  const { ask, registry, audited } = await demanding();
  const routes = [
    ['/aliases/champion', { version: 3 }],
    ['/rollout', { challenger: 3, plan: CANARY }],
    ['/rollout', { challenger: 3, plan: { ...CANARY, promotes: false } }],
  ] as const;
  for (const [path, body] of routes)
    expect(await told(await ask('admin', FRAUD + path, body))).toEqual([
      409,
      'ERR_SIGNATURE',
      expect.stringMatching(
        /^signature of version 3 of fraud, which champion demands: expected one .*, got none; sign/,
      ),
    ]);
  // the file is pushed, and the alias is not moved
  const [status, code, error] = await told(await ask('admin', `${FRAUD}/versions?alias=champion`, FILES[3]));
  expect([status, code]).toEqual([409, 'ERR_SIGNATURE']);
  expect(error).toMatch(/\(the file is version 4, without that alias\)$/);
  expect((await registry.entry('fraud')).aliases.get('champion')).toBe(2);
  expect(audited.map(({ status }) => status)).toEqual([409, 409, 409, 409]);
});

test('a signature that is sent beside a version lets it be promoted; what is none of it is refused', async () => {
  const { ask, registry, audited } = await demanding();
  const signature = await signatureOf(FILES[2]);
  for (const [bytes, message] of [
    [await signatureOf(FILES[0]), /expected one of the file with SHA-256/],
    [signature.slice(0, -9), /got the beginning of it/],
    [new TextEncoder().encode('{}'), /mediaType: expected text/],
  ] as const)
    expect(await told(await ask('pusher', SIGNATURE, bytes))).toEqual([
      409,
      'ERR_SIGNATURE',
      expect.stringMatching(message),
    ]);
  expect((await ask('reader', SIGNATURE)).status).toBe(404);
  const sent = await ask('pusher', `${SIGNATURE}?why=released`, signature);
  expect([sent.status, await sent.json()]).toEqual([200, { model: 'fraud', version: 3, changed: true }]);
  const answered = await ask('reader', SIGNATURE);
  expect(new Uint8Array(await answered.arrayBuffer())).toEqual(signature);
  const { versions } = await (await ask('reader', FRAUD)).json();
  expect(versions[2].signedBy).toEqual([release.publicKey.keyId]);
  expect(audited.at(-1)).toMatchObject({
    what: 'signed',
    caller: 'pusher',
    version: '3',
    status: 200,
    why: 'released',
  });
  // another key does not take its place
  const worse = await signatureOf(FILES[2], { signer: stranger });
  expect(await told(await ask('pusher', SIGNATURE, worse))).toEqual([
    409,
    'ERR_SIGNATURE',
    expect.stringMatching(/as good as the one that is there, got one that is untrusted/),
  ]);
  expect((await ask('promoter', `${FRAUD}/aliases/champion`, { version: 3 })).status).toBe(200);
  expect((await registry.entry('fraud')).aliases.get('champion')).toBe(3);
});

test.each<[string, number, () => Promise<Uint8Array> | Uint8Array | undefined, number]>([
  ['an unknown version', 9, () => signatureOf(FILES[2]), 404],
  ['an empty body', 3, () => new Uint8Array(0), 400],
  ['more than a mebibyte', 3, () => new Uint8Array(2 ** 20 + 1), 413],
])('a signature of %s is refused', async (_, version, make, status) => {
  const { ask } = await demanding();
  expect((await ask('admin', `${FRAUD}/versions/${version}/signature`, await make())).status).toBe(status);
});

test('signatures are read by who reads, and sent by who pushes', async () => {
  const signature = await signatureOf(FILES[2]);
  for (const key of Object.keys(KEYS) as Key[]) {
    const { ask } = await demanding();
    const may = ['pusher', 'promoter', 'admin'].includes(key);
    expect([key, (await ask(key, SIGNATURE, signature)).status]).toEqual([key, may ? 200 : 403]);
    const reads = await ask(key, `${FRAUD}/versions/1/signature`);
    expect([key, reads.status]).toEqual([key, key === 'scorer' ? 403 : 200]);
  }
});

test('a rollback and a promotion verify anew: what was cut, swapped or signed again since is refused by its reason', async () => {
  const { ask, registry, store } = await demanding();
  const first = digest(FILES[0]);
  const rollback = () => ask('promoter', `${FRAUD}/rollback`, { why: 'worse' });
  const good = (await store.read(signaturePath(first)))!;
  await store.write(signaturePath(first), await signatureOf(FILES[0], { signer: stranger }));
  expect((await told(await rollback()))[2]).toMatch(/expected one of the 1 trusted keys/);
  await store.write(signaturePath(first), good);
  await store.write(modelPath(first), FILES[1]);
  expect(await told(await rollback())).toEqual([
    409,
    'ERR_SIGNATURE',
    expect.stringMatching(/expected the file that it signs/),
  ]);
  await store.write(modelPath(first), FILES[0]);
  expect((await rollback()).status).toBe(200);
  expect((await registry.entry('fraud')).aliases.get('champion')).toBe(1);
});

test('the digest of answers and that of the file are told apart', async () => {
  const { ask, service } = await demanding();
  service.models.put({ name: 'fraud', version: '3', model: FILES[2] as Uint8Array<ArrayBuffer> });
  const answer = await ask('scorer', '/models/fraud/score', { x: 3 }, { 'content-type': 'application/json' });
  const inside = answer.headers.get('x-model-sha256');
  const { versions } = await (await ask('reader', FRAUD)).json();
  expect(versions[2]).toMatchObject({ sha256: THIRD, modelSha256: inside });
  const file = await ask('reader', `${FRAUD}/versions/3/file`);
  expect(file.headers.get('x-model-sha256')).toBe(inside);
  expect(file.headers.get('repr-digest')).toBe(`sha-256=:${Buffer.from(THIRD, 'hex').toString('base64')}:`);
});
