import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { domainShift, fit, loadModel, saveModel } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { countsP, sharesP } from '../../src/monitor/drift/few.ts';
import { exactTail, kolmogorovTail, limitTail } from '../../src/monitor/drift/kolmogorov.ts';
import { logitShifts } from '../../src/monitor/drift/shift.ts';
import {
  adjustP,
  binsOfData,
  chiSquareCounts,
  drift,
  evidentlyDefault,
  hellinger,
  jensenShannon,
  klDivergence,
  ksTest,
  peerFigure,
  psiTest,
  Summary,
  summarise,
  summary,
  wasserstein,
  watch,
  windows,
  withBaseline,
} from '../../src/monitor.ts';
import { error } from '../metrics/oracle.ts';
import { checkPeers, type PeerVectors } from '../peers/check.ts';

const oracle = JSON.parse(
  readFileSync(process.env['LOGODDS_DRIFT'] ?? new URL('../fixtures/drift.json', import.meta.url), 'utf8'),
) as PeerVectors;

describe('the vectors of the guide', () => {
  test('Jensen-Shannon in nats and bits', () => {
    expect(jensenShannon([0.5, 0.5, 0], [0.4, 0.4, 0.2])).toBeCloseTo(0.27364532084863846, 15);
    expect(jensenShannon([0.5, 0.5, 0], [0.4, 0.4, 0.2], 2)).toBeCloseTo(0.32868152693085756, 15);
    expect(jensenShannon([0.5, 0.5, 0], [0.4, 0.4, 0.2]) ** 2).toBeCloseTo(0.07488176162235428, 15);
  });

  test('Kolmogorov-Smirnov, four p-values of one statistic', () => {
    const x = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    const y = Array.from({ length: 25 }, (_, j) => ((j + 1) / 25) ** 1.5);
    const { d, p, method } = ksTest(x, y);
    expect([d, method]).toEqual([expect.closeTo(0.19, 15), 'exact']);
    expect(p).toBeCloseTo(0.7531240016575392, 14);
    expect(ksTest(x, y, { method: 'asymp' }).p).toBeCloseTo(0.7561036678727117, 13);
    expect(ksTest(x, y, { method: 'limit' }).p).toBeCloseTo(0.7725564870879047, 14);
  });

  test('χ² of counts', () => {
    const { chi2, df, p } = chiSquareCounts([50, 50, 10], [40, 45, 25]);
    expect([chi2, p]).toEqual([expect.closeTo(7.802840434419382, 13), expect.closeTo(0.02021318393929024, 14)]);
    expect(df).toBe(2);
  });

  test('the index of counts has the p-value of χ², and ε where asked', () => {
    const e = Array.from({ length: 10 }, () => 1000);
    const a = [800, 900, 950, 1000, 1000, 1050, 1100, 1100, 1100, 1000];
    expect(psiTest(e, a, { epsilon: 1e-4 }).psi).toBeCloseTo(0.008876198869777117, 15);
    expect(psiTest([5, 5, 0], [4, 4, 2], { epsilon: 1e-4 }).psi).toBeCloseTo(1.5640491119253044, 13);
    expect(psiTest([5, 5, 0], [4, 4, 2], { epsilon: 1e-6 }).psi).toBeCloseTo(2.4858310332962312, 13);
  });
});

describe('SciPy, Evidently and NannyML', () => {
  test('every figure of every frame', () => {
    expect(
      checkPeers(oracle, {
        adjustP,
        chiSquareCounts,
        evidentlyDefault,
        jensenShannon,
        klDivergence,
        ksTest,
        peerFigure,
        wasserstein,
      }),
    ).toEqual([]);
  });

  test('the tail of kstwo, to 1e-11', () => {
    for (const [n, d, p] of oracle.kstwo) expect(Math.abs(kolmogorovTail(n, d) - p), `${n} ${d}`).toBeLessThan(1e-11);
  });
});

describe('laws', () => {
  test('the exact p-value is the share of permutations', () => {
    // all 70 ways to draw 4 of 8
    const all: number[] = [];
    for (let bits = 0; bits < 256; bits++) {
      const a = Array.from({ length: 8 }, (_, i) => i).filter((i) => (bits >> i) & 1);
      if (a.length === 4)
        all.push(
          ksTest(
            a,
            Array.from({ length: 8 }, (_, i) => i).filter((i) => !a.includes(i)),
          ).d,
        );
    }
    for (const d of [0.25, 0.5, 0.75, 1])
      expect(exactTail(4, 4, d)).toBeCloseTo(all.filter((one) => one >= d - 1e-9).length / 70, 12);
    expect(limitTail(10_000, 0)).toBe(1);
  });

  test('distances are 0 for the same distribution, symmetric, and at most their bound', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 2, maxLength: 12 }), (pairs) => {
        const [p, q] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
        fc.pre(p.some(Boolean) && q.some(Boolean));
        expect(jensenShannon(p, p)).toBeLessThan(1e-7);
        expect(jensenShannon(p, q)).toBeCloseTo(jensenShannon(q, p), 12);
        expect(jensenShannon(p, q)).toBeLessThanOrEqual(Math.sqrt(Math.LN2) + 1e-12);
        expect(hellinger(p, q)).toBeLessThanOrEqual(1 + 1e-12);
        expect(klDivergence(p, q)).toBeGreaterThanOrEqual(-1e-12);
      }),
    );
    expect(wasserstein([1, 2, 3], [3, 4, 5])).toBeCloseTo(2, 14);
  });

  test('adjusted p-values: Holm is above Benjamini-Hochberg, both keep the order, null stays', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }), (p) => {
        const [bh, holm] = [adjustP(p), adjustP(p, 'holm')];
        p.forEach((one, i) => {
          // the same product in another order
          expect(holm[i]).toBeGreaterThanOrEqual(bh[i] * (1 - 1e-12));
          expect(bh[i]).toBeGreaterThanOrEqual(one * (1 - 1e-12));
          p.forEach((other, j) => {
            if (one < other) expect(bh[i]).toBeLessThanOrEqual(bh[j]);
          });
        });
      }),
    );
    expect(adjustP([null, 0.02, 0.5])).toEqual([null, 0.04, 0.5]);
    expect(adjustP([0.2, 0.1], 'none')).toEqual([0.2, 0.1]);
  });

  test('the p-value of shares is that of all tables with the same margins where counts are few, else that of χ²', () => {
    const choose = (n: number, k: number): number => {
      let found = 1;
      for (let i = 0; i < k; i++) found = (found * (n - i)) / (i + 1);
      return k < 0 || k > n ? 0 : Math.round(found);
    };
    for (let n = 1; n <= 9; n++)
      for (let m = 1; m <= 9; m++)
        for (let k = 0; k <= n; k++)
          for (let l = 0; l <= m; l++) {
            const of = (x: number): number => choose(m, x) * choose(n, k + l - x);
            let [all, beyond] = [0, 0];
            for (let x = 0; x <= m; x++) {
              all += of(x);
              if (of(x) <= of(l)) beyond += of(x);
            }
            expect(sharesP(k, n, l, m)).toBeCloseTo(beyond / all, 12);
          }
    // 40 of the 2,440 rows are where the one empty cell could be
    expect(sharesP(0, 2400, 1, 40)).toBeCloseTo(1 / 61, 14);
    expect(sharesP(0, 1e9, 1e9, 1e9)).toBe(0);
    expect(sharesP(1e6, 1e9, 0, 1)).toBeCloseTo(1, 12);
    expect(sharesP(50, 110, 40, 110)).toBe(chiSquareCounts([50, 60], [40, 70]).p);
  });

  test('one row of a rare level does not make a window another one', () => {
    expect(countsP([1200, 1200, 0], [20, 19, 1])).toBeCloseTo(2 / 61, 12);
    expect(countsP([2400, 0], [39, 1])).toBeCloseTo(1 / 61, 12);
    expect(countsP([1200, 1200, 100], [40, 30, 30])).toBe(chiSquareCounts([1200, 1200, 100], [40, 30, 30]).p);
    // by themselves rows with an empty cell of 40 are no alarm at the level of 0.01
    const rowsOf = (count: number, empty: number) =>
      Array.from({ length: count }, (_, i) => ({
        x: i < empty ? null : (i * 37) % 101,
        plan: ['a', 'b'][i % 2],
        y: (i * 7) % 3 ? 'no' : 'yes',
      }));
    const { model } = fit(rowsOf(2400, 0), {
      target: 'y',
      schema: {
        features: [
          { name: 'x', kind: 'numeric', missing: 'baseline' },
          { name: 'plan', kind: 'categorical' },
        ],
      },
    });
    const found = drift(rowsOf(2400, 0), rowsOf(40, 1), { model });
    expect(found.features[0].tests.missing!.p).toBeCloseTo(1 / 61, 12);
  });

  test('bad input', () => {
    expect(() => ksTest([], [1])).toThrow(error('ERR_RANGE', 'reference: expected one value or more'));
    expect(() => ksTest([1], [Number.NaN])).toThrow(error('ERR_RANGE', 'current: expected finite numbers, got NaN'));
    expect(() => jensenShannon([1, 2], [1])).toThrow(error('ERR_SHAPE', 'q'));
    expect(() => chiSquareCounts([0, 0], [1, 1])).toThrow(error('ERR_RANGE', 'reference'));
    expect(() => psiTest([1, -1], [1, 1])).toThrow(error('ERR_RANGE', 'reference'));
    expect(() => adjustP([2])).toThrow(error('ERR_RANGE', 'p'));
    expect(() => peerFigure('evidently', 'other' as 'psi', [1], [1])).toThrow(error('ERR_RANGE', 'figure'));
  });
});

type Row = Record<string, unknown>;

function rowsOf(count: number, seed: number, { shift = 0, cities = 3 } = {}): Row[] {
  const random = splitmix32(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, () => {
    const age = random() < 0.1 ? null : 40 + 10 * normal() + 10 * shift;
    const income = Math.exp(normal());
    const city = random() < 0.05 ? null : ['Bern', 'Basel', 'Chur', 'Genf'][Math.floor(random() * cities)];
    const words = random() < 0.5 ? 'late train' : 'cold late station';
    const bad = random() < 1 / (1 + Math.exp(3 - (age ?? 40) / 20 - Number(city === 'Bern'))) ? 'yes' : 'no';
    return { age, income, city, words, constant: 7, bad };
  });
}

const schema = {
  features: [
    { name: 'age', kind: 'numeric' },
    { name: 'income', kind: 'numeric', transform: 'log', spline: 4 },
    { name: 'city', kind: 'categorical' },
    { name: 'words', kind: 'text', buckets: 8 },
    { name: 'constant', kind: 'numeric' },
  ],
} as const;
const train = rowsOf(2000, 1);
const model = withBaseline(fit(train, { target: 'bad', schema }).model, train);
const featureOf = (found: ReturnType<typeof drift>, name: string) =>
  found.features.find((one) => one.feature === name)!;

describe('drift', () => {
  test('of the same rows is none; of rows that moved names what moved, from a model read from its file', () => {
    const read = loadModel(saveModel(model));
    const none = drift(read, train);
    expect(none.features.map(({ drifted }) => drifted)).toEqual([false, false, false, false, false]);
    expect(none.logitShift.total).toBe(0);
    const same = drift(read, rowsOf(1000, 9));
    expect(same.features.filter(({ drifted }) => drifted)).toEqual([]);
    expect(same.score.drifted).toBe(false);
    const moved = drift(read, rowsOf(1000, 3, { shift: 0.5, cities: 4 }));
    expect(moved.features.filter(({ drifted }) => drifted).map(({ feature }) => feature)).toEqual(['age', 'city']);
    expect(moved.score.drifted).toBe(true);
    expect(featureOf(moved, 'age').towards).toBe('yes');
    expect(moved.logitShift.ranked[0]).toBe('age');
    expect(featureOf(moved, 'city').current.labels[0].label).toBe('Genf');
    expect(featureOf(moved, 'city').tests.unseen!.value).toBeGreaterThan(0.15);
    expect(JSON.parse(JSON.stringify(moved))).toEqual(moved);
  });

  test('data against data of a model, and a summary of merged windows against a baseline', () => {
    const current = rowsOf(600, 4, { shift: 1 });
    const direct = drift(train, current, { model });
    expect(featureOf(direct, 'age').drifted).toBe(true);
    const parts = [current.slice(0, 200), current.slice(200)].map((rows) =>
      summarise(model, rows, binsOfData(model, train)),
    );
    parts[0].merge(parts[1]);
    expect(drift(summarise(model, train), parts[0], { model })).toEqual(direct);
  });

  test('a figure on bins is near the figure of the rows', () => {
    const current = rowsOf(800, 5, { shift: 0.4 });
    const { tests } = featureOf(drift(train, current, { model }), 'age');
    const numbers = (rows: Row[]): number[] => rows.flatMap(({ age }) => (age === null ? [] : [Number(age)]));
    const exact = ksTest(numbers(train), numbers(current));
    expect(tests.ks!.value).toBeLessThanOrEqual(exact.d + 1e-12);
    expect(tests.ks!.value).toBeGreaterThan(exact.d - 0.05);
    const normed = wasserstein(numbers(train), numbers(current), { normed: true });
    expect(Math.abs(tests.wasserstein!.value - normed)).toBeLessThan(0.03);
  });

  test('the split adds up to the shift within a unit in the last place each, and to the difference of the mean logits', () => {
    const ulp = (x: number): number => 2 ** (Math.floor(Math.log2(Math.abs(x) || 2 ** -1022)) - 52);
    for (let seed = 10; seed < 30; seed++) {
      const [a, b] = [
        summarise(model, train),
        summarise(model, rowsOf(150, seed, { shift: seed / 20, cities: 4 }), binsOfData(model, train)),
      ];
      const [{ total, observed, features }] = logitShifts(model, a, b);
      const sum = features.reduce((all, { shift }) => all + shift, 0);
      const bound = features.reduce((all, { shift }) => all + ulp(shift), 0) + ulp(total);
      expect(Math.abs(sum - total)).toBeLessThanOrEqual(bound);
      for (const { shift, slots } of features)
        expect(Math.abs(slots.reduce((all, one) => all + one.shift, 0) - shift)).toBeLessThanOrEqual(
          slots.reduce((all, one) => all + ulp(one.shift), ulp(shift)),
        );
      // logits of rows are rounded themselves
      expect(Math.abs(total - observed!)).toBeLessThan(1e-14);
    }
  });

  test('several classes: each logit is split, and probabilities are compared', () => {
    const labelled = train.map((row, i) => ({
      ...row,
      bad: ['low', 'mid', 'high'][(Number(row['age'] ?? 40) > 45 ? 1 : 0) + (i % 2)],
    }));
    const several = withBaseline(fit(labelled, { target: 'bad', schema }).model, labelled);
    const found = drift(several, rowsOf(500, 6, { shift: 1 }));
    expect(found.score.drifted).toBe(true);
    expect(found.logitShift.classes!.map((one) => one.class)).toEqual(['high', 'low', 'mid']);
    expect(drift(several, labelled).score.psi).toBe(0);
  });

  test('a window of one row, a column that is all missing and sampled windows are told', () => {
    const one = drift(model, train.slice(0, 1));
    expect(one.rows.current).toBe(1);
    expect(one.features.filter(({ drifted }) => drifted)).toEqual([]);
    const gone = drift(
      model,
      rowsOf(300, 7).map((row) => ({ ...row, age: null })),
    );
    expect(featureOf(gone, 'age').drifted).toBe(true);
    expect(featureOf(gone, 'age').tests.missing!.value).toBeGreaterThan(0.8);
    expect(featureOf(gone, 'age').tests.ks).toBeUndefined();
    const seen = summarise(model, rowsOf(3000, 8), binsOfData(model, train), { sample: 4 });
    const sampled = drift(summarise(model, train), seen, { model });
    expect(sampled.notes).toEqual(['numbers of the current are those of one block of rows in 4']);
    expect(sampled.features.filter(({ drifted }) => drifted)).toEqual([]);
  });

  test('bad input: no baseline, no rows, NaN, other bins, another model', () => {
    const plain = fit(train, { target: 'bad', schema }).model;
    expect(() => drift(plain, train)).toThrow(error('ERR_DATA', 'model: expected one with a baseline, got none'));
    expect(() => drift(model, [])).toThrow(error('ERR_DATA', 'current: expected one row or more, got none'));
    expect(() => drift(train, train)).toThrow(error('ERR_RANGE', 'model'));
    expect(() => drift(model, [{ ...train[0], age: Number.NaN }])).toThrow();
    expect(() => drift(model, train, { alpha: 2 })).toThrow(error('ERR_RANGE', 'alpha'));
    expect(() => drift(model, summarise(model, train.slice(0, 50)))).toThrow(
      error('ERR_SCHEMA', 'bins of the reference'),
    );
    expect(() => drift(model, summary(model, binsOfData(model, train)))).toThrow(error('ERR_DATA', 'current'));
    expect(drift(model.with({ decision: { threshold: 0.1 } }), train).notes[0]).toContain(
      'another calibration or decision',
    );
    expect(summarise(model, train)).toBeInstanceOf(Summary);
  });
});

describe('domainShift', () => {
  test('is near a half for rows of one distribution, and finds a shift of several features together', () => {
    const [a, b] = [rowsOf(600, 21), rowsOf(600, 22)];
    const features = ['age', 'income', 'city'];
    const same = domainShift(a, b, { features });
    expect(same.p).toBeGreaterThan(0.01);
    expect(same.low).toBeLessThan(0.5);
    const moved = domainShift(a, rowsOf(600, 23, { shift: 0.6, cities: 4 }), { features });
    expect(moved.auc).toBeGreaterThan(0.65);
    expect(moved.p).toBeLessThan(1e-6);
    expect(domainShift(a, b, { features })).toEqual(same);
    expect(() => domainShift(a, b.slice(0, 3))).toThrow(error('ERR_DATA', 'current: expected 10 rows or more'));
    expect(() => domainShift(a, b, { features: ['none'] })).toThrow(error('ERR_SCHEMA', 'none'));
  });
});

describe('windows', () => {
  const bins = binsOfData(model, train);
  const kind = summary(model, bins);

  test('by time and by rows keep the latest, count what is late, and merge to the bit', () => {
    const hours = windows(kind, { every: { ms: 1000 }, keep: 3 });
    const rows = rowsOf(40, 31);
    let at = 0;
    const watched = watch(model, () => hours.at(at));
    for (const [i, row] of rows.entries()) {
      at = i * 100;
      watched.score(row);
    }
    expect(hours.list().map(({ from, summary: one }) => [from, one.rows])).toEqual([
      [1000, 10],
      [2000, 10],
      [3000, 10],
    ]);
    at = 50;
    watched.score(rows[0]);
    expect([hours.late, hours.list().length]).toEqual([1, 3]);
    const parts = [0, 1].map((k) => {
      const part = windows(kind, { every: { ms: 1000 }, keep: 3 });
      rows.forEach((row, i) => {
        if (i % 2 === k && i >= 10) watch(model, part.at(i * 100)).score(row);
      });
      return part;
    });
    const other = windows(kind, JSON.parse(JSON.stringify(parts[1].toJSON())));
    parts[0].merge(other);
    expect(parts[0].list().map((one) => ({ ...one.summary.toJSON(), next: 0 }))).toEqual(
      hours.list().map((one) => ({ ...one.summary.toJSON(), next: 0 })),
    );
    expect(() => windows(kind, { every: {} as { rows: number } })).toThrow(error('ERR_RANGE', 'every'));
    expect(() => hours.at(Number.NaN)).toThrow(error('ERR_RANGE', 'at'));
  });
});
