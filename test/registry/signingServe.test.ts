import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { Sources } from '../../cli/src/serve/sources.ts';
import { publicKeysOf, type Signer, signerOf, signModel, Trust } from '../../registry/src/signing/index.ts';
import { createService } from '../../service/src/index.ts';
import { ask, metric, score, services } from '../cli/serve.ts';
import { bytes } from '../service/models.ts';

const { serve, path, write, run } = services();
const pair = async (): Promise<{ signer: Signer; pem: string }> => {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const signer = await signerOf(new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey)));
  return { signer, pem: signer.publicKey.pem };
};
const [first, second] = [await pair(), await pair()];
const HOUR = 3_600_000;
const sign = (name: keyof typeof bytes, { signer } = first, more: object = {}) =>
  signModel(bytes[name], { signer, file: `${name}.safetensors`, signedAt: Date.now(), ...more });
/** Writes a file whole. */
const put = (name: string, content: Uint8Array | string) => {
  writeFileSync(path(`${name}.new`), content);
  renameSync(path(`${name}.new`), path(name));
  return path(name);
};
const events = (log: () => string, event: string) =>
  log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter((line) => line.event === event);
const modelOf = async (url: string, name = 'codes') => JSON.parse((await ask(`${url}/models/${name}`)).body);
const WAIT = { timeout: 20_000, interval: 50 };

test('what is unsigned, of another key, expired or of another file is refused at the start, with its reason; what is signed answers', async () => {
  const at = (name: string) => `start/${name}.safetensors`;
  mkdirSync(path('start'));
  for (const name of ['codes', 'numeric', 'categorical', 'classes', 'rich'] as const) put(at(name), bytes[name]);
  put(`${at('codes')}.sig`, await sign('codes', first, { model: 'codes', expires: Date.now() + HOUR }));
  put(`${at('numeric')}.sig`, await sign('numeric', second));
  put(`${at('categorical')}.sig`, await sign('categorical', first, { signedAt: 0, expires: HOUR }));
  put(`${at('classes')}.sig`, await sign('codes'));
  const pem = write('first.pem', first.pem);
  const { url, log, ready } = await serve([path('start'), '--trust', path(pem), '--no-grpc']);
  expect(ready.models.map(({ name }: { name: string }) => name)).toEqual(['codes']);
  expect((await score(url)).status).toBe(200);
  await vi.waitFor(() => expect(events(log, 'failed')).toHaveLength(4), WAIT);
  expect(Object.fromEntries(events(log, 'failed').map(({ model, signature }) => [model, signature]))).toEqual({
    numeric: 'untrusted',
    categorical: 'expired',
    classes: 'other-file',
    rich: 'missing',
  });
  expect(await metric(url, 'lr_model_load_failures_total')).toBe(4);
  expect(await metric(url, 'lr_models_untrusted')).toBe(0);
  expect((await ask(`${url}/models/rich/score`, { body: '{}' })).status).toBe(503);
  const { signature } = await modelOf(url);
  expect(signature).toMatchObject({ keyId: first.signer.publicKey.keyId, doubt: null });
  expect((await metric(url, 'lr_signature_expiry_timestamp_seconds'))! * 1000).toBe(Date.parse(signature.expires));
  // asked for by a client
  const { status, body } = await ask(`${url}/v2/repository/models/numeric/load`, { body: '{}' });
  expect([status, JSON.parse(body).code]).toEqual([500, 'ERR_SIGNATURE']);
  expect(await metric(url, 'lr_model_load_failures_total')).toBe(5);
  put(`${at('numeric')}.sig`, await sign('numeric'));
  expect((await ask(`${url}/v2/repository/models/numeric/load`, { body: '{}' })).status).toBe(200);
  expect((await modelOf(url, 'numeric')).signature.expires).toBeNull();
});

test.each(['model', 'signature'])(
  'the %s of a pair may come first: the old model answers until both are there',
  async (half) => {
    const [model, signature] = [`pair-${half}.safetensors`, `pair-${half}.safetensors.sig`];
    put(model, bytes.codes);
    put(signature, await sign('codes'));
    const pem = write(`pair-${half}.pem`, first.pem);
    const { url, log } = await serve([`codes=${path(model)}`, '--trust', path(pem), '--no-grpc']);
    const { sha256 } = await modelOf(url);
    const next = await sign('numeric');
    if (half === 'model') put(model, bytes.numeric);
    else put(signature, next);
    // at the second look it is told; nothing else has changed
    await vi.waitFor(() => expect(events(log, 'failed')).toHaveLength(1), WAIT);
    expect(events(log, 'failed')[0].signature).toBe('other-file');
    expect((await modelOf(url)).sha256).toBe(sha256);
    expect((await score(url)).status).toBe(200);
    if (half === 'model') put(signature, next);
    else put(model, bytes.numeric);
    await vi.waitFor(async () => expect((await modelOf(url)).sha256).not.toBe(sha256), WAIT);
    expect((await ask(`${url}/v2/health/ready`)).status).toBe(200);
    // a pair that changes within a look is no failure
    put(model, bytes.codes);
    put(signature, await sign('codes'));
    await vi.waitFor(async () => expect((await modelOf(url)).sha256).toBe(sha256), WAIT);
    expect(events(log, 'failed')).toHaveLength(1);
  },
);

test('keys rotate and are revoked while models answer: they go on to, are told of, and are not loaded again', async () => {
  put('turn.safetensors', bytes.codes);
  put('turn.safetensors.sig', await sign('codes'));
  const pem = put('turn.pem', first.pem);
  const list = put('turn.json', '[]');
  const { url, log } = await serve([
    `codes=${path('turn.safetensors')}`,
    '--trust',
    pem,
    '--revoked',
    list,
    '--no-grpc',
    '--log-level',
    'info',
  ]);
  expect((await modelOf(url)).signature.doubt).toBeNull();
  put('turn.json', JSON.stringify([{ key: first.signer.publicKey.keyId, reason: 'a laptop was lost' }]));
  await vi.waitFor(() => expect(events(log, 'untrusted')).toHaveLength(1), WAIT);
  expect(events(log, 'untrusted')[0]).toMatchObject({ level: 'error', model: 'codes' });
  expect(events(log, 'untrusted')[0].reason).toMatch(
    /the key is revoked \(a laptop was lost\).*; it goes on to answer$/,
  );
  expect(await metric(url, 'lr_models_untrusted')).toBe(1);
  expect((await modelOf(url)).signature.doubt).toContain('a laptop was lost');
  expect((await score(url)).status).toBe(200);
  expect((await ask(`${url}/v2/repository/models/codes/load`, { body: '{}' })).status).toBe(500);
  // a list that is broken leaves what was revoked
  put('turn.json', '[{"key"');
  await vi.waitFor(async () => expect(await metric(url, 'lr_stale_files')).toBe(1), WAIT);
  expect(await metric(url, 'lr_models_untrusted')).toBe(1);
  // the new key beside the old one, and a signature of it
  put('turn.pem', first.pem + second.pem);
  put('turn.json', JSON.stringify([{ key: first.signer.publicKey.keyId, reason: 'lost' }]));
  put('turn.safetensors.sig', await sign('codes', second));
  await vi.waitFor(
    async () =>
      expect((await modelOf(url)).signature).toMatchObject({ keyId: second.signer.publicKey.keyId, doubt: null }),
    WAIT,
  );
  expect(await metric(url, 'lr_models_untrusted')).toBe(0);
  expect(await metric(url, 'lr_stale_files')).toBe(0);
  expect((await ask(`${url}/v2/health/ready`)).status).toBe(200);
});

test('a key that is trusted later lets in what was refused, without a change of the model', async () => {
  put('late.safetensors', bytes.codes);
  put('late.safetensors.sig', await sign('codes', second));
  const pem = put('late.pem', first.pem);
  const { url, ready } = await serve([
    `codes=${path('late.safetensors')}`,
    '--trust',
    pem,
    '--no-grpc',
    '--workers',
    '2',
  ]);
  expect(ready.models).toEqual([]);
  put('late.pem', second.pem);
  await vi.waitFor(async () => expect((await ask(`${url}/v2/health/ready`)).status).toBe(200), WAIT);
});

test('a signature begins and ends while models are served: it lets the model in, then it is told of', async () => {
  put('soon.safetensors', bytes.codes);
  put('soon.safetensors.sig', await sign('codes', first, { signedAt: 0, notBefore: HOUR, expires: 2 * HOUR }));
  let now = 0;
  const trust = await Trust.of({ keys: [first.pem] }, () => now);
  const { models } = createService({ trust });
  const told: string[] = [];
  const sources = new Sources([{ kind: 'file', name: 'codes', path: path('soon.safetensors') }], models, (line) =>
    told.push(line.event),
  );
  const at = async (time: number) => {
    now = time;
    await sources.look();
    await sources.look();
    return [models.names().length, told.splice(0)];
  };
  expect(await at(0)).toEqual([0, ['failed']]);
  expect(await at(HOUR - 1)).toEqual([0, []]);
  expect(await at(HOUR)).toEqual([1, ['loaded']]);
  expect(await at(2 * HOUR)).toEqual([1, ['untrusted']]);
  expect(models.doubt(models.find('codes'))).toContain('expired at 1970-01-01T02:00:00Z');
  // a clock that is put back
  expect(await at(2 * HOUR - 1)).toEqual([1, ['trusted']]);
});

test('what does not fit is told at the second look that finds it so, once; what is no half at the first', async () => {
  const [model, signature] = ['half.safetensors', 'half.safetensors.sig'];
  put(model, bytes.codes);
  put(signature, await sign('codes'));
  const trust = await Trust.of({ keys: [first.pem] }, () => 0);
  const { models, metrics } = createService({ trust });
  const told: unknown[] = [];
  const sources = new Sources([{ kind: 'file', name: 'codes', path: path(model) }], models, ({ event, signature }) =>
    told.push(signature ?? event),
  );
  const looks = async (count: number) => {
    for (let i = 0; i < count; i++) await sources.look();
    return told.splice(0);
  };
  const served = () => models.find('codes').sha256;
  expect(await looks(3)).toEqual(['loaded']);
  const before = served();
  put(model, bytes.numeric);
  expect(await looks(1)).toEqual([]);
  expect(models.isWhole).toBe(true);
  expect(await looks(1)).toEqual(['other-file']);
  expect(await looks(3)).toEqual([]);
  expect(metrics.snapshot().counts['lr_model_load_failures_total']).toBe(1);
  expect([served(), models.isWhole]).toEqual([before, false]);
  put(signature, (await sign('numeric')).subarray(0, 300));
  expect(await looks(1)).toEqual([]);
  put(signature, await sign('numeric'));
  expect(await looks(3)).toEqual(['loaded']);
  expect([served() === before, models.isWhole]).toEqual([false, true]);
  // a whole signature of another key is on its way to nothing
  put(signature, await sign('numeric', second));
  expect(await looks(1)).toEqual(['untrusted']);
  // where nothing answers nobody waits
  models.remove('codes');
  rmSync(path(signature));
  expect(await looks(1)).toEqual(['missing']);
});

test('keys that cannot be read end the command; a check says what is wrong with keys and with models', async () => {
  put('check.safetensors', bytes.codes);
  rmSync(path('check.safetensors.sig'), { force: true });
  const pem = put('check.pem', first.pem);
  const model = path('check.safetensors');
  const told = (...args: string[]) => run(['serve', model, '--port', '0', '--no-grpc', ...args]);
  expect(told('--trust', model).stderr).toMatch(
    /^ERR_DATA --trust .*check\.safetensors: expected a key of .* in PEM, got none/,
  );
  expect(told('--trust', path('none.pem')).stderr).toMatch(
    /ERR_RANGE.*none\.pem|ERR_RANGE --trust: expected a file that can be read/,
  );
  expect(told('--revoked', pem).stderr).toMatch(/--revoked: expected trusted keys, got none; give --trust FILE/);
  write('check.yaml', 'models: [check.safetensors]\ntrust: [check.pem]\nport: 0\ngrpc: false\n');
  const check = () => JSON.parse(run(['serve', '--check', 'check.yaml', '--json']).stdout).problems;
  expect(check()).toMatchObject([
    {
      path: 'models[0]',
      line: 1,
      message: expect.stringMatching(/^signature of check: expected one of a trusted key, got none/),
    },
  ]);
  put('check.safetensors.sig', await sign('codes'));
  expect(check()).toEqual([]);
  copyFileSync(model, path('check.pem'));
  expect(check()).toMatchObject([{ path: 'trust', line: 2 }]);
  expect(await publicKeysOf(first.pem)).toHaveLength(1);
});
