import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3Store } from '../../registry/src/s3.ts';
import { workspace } from '../cli/run.ts';
import { registryCases } from './cases.ts';
import { demandCases } from './demandCases.ts';
import { FILE, OTHER } from './models.ts';
import { pushAtOnce } from './processes.ts';
import { clientConfig, environment, type Fate, GATEWAY, MOTO, startServer, startWay } from './s3Server.ts';

/*
 * A registry in a bucket of real servers, which `npm run test:service -- registry-s3` sets up.
 */

const space = workspace();
const { write, run, json, path } = space;
let places = 0;
const place = () => `s3://models/${++places}`;

describe.skipIf(!GATEWAY)('versitygw', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  let env: Record<string, string>;
  beforeAll(async () => {
    const folder = path('objects');
    mkdirSync(folder);
    server = await startServer('versitygw', folder);
    env = environment(server.endpoint);
    write('a.safetensors', FILE);
    write('b.safetensors', OTHER);
  });
  afterAll(() => server?.stop());

  registryCases('a bucket of versitygw', () => new S3Store(place(), clientConfig(server.endpoint)));
  demandCases('a bucket of versitygw', () => new S3Store(place(), clientConfig(server.endpoint)));

  test('sixteen processes push and promote at once: a linear history, nothing lost', () =>
    pushAtOnce(space, place(), env));

  test.each<[string, () => Record<string, string>, string, RegExp]>([
    [
      'a wrong secret',
      () => ({ AWS_SECRET_ACCESS_KEY: 'wrong' }),
      's3://models/x',
      /SignatureDoesNotMatch.*; correct AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'an unknown key',
      () => ({ AWS_ACCESS_KEY_ID: 'nobody' }),
      's3://models/x',
      /no user exists with the provided access key id\); check the bucket, its endpoint .* credentials/i,
    ],
    [
      'no credentials',
      () => ({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true', HOME: path('.') }),
      's3://models/x',
      /CredentialsProviderError.*; set AWS_ACCESS_KEY_ID/,
    ],
    ['no such bucket', () => ({}), 's3://none/x', /NoSuchBucket.*; make the bucket first/],
    [
      'no server',
      () => ({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' }),
      's3://models/x',
      /ECONNREFUSED.*; check the bucket, its endpoint/,
    ],
  ])('%s is one sentence', (_, wrong, where, message) => {
    const { status, stdout, stderr } = run(['push', 'a.safetensors', '--name', 'fraud', '--registry', where], {
      env: { ...env, ...wrong() },
    });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^ERR_STORE registry s3:\/\//);
  });

  /** Pushes by a way of fates beside what is there. */
  async function pushBy(fate: Fate) {
    const where = place();
    const first = run(['push', 'a.safetensors', '--name', 'fraud', '--alias', 'champion', '--registry', where], {
      env,
    });
    expect(first.status, first.stderr).toBe(0);
    const way = await startWay(server.endpoint, fate);
    const child = space.start(
      ['push', 'b.safetensors', '--name', 'fraud', '--alias', 'champion', '--registry', where],
      { ...env, AWS_ENDPOINT_URL_S3: way.endpoint },
    );
    let stderr = '';
    child.stderr!.on('data', (part) => {
      stderr += part;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    await way.stop();
    const verified = json(['registry', 'verify', '--registry', where], { env });
    const { versions, aliases } = json(['registry', 'show', 'fraud', '--registry', where], { env });
    return { status, stderr, made: way.made(), verified, versions: versions.length, aliases, where };
  }

  test('a server that goes away at any request: one sentence, the old state or the new one, and the next push goes on', async () => {
    const { status, made } = await pushBy(() => 'passes');
    expect(status).toBe(0);
    for (let from = 1; from <= made; from++) {
      const found = await pushBy((number) => (number < from ? 'passes' : 'is refused'));
      expect(found.status, `request ${from}`).toBe(1);
      expect(found.stderr, `request ${from}`).toMatch(/ERR_STORE registry s3:/);
      expect(found.verified.isSound).toBe(true);
      // the version is there whole or not at all, and nothing else is champion
      expect([1, 2]).toContain(found.versions);
      expect(found.aliases.champion).toBeLessThanOrEqual(found.versions);
      const again = run(['push', 'b.safetensors', '--name', 'fraud', '--registry', found.where], { env });
      expect([again.status, again.stdout]).toEqual([0, '2\n']);
    }
  }, 600_000);

  test('an answer that is lost is no second event', async () => {
    const { made } = await pushBy(() => 'passes');
    for (let lost = 1; lost <= made; lost++) {
      const found = await pushBy((number) => (number === lost ? 'loses its answer' : 'passes'));
      expect(found.status, `answer ${lost}: ${found.stderr}`).toBe(0);
      expect(found.verified, `answer ${lost}`).toMatchObject({ isSound: true, events: 4, faults: [] });
      expect(found.aliases).toEqual({ champion: 2 });
    }
  }, 600_000);
});

describe.skipIf(!MOTO)('moto', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer('moto', join(space.folder, 'none'));
  });
  afterAll(() => server?.stop());

  registryCases('a bucket of moto', () => new S3Store(place(), clientConfig(server.endpoint)));
});
