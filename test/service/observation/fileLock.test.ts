import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FileLock } from '../../../cli/src/serve/observation/fileLock.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `audit${++files}.jsonl`);
/** A lock as another process has written it. */
const lockOf = (path: string, other: object) => {
  const lock = `${path}.lock`;
  writeFileSync(lock, JSON.stringify({ ...own, ...other }));
  return lock;
};
const own = await (async () => {
  const path = newPath();
  const lock = await FileLock.take(path);
  const text = readFileSync(`${path}.lock`, 'utf8');
  lock.release();
  return JSON.parse(text);
})();
const ended = spawnSync(process.execPath, ['-e', '0']).pid;

test('one has it at a time, by whatever name of the file; given back, the next one has it', async () => {
  const path = newPath();
  const lock = await FileLock.take(path);
  expect(lock.left).toBe(null);
  await expect(FileLock.take(path)).rejects.toThrow(
    /^expected a file that nobody else writes, got one of process \d+, since 2\S+Z; stop it, or choose another file$/,
  );
  writeFileSync(path, '');
  const link = newPath();
  symlinkSync(path, link);
  await expect(FileLock.take(link)).rejects.toThrow('nobody else');
  lock.release();
  expect(existsSync(`${path}.lock`)).toBe(false);
  (await FileLock.take(link)).release();
  await expect(FileLock.take(join(folder, 'none', 'audit.jsonl'))).rejects.toThrow('ENOENT');
});

test.each([
  ['a process that has ended', { pid: ended }],
  ['one that had the id of this one before', { started: 'before' }],
])('a lock left by %s is taken over at once, by one of several', async (_, other) => {
  const path = newPath();
  lockOf(path, other);
  const all = await Promise.allSettled([0, 1, 2, 3].map(() => FileLock.take(path, Number.POSITIVE_INFINITY)));
  const got = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(got.map(({ left }) => left)).toEqual([expect.stringMatching(/^process \d+, since /)]);
  // and nothing of the takeover stays
  expect(readdirSync(folder).filter((name) => name.includes(`audit${files}.`))).toHaveLength(1);
  got[0].release();
});

test('a lock of another machine that is touched is respected; one that stands still is taken over, and so is one of which nothing can be read', async () => {
  const path = newPath();
  const lock = lockOf(path, { place: 'another' });
  let seconds = 0;
  const touching = setInterval(() => utimesSync(lock, ++seconds, seconds), 20);
  try {
    await expect(FileLock.take(path, Number.POSITIVE_INFINITY)).rejects.toThrow('nobody else');
  } finally {
    clearInterval(touching);
  }
  (await FileLock.take(path, 100)).release();
  writeFileSync(lock, '');
  const taken = await FileLock.take(path, 100);
  expect(taken.left).toBe('nobody that it names');
  // the owner's touch is what others see
  const before = readFileSync(lock, 'utf8');
  taken.touch();
  expect(readFileSync(lock, 'utf8')).toBe(before);
  // somebody else has it now
  writeFileSync(lock, 'another');
  taken.release();
  expect(readFileSync(lock, 'utf8')).toBe('another');
});
