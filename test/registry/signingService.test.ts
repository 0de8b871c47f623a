import { expect, test } from 'vitest';
import { type Signer, signerOf, signModel, Trust } from '../../registry/src/signing/index.ts';
import { createService } from '../../service/src/index.ts';
import { bytes, JSON_TYPE, models } from '../service/models.ts';

async function signer(): Promise<Signer> {
  const { privateKey } = await crypto.subtle
    .generateKey('Ed25519', true, ['sign', 'verify'])
    .then((pair) => pair as CryptoKeyPair);
  return signerOf(new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey)));
}
const key = await signer();
const trust = await Trust.of({ keys: [key.publicKey.pem] }, () => 0);
const signature = await signModel(bytes.codes, { signer: key, file: 'codes.safetensors', signedAt: 0 });
const original = new Uint8Array(bytes.codes);
const refused = { code: 'ERR_SIGNATURE' };

test('a service that asks for signatures takes models by load alone, and what it took answers', async () => {
  const service = createService({ trust });
  expect(service.models.asksSignatures).toBe(true);
  const source = { name: 'codes', model: bytes.codes, signature };
  expect(() => service.models.put(source)).toThrow(expect.objectContaining(refused));
  expect(() => service.models.replace(source)).toThrow(/put it by await models\.load/);
  expect(() => createService({ trust, models: [source] })).toThrow(expect.objectContaining(refused));
  await expect(service.models.load({ name: 'codes', model: bytes.codes })).rejects.toMatchObject({
    ...refused,
    reason: 'missing',
  });
  await expect(service.models.load({ ...source, model: models.codes })).rejects.toThrow(/expected the bytes of a file/);
  await expect(service.models.load({ ...source, model: bytes.numeric })).rejects.toMatchObject({
    reason: 'other-file',
  });
  expect(service.models.failures.get('codes')).toMatch(/^signature of codes: expected/);
  expect((await service.models.load(source)).signed?.keyId).toBe(key.publicKey.keyId);
  expect(service.models.failures.size).toBe(0);
  // one version beside another
  service.models.put(await service.models.verified({ ...source, version: '2' }));
  expect(service.models.versions('codes')).toHaveLength(2);
  const text = await (await service.fetch(new Request('http://localhost/metrics'))).text();
  expect(text).toMatch(/^lr_model_load_failures_total 5$/m);
  expect(text).toMatch(/^lr_models_untrusted 0$/m);
  expect(text).not.toContain('lr_signature_expiry');
});

test('bytes that are changed while their signature is verified are not what is served', async () => {
  const { models: shelf } = createService({ trust });
  const model = new Uint8Array(bytes.codes);
  const loading = shelf.load({ name: 'codes', model, signature });
  model.fill(0);
  expect((await loading).sha256).toBe(models.codes.sha256);
});

test('a shared buffer, an array buffer and bytes in the middle of one are the file that they hold', async () => {
  const { models: shelf } = createService({ trust });
  const file = readAgain();
  const shared = new SharedArrayBuffer(file.length);
  new Uint8Array(shared).set(file);
  const around = new Uint8Array(file.length + 20);
  around.set(file, 7);
  for (const model of [file.buffer, shared as unknown as ArrayBuffer, around.subarray(7, 7 + file.length)])
    expect((await shelf.load({ name: 'codes', model, signature })).sha256).toBe(models.codes.sha256);
});

test('a service that asks for none takes all, and says so', async () => {
  const service = createService({ models: [{ name: 'codes', model: bytes.rich }] });
  await service.models.load({ name: 'numeric', model: bytes.numeric });
  const answer = await (await service.fetch(new Request('http://localhost/models/numeric'))).json();
  expect(answer.signature).toBeNull();
  expect(await (await service.fetch(new Request('http://localhost/metrics'))).text()).not.toContain(
    'lr_models_untrusted',
  );
});

test('what a client asks to load is verified; the old model stays where it is not', async () => {
  let next: Uint8Array | null = signature;
  const service = createService({ trust, source: (name) => ({ name, model: readAgain(), signature: next }) });
  const load = async () =>
    (
      await service.fetch(
        new Request('http://localhost/v2/repository/models/codes/load', {
          method: 'POST',
          body: '{}',
          headers: JSON_TYPE,
        }),
      )
    ).json();
  expect(await load()).toEqual({ name: 'codes', load: true });
  next = signature.subarray(0, 99);
  expect(await load()).toMatchObject({ code: 'ERR_SIGNATURE' });
  expect(service.models.find('codes').sha256).toBe(models.codes.sha256);
});

function readAgain(): Uint8Array {
  return new Uint8Array(original);
}
