import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fit } from '../../src/index.ts';
import { encoderSkew, type Prediction, recordQuality, scoreSkew, volumeTest } from '../../src/monitor.ts';
import { sweep } from '../full.ts';

describe('recordQuality', () => {
  const fields = [
    { name: 'age', kind: 'number', low: 0, high: 120 },
    { name: 'city', kind: 'text', levels: ['Ulm', 'Bonn'] },
    { name: 'balance', maxAgeMs: 1000 },
  ] as const;

  test('counts each kind of fault by field, and records with one', () => {
    const quality = recordQuality({ fields });
    const records = [
      { age: 5, city: 'Ulm', balance: 1 },
      { age: -1, city: 'Köln', balance: {} },
      { age: '5', city: 7, balance: null },
      { age: Number.NaN, city: null },
      { age: Number.POSITIVE_INFINITY, extra: 1, ['__proto__x']: 2 },
    ];
    for (const record of records) quality.add(record as never);
    quality.add(null as never);
    expect(quality.fields['age']).toMatchObject({
      rows: 6,
      valid: 1,
      outOfRange: 2,
      wrongKind: 1,
      missing: 1,
      absent: 1,
      missingRate: 2 / 6,
    });
    expect(quality.fields['city']).toMatchObject({ valid: 1, unseen: 1, wrongKind: 1, missing: 1, absent: 2 });
    expect(quality.fields['balance']).toMatchObject({ valid: 2, missing: 1, absent: 3, freshness: null });
    expect(quality.violations).toBe(4);
    expect(quality.otherFields).toEqual({ extra: 1, __proto__x: 1 });
  });

  test('ages of values: fresh, stale, from the future', () => {
    const quality = recordQuality({ fields });
    for (const time of [9000, 8999, 10_500]) quality.add({ balance: 1 }, { at: 10_000, eventTimes: { balance: time } });
    quality.add({ balance: 1 }, { at: 10_000 });
    expect(quality.fields['balance']).toMatchObject({ stale: 1, fromFuture: 1 });
    expect(quality.fields['balance'].freshness).toMatchObject({ count: 2, negative: 1 });
  });

  test('duplicates by key, as far back as keys are remembered', () => {
    const quality = recordQuality({ fields, remembered: 3 });
    for (const key of ['a', 'b', 'a', 'c', 'd', 'a', 'e', 'f', 'g', 'h', 'i', 'j', 'a']) quality.add({}, { key });
    expect(quality.duplicates).toBe(2);
  });

  const record = fc.record(
    { age: fc.constantFrom(1, -1, 'x', null), city: fc.constantFrom('Ulm', 'Rom'), balance: fc.nat() },
    { requiredKeys: [] },
  );
  test('merges in any order, and parts add up', () => {
    fc.assert(
      fc.property(fc.array(record), fc.nat(), (records, cut) => {
        const all = recordQuality({ fields });
        const parts = [recordQuality({ fields }), recordQuality({ fields })];
        records.forEach((one, i) => {
          const about = { at: 5000, eventTimes: { balance: 10 * i } };
          all.add(one, about);
          parts[i < cut % (records.length + 1) ? 1 : 0].add(one, about);
        });
        parts[0].merge(parts[1]);
        expect(JSON.stringify(parts[0].fields)).toBe(JSON.stringify(all.fields));
        expect([parts[0].rows, parts[0].violations]).toEqual([all.rows, all.violations]);
        for (const { rows, valid, absent, missing, wrongKind, outOfRange, unseen } of Object.values(all.fields))
          expect(valid + absent + missing + wrongKind + outOfRange + unseen).toBe(rows);
      }),
      { seed: 25, numRuns: sweep(200, 2000) },
    );
  });

  test('wrong rules and times are refused; no record has no rate', () => {
    expect(recordQuality({ fields }).fields['age'].missingRate).toBeNull();
    expect(() => recordQuality({ fields: [{ name: 'a', kind: 'date' as never }] })).toThrow(/kind/);
    expect(() => recordQuality({ fields: [{ name: 'a', min: 1 } as never] })).toThrow(/min/);
    expect(() => recordQuality({ fields }).add({}, { at: Number.NaN })).toThrow(/at: /);
    expect(() => recordQuality({ fields }).merge(recordQuality({ fields: [] }))).toThrow(/one schema/);
  });
});

describe('volumeTest', () => {
  test("is Student's: p of R for t = 2.5 with 4 degrees, and 1.2 with 7", () => {
    // 2·pt(−|t|, k − 1) in R, of counts whose transforms are chosen: here by the closed forms
    const p4 = (t: number): number => 1 - (t / Math.sqrt(4 + t * t)) * (1 + 0.5 * (4 / (4 + t * t)));
    const history = [100, 140, 80, 120, 90];
    const level = (n: number): number => 2 * Math.sqrt(n + 3 / 8);
    const levels = history.map(level);
    const mean = levels.reduce((sum, one) => sum + one, 0) / 5;
    const spread = Math.sqrt(levels.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 4) * Math.sqrt(1.2);
    for (const count of [60, 100, 190]) {
      const found = volumeTest(count, history);
      expect(found.p).toBeCloseTo(p4(Math.abs(level(count) - mean) / spread), 12);
    }
  });

  test('nothing where there was something is low; its ends are where p is alpha', () => {
    const history = [900, 1010, 980, 1100, 1000, 950];
    expect(volumeTest(0, history)).toMatchObject({ kind: 'low' });
    const { low, high } = volumeTest(1000, history, { alpha: 0.05 });
    expect(volumeTest(Math.ceil(high) + 1, history, { alpha: 0.05 }).kind).toBe('high');
    expect(volumeTest(Math.floor(high) - 1, history, { alpha: 0.05 }).kind).toBe('usual');
    expect(volumeTest(Math.floor(low) - 1, history, { alpha: 0.05 }).kind).toBe('low');
    expect(volumeTest(0, [0, 0, 0, 0])).toMatchObject({ kind: 'usual', low: 0 });
  });

  test('wrong input is refused', () => {
    expect(() => volumeTest(1, [1, 2])).toThrow(/three windows/);
    expect(() => volumeTest(-1, [1, 2, 3])).toThrow(/count/);
    expect(() => volumeTest(1, [1, 2, 3], { alpha: 2 })).toThrow(/alpha/);
  });
});

describe('scoreSkew', () => {
  const records = Array.from({ length: 40 }, (_, i) => ({
    x: i % 7,
    c: 'abc'[i % 3],
    y: (i * 7) % 5 > 2 ? 'yes' : 'no',
  }));
  const { model } = fit(records, { target: 'y' });
  const line = (i: number, changed: Partial<Prediction> = {}): Prediction => {
    const { y: _, ...inputs } = records[i];
    const { logit, probability, label } = model.score(inputs) as { logit: number; probability: number; label: string };
    return {
      at: i,
      id: `r${i}`,
      entity: null,
      model: 'm',
      version: '1',
      sha256: model.sha256!,
      route: null,
      logit,
      probability,
      label,
      inputs,
      ...changed,
    };
  };
  const score = (inputs: Readonly<Record<string, unknown>>) => model.score(inputs) as never;

  test('equal to the bit, also by way of JSON', () => {
    const lines = JSON.parse(JSON.stringify(records.map((_, i) => line(i)))) as Prediction[];
    expect(scoreSkew(lines, score)).toMatchObject({
      rows: 40,
      equal: 40,
      different: 0,
      greatestLogit: 0,
      examples: [],
    });
  });

  test('a last bit, another label, no inputs and refused inputs are told apart', () => {
    const { probability } = line(1);
    const logit = line(1).logit as number;
    const found = scoreSkew(
      [
        line(0),
        line(1, { logit: logit * (1 + 2 ** -52) }),
        line(2, { label: 'other' }),
        line(3, { inputs: null }),
        line(4, { inputs: { x: 'seven', c: 'a' } }),
        line(5, { logit: [1, 2] }),
        line(1, { id: 'r6', probability: probability / 2 }),
      ],
      score,
    );
    expect(found).toMatchObject({
      rows: 7,
      equal: 1,
      different: 4,
      withoutInputs: 1,
      refused: 1,
      examples: ['r1', 'r2', 'r4', 'r5', 'r6'],
    });
    expect(found.greatestLogit).toBeGreaterThan(0);
  });
});

describe('encoderSkew', () => {
  const slot = (name: string, count: number, mean: number, variance: number) => ({ name, count, mean, variance });

  test('Holm over the slots, and a least difference', () => {
    const before = [
      slot('a', 1000, 0, 1),
      slot('b', 1000, 0, 1),
      slot('c', 1000, 5, 0),
      slot('d', 1e6, 0, 1),
      slot('e', 1000, 5, 0),
    ];
    const after = [
      slot('e', 9, 5, 0),
      slot('d', 1e6, 0.05, 1),
      slot('c', 9, 6, 0),
      slot('b', 500, 0.05, 1),
      slot('a', 500, 0.5, 1),
    ];
    const found = encoderSkew(before, after);
    expect(found.map(({ name, isSkewed }) => [name, isSkewed])).toEqual([
      ['a', true],
      ['b', false],
      ['c', true],
      ['d', false],
      ['e', false],
    ]);
    expect(found[1].p).toBeCloseTo(0.3613, 3);
    expect(found[2]).toMatchObject({ standardised: null, p: 0 });
    expect(found[3].adjustedP).toBeLessThan(1e-9);
  });

  test('sides of other slots, and figures that are none, are refused; few rows have no p', () => {
    const one = [slot('a', 10, 0, 1)];
    expect(() => encoderSkew(one, [])).toThrow(/same on both/);
    expect(() => encoderSkew(one, [slot('b', 1, 0, 0)])).toThrow(/"b"|"a"/);
    expect(() => encoderSkew(one, [slot('a', 10, Number.NaN, 1)])).toThrow(/a: expected a count/);
    expect(encoderSkew(one, [slot('a', 1, 9, 0)])[0]).toMatchObject({ p: null, isSkewed: false });
  });
});
