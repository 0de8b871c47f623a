import * as fs from 'node:fs';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Calls, DirectoryStore } from '../../registry/src/directory.ts';
import { type Happening, MemoryStore, Registry, stateOf } from '../../registry/src/index.ts';
import { open, registryCases } from './cases.ts';
import { demandCases } from './demandCases.ts';
import { FILE, modelFile, OTHER } from './models.ts';

const folders: string[] = [];
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'logodds-registry-'));
  folders.push(path);
  return path;
};
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

const ann = { by: 'ann' };
registryCases('a directory', () => new DirectoryStore(join(folder(), 'registry')));
registryCases('memory', () => new MemoryStore());
demandCases('a directory', () => new DirectoryStore(join(folder(), 'registry')));
demandCases('memory', () => new MemoryStore());

test('a file that no version has goes when it is older than it must be, and no moment sooner; unfinished ones too', async () => {
  const clock = { now: 5000 };
  const store = new MemoryStore('memory', () => clock.now);
  const registry = open(store, clock);
  const stray = `models/${'ab'.repeat(32)}.safetensors`;
  const unfinished = 'models/.7-1-x.tmp';
  for (const path of [stray, unfinished]) await store.write(path, FILE);
  expect((await registry.verify()).problems).toEqual([]);
  await store.write('models/notes.txt', FILE);
  expect((await registry.verify()).problems).toEqual(['models/notes.txt is no file of a registry']);
  await store.remove('models/notes.txt');
  clock.now += 1000;
  expect(await registry.unused(1000)).toEqual({ removed: [], bytes: 0, tooNew: 1 });
  expect(await registry.collect(ann, 1000)).toEqual({ removed: [], bytes: 0, tooNew: 1 });
  expect(await store.list('models/')).toHaveLength(2);
  clock.now += 1;
  expect(await registry.unused(1000)).toEqual({ removed: [stray], bytes: FILE.length, tooNew: 0 });
  expect(await registry.collect(ann, 1000)).toEqual({ removed: [stray], bytes: FILE.length, tooNew: 0 });
  expect(await store.list('models/')).toEqual([]);
  // an hour, where nothing is said
  await store.write(stray, FILE);
  clock.now += 3_600_000;
  expect((await registry.unused()).tooNew).toBe(1);
  expect((await registry.collect(ann)).tooNew).toBe(1);
  clock.now += 1;
  expect((await registry.collect(ann)).removed).toEqual([stray]);
});

describe('a log in a directory', () => {
  const make = async () => {
    const place = join(folder(), 'registry');
    const registry = open(new DirectoryStore(place));
    for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
    await registry.alias('fraud', 1, 'champion', ann);
    await registry.alias('fraud', 2, 'challenger', ann);
    return { path: join(place, 'log.jsonl'), place };
  };
  const reopened = (place: string) => open(new DirectoryStore(place));

  test.each([
    ['is no JSON', (line: string) => line.slice(5)],
    ['was cut', (line: string) => line.slice(0, 40)],
    ['is empty', () => ''],
    ['has NUL bytes', (line: string) => '\0'.repeat(line.length)],
  ])('a line that %s is named, and the rest is readable', async (_, harm) => {
    const { path, place } = await make();
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [lines[0], lines[1], harm(lines[2]), lines[3], ''].join('\n'));
    const registry = reopened(place);
    expect(await registry.damage()).toMatchObject([
      { kind: 'damaged', reason: expect.stringMatching(/^event 3 is lost/) },
    ]);
    // what it said is not known, the rest is
    expect(Object.fromEntries((await registry.entry('fraud')).aliases)).toEqual({ challenger: 2 });
    await registry.alias('fraud', 1, 'champion', ann);
    expect(Object.fromEntries((await reopened(place).entry('fraud')).aliases)).toEqual({ champion: 1, challenger: 2 });
    expect((await registry.verify()).faults).toHaveLength(1);
  });

  test('a line that was changed is named', async () => {
    const { path, place } = await make();
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"promoted","name":"fraud","version":1', '"promoted","name":"fraud","version":2'));
    expect(await reopened(place).damage()).toMatchObject([
      { line: 3, reason: expect.stringMatching(/^line 3 was changed/) },
    ]);
    writeFileSync(path, text);
    expect(await reopened(place).damage()).toEqual([]);
  });

  test('an event that a stopped writer has torn counts for nothing, wherever it was torn', async () => {
    const { path, place } = await make();
    const before = readFileSync(path, 'utf8');
    const last = before.lastIndexOf('\n', before.length - 2) + 1;
    for (let cut = last + 1; cut < before.length - 1; cut += 7) {
      writeFileSync(path, before.slice(0, cut));
      const registry = reopened(place);
      expect((await registry.entry('fraud')).aliases.get('challenger')).toBeUndefined();
      await registry.alias('fraud', 2, 'shadow', ann);
      const after = reopened(place);
      expect((await after.entry('fraud')).aliases.get('shadow')).toBe(2);
      expect(await after.damage()).toEqual([]);
      expect((await after.events()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    }
    // whole but for its end: it counts
    writeFileSync(path, before.slice(0, -1));
    const registry = reopened(place);
    await registry.alias('fraud', 2, 'shadow', ann);
    expect(Object.fromEntries((await reopened(place).entry('fraud')).aliases)).toEqual({
      champion: 1,
      challenger: 2,
      shadow: 2,
    });
  });

  test('an event that lost its place counts for nothing', async () => {
    const { path, place } = await make();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    appendFileSync(path, `${lines[3].replace('challenger', 'late')}\n`);
    const registry = reopened(place);
    expect((await registry.entry('fraud')).aliases.has('late')).toBe(false);
    expect((await registry.verify()).faults).toMatchObject([{ line: 5, kind: 'lost' }]);
  });

  test('of a newer format is refused, by its line', async () => {
    const { path, place } = await make();
    appendFileSync(path, `${JSON.stringify({ ...(await reopened(place).events())[3], seq: 5, format: 2 })}\n`);
    await expect(reopened(place).state()).rejects.toThrow(
      /expected events of format 1, got 2 in line 5 of log.jsonl; a newer version wrote it/,
    );
  });

  test('an event of a name that is not known is named, and the rest counts', async () => {
    const { place } = await make();
    const events = await reopened(place).events();
    const strange = { ...events[3], seq: 5, event: 'blessed' } as unknown as Happening & (typeof events)[0];
    expect(stateOf({ events: [...events, strange], seq: 5 }).misfits).toEqual([
      { seq: 5, reason: 'its name, blessed, is not known' },
    ]);
  });

  test.each([
    ['EACCES', 'permission denied', 'openSync', /permission denied\); give this user the right; what was there stays$/],
    ['ENOSPC', 'no space left on device', 'writeSync', /the disk is full\); free some space; what was there stays$/],
    ['EROFS', 'read-only file system', 'openSync', /choose another place; what was there stays$/],
  ] as const)('a place that says %s is named, and what was there stays', async (code, said, call, message) => {
    const { place } = await make();
    const fail = () => {
      throw Object.assign(new Error(`${code}: ${said}, ${call}`), { code });
    };
    const writes = (flags: unknown) => call !== 'openSync' || flags === 'a' || flags === 'wx';
    const calls = {
      ...fs,
      [call]: (...given: [never, never]) =>
        writes(given[1]) ? fail() : (fs as unknown as Record<string, (...all: unknown[]) => unknown>)[call](...given),
    } as unknown as Calls;
    const registry = new Registry(new DirectoryStore(place, calls));
    for (const act of [
      registry.alias('fraud', 2, 'champion', ann),
      registry.push({ ...ann, name: 'fraud', file: modelFile(3) }),
    ])
      await expect(act).rejects.toMatchObject({ code: 'ERR_STORE', message: expect.stringMatching(message) });
    const after = reopened(place);
    expect((await after.entry('fraud')).aliases.get('champion')).toBe(1);
    expect((await after.entry('fraud')).versions.size).toBe(2);
    expect(await after.verify()).toMatchObject({ faults: [], problems: [] });
  });

  test('a file that was changed, cut or lost is named', async () => {
    const { place } = await make();
    const registry = reopened(place);
    const one = await registry.resolve({ name: 'fraud', version: 1 });
    const path = join(place, 'models', `${one.sha256}.safetensors`);
    writeFileSync(path, FILE.slice(0, -1));
    await expect(registry.file(one)).rejects.toThrow(/it was changed: put it back from a copy/);
    expect((await registry.verify()).problems).toHaveLength(1);
    // a push of the file mends it
    await registry.push({ ...ann, name: 'fraud', file: FILE });
    expect((await registry.verify()).problems).toEqual([]);
    rmSync(path);
    await expect(registry.file(one)).rejects.toThrow(/expected the file of version 1 of fraud .*, got none/);
  });
});
