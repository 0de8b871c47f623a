import { describe, expect, test } from 'vitest';
import { modelPath, Registry, type RolloutPlan, type Store, versionsOf } from '../../registry/src/index.ts';
import { FILE, modelFile, OTHER } from './models.ts';

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
export function open(store: Store, clock = { now: Date.UTC(2026, 10, 30) }) {
  return new Registry(store, { now: () => clock.now });
}

/** What a registry does, whatever the place. @param make  gives an empty store */
export function registryCases(place: string, make: () => Store): void {
  describe(`a registry in ${place}`, () => {
    test('gives versions numbers, and a file that is there its own number again', async () => {
      const registry = open(make());
      const first = await registry.push({
        ...ann,
        name: 'fraud',
        file: FILE,
        tags: { team: 'risk' },
        metrics: { auc: 0.7 },
        lineage: { command: 'logodds train', parent: 1 },
      });
      const second = await registry.push({ ...ann, name: 'fraud', file: OTHER });
      const again = await registry.push({ by: 'bob', name: 'fraud', file: FILE });
      expect([first.version.version, second.version.version, again.version.version]).toEqual([1, 2, 1]);
      expect([first.isNew, again.isNew]).toEqual([true, false]);
      expect(again.version).toMatchObject({ by: 'ann', tags: { team: 'risk' }, metrics: { auc: 0.7 } });
      expect(again.version.lineage).toEqual({ command: 'logodds train', parent: 1 });
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
      ...['header:', 'header:x y', 'header:x:y', '', ' x', 'x\ny'.slice(1)].map(
        (key): [string, (registry: Registry) => Promise<unknown>, RegExp] => [
          `the key ${JSON.stringify(key)}, which no request can have`,
          (r) => r.startRollout('fraud', 2, { ...canary, key }, ann),
          /^rollout, key: expected a field of the record, or header:NAME, got "/,
        ],
      ),
      [
        'a guard that does not exist',
        (r) => r.startRollout('fraud', 2, { ...canary, guards: { maxPSI: 0.2 } as never }, ann),
        /^rollout, guards: expected some of alpha, .*, got maxPSI; correct or remove it$/,
      ],
      [
        'a part of blue-green',
        (r) =>
          r.startRollout(
            'fraud',
            2,
            { ...canary, kind: 'blue-green', steps: [{ share: 0.6, holdSeconds: null }] },
            ann,
          ),
        /^rollout, share of step 1: expected 1 for blue-green, which takes all at once, got 0\.6/,
      ],
      ...[
        '',
        '.',
        '..',
        '-x',
        '*',
        'a*',
        'a/b',
        'a@b',
        'a b',
        'a\u001b[31m',
        'a\u202eb',
        'a\u0000',
        'n'.repeat(129),
      ].map((name): [string, (registry: Registry) => Promise<unknown>, RegExp] => [
        `the name ${JSON.stringify(name.slice(0, 20))}`,
        (r) => r.push({ ...ann, name, file: FILE }),
        /^name: expected 1 to 128 characters without blanks, invisible ones/,
      ]),
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
    ])('refuses %s, and nothing changes', async (_name, act, message) => {
      const registry = open(make());
      for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
      await registry.alias('fraud', 1, 'champion', ann);
      await expect(act(registry)).rejects.toThrow(message);
      expect((await registry.entry('fraud')).aliases.get('champion')).toBe(1);
    });

    test('promotes what has passed the gate that is demanded, and goes back to what was champion before it was', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER, modelFile(1)]) await registry.push({ ...ann, name: 'fraud', file });
      for (const version of [1, 2]) await registry.alias('fraud', version, 'champion', ann);
      await registry.demand('fraud', 'champion', { gate: true }, ann);
      await registry.gated('fraud', 3, { against: 2, passed: true, failed: [] }, ann);
      await registry.alias('fraud', 3, 'champion', ann);
      expect((await registry.entry('fraud')).versions.get(3)!.gate).toMatchObject({ passed: true, against: 2 });
      await registry.gated('fraud', 2, { against: 3, passed: false, failed: ['auc'] }, ann);
      expect(await registry.rollback('fraud', null, ann)).toBe(2);
      expect(await registry.rollback('fraud', null, ann)).toBe(1);
      // another alias does not care
      await registry.alias('fraud', 2, 'challenger', ann);
      // an alias that is not there is taken away already
      const { seq } = await registry.state();
      await registry.alias('fraud', null, 'shadow', ann);
      expect((await registry.state()).seq).toBe(seq);
    });

    test('rolls back to no version that is retired, and to the champion alone where a rollout goes on', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER, modelFile(1)]) await registry.push({ ...ann, name: 'fraud', file });
      for (const version of [1, 2, 3]) await registry.alias('fraud', version, 'champion', ann);
      await registry.retire('fraud', 2, ann);
      await expect(registry.rollback('fraud', 2, ann)).rejects.toThrow(/got one that is retired/);
      const { seq } = await registry.state();
      expect(await registry.rollback('fraud', 3, ann)).toBe(3);
      expect((await registry.state()).seq).toBe(seq);
      await registry.startRollout('fraud', 1, canary, ann);
      expect(await registry.rollback('fraud', null, ann)).toBe(3);
      expect((await registry.events()).at(-1)).toMatchObject({ event: 'rollout-ended', version: 3 });
      // the version before was retired
      expect(await registry.rollback('fraud', null, ann)).toBe(1);
    });

    test('demands a gate of the alias and the models that it names alone', async () => {
      const registry = open(make());
      for (const name of ['fraud', 'loans']) await registry.push({ ...ann, name, file: FILE });
      await registry.demand('loans', 'champion', { gate: true }, ann);
      await registry.demand('*', 'prod', { gate: true }, ann);
      await registry.alias('fraud', 1, 'champion', ann);
      for (const [name, alias] of [
        ['fraud', 'prod'],
        ['loans', 'champion'],
      ] as const)
        await expect(registry.alias(name, 1, alias, ann)).rejects.toThrow(/got one that went through none/);
      await registry.demand('loans', 'champion', {}, ann);
      await registry.alias('loans', 1, 'champion', ann);
      expect((await registry.state()).demands).toMatchObject([{ name: '*', alias: 'prod' }]);
    });

    test('retires nothing that answers in a rollout, and starts none with what is retired', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER, modelFile(1), modelFile(2)])
        await registry.push({ ...ann, name: 'fraud', file });
      const ab: RolloutPlan = { ...canary, kind: 'ab', arms: [{ name: 'b', version: 3, share: 0.1 }] };
      await expect(registry.startRollout('fraud', 2, canary, ann)).rejects.toThrow(
        /^fraud: expected a champion, beside which the challenger answers, got none/,
      );
      expect(versionsOf(await registry.entry('fraud'))).toEqual([]);
      await registry.alias('fraud', 1, 'champion', ann);
      expect(versionsOf(await registry.entry('fraud'))).toEqual([1]);
      for (const version of [2, 3]) {
        await registry.retire('fraud', version, ann);
        await expect(registry.startRollout('fraud', 2, ab, ann)).rejects.toThrow(/got one that is retired/);
        await registry.retire('fraud', version, ann, false);
      }
      await registry.startRollout('fraud', 2, ab, ann);
      expect(versionsOf(await registry.entry('fraud'))).toEqual([1, 2, 3]);
      for (const version of [2, 3])
        await expect(registry.retire('fraud', version, ann)).rejects.toThrow(/^fraud: expected no rollout/);
      await registry.retire('fraud', 4, ann);
      await registry.endRollout('fraud', 'aborted', ann);
      expect(versionsOf(await registry.entry('fraud'))).toEqual([1]);
      await registry.retire('fraud', 2, ann);
      const { seq } = await registry.state();
      // it is so already
      await registry.retire('fraud', 2, ann);
      expect((await registry.state()).seq).toBe(seq);
    });

    test('gives no traffic to what failed its gate, in no step and no arm; a shadow of it may run', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER, modelFile(1)]) await registry.push({ ...ann, name: 'fraud', file });
      await registry.alias('fraud', 1, 'champion', ann);
      await registry.gated('fraud', 2, { against: 1, passed: false, failed: ['auc'] }, ann);
      const failed = /^version 2 of fraud: expected one that has passed its gate, got one that failed it \(auc\)/;
      const arm = (share: number): RolloutPlan => ({
        ...{ ...canary, kind: 'ab' },
        arms: [{ name: 'b', version: 2, share }],
      });
      for (const plan of [canary, { ...canary, kind: 'blue-green', steps: [{ share: 1, holdSeconds: null }] }] as const)
        await expect(registry.startRollout('fraud', 2, plan, ann)).rejects.toThrow(failed);
      await expect(registry.startRollout('fraud', 3, arm(0.1), ann)).rejects.toThrow(failed);
      await registry.startRollout('fraud', 2, { ...canary, kind: 'shadow' }, ann);
      await registry.endRollout('fraud', 'aborted', ann);
      const silent = { ...canary, steps: [{ share: 0, holdSeconds: null }] };
      await registry.startRollout('fraud', 2, silent, ann);
      await registry.endRollout('fraud', 'aborted', ann);
      await registry.startRollout('fraud', 3, arm(0), ann);
      await registry.endRollout('fraud', 'aborted', ann);
      await registry.startRollout('fraud', 3, canary, ann);
      await registry.gated('fraud', 3, { against: 1, passed: false, failed: ['psi'] }, ann);
      await expect(registry.advanceRollout('fraud', ann)).rejects.toThrow(/got one that failed it \(psi\)/);
    });

    test('asks for the gate that is demanded when a rollout that answers starts, and again when it goes on', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
      await registry.alias('fraud', 1, 'champion', ann);
      await registry.demand('fraud', 'champion', { gate: true }, ann);
      const promoting: RolloutPlan = { ...canary, promotes: true };
      await expect(registry.startRollout('fraud', 2, promoting, ann)).rejects.toThrow(/went through none/);
      await expect(registry.startRollout('fraud', 2, canary, ann)).rejects.toThrow(/went through none/);
      // what answers nobody may run to learn what a gate needs
      await registry.startRollout('fraud', 2, { ...canary, kind: 'shadow' }, ann);
      expect(versionsOf(await registry.entry('fraud'))).toEqual([1, 2]);
      await registry.endRollout('fraud', 'aborted', ann);
      await registry.gated('fraud', 2, { against: 1, passed: true, failed: [] }, ann);
      await registry.startRollout('fraud', 2, promoting, ann);
      await registry.advanceRollout('fraud', ann);
      await registry.gated('fraud', 2, { against: 1, passed: false, failed: ['auc'] }, ann);
      await expect(registry.advanceRollout('fraud', ann)).rejects.toThrow(/got one that failed it \(auc\)/);
      await registry.endRollout('fraud', 'aborted', ann);
      // who has seen a step of it learns that another was first
      expect(await registry.advanceRollout('fraud', ann, 1)).toBe(false);
    });

    test('notes tags that change alone, and takes one away by null', async () => {
      const registry = open(make());
      await registry.push({ ...ann, name: 'fraud', file: FILE, tags: { team: 'risk', ticket: '17' } });
      await registry.tag('fraud', 1, { team: 'risk', ticket: null, region: 'south', none: null }, ann);
      expect((await registry.events()).at(-1)).toMatchObject({ tags: { ticket: null, region: 'south' } });
      expect(Object.keys(((await registry.events()).at(-1) as unknown as { tags: object }).tags)).toHaveLength(2);
      expect((await registry.resolve({ name: 'fraud', version: 1 })).tags).toEqual({ team: 'risk', region: 'south' });
      const { seq } = await registry.state();
      await registry.tag('fraud', 1, { team: 'risk', ticket: null }, ann);
      expect((await registry.state()).seq).toBe(seq);
      await expect(registry.tag('fraud', 2, { team: 'risk' }, ann)).rejects.toThrow(/expected one of its versions/);
      await expect(registry.gated('fraud', 2, { against: 1, passed: true, failed: [] }, ann)).rejects.toThrow(
        /expected one of its versions/,
      );
    });

    test('ends a rollout that goes on, and the one alone that is meant', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER]) await registry.push({ ...ann, name: 'fraud', file });
      await registry.alias('fraud', 1, 'champion', ann);
      await expect(registry.endRollout('fraud', 'aborted', ann)).rejects.toThrow(/expected a rollout that goes on/);
      expect(await registry.endRollout('fraud', 'rolled-back', ann, 1)).toBe(false);
      await registry.startRollout('fraud', 2, canary, ann);
      const { seq } = (await registry.entry('fraud')).rollout!;
      expect(await registry.endRollout('fraud', 'rolled-back', ann, seq - 1)).toBe(false);
      expect((await registry.entry('fraud')).rollout!.outcome).toBe(null);
      expect(await registry.endRollout('fraud', 'rolled-back', ann, seq)).toBe(true);
      expect((await registry.entry('fraud')).rollout!.outcome).toBe('rolled-back');
    });

    test('names at most ten of its models to who asks for another', async () => {
      const registry = open(make());
      const names = Array.from({ length: 11 }, (_, k) => `m${k}`);
      await expect(registry.entry('m')).rejects.toThrow(/\(it is empty\)/);
      for (const [k, name] of names.entries()) {
        await registry.push({ ...ann, name, file: FILE });
        const said = k < 10 ? names.slice(0, k + 1).join(', ') : `${names.slice(0, 10).join(', ')}, and 1 more`;
        await expect(registry.entry('m')).rejects.toThrow(`m: expected a model of the registry (${said}), got another`);
      }
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

    test('goes back during a rollout by ending it, and to a version that was champion alone', async () => {
      const registry = open(make());
      for (const file of [FILE, OTHER, modelFile(1), modelFile(2)])
        await registry.push({ ...ann, name: 'fraud', file });
      for (const version of [1, 2]) await registry.alias('fraud', version, 'champion', ann);
      await registry.gated('fraud', 4, { against: 2, passed: false, failed: ['auc'] }, ann);
      await registry.startRollout('fraud', 3, canary, ann);
      await expect(registry.alias('fraud', null, 'champion', ann)).rejects.toThrow(/expected no rollout/);
      // the champion answers everything
      expect(await registry.rollback('fraud', null, { by: 'bob', why: 'slow' })).toBe(2);
      expect((await registry.entry('fraud')).rollout).toMatchObject({ outcome: 'rolled-back', why: 'slow' });
      await registry.startRollout('fraud', 3, canary, ann);
      expect(await registry.rollback('fraud', 1, { by: 'bob', why: 'slower' })).toBe(1);
      expect((await registry.entry('fraud')).rollout).toMatchObject({ outcome: 'rolled-back', why: 'slower' });
      // what was never champion has gone through nothing that is demanded of one
      for (const version of [3, 4])
        await expect(registry.rollback('fraud', version, ann)).rejects.toThrow(
          /expected one that was champion before \(1\), got another/,
        );
      expect((await registry.entry('fraud')).aliases.get('champion')).toBe(1);
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
      expect((await registry.unused()).removed).toHaveLength(2);
      expect((await store.list('models/')).map(({ path }) => path)).toHaveLength(3);
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

    test('finishes what a collection that was stopped had put aside: used files come back, others go', async () => {
      const clock = { now: Date.now() };
      const store = make();
      const registry = open(store, clock);
      const versions: string[] = [];
      for (const file of [FILE, OTHER, modelFile(1)])
        versions.push((await registry.push({ ...ann, name: 'fraud', file })).version.sha256);
      const [lost, doubled, retired] = versions.map(modelPath) as [string, string, string];
      const { seq } = await registry.state();
      // nothing to remove is no event
      expect(await registry.collect(ann)).toEqual({ removed: [], bytes: 0, tooNew: 0 });
      expect((await registry.state()).seq).toBe(seq);
      await store.move(lost, `${lost}.trash`);
      await store.write(`${doubled}.trash`, FILE);
      // it is found there meanwhile
      expect(await registry.file(await registry.resolve({ name: 'fraud', version: 1 }))).toEqual(FILE);
      await registry.collect(ann);
      expect((await store.list('models/')).map(({ path }) => path).sort()).toEqual([lost, doubled, retired].sort());
      expect([await store.read(lost), await store.read(doubled)]).toEqual([FILE, OTHER]);
      await registry.retire('fraud', 3, ann);
      await store.move(retired, `${retired}.trash`);
      await store.write(retired, modelFile(1));
      const found = await registry.collect(ann);
      expect(found).toEqual({ removed: [retired], bytes: modelFile(1).length, tooNew: 0 });
      expect((await store.list('models/')).map(({ path }) => path).sort()).toEqual([lost, doubled].sort());
      expect((await registry.events()).at(-1)).toMatchObject({ event: 'collected', sha256s: [versions[2]] });
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
}
