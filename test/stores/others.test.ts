import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workspace } from '../cli/run.ts';
import { MOTO as PYTHON } from '../registry/s3Server.ts';
import { csv, parquet } from './data.ts';

/*
 * Azure Blob Storage in Azurite, Google Cloud Storage in gcp-storage-emulator: `npm run test:service -- stores` sets them up, and puts the command
 * beside the SDKs.
 */

/** The folder with the SDKs and the command. */
const BESIDE = process.env['LOGODDS_TEST_STORES'];
const { folder, path, write, run: near } = workspace();

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What a store is to the tests. */
interface Bucket {
  readonly scheme: string;
  readonly env: Record<string, string>;
  readonly wrong: Record<string, string>;
  put(key: string, bytes: Buffer): Promise<unknown>;
  get(key: string): Promise<Buffer>;
  stop(): void;
}

async function started(child: ChildProcess, port: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) throw new Error(`the store ended with ${child.exitCode}`);
    const isUp = await fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await wait(100);
  }
}

/** The account of Azurite, which is in its documentation. */
const ACCOUNT = 'devstoreaccount1';
const AZURITE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

async function azure(): Promise<Bucket> {
  const port = await freePort();
  const main = join(BESIDE!, 'node_modules/azurite/dist/src/blob/main.js');
  const args = [
    '--blobPort',
    String(port),
    '--silent',
    '--disableTelemetry',
    '--skipApiVersionCheck',
    '--inMemoryPersistence',
  ];
  const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
  await started(child, port);
  const connection = (key: string) =>
    `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${key};BlobEndpoint=http://127.0.0.1:${port}/${ACCOUNT};`;
  const { BlobServiceClient } = createRequire(join(BESIDE!, 'x.js'))('@azure/storage-blob');
  const container = BlobServiceClient.fromConnectionString(connection(AZURITE_KEY)).getContainerClient('data');
  await container.create();
  return {
    scheme: 'az',
    env: { AZURE_STORAGE_CONNECTION_STRING: connection(AZURITE_KEY) },
    wrong: { AZURE_STORAGE_CONNECTION_STRING: connection(Buffer.from('wrong').toString('base64')) },
    put: (key, bytes) => container.getBlockBlobClient(key).upload(bytes, bytes.length),
    get: (key) => container.getBlockBlobClient(key).downloadToBuffer(),
    stop: () => child.kill('SIGKILL'),
  };
}

async function google(): Promise<Bucket> {
  const port = await freePort();
  const main = join(PYTHON!, '../gcp-storage-emulator');
  const child = spawn(PYTHON!, [main, 'start', '--host', '127.0.0.1', '--port', String(port), '--in-memory'], {
    stdio: 'ignore',
  });
  await started(child, port);
  const { Storage } = createRequire(join(BESIDE!, 'x.js'))('@google-cloud/storage');
  const apiEndpoint = `http://127.0.0.1:${port}`;
  const storage = new Storage({ apiEndpoint, projectId: 'test' });
  await storage.createBucket('data');
  return {
    scheme: 'gs',
    env: { STORAGE_EMULATOR_HOST: apiEndpoint },
    wrong: { STORAGE_EMULATOR_HOST: 'http://127.0.0.1:1' },
    put: (key, bytes) => storage.bucket('data').file(key).save(bytes, { resumable: false }),
    get: async (key) => (await storage.bucket('data').file(key).download())[0],
    stop: () => child.kill('SIGKILL'),
  };
}

describe.skipIf(!BESIDE || !PYTHON).each([
  ['Azure Blob Storage', azure],
  ['Google Cloud Storage', google],
])('%s', (_, open) => {
  let store: Bucket;
  const at = (key: string) => `${store.scheme}://data/${key}`;
  const run = (args: readonly string[], more: Record<string, string> = {}) => {
    const command = join(BESIDE!, 'node_modules/@logodds/cli/bin/logodds.js');
    const env = { ...process.env, ...store.env, LOGODDS_STORE_TIMEOUT: '10', ...more };
    return spawnSync(process.execPath, [command, ...args], { cwd: folder, env, encoding: 'utf8' });
  };

  beforeAll(async () => {
    store = await open();
    mkdirSync(path('in/dt=1'), { recursive: true });
    await parquet(folder, {
      'in/dt=1/a.parquet': csv(3000, 1),
      'in/dt=1/b.parquet': csv(2000, 2),
      'in/dt=2/c.parquet': csv(1000, 3),
    });
    write('large.csv', csv(250_000, 4));
    write('train.csv', csv(400, 5, true));
    near(['train', 'train.csv', '--target', 'y', '--out', 'm.safetensors']);
    for (const name of ['in/dt=1/a.parquet', 'in/dt=1/b.parquet', 'in/dt=2/c.parquet', 'large.csv', 'train.csv'])
      await store.put(name, readFileSync(path(name)));
  }, 60_000);
  afterAll(() => store?.stop());

  test('a model that is trained from it into it', async () => {
    expect(run(['train', at('train.csv'), '--target', 'y', '--out', at('m.safetensors')]).stderr).toBe('');
    expect((await store.get('m.safetensors')).equals(readFileSync(path('m.safetensors')))).toBe(true);
  });

  test('an object of several parts, read and written', async () => {
    near(['score', 'm.safetensors', 'large.csv', '--out', 'near.csv']);
    expect(run(['score', at('m.safetensors'), at('large.csv'), '--out', at('far.csv')]).stderr).toBe('');
    expect((await store.get('far.csv')).equals(readFileSync(path('near.csv')))).toBe(true);
  });

  test('a folder of scores goes on, and the second time there is nothing to do', async () => {
    near(['score', 'm.safetensors', 'in/**/*.parquet', '--out', 'near/']);
    const args = ['score', 'm.safetensors', at('in/**/*.parquet'), '--out', at('scores/'), '--resume'];
    expect(run(args)).toMatchObject({ status: 0 });
    for (const name of ['dt=1/a.parquet', 'dt=1/b.parquet', 'dt=2/c.parquet'])
      expect((await store.get(`scores/${name}`)).equals(readFileSync(path(`near/${name}`)))).toBe(true);
    expect(run(args).stdout).toBe(`nothing to do: all 3 parts are done: ${at('scores/')}\n`);
    await store.put('in/dt=2/c.parquet', readFileSync(path('in/dt=1/b.parquet')));
    const changed = run([...args, '--json']);
    expect(changed.stderr).toContain(
      `note: 1 part made anew, whose inputs were written since: "${at('in/dt=2/c.parquet')}"`,
    );
    expect(JSON.parse(changed.stdout).parts).toEqual({ total: 3, made: 1, kept: 2, refused: 0 });
  });

  test.each<[string, string, RegExp]>([
    [
      'an absent key',
      'data/none.csv',
      /^ERR_DATA .*none\.csv: expected an object, got none of that name; check the key$/m,
    ],
    ['an absent bucket', 'nobody/x.csv', /^ERR_STORE .* got no such bucket; check its name, or make it first$/m],
    ['a pattern in an absent bucket', 'nobody/*.csv', /^ERR_STORE .* got no such bucket/m],
    ['a pattern that matches nothing', 'data/none/*.csv', /^ERR_DATA .* got none that the pattern matches/m],
  ])('%s', (_case, data, sentence) => {
    const { status, stderr } = run(['score', 'm.safetensors', `${store.scheme}://${data}`, '--out', 'x.csv']);
    expect([status, stderr]).toEqual([1, expect.stringMatching(sentence)]);
  });

  test('wrong credentials, or an endpoint that is not there', () => {
    const { status, stderr } = run(['score', 'm.safetensors', at('train.csv'), '--out', 'x.csv'], store.wrong);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^ERR_STORE \w+:\/\/data\/train\.csv: expected an object that can be read, got (credentials|access denied|no answer)/,
    );
  }, 120_000);
});

test('an SDK that is not there is asked for', () => {
  write('m.safetensors', '');
  for (const [address, name] of [
    ['gs://b/x.csv', '@google-cloud/storage'],
    ['az://box/x.csv', '@azure/storage-blob'],
  ])
    expect(near(['eval', 'm.safetensors', address, '--target', 'y']).stderr).toContain(
      `expected the package ${name}, which speaks to this store, got none beside the command; npm install ${name}`,
    );
});
