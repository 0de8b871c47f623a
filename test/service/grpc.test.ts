import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type * as Grpc from '@grpc/grpc-js';
import type * as Loader from '@grpc/proto-loader';
import { afterEach, expect, test } from 'vitest';
import { GrpcHost } from '../../cli/src/serve/grpcHost.ts';
import { armOf, type LogLine, type Service, watchApi, watchScores } from '../../service/src/index.ts';
import { guarded } from './access.ts';
import { serviceWith } from './models.ts';
import { privateModel, SECRET } from './observation/private.ts';
import { divided, routeBy, SEGMENTS } from './segments.ts';

// what the command has, not the tests
const require = createRequire(new URL('../../cli/package.json', import.meta.url));
const grpc: typeof Grpc = require('@grpc/grpc-js');
const loader: typeof Loader = require('@grpc/proto-loader');
const PROTO = fileURLToPath(new URL('../../cli/proto/inference.proto', import.meta.url));
// biome-ignore lint/suspicious/noExplicitAny: made from the definition
const { inference } = grpc.loadPackageDefinition(loader.loadSync(PROTO, { keepCase: true })) as any;
const { OK, INTERNAL, INVALID_ARGUMENT, UNAUTHENTICATED } = grpc.status;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A service over gRPC, and a client of it. */
async function served(service: Service, idleTimeout = 0) {
  const lines: LogLine[] = [];
  const times = { headerTimeout: 20, bodyTimeout: 60, idleTimeout };
  const host = new GrpcHost(service, times, null, (line) => lines.push(line));
  const address = await host.listen({ kind: 'port', host: '127.0.0.1', port: 0, flag: '--grpc-port' });
  const client = new inference.GRPCInferenceService(address, grpc.credentials.createInsecure());
  open.push(client, { close: () => host.cut() }, { close: () => void host.close() });
  const call = (method: string, request: object, metadata = new grpc.Metadata()) =>
    new Promise<{ code: number; said: string; id: unknown }>((resolve) =>
      client[method](request, metadata, (error: Grpc.ServiceError | null) =>
        resolve({
          code: error?.code ?? OK,
          said: error?.details ?? '',
          id: error?.metadata?.get('x-request-id')[0],
        }),
      ),
    );
  return { address, lines, call };
}

const INFER = {
  model_name: 'codes',
  inputs: [
    { name: 'code', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('2')] } },
    { name: 'x', datatype: 'FP64', shape: [1], contents: { fp64_contents: [0.5] } },
  ],
};

test('an error that nobody expected tells a client no text, but the id by which the log has it', async () => {
  const { service } = serviceWith({}, 'codes');
  service.models.put({ name: 'private', model: privateModel });
  const broken = Object.assign(Object.create(service), {
    models: service.models,
    fetch: () => Promise.reject(new TypeError(`no /srv/models for ${SECRET}`)),
  });
  const { call, lines } = await served(broken);
  const metadata = new grpc.Metadata();
  metadata.set('x-request-id', 'mine');
  expect(await call('ModelInfer', INFER, metadata)).toEqual({
    code: INTERNAL,
    said: 'the service failed; its log says why, by the id of the request',
    id: 'mine',
  });
  expect(lines[0]).toMatchObject({ level: 'error', event: 'failed', id: 'mine', protocol: 'grpc' });
  expect(lines[0].reason).toContain('no /srv/models');
  // of a model with private fields its sentence might repeat a value
  const { id } = await call('ModelInfer', { ...INFER, model_name: 'private' });
  expect(lines[1]).toMatchObject({ id, reason: expect.stringContaining('said without its sentence') });
  expect(JSON.stringify(lines[1])).not.toContain(SECRET);
  // and a refusal has the id of its request
  const { call: other } = await served(service);
  expect(await other('ModelInfer', { ...INFER, model_name: 'none' }, metadata)).toMatchObject({ id: 'mine' });
  expect((await other('ModelInfer', { ...INFER, model_name: 'none' })).id).toMatch(/^[\da-f-]{36}$/);
});

test('metadata of any kind: what says who asks is read, all else is nothing to the service', async () => {
  const { service } = guarded();
  const { call, address, lines } = await served(service);
  const withMetadata = (...entries: readonly (readonly [string, string | Buffer])[]) => {
    const metadata = new grpc.Metadata();
    for (const [name, value] of entries) metadata.add(name, value);
    return call('ModelInfer', INFER, metadata);
  };
  const key = ['x-api-key', 'key-of-scorer'] as const;
  expect((await withMetadata(key)).code).toBe(OK);
  expect((await withMetadata(key, ['trace-bin', Buffer.from([0, 255, 10])], ['x-bin', Buffer.alloc(0)])).code).toBe(OK);
  expect((await withMetadata(key, ...Array.from({ length: 100 }, (_, i) => [`key-${i}`, 'v'] as const))).code).toBe(OK);
  expect((await withMetadata(key, ['other', 'v'.repeat(8000)])).code).toBe(OK);
  // a binary key is another key
  expect((await withMetadata(['x-api-key-bin', Buffer.from('key-of-scorer')])).code).toBe(UNAUTHENTICATED);
  for (const authorization of ['Basic a2V5', 'Bearer', 'Bearer a b', 'key-of-scorer', 'Bearer key-of-scorer, x'])
    expect((await withMetadata(['authorization', authorization])).code, authorization).toBe(UNAUTHENTICATED);
  expect((await withMetadata(['authorization', 'Bearer key-of-scorer'], ['x-api-key', 'key-of-all'])).code).toBe(
    INVALID_ARGUMENT,
  );
  // what is longer than the bounds of HTTP/2 is refused before the service
  const status = async (headers: Record<string, string>) => {
    const session = connectHttp2(`http://${address}`).on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ServerLive',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {}).end(Buffer.alloc(5));
    stream.resume();
    let code: unknown = null;
    stream.on('response', (answer) => {
      code = answer['grpc-status'] ?? code;
    });
    stream.on('trailers', (trailers) => {
      code = trailers['grpc-status'];
    });
    await new Promise((resolve) => stream.once('close', resolve));
    session.destroy();
    return code;
  };
  expect(await status({})).toBe('0');
  expect(await status({ 'x-huge': 'v'.repeat(1_000_000) })).toBe(null);
  expect(await status(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 'v'])))).toBe(null);
  // bytes beyond ASCII are left out, which is said without them: they may be a key
  expect(await status({ authorization: 'Bearer k\u00e9y' })).toBe('0');
  expect(lines).toEqual([
    { level: 'warn', event: 'grpc', reason: 'Failed to add metadata entry authorization', others: 0 },
  ]);
  expect((await withMetadata(key)).code).toBe(OK);
});

test('a connection without a call is closed after its time, one that never says a word too', async () => {
  const { service } = serviceWith({}, 'codes');
  const { address } = await served(service, 0.05);
  const silent = connect(Number(address.split(':')[1]), '127.0.0.1').resume();
  const session = connectHttp2(`http://${address}`);
  await Promise.all([once(silent, 'close'), once(session, 'close')]);
});

test('rows of several segments are scored by their models, and a key of the metadata is sticky, as over HTTP', async () => {
  const route = routeBy('fraud-de', 'next', 0.5);
  const { service } = divided([{ ...SEGMENTS[0], by: route }, ...SEGMENTS.slice(1)]);
  const host = new GrpcHost(service, { headerTimeout: 20, bodyTimeout: 60, idleTimeout: 0 }, null, () => {});
  const address = await host.listen({ kind: 'port', host: '127.0.0.1', port: 0, flag: '--grpc-port' });
  const client = new inference.GRPCInferenceService(address, grpc.credentials.createInsecure());
  open.push(client, { close: () => host.cut() }, { close: () => void host.close() });
  const texts = (name: string, values: readonly string[]) => ({
    ...{ name, datatype: 'BYTES', shape: [values.length] },
    contents: { bytes_contents: values.map((value) => Buffer.from(value)) },
  });
  const numbers = (name: string, values: readonly number[]) => ({
    ...{ name, datatype: 'FP64', shape: [values.length] },
    contents: { fp64_contents: values },
  });
  const inputs = [
    texts('country', ['FR', 'DE', 'GB']),
    texts('kind', ['card', 'card', 'bank']),
    numbers('amount', [1, 2, 900]),
    numbers('age', [30, 31, 32]),
  ];
  // biome-ignore lint/suspicious/noExplicitAny: made from the definition
  const infer = (key: string): Promise<any> => {
    const metadata = new grpc.Metadata();
    metadata.set('x-logodds-key', key);
    return new Promise((resolve, reject) =>
      client.ModelInfer({ model_name: 'fraud', inputs }, metadata, (error: Error | null, answer: object) =>
        error ? reject(error) : resolve(answer),
      ),
    );
  };
  const arms = new Set<string>();
  for (let k = 0; k < 20; k++) {
    const { model_name: name, outputs, raw_output_contents: raw } = await infer(`k${k}`);
    const said = (output: string): string[] => {
      const bytes = Buffer.from(raw[outputs.findIndex((one: { name: string }) => one.name === output)]);
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at))
        found.push(bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at)));
      return found;
    };
    expect(name).toBe('fraud');
    expect(said('segment')).toEqual(['rest', 'de', 'large']);
    const arm = armOf(route, `k${k}`)?.name ?? 'champion';
    arms.add(arm);
    expect(said('route')).toEqual(['champion', arm, 'champion']);
    expect(said('model')).toEqual(['fraud', arm === 'champion' ? 'fraud-de' : 'next', 'fraud-large']);
  }
  expect(arms.size).toBe(2);
});

test('rows over gRPC are seen by the watch: each by the model, version and arm that scored it, and as over HTTP', async () => {
  const route = routeBy('fraud-de', 'next', 0.5);
  const watch = watchScores({ models: 'all', watch: { least: 2 } });
  const { service, post } = divided([{ ...SEGMENTS[0], by: route }, ...SEGMENTS.slice(1)], {
    watch,
    extensions: [watchApi],
  });
  const { call } = await served(service);
  const column = (name: string, values: readonly (string | number)[]) =>
    typeof values[0] === 'string'
      ? {
          ...{ name, datatype: 'BYTES', shape: [values.length] },
          contents: { bytes_contents: values.map((value) => Buffer.from(String(value))) },
        }
      : { name, datatype: 'FP64', shape: [values.length], contents: { fp64_contents: values } };
  const inputs = [
    column('country', ['FR', 'DE', 'GB', 'DE']),
    column('kind', ['card', 'card', 'bank', 'bank']),
    column('amount', [1, 2, 900, 3]),
    column('age', [30, 31, 32, 33]),
  ];
  const byArm = { champion: 0, challenger: 0 };
  for (let k = 0; k < 12; k++) {
    const metadata = new grpc.Metadata();
    metadata.set('x-logodds-key', `k${k}`);
    expect(await call('ModelInfer', { model_name: 'fraud', inputs }, metadata)).toMatchObject({ code: OK });
    byArm[armOf(route, `k${k}`) ? 'challenger' : 'champion'] += 2;
  }
  expect(Math.min(byArm.champion, byArm.challenger)).toBeGreaterThan(0);
  const seen = async () => {
    const { versions } = (await watch.report('fraud'))!;
    return Object.fromEntries(
      versions.map(({ name, version, route: arm, counts }) => [`${name} ${version} ${arm}`, counts.rows]),
    );
  };
  const expected = {
    'fraud-de fraud-de-1 champion': byArm.champion,
    'next next-1 challenger': byArm.challenger,
    'fraud-large fraud-large-1 champion': 12,
    'fraud fraud-1 champion': 12,
  };
  expect(await seen()).toEqual(expected);
  // the same rows once more, over HTTP
  const rows = [
    { country: 'FR', kind: 'card', amount: 1, age: 30 },
    { country: 'DE', kind: 'card', amount: 2, age: 31 },
    { country: 'GB', kind: 'bank', amount: 900, age: 32 },
    { country: 'DE', kind: 'bank', amount: 3, age: 33 },
  ];
  for (let k = 0; k < 12; k++)
    await (await post('/models/fraud/score', JSON.stringify(rows), { 'x-logodds-key': `k${k}` })).text();
  expect(await seen()).toEqual(Object.fromEntries(Object.entries(expected).map(([key, count]) => [key, 2 * count])));
});
