import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Calls, DirectoryStore } from '../../registry/src/directory.ts';
import { Registry } from '../../registry/src/index.ts';
import { sweep } from '../full.ts';
import { signatureOf } from './keys.ts';
import { FILE, modelFile, OTHER } from './models.ts';

/*
 * A process that is stopped at any call to the file system, within a write too: what was promised before is there, what was under way is there whole or not at
 * all, and the next process goes on.
 */

const root = fs.mkdtempSync(join(tmpdir(), 'logodds-killed-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

class Killed extends Error {}

/** Calls of which the `last` one does not happen, or a part of its write; all that follow do not happen either. */
function killedAt(last: number, part: number): { calls: Calls; made: () => number } {
  let made = 0;
  const calls = Object.fromEntries(
    (
      [
        'closeSync',
        'fsyncSync',
        'fstatSync',
        'mkdirSync',
        'openSync',
        'readdirSync',
        'readFileSync',
        'renameSync',
        'rmSync',
        'statSync',
        'writeSync',
      ] as const
    ).map((name) => [
      name,
      (...given: unknown[]) => {
        if (++made < last) return (fs[name] as (...all: unknown[]) => unknown)(...given);
        if (made === last && name === 'writeSync') {
          const [fd, bytes, from, length] = given as [number, Uint8Array, number, number];
          fs.writeSync(fd, bytes, from, Math.floor(length * part));
        }
        throw new Killed('killed');
      },
    ]),
  );
  return { calls: calls as unknown as Calls, made: () => made };
}

const FILES = [FILE, OTHER, modelFile(1), modelFile(2)];
const SIGNATURE = await signatureOf(FILES[3]);
const COLLECTED = await signatureOf(FILES[2]);
const ann = { by: 'ann' };
const HOURS = 7_200_000;

/** What is there before the process that is stopped. */
async function prepared(place: string): Promise<void> {
  const registry = new Registry(new DirectoryStore(place));
  for (const file of FILES.slice(0, 2)) await registry.push({ ...ann, name: 'fraud', file });
  await registry.push({ ...ann, name: 'fraud', file: FILES[2], signature: COLLECTED });
  await registry.alias('fraud', 1, 'champion', ann);
  await registry.retire('fraud', 3, ann);
}

const plan = { kind: 'canary', steps: [{ share: 0.1, holdSeconds: 1 }], salt: 's' } as const;
const late = () => Date.now() + HOURS;

/** What is stopped: what it does, and what may be true afterwards. */
const ACTS: Readonly<Record<string, { act(registry: Registry): Promise<unknown>; champions: readonly number[] }>> = {
  push: {
    act: (registry) => registry.push({ ...ann, name: 'fraud', file: FILES[3], signature: SIGNATURE }),
    champions: [1],
  },
  alias: { act: (registry) => registry.alias('fraud', 2, 'challenger', ann), champions: [1] },
  promote: { act: (registry) => registry.alias('fraud', 2, 'champion', ann), champions: [1, 2] },
  rollout: {
    async act(registry) {
      await registry.startRollout('fraud', 2, plan, ann);
      await registry.advanceRollout('fraud', ann);
    },
    champions: [1, 2],
  },
  gc: { act: (registry) => registry.collect(ann), champions: [1] },
};

async function check(place: string, name: string, champions: readonly number[]): Promise<void> {
  const registry = new Registry(new DirectoryStore(place), { now: late });
  const entry = await registry.entry('fraud');
  expect(champions, name).toContain(entry.aliases.get('champion'));
  expect(await registry.damage(), name).toEqual([]);
  expect((await registry.verify()).problems, name).toEqual([]);
  // what was promised is there to the byte
  for (const version of entry.versions.values())
    if (!version.isRetired) expect(await registry.file(version), name).toEqual(FILES[version.version - 1]);
  // the next process goes on, and what the stopped one left behind goes
  await registry.alias('fraud', 2, 'after', { by: 'bob' });
  await registry.collect({ by: 'bob' });
  const { version } = await registry.push({ ...ann, name: 'fraud', file: FILES[3] });
  expect(version.version, name).toBe(4);
  const seen = new Registry(new DirectoryStore(place));
  expect((await seen.entry('fraud')).aliases.get('after'), name).toBe(2);
  expect((await seen.events()).map(({ seq }) => seq)).toEqual((await seen.events()).map((_, k) => k + 1));
  const left = fs
    .readdirSync(join(place, 'models'))
    .filter((file) => !/^[0-9a-f]{64}\.safetensors(\.sig)?$/.test(file));
  expect(left, name).toEqual([]);
}

test(`stopped at every call of ${Object.keys(ACTS).join(', ')}, within writes too, nothing is lost and nothing is half`, async () => {
  const before = join(root, 'before');
  await prepared(before);
  let points = 0;
  const parts = sweep([0, 0.5], [0, 0.001, 0.01, 0.1, 0.25, 0.33, 0.5, 0.66, 0.75, 0.9, 0.99, 0.999, 1]);
  for (const [name, { act, champions }] of Object.entries(ACTS))
    for (let last = 1; ; last++) {
      let isOver = false;
      for (const part of parts) {
        const place = join(root, `${name}-${last}-${part}`);
        fs.cpSync(before, place, { recursive: true, preserveTimestamps: true });
        const { calls, made } = killedAt(last, part);
        await act(new Registry(new DirectoryStore(place, calls), { now: late })).catch(() => {});
        isOver = made() < last;
        await check(place, `${name}, call ${last}, ${part} of its write`, champions);
        fs.rmSync(place, { recursive: true });
        if (isOver) break;
        points++;
      }
      if (isOver) break;
    }
  expect(points).toBeGreaterThanOrEqual(sweep(200, 1000));
  // a minute and a half alone, several on a busy machine
}, 900_000);

test('a collection that is stopped at any call beside a push of the same file never loses it', async () => {
  const before = join(root, 'collected');
  await prepared(before);
  for (let last = 1; last <= sweep(20, 60); last++) {
    const place = join(root, `beside-${last}`);
    fs.cpSync(before, place, { recursive: true, preserveTimestamps: true });
    // the collection stands still at a call, then the push comes, then the collection goes on
    let made = 0;
    let pushed: Promise<unknown> = Promise.resolve();
    const calls = new Proxy(fs, {
      get(all, name: keyof typeof fs) {
        const call = all[name] as (...given: unknown[]) => unknown;
        if (typeof call !== 'function') return call;
        return (...given: unknown[]) => {
          if (++made === last) {
            const registry = new Registry(new DirectoryStore(place));
            pushed = registry.push({ ...ann, name: 'fraud', file: FILES[2], signature: COLLECTED, restore: true });
          }
          return call(...given);
        };
      },
    }) as unknown as Calls;
    await new Registry(new DirectoryStore(place, calls), { now: late }).collect(ann);
    await pushed;
    const registry = new Registry(new DirectoryStore(place));
    const entry = await registry.entry('fraud');
    const version = entry.versions.get(3)!;
    if (!version.isRetired) {
      expect(await registry.file(version), `call ${last}`).toEqual(FILES[2]);
      expect(await registry.signature(version), `call ${last}`).toEqual(COLLECTED);
    }
    expect((await registry.verify()).problems, `call ${last}`).toEqual([]);
    fs.rmSync(place, { recursive: true });
  }
});
