import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DirectoryStore } from '../../registry/src/directory.ts';
import { type Happening, MemoryStore, Registry, type Store, stateOf } from '../../registry/src/index.ts';
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
const canary = {
  kind: 'canary',
  steps: [
    { share: 0.05, holdSeconds: 60 },
    { share: 0.5, holdSeconds: null },
  ],
  salt: 's',
} as const;

/** A registry whose clock stands still unless it is set. */
function open(store: Store, clock = { now: Date.UTC(2026, 10, 30) }) {
  return new Registry(store, { now: () => clock.now });
}

const STORES: readonly [name: string, make: () => Store][] = [
  ['a directory', () => new DirectoryStore(join(folder(), 'registry'))],
  ['memory', () => new MemoryStore()],
];

describe.each(STORES)('a registry in %s', (_, make) => {
  test('gives versions numbers, and a file that is there its own number again', async () => {
    const registry = open(make());
    const first = await registry.push({
      ...ann,
      name: 'fraud',
      file: FILE,
      tags: { team: 'risk' },
      metrics: { auc: 0.7 },
    });
    const second = await registry.push({ ...ann, name: 'fraud', file: OTHER });
    const again = await registry.push({ by: 'bob', name: 'fraud', file: FILE });
    expect([first.version.version, second.version.version, again.version.version]).toEqual([1, 2, 1]);
    expect([first.isNew, again.isNew]).toEqual([true, false]);
    expect(again.version).toMatchObject({ by: 'ann', tags: { team: 'risk' }, metrics: { auc: 0.7 } });
    // the same file may have another name
    expect((await registry.push({ ...ann, name: 'fraud-eu', file: FILE })).version.version).toBe(1);
    expect(await registry.file(first.version)).toEqual(FILE);
    expect((await registry.events()).map(({ seq, event }) => `${seq} ${event}`)).toEqual([
      '1 pushed',
      '2 pushed',
      '3 pushed',
    ]);
  });

  test('says what is no model, and keeps nothing of it', async () => {
    const store = make();
    const registry = open(store);
    await expect(registry.push({ ...ann, name: 'fraud', file: FILE.slice(0, 200) })).rejects.toMatchObject({
      code: 'ERR_FORMAT',
    });
    for (const name of ['', 'a/b', 'a b', '.a', 'a@b', 'x'.repeat(129)])
      await expect(registry.push({ ...ann, name, file: FILE })).rejects.toThrow(/^name: expected/);
    expect(await store.list('models/')).toEqual([]);
    expect((await registry.state()).seq).toBe(0);
  });

  test('has aliases, of which champion is promoted and goes back', async () => {
    const registry = open(make());
    for (const file of [FILE, OTHER, modelFile(1)]) await registry.push({ ...ann, name: 'fraud', file });
    await registry.alias('fraud', 1, 'champion', ann);
    await registry.alias('fraud', 2, 'challenger', ann);
    await registry.alias('fraud', 2, 'champion', { by: 'bob', why: 'better' });
    await registry.alias('fraud', 2, 'champion', ann); // nothing happens
    expect(Object.fromEntries((await registry.entry('fraud')).aliases)).toEqual({ champion: 2, challenger: 2 });
    expect((await registry.resolve({ name: 'fraud', alias: 'champion' })).version).toBe(2);
    await registry.alias('fraud', null, 'challenger', ann);
    await registry.alias('fraud', 3, 'champion', ann);
    expect(await registry.rollback('fraud', null, { by: 'carl', why: 'worse in the south' })).toBe(2);
    expect(await registry.rollback('fraud', null, ann)).toBe(1);
    await expect(registry.rollback('fraud', null, ann)).rejects.toThrow(
      /expected a version that was champion before, got none/,
    );
    const log = (await registry.events()).filter(({ event }) => event !== 'pushed');
    expect(log.map(({ event }) => event)).toEqual([
      'promoted',
      'aliased',
      'promoted',
      'aliased',
      'promoted',
      'rolled-back',
      'rolled-back',
    ]);
    expect(log[5]).toMatchObject({ by: 'carl', why: 'worse in the south', version: 2, from: 3 });
  });

  test.each<[string, (registry: Registry) => Promise<unknown>, RegExp]>([
    [
      'an unknown name',
      (r) => r.alias('loans', 1, 'champion', ann),
      /^loans: expected a model of the registry \(fraud\)/,
    ],
    [
      'an unknown version',
      (r) => r.alias('fraud', 9, 'champion', ann),
      /^fraud: expected one of its versions \(1 to 2\), got 9/,
    ],
    [
      'an unknown alias',
      (r) => r.resolve({ name: 'fraud', alias: 'best' }),
      /^fraud: expected one of its aliases \(champion\), got best/,
    ],
    ['an alias like a version', (r) => r.alias('fraud', 1, '12', ann), /^alias: expected a letter/],
    [
      'a champion that is retired',
      async (r) => {
        await r.retire('fraud', 2, ann);
        await r.alias('fraud', 2, 'champion', ann);
      },
      /^version 2 of fraud: expected one that is in use, got one that is retired/,
    ],
    [
      'retiring a champion',
      (r) => r.retire('fraud', 1, ann),
      /^version 1 of fraud: expected one that no alias names, got champion/,
    ],
    [
      'a rollout of the champion',
      (r) => r.startRollout('fraud', 1, canary, ann),
      /^fraud: expected a challenger that is not the champion/,
    ],
    ['advancing none', (r) => r.advanceRollout('fraud', ann), /^fraud: expected a rollout that goes on, got none/],
    [
      'shares above 1',
      (r) =>
        r.startRollout(
          'fraud',
          2,
          {
            ...canary,
            kind: 'ab',
            steps: [{ share: 0.6, holdSeconds: null }],
            arms: [{ name: 'b', version: 2, share: 0.5 }],
          },
          ann,
        ),
      /^rollout, shares: expected at most 1 together, got 1.1/,
    ],
    [
      'a promotion after a failed gate',
      async (r) => {
        await r.gated('fraud', 2, { against: 1, passed: false, failed: ['auc'] }, ann);
        await r.alias('fraud', 2, 'champion', ann);
      },
      /^version 2 of fraud: expected one that has passed its gate, got one that failed it \(auc\)/,
    ],
    [
      'a promotion without a gate that is demanded',
      async (r) => {
        await r.demand('*', 'champion', { gate: true }, ann);
        await r.alias('fraud', 2, 'champion', ann);
      },
      /got one that went through none/,
    ],
    [
      'a promotion without a signature that is demanded',
      async (r) => {
        await r.demand('fraud', 'champion', { keys: ['ab'.repeat(32)] }, ann);
        await r.alias('fraud', 2, 'champion', ann);
      },
      /^version 2 of fraud: expected a signature of a key that champion demands \(abababababab\), got none/,
    ],
  ])('refuses %s, and nothing changes', async (_name, act, message) => {
    const registry = open(make());
    for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
    await registry.alias('fraud', 1, 'champion', ann);
    await expect(act(registry)).rejects.toThrow(message);
    expect((await registry.entry('fraud')).aliases.get('champion')).toBe(1);
  });

  test('has one rollout at a time, whose challenger becomes champion by one event', async () => {
    const clock = { now: Date.UTC(2026, 10, 30) };
    const registry = open(make(), clock);
    for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
    await registry.alias('fraud', 1, 'champion', ann);
    await registry.startRollout('fraud', 2, canary, ann);
    await expect(registry.startRollout('fraud', 2, canary, ann)).rejects.toThrow(
      /expected no rollout, got one of version 2/,
    );
    await expect(registry.alias('fraud', 2, 'champion', ann)).rejects.toThrow(/expected no rollout/);
    clock.now += 1000;
    await registry.advanceRollout('fraud', ann, 0);
    await registry.advanceRollout('fraud', ann, 0); // of another replica, which has seen the step before
    expect((await registry.entry('fraud')).rollout).toMatchObject({
      step: 1,
      since: '2026-11-30T00:00:01.000Z',
      outcome: null,
    });
    await registry.advanceRollout('fraud', ann);
    expect((await registry.entry('fraud')).rollout?.outcome).toBe('promoted');
    expect((await registry.events()).at(-1)).toMatchObject({ event: 'rollout-ended', version: 2 });
    expect(await registry.rollback('fraud', null, ann)).toBe(1);
    // of one that is over, a guard that comes late changes nothing
    const seq = (await registry.state()).seq;
    await registry.endRollout('fraud', 'rolled-back', ann, 4);
    expect((await registry.state()).seq).toBe(seq);
  });

  test('collects what no version has, and what is retired, but nothing that is new', async () => {
    const clock = { now: Date.now() };
    const store = make();
    const registry = open(store, clock);
    for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
    await store.write(`models/${'ab'.repeat(32)}.safetensors`, FILE);
    expect(await registry.collect(ann)).toMatchObject({ removed: [], tooNew: 1 });
    await registry.retire('fraud', 1, ann);
    clock.now += 7_200_000;
    const { removed } = await registry.collect(ann);
    expect(removed).toHaveLength(2);
    expect((await store.list('models/')).map(({ path }) => path)).toHaveLength(1);
    expect(await registry.verify()).toMatchObject({ problems: [], faults: [] });
    // it is used again only where somebody says so
    await expect(registry.push({ ...ann, name: 'fraud', file: FILE })).rejects.toThrow(
      /got one that is retired; .*--restore/,
    );
    await expect(registry.retire('fraud', 1, ann, false)).rejects.toThrow(
      /expected its file, got none: it was collected/,
    );
    const restored = await registry.push({ ...ann, name: 'fraud', file: FILE, restore: true });
    expect(restored).toMatchObject({ isNew: false, version: { version: 1 } });
    expect((await registry.entry('fraud')).versions.get(1)!.isRetired).toBe(false);
    expect((await registry.verify()).problems).toEqual([]);
  });

  test('is not led astray by a clock that goes back', async () => {
    const clock = { now: Date.UTC(2026, 10, 30) };
    const registry = open(make(), clock);
    await registry.push({ ...ann, name: 'fraud', file: FILE });
    clock.now -= 86_400_000;
    await registry.alias('fraud', 1, 'champion', ann);
    const [, event] = await registry.events();
    expect(event).toMatchObject({ at: '2026-11-30T00:00:00.000Z', clock: '2026-11-29T00:00:00.000Z' });
  });

  test('has a linear history of sixteen that write at once', async () => {
    const store = make();
    const files = Array.from({ length: 16 }, (_, k) => modelFile(k));
    await Promise.all(
      files.map(async (file, k) => {
        const registry = open(store);
        const { version } = await registry.push({ by: `p${k}`, name: 'fraud', file });
        await registry.alias('fraud', version.version, 'champion', { by: `p${k}` });
      }),
    );
    const registry = open(store);
    const events = await registry.events();
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, k) => k + 1));
    expect(new Set((await registry.entry('fraud')).versions.keys())).toEqual(new Set(files.map((_, k) => k + 1)));
    expect(await registry.damage()).toEqual([]);
  });
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
