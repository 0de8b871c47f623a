import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type * as Grpc from '@grpc/grpc-js';
import type * as Loader from '@grpc/proto-loader';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, expect, test } from 'vitest';
import { accessOf } from '../../cli/src/serve/access.ts';
import type { LogLine } from '../../service/src/index.ts';
import { createService } from '../../service/src/index.ts';
import { digest, entries, RECORD } from './access.ts';
import { bytes, JSON_TYPE } from './models.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-access-'));
const write = (name: string, value: unknown) => {
  const path = join(folder, name);
  // whole or not at all
  writeFileSync(`${path}.new`, typeof value === 'string' ? value : JSON.stringify(value));
  renameSync(`${path}.new`, path);
  return path;
};
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { publicKey, privateKey } = await generateKeyPair('ES256');
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] };
const jwt = (scope: string) =>
  new SignJWT({ scope, iss: 'https://issuer.example', aud: 'scores', sub: 'shop' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setExpirationTime('1h')
    .sign(privateKey);
const JWT = { issuer: 'https://issuer.example', audience: ['scores'] };

test('files of keys are read again when they change; one that is broken or gone leaves the keys that were', async () => {
  const tokens = write('tokens.json', entries());
  const set = write('jwks.json', { keys: [] });
  const access = accessOf({ tokens, jwks: set, ...JWT });
  const service = createService({ access: access.options!, models: [{ name: 'codes', model: bytes.codes }] });
  const lines: LogLine[] = [];
  const look = () => access.look((line) => lines.push(line));
  const status = async (token: string) =>
    (
      await service.fetch(
        new Request('http://localhost/models/codes/score', {
          method: 'POST',
          body: RECORD,
          headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
        }),
      )
    ).status;
  const [first, second] = [await jwt('score'), await jwt('score:codes')];
  expect([await status('key-of-scorer'), await status(first)]).toEqual([200, 401]);
  look();
  expect(lines).toEqual([]);

  write('tokens.json', '[{"name": "scorer", "sha256": "key');
  look();
  look();
  expect(lines).toMatchObject([{ level: 'error', event: 'failed', path: tokens }]);
  expect(lines[0].reason).toMatch(/^tokens: expected JSON.*; the one before stays$/);
  expect(await status('key-of-scorer')).toBe(200);

  write('tokens.json', [{ name: 'scorer', sha256: digest('next'), scopes: ['score'] }]);
  write('jwks.json', jwks);
  look();
  expect([await status('key-of-scorer'), await status('next'), await status(first)]).toEqual([401, 200, 200]);
  expect(lines.slice(1)).toMatchObject([
    { level: 'info', event: 'read', path: tokens },
    { level: 'info', event: 'read', path: set },
  ]);

  rmSync(tokens);
  write('jwks.json', { keys: 'none' });
  look();
  look();
  expect(lines.slice(3)).toMatchObject([
    { level: 'error', path: tokens },
    { level: 'error', path: set },
  ]);
  expect([await status('next'), await status(second)]).toEqual([200, 200]);
  write('tokens.json', entries());
  look();
  expect([await status('next'), await status('key-of-scorer')]).toEqual([401, 200]);
});

const good = () => write('good.json', entries());
test.each([
  ['no file', () => ({ tokens: join(folder, 'none.json') }), /--tokens .*none\.json: no such file/],
  ['a broken file', () => ({ tokens: write('broken.json', '[') }), /--tokens .*: tokens: expected JSON/],
  ['--jwks alone', () => ({ jwks: 'https://issuer.example/jwks' }), /--jwks: expected --issuer and --audience/],
  ['--issuer alone', () => ({ tokens: good(), issuer: 'x' }), /--issuer: expected --jwks with it/],
  ['--opa-open alone', () => ({ tokens: good(), opaOpen: true }), /--opa-open: expected --opa with it/],
  ['keys by http', () => ({ jwks: 'http://issuer.example/jwks', ...JWT }), /expected https/],
  ['a set that is none', () => ({ jwks: write('set.json', '{}'), ...JWT }), /--jwks .*expected a JSON Web Key Set/],
  ['a policy without a URL', () => ({ opa: 'logodds/allow' }), /URL/],
  ['an origin with a path', () => ({ cors: ['https://app.example.com/'] }), /cors: expected origins/],
])('options that do not fit: %s', (_, flags, message) => {
  expect(() => accessOf(flags())).toThrow(message);
});

// what the command has, not the tests
const require = createRequire(new URL('../../cli/package.json', import.meta.url));
const grpc: typeof Grpc = require('@grpc/grpc-js');
const loader: typeof Loader = require('@grpc/proto-loader');
const root = fileURLToPath(new URL('../..', import.meta.url));

test('the command asks callers of REST and gRPC for the same keys', async () => {
  const child = spawn(
    process.execPath,
    [
      ...['cli/bin/logodds.js', 'serve', 'codes=test/conformance/codes.safetensors'],
      ...['numeric=test/conformance/numeric.safetensors', '--port', '0', '--grpc-port', '0', '--json'],
      ...['--tokens', write('command.json', entries()), '--jwks', write('command-jwks.json', jwks)],
      ...['--issuer', JWT.issuer, '--audience', 'scores', '--cors', 'https://app.example.com'],
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  const ready = JSON.parse(await new Promise((resolve) => createInterface(child.stdout).once('line', resolve)));
  const definition = loader.loadSync(join(root, 'cli/proto/inference.proto'), { keepCase: true });
  // biome-ignore lint/suspicious/noExplicitAny: made from the definition
  const { inference } = grpc.loadPackageDefinition(definition) as any;
  const client = new inference.GRPCInferenceService(ready.grpc, grpc.credentials.createInsecure());
  const call = (
    method: string,
    request: object,
    ...headers: [string, string][]
  ): Promise<{ code: number; answer: unknown }> =>
    new Promise((resolve) => {
      const metadata = new grpc.Metadata();
      for (const [name, value] of headers) metadata.add(name, value);
      client[method](request, metadata, (error: Grpc.ServiceError | null, answer: unknown) =>
        resolve({ code: error?.code ?? grpc.status.OK, answer: answer ?? error?.details }),
      );
    });
  const { OK, UNAUTHENTICATED, PERMISSION_DENIED } = grpc.status;
  const tensors = (model: string) => ({
    model_name: model,
    inputs: [
      { name: 'code', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('2')] } },
      { name: 'x', datatype: 'FP64', shape: [1], contents: { fp64_contents: [0.5] } },
    ],
  });
  try {
    const url = `${ready.url}/models/codes/score`;
    const post = (headers: Record<string, string>) =>
      fetch(url, { method: 'POST', body: RECORD, headers: { ...JSON_TYPE, ...headers } });
    expect((await post({})).status).toBe(401);
    const answered = await post({ 'x-api-key': 'key-of-scorer', origin: 'https://app.example.com' });
    expect([answered.status, answered.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://app.example.com',
    ]);
    expect((await post({ authorization: `Bearer ${await jwt('score:codes')}` })).status).toBe(200);

    const bearer: [string, string] = ['authorization', 'Bearer key-of-scorer'];
    expect(await call('ModelInfer', tensors('codes'))).toEqual({
      code: UNAUTHENTICATED,
      answer: expect.stringMatching(/^token: expected one, got none/),
    });
    expect((await call('ModelInfer', tensors('codes'), ['authorization', 'Bearer none'])).code).toBe(UNAUTHENTICATED);
    // Authorization twice is none of HTTP/2: the client refuses it
    const key: [string, string] = ['x-api-key', 'key-of-scorer'];
    expect((await call('ModelInfer', tensors('codes'), key, key)).code).toBe(UNAUTHENTICATED);
    expect((await call('ModelInfer', tensors('codes'), bearer)).code).toBe(OK);
    expect((await call('ModelInfer', tensors('codes'), key)).code).toBe(OK);
    expect((await call('ModelInfer', tensors('codes'), ['authorization', `Bearer ${await jwt('score')}`])).code).toBe(
      OK,
    );
    for (const name of ['numeric', 'nummber'])
      expect(await call('ModelInfer', tensors(name), bearer)).toEqual({
        code: PERMISSION_DENIED,
        answer: `scope: expected "score:${name}", got a token without; ask who gives out tokens for it`,
      });
    expect((await call('ModelReady', { name: 'codes' })).code).toBe(UNAUTHENTICATED);
    expect((await call('ModelReady', { name: 'numeric' }, bearer)).code).toBe(PERMISSION_DENIED);
    expect((await call('ModelMetadata', { name: 'numeric' }, bearer)).code).toBe(PERMISSION_DENIED);
    expect((await call('RepositoryModelUnload', { model_name: 'codes' }, bearer)).code).toBe(PERMISSION_DENIED);
    expect(await call('RepositoryIndex', {}, bearer)).toMatchObject({
      code: OK,
      answer: { models: [{ name: 'codes' }] },
    });
    expect(await call('ServerReady', {})).toEqual({ code: OK, answer: { ready: true } });
  } finally {
    client.close();
    child.kill('SIGTERM');
  }
  expect(await exited).toBe(0);
  expect(log).toMatch(/"event":"refused"/);
  expect(log).not.toContain('key-of-');
});
