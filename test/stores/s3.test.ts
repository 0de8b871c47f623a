import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { workspace } from '../cli/run.ts';
import { sweep } from '../full.ts';
import { clientConfig, environment, GATEWAY, MOTO, startServer } from '../registry/s3Server.ts';
import { csv, parquet, random } from './data.ts';
import { type Asked, type Fate, startWay } from './way.ts';

/*
 * Data, models and outputs in buckets of real servers, which `npm run test:service -- stores` sets up.
 */

const space = workspace();
const { write, path } = space;
const COMMAND = fileURLToPath(new URL('../../cli/bin/logodds.js', import.meta.url));
const ADDRESS = 's3://models';
const PARTS = 6;

/** Texts of the parts by their keys. */
const parts = Object.fromEntries(
  Array.from({ length: PARTS }, (_, i) => [`in/dt=${1 + (i % 2)}/p${i}.csv`, csv(300 + i, 10 + i)]),
);

const server = { current: null as Awaited<ReturnType<typeof startServer>> | null };
let client: S3Client;
let env: Record<string, string>;
const ways: { stop(): Promise<unknown> }[] = [];

const put = (key: string, body: string | Uint8Array) =>
  client.send(new PutObjectCommand({ Bucket: 'models', Key: key, Body: body }));
const get = async (key: string) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'models', Key: key }));
  return Buffer.from(await Body!.transformToByteArray());
};
const keys = async (prefix: string) =>
  ((await client.send(new ListObjectsV2Command({ Bucket: 'models', Prefix: prefix }))).Contents ?? []).map(
    ({ Key }) => Key!,
  );

/** A way on which requests have fates, and the environment of a command that goes it. */
async function way(fate?: (asked: Asked) => Fate | Promise<Fate>, more: Record<string, string> = {}) {
  const one = await startWay(server.current!.endpoint, fate);
  ways.push(one);
  return { ...one, env: { ...env, AWS_ENDPOINT_URL_S3: one.endpoint, AWS_MAX_ATTEMPTS: '1', ...more } };
}
afterEach(async () => {
  for (const one of ways.splice(0)) await one.stop();
});

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command in a process of its own, while this one answers. */
function run(
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
  started: (child: ChildProcess) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: space.folder,
      env: { ...process.env, ...env, ...more },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (piece) => {
      stdout += piece;
    });
    child.stderr.on('data', (piece) => {
      stderr += piece;
    });
    child.once('close', (status) => resolve({ status, stdout, stderr }));
    started(child);
  });
}

const score = (data: string, out: string, more: readonly string[] = [], own: NodeJS.ProcessEnv = {}) =>
  run(['score', 'm.safetensors', data, '--out', out, ...more], own);

async function fill(kind: 'versitygw' | 'moto') {
  const folder = path(`objects-${kind}`);
  mkdirSync(folder);
  server.current = await startServer(kind, folder);
  env = environment(server.current.endpoint);
  client = new S3Client({ region: 'us-east-1', ...clientConfig(server.current.endpoint) });
  write('train.csv', csv(400, 1, true));
  space.run(['train', 'train.csv', '--target', 'y', '--out', 'm.safetensors']);
  await put('train.csv', readFileSync(path('train.csv')));
  for (const [key, text] of Object.entries(parts)) {
    mkdirSync(path(key.replace(/[^/]*$/, '')), { recursive: true });
    write(key, text);
    await put(key, text);
  }
}

async function empty() {
  client?.destroy();
  await server.current?.stop();
}

/** Cases that hold for any server. */
function shared() {
  test('a model that is trained from a bucket into it has the bytes of one of files', async () => {
    const { status, stderr } = await run([
      'train',
      `${ADDRESS}/train.csv`,
      '--target',
      'y',
      '--out',
      `${ADDRESS}/m.safetensors`,
    ]);
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect(await get('m.safetensors')).toEqual(readFileSync(path('m.safetensors')));
  });

  test('scores of objects in a bucket have the bytes of those of files', async () => {
    await run(['score', 'm.safetensors', 'in/**/*.csv', '--out', 'all.csv']);
    const { status, stdout } = await run([
      'score',
      `${ADDRESS}/m.safetensors`,
      `${ADDRESS}/in/**/*.csv`,
      '--out',
      `${ADDRESS}/all.csv`,
      '--json',
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      model: `${ADDRESS}/m.safetensors`,
      out: `${ADDRESS}/all.csv`,
      rows: 1815,
    });
    expect(await get('all.csv')).toEqual(readFileSync(path('all.csv')));
  });

  test('a folder of scores is that of files, and a second run has nothing to do', async () => {
    await score('in/**/*.csv', 'local/');
    const done = await score(`${ADDRESS}/in/**/*.csv`, `${ADDRESS}/scores/`, ['--json']);
    expect([done.status, done.stderr]).toEqual([0, '']);
    for (const key of Object.keys(parts))
      expect(await get(key.replace('in/', 'scores/'))).toEqual(readFileSync(path(key.replace('in/', 'local/'))));
    expect((await keys('scores/')).length).toBe(PARTS + 1);
    const again = await score(`${ADDRESS}/in/**/*.csv`, `${ADDRESS}/scores/`, ['--resume']);
    expect(again).toMatchObject({
      status: 0,
      stdout: `nothing to do: all ${PARTS} parts are done: ${ADDRESS}/scores/\n`,
    });
  });

  test('an object that is written anew while it is read is noticed', async () => {
    const large = csv(200_000, 3);
    await put('changing.csv', large);
    let changed = false;
    const { env: own } = await way(async ({ method, url, range }): Promise<Fate> => {
      if (method === 'GET' && url.includes('changing') && range && !range.startsWith('bytes=0-') && !changed) {
        changed = true;
        await put('changing.csv', csv(200_000, 4));
      }
      return 'passes';
    });
    const { status, stderr } = await score(`${ADDRESS}/changing.csv`, 'x.csv', [], own);
    expect(changed).toBe(true);
    expect([status, stderr]).toEqual([
      1,
      `ERR_STORE ${ADDRESS}/changing.csv: expected an object that can be read, got another one: it was written anew while it was read; run again when nobody writes it; nothing was written from the half of it\n`,
    ]);
    expect(readdirSync(space.folder)).not.toContain('x.csv');
  });
}

describe.skipIf(!MOTO)('moto', () => {
  beforeAll(() => fill('moto'));
  afterAll(empty);
  shared();
});

describe.skipIf(!GATEWAY)('versitygw', () => {
  beforeAll(() => fill('versitygw'));
  afterAll(empty);
  shared();

  test.each<[string, readonly string[]]>([
    ['eval', ['m.safetensors', `${ADDRESS}/train.csv`, '--target', 'y']],
    ['schema', [`${ADDRESS}/train.csv`, '--target', 'y']],
    ['doctor', [`${ADDRESS}/train.csv`, '--target', 'y']],
    ['drift', [`${ADDRESS}/train.csv`, `${ADDRESS}/in/dt=1/p0.csv`]],
    ['inspect', [`${ADDRESS}/m2.safetensors`]],
    ['explain', [`${ADDRESS}/m2.safetensors`, '--record', '{"a":1,"b":2,"c":"x"}']],
    ['eval', ['m.safetensors', '--query', `from '${ADDRESS}/train.csv'`, '--target', 'y']],
  ])('%s prints of objects what it does of files', async (name, args) => {
    await put('m2.safetensors', readFileSync(path('m.safetensors')));
    write('m2.safetensors', readFileSync(path('m.safetensors')));
    const far = await run([name, ...args, '--json']);
    const near = await run([name, ...args.map((one) => one.replaceAll(`${ADDRESS}/`, '')), '--json']);
    const plain = (text: string) => text.replaceAll(`${ADDRESS}/`, '').replace(/"seconds":[\d.e-]+/g, '');
    expect([far.status, plain(far.stderr), plain(far.stdout)]).toEqual([near.status, near.stderr, plain(near.stdout)]);
  });

  test('a page names the objects', async () => {
    const { status } = await run([
      'eval',
      'm.safetensors',
      `${ADDRESS}/train.csv`,
      '--target',
      'y',
      '--report',
      `${ADDRESS}/page.html`,
    ]);
    expect(status).toBe(0);
    const page = (await get('page.html')).toString();
    expect(page).toContain(`${ADDRESS}/train.csv`);
    expect(page).not.toContain('/logodds-');
  });

  test('of Parquet only the columns that the model reads come over the wire', async () => {
    const more = ', random() r1, random() r2, random() r3, random() r4, md5(a::varchar) t1, md5(b::varchar) t2';
    await parquet(space.folder, { 'wide.parquet': csv(60_000, 5) }, more, 20_000);
    const bytes = readFileSync(path('wide.parquet'));
    await put('wide.parquet', bytes);
    const { env: own, bytes: passed } = await way();
    await score('wide.parquet', 'near.csv');
    expect((await score(`${ADDRESS}/wide.parquet`, 'far.csv', [], own)).status).toBe(0);
    expect(readFileSync(path('far.csv')).equals(readFileSync(path('near.csv')))).toBe(true);
    expect(passed() / bytes.length).toBeLessThan(0.4);
  });

  test('packed text is read as it arrives', async () => {
    const packed = gzipSync(csv(5000, 6));
    await put('packed.csv.gz', packed);
    writeFileSync(path('packed.csv.gz'), packed);
    await score('packed.csv.gz', 'near.csv');
    expect((await score(`${ADDRESS}/packed.csv.gz`, 'far.csv')).status).toBe(0);
    expect(readFileSync(path('far.csv')).equals(readFileSync(path('near.csv')))).toBe(true);
  });

  test('connections that are cut are tried again: the same bytes', async () => {
    const text = csv(200_000, 7);
    await put('large.csv', text);
    writeFileSync(path('large.csv'), text);
    let cut = 0;
    const { env: own } = await way(({ range, url }) =>
      range && url.includes('large') && ++cut % 2 === 1 ? 'is cut' : 'passes',
    );
    await score('large.csv', 'near.csv');
    const { status, stderr } = await score(`${ADDRESS}/large.csv`, `${ADDRESS}/large-scores.csv`, [], own);
    expect([status, stderr]).toEqual([0, '']);
    expect(cut).toBeGreaterThan(1);
    expect((await get('large-scores.csv')).equals(readFileSync(path('near.csv')))).toBe(true);
  });

  const NO_ANSWER =
    /^ERR_STORE s3:\/\/models\/train\.csv: expected an object that can be read, got no answer from its endpoint \(.*\); check the endpoint/;
  test.each<[string, (asked: Asked) => Fate, RegExp]>([
    ['always cut', ({ range }) => (range ? 'is cut' : 'passes'), NO_ANSWER],
    ['never answered', () => 'hangs', NO_ANSWER],
    [
      'of expired credentials',
      () => ({ status: 400, code: 'ExpiredToken' }),
      /^ERR_STORE s3:\/\/models\/train\.csv: .* got credentials that are wrong, expired or missing \(ExpiredToken: of the test\); renew them/,
    ],
    [
      'denied',
      () => ({ status: 403, code: 'AccessDenied' }),
      /^ERR_STORE s3:\/\/models\/train\.csv: .* got access denied \(AccessDenied: of the test\); give these credentials the right to read there/,
    ],
  ])(
    'a request that is %s',
    async (_, fate, sentence) => {
      const { env: own } = await way(fate, { LOGODDS_STORE_TIMEOUT: '1' });
      const { status, stderr } = await score(`${ADDRESS}/train.csv`, 'x.csv', [], own);
      expect([status, stderr.split('\n').length]).toEqual([1, 2]);
      expect(stderr).toMatch(sentence);
      expect(readdirSync(space.folder)).not.toContain('x.csv');
    },
    60_000,
  );

  test('a bucket that denies listing', async () => {
    const { env: own } = await way(({ url }) =>
      url.includes('list-type=2') ? { status: 403, code: 'AccessDenied' } : 'passes',
    );
    const { stderr } = await score(`${ADDRESS}/in/*/*.csv`, 'x.csv', [], own);
    expect(stderr).toBe(
      `ERR_STORE ${ADDRESS}/in/*/*.csv: expected objects that can be listed, got access denied (AccessDenied: of the test); give these credentials the right to list there\n`,
    );
    // a key needs no list
    expect((await score(`${ADDRESS}/in/dt=1/p0.csv`, 'x.csv', [], own)).status).toBe(0);
    rmSync(path('x.csv'));
  });

  test.each<[string, string, Record<string, string>, RegExp]>([
    [
      'an absent key',
      `${ADDRESS}/none.csv`,
      {},
      /^ERR_DATA .*none\.csv: expected an object, got none of that name; check the key$/m,
    ],
    [
      'a pattern that matches nothing',
      `${ADDRESS}/none/*.csv`,
      {},
      /^ERR_DATA .* got none that the pattern matches; check the pattern and the bucket$/m,
    ],
    [
      'a folder',
      `${ADDRESS}/in/`,
      {},
      /^ERR_DATA .* got a folder; name its objects, e\.g\. "s3:\/\/models\/in\/\*\.parquet"$/m,
    ],
    ['a bucket alone', ADDRESS, {}, /^ERR_DATA .* got a folder/],
    [
      'an absent bucket',
      's3://nobody/x.csv',
      {},
      /^ERR_STORE .* got no such bucket; check its name, or make it first$/m,
    ],
    [
      'a wrong secret',
      `${ADDRESS}/train.csv`,
      { AWS_SECRET_ACCESS_KEY: 'wrong' },
      /^ERR_STORE .* credentials that are wrong, expired or missing \(SignatureDoesNotMatch/,
    ],
    [
      'an endpoint that is not there',
      `${ADDRESS}/train.csv`,
      { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' },
      /^ERR_STORE .* got no answer from its endpoint \(connect ECONNREFUSED/,
    ],
    ['a key that no file can have', `${ADDRESS}/a/../b.csv`, {}, /^ERR_DATA DATA: expected a key without empty parts/],
  ])(
    '%s',
    async (_, data, own, sentence) => {
      const { status, stderr } = await score(data, 'x.csv', [], own);
      expect([status, stderr.split('\n').length]).toEqual([1, 2]);
      expect(stderr).toMatch(sentence);
    },
    30_000,
  );

  test.each<[string, string, () => string | Uint8Array, RegExp]>([
    [
      'half of a Parquet file',
      'half.parquet',
      () => readFileSync(path('wide.parquet')).subarray(0, 50_000),
      /half\.parquet: /,
    ],
    ['an empty object', 'empty.csv', () => '', /^ERR_DATA s3:\/\/models\/empty\.csv: expected rows, got an empty file/],
    [
      'an object of another type',
      'other.csv',
      () => readFileSync(path('wide.parquet')),
      /^ERR_DATA s3:\/\/models\/other\.csv: expected text by its ending, got Parquet/,
    ],
  ])('%s', async (_, key, content, sentence) => {
    await put(key, content());
    const { status, stderr } = await score(`${ADDRESS}/${key}`, 'x.csv');
    expect([status, stderr]).toEqual([1, expect.stringMatching(sentence)]);
    expect(stderr).not.toContain('logodds-');
    const folder = await score(`${ADDRESS}/${key}`, `${ADDRESS}/none/`, ['--keep-going', '--restart', '--json']);
    expect(folder.status).toBe(3);
    expect(JSON.parse(folder.stdout).refused).toEqual([
      { input: `${ADDRESS}/${key}`, error: expect.stringMatching(sentence) },
    ]);
  });

  test('a type that differs between files names the file, before anything is scored', async () => {
    await parquet(space.folder, { 'types/1.parquet': csv(100, 1) });
    await parquet(space.folder, {
      'types/2.parquet': csv(100, 2).replace(/^[^,\n]+,/gm, (cell) => (cell === 'a,' ? cell : 'many,')),
    });
    for (const name of ['1', '2']) await put(`types/${name}.parquet`, readFileSync(path(`types/${name}.parquet`)));
    const { status, stderr } = await score(`${ADDRESS}/types/*.parquet`, `${ADDRESS}/typed/`);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^ERR_SCHEMA s3:\/\/models\/types\/2\.parquet, column "a": expected numbers .*, got VARCHAR; convert/m,
      ),
    ]);
    expect((await keys('typed/')).filter((key) => key.endsWith('.parquet'))).toEqual([]);
  });

  test('an output that cannot be sent: what was there stays, and nothing is printed as done', async () => {
    await put('kept.csv', 'before');
    const { env: own } = await way(({ method, url }) =>
      method === 'PUT' && url.includes('kept.csv') ? { status: 403, code: 'AccessDenied' } : 'passes',
    );
    const { status, stdout, stderr } = await score('in/dt=1/p0.csv', `${ADDRESS}/kept.csv`, ['--json'], own);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^ERR_STORE s3:\/\/models\/kept\.csv: expected an object that can be written, got access denied/,
    );
    expect((await get('kept.csv')).toString()).toBe('before');
  });

  test('SIGINT in the middle of an upload of parts leaves no object and no upload', async () => {
    writeFileSync(path('large.csv'), csv(200_000, 7));
    let child: ChildProcess | null = null;
    let sent = 0;
    const { env: own } = await way(({ method, url }) => {
      if (method !== 'PUT' || !url.includes('partNumber')) return 'passes';
      if (++sent === 2) child!.kill('SIGINT');
      return sent >= 2 ? 'hangs' : 'passes';
    });
    const { status, stderr } = await run(
      ['score', 'm.safetensors', 'large.csv', '--out', `${ADDRESS}/stopped.jsonl`],
      own,
      (one) => {
        child = one;
      },
    );
    expect([status, stderr]).toEqual([
      null,
      'ERR_INTERRUPTED stopped by SIGINT before the end; no output was written\n',
    ]);
    expect(await keys('stopped')).toEqual([]);
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket: 'models' }))).Uploads ?? []).toEqual([]);
  }, 30_000);

  test('of two jobs on a prefix the second says so', async () => {
    let second: Promise<Ended> | null = null;
    const { env: own } = await way(async ({ method, url }): Promise<Fate> => {
      if (method === 'PUT' && url.includes('/two/dt%3D1/p0') && second === null) {
        second = score(`${ADDRESS}/in/**/*.csv`, `${ADDRESS}/two/`);
        await second;
      }
      return 'passes';
    });
    const first = await score(`${ADDRESS}/in/**/*.csv`, `${ADDRESS}/two/`, [], own);
    expect([first.status, first.stderr]).toEqual([0, '']);
    expect(await second!).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^ERR_OUTPUT s3:\/\/models\/two\/: expected an output that no other job writes, got one of process \d+, since .*; wait/,
      ),
    });
  }, 30_000);

  test('a job killed at any request goes on, and its parts are those of one run', async () => {
    const next = random(11);
    let [killed, kept] = [0, 0];
    const total = 60;
    for (let i = 0; i < sweep(4, 20); i++) {
      const at = 12 + Math.floor(next() * (total - 12));
      let child: ChildProcess | null = null;
      const { env: own } = await way(({ number }) => {
        if (number < at) return 'passes';
        child!.kill('SIGKILL');
        return 'hangs';
      });
      const args = ['score', 'm.safetensors', `${ADDRESS}/in/**/*.csv`, '--out', `${ADDRESS}/k${i}/`];
      const first = await run(args, own, (one) => {
        child = one;
      });
      if (first.status === null) killed++;
      const second = await run([...args, '--resume', '--json']);
      expect([at, second.status, second.stderr]).toEqual([at, 0, expect.any(String)]);
      kept += JSON.parse(second.stdout).parts.kept;
      for (const key of Object.keys(parts))
        expect(await get(key.replace('in/', `k${i}/`))).toEqual(await get(key.replace('in/', 'scores/')));
      expect((await keys(`k${i}/`)).length).toBe(PARTS + 1);
    }
    expect(killed).toBeGreaterThan(0);
    expect(kept).toBeGreaterThan(0);
  }, 200_000);
});
