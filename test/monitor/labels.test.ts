import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import {
  delayHistogram,
  type Joinable,
  type JoinedRow,
  type LabelJoin,
  type LabelJoinOptions,
  labelJoin,
  maturity,
  type OutcomeLabel,
  performanceHistogram,
  performanceWindows,
} from '../../src/monitor.ts';
import { sweep } from '../full.ts';

interface Score extends Joinable {
  readonly probability: number;
  readonly label: string;
}
type Event = { readonly prediction: Score } | { readonly outcome: OutcomeLabel };

const give = (join: LabelJoin<Score>, event: Event): void => {
  if ('prediction' in event) join.addPrediction(event.prediction);
  else join.addLabel(event.outcome);
};
const joinOf = (events: readonly Event[], options: LabelJoinOptions = {}): LabelJoin<Score> => {
  const join = labelJoin<Score>(options);
  for (const event of events) give(join, event);
  return join;
};

/** The join of everything at once, as one would write it over two tables: no more than the definition, in quadratic time. */
function batch(events: readonly Event[], withinMs: number): Map<string, { score: Score; label: OutcomeLabel | null }> {
  const scores = events.flatMap((event) => ('prediction' in event ? [event.prediction] : []));
  const labels = events.flatMap((event) => ('outcome' in event ? [event.outcome] : []));
  const last = <T extends { at: number }>(list: T[], text: (one: T) => string): T | undefined =>
    [...list].sort((a, b) => a.at - b.at || (text(a) < text(b) ? -1 : 1)).at(-1);
  const ids = [...new Set(scores.map(({ id }) => id))];
  const kept = ids.map(
    (id) =>
      last(
        scores.filter((one) => one.id === id),
        (one) => JSON.stringify({ ...one, at: 0 }),
      )!,
  );
  const time = (label: OutcomeLabel): number => label.outcomeAt ?? label.at;
  const ofScore = (label: OutcomeLabel): Score | undefined =>
    last(
      kept.filter(({ entity, at }) => entity === label.entity && at <= time(label)),
      ({ id }) => id,
    );
  return new Map(
    kept.map((score) => {
      const own = last(
        labels.filter(({ id }) => id === score.id),
        ({ label }) => label,
      );
      // of one outcome the label known last; of the outcomes of a score the one known last, and then the one that happened last
      const outcomes = labels.filter(
        (label) => !label.id && ofScore(label) === score && time(label) - score.at <= withinMs,
      );
      const moments = [...new Set(outcomes.map(time))].map(
        (moment) =>
          last(
            outcomes.filter((label) => time(label) === moment),
            ({ label }) => label,
          )!,
      );
      const latest = moments.sort((a, b) => a.at - b.at || time(a) - time(b) || (a.label < b.label ? -1 : 1)).at(-1);
      return [score.id, { score, label: own ?? latest ?? null }];
    }),
  );
}

const AT = fc.integer({ min: 0, max: 40 }).map((k) => 1000 * k);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    prediction: fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
      entity: fc.constantFrom(null, 'x', 'y'),
      at: AT,
      probability: fc.constantFrom(0.1, 0.4, 0.6, 0.9),
      label: fc.constantFrom('no', 'yes'),
    }),
  }),
  fc.record({
    outcome: fc.oneof(
      fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'zz'), label: fc.constantFrom('no', 'yes'), at: AT }),
      fc.record({ entity: fc.constantFrom('x', 'y', 'z'), label: fc.constantFrom('no', 'yes'), at: AT, outcomeAt: AT }),
      fc.record({ entity: fc.constantFrom('x', 'y'), label: fc.constantFrom('no', 'yes'), at: AT }),
    ),
  }),
);
const shuffled = fc
  .array(event, { maxLength: 40 })
  .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })));
const runs = { seed: 17, numRuns: sweep(300, 5000) };
const now = 1e6;

describe('scores and labels joined as they come', () => {
  test('are those of a batch join, with duplicates and corrections, by id and by entity', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const found = joinOf(events, { withinMs: 12_000 }).joined({ now });
        const wanted = batch(events, 12_000);
        expect(found.rows.map(({ prediction }) => prediction.id).sort()).toEqual([...wanted.keys()].sort());
        for (const { prediction, label, delayMs } of found.rows) {
          expect(prediction).toEqual(wanted.get(prediction.id)!.score);
          expect(label).toEqual(wanted.get(prediction.id)!.label);
          expect(delayMs).toBe(label && label.at - prediction.at);
        }
        const { counts } = found;
        expect(counts.labelled + counts.predictionsWithoutLabel).toBe(counts.predictions);
        expect(counts.labelled + counts.labelsSuperseded + counts.labelsWithoutPrediction).toBe(counts.labels);
        expect(counts.predictions + counts.duplicatePredictions + counts.labels + counts.duplicateLabels).toBe(
          events.length,
        );
      }),
      runs,
    );
  });

  test('are the same in every order: rows, counts and figures of windows to the bit', () => {
    const figures = (join: LabelJoin<Score>) => {
      const joined = join.joined({ now });
      const windows = performanceWindows(joined.rows, {
        now,
        classes: ['no', 'yes'],
        window: { lengthMs: 10_000 },
        ripeAfterMs: 0,
        replicates: false,
      });
      return JSON.stringify([joined, windows]);
    };
    fc.assert(
      fc.property(shuffled, ([events, other]) => {
        expect(figures(joinOf(other))).toBe(figures(joinOf(events)));
      }),
      runs,
    );
  });

  test('are the same when two processes had parts of them', () => {
    fc.assert(
      fc.property(shuffled, fc.nat(40), ([events, other], cut) => {
        const first = joinOf(other.slice(0, cut));
        first.merge(joinOf(other.slice(cut)));
        expect(first.joined({ now })).toEqual(joinOf(events).joined({ now }));
      }),
      runs,
    );
  });

  test('hold the newest when there are more than fit, in every order', () => {
    const list = Array.from(
      { length: 60 },
      (_, i): Event => ({ prediction: { id: `${i}`, at: i, probability: 0.5, label: 'no' } }),
    );
    const labels = Array.from(
      { length: 60 },
      (_, i): Event => ({ outcome: { id: `${i}`, at: 100 + i, label: 'yes' } }),
    );
    fc.assert(
      fc.property(fc.shuffledSubarray([...list, ...labels], { minLength: 120 }), (events) => {
        const { rows, counts } = joinOf(events, { capacity: 16 }).joined({ now });
        expect(rows.map(({ prediction }) => prediction.id)).toEqual(Array.from({ length: 16 }, (_, i) => `${44 + i}`));
        expect(counts).toMatchObject({
          labelled: 16,
          predictionsDropped: 44,
          labelsDropped: 44,
          labelsWithoutPrediction: 0,
        });
      }),
      { seed: 19, numRuns: sweep(50, 300) },
    );
  });

  test('leave with their labels when they expire; what comes after is too late', () => {
    const join = joinOf([
      { prediction: { id: 'a', at: 10_000, probability: 0.9, label: 'yes' } },
      { prediction: { id: 'b', at: 30_000, probability: 0.2, label: 'no' } },
      { outcome: { id: 'a', at: 90_000, label: 'yes' } },
      { outcome: { id: 'b', at: 90_000, label: 'no' } },
      { outcome: { id: 'gone', at: 5000, label: 'no' } },
    ]);
    const gone: readonly JoinedRow<Score>[] = join.expire(20_000);
    expect(gone.map(({ prediction, label }) => [prediction.id, label?.label])).toEqual([['a', 'yes']]);
    const histogram = performanceHistogram();
    for (const { prediction, label } of gone) histogram.add(prediction.probability, label?.label === 'yes' ? 1 : 0);
    expect(histogram.count).toBe(1);
    give(join, { prediction: { id: 'c', at: 15_000, probability: 0.2, label: 'no' } });
    give(join, { outcome: { id: 'c', at: 15_000, label: 'no' } });
    expect(join.joined({ now }).counts).toMatchObject({
      predictions: 1,
      labelled: 1,
      labelsWithoutPrediction: 0,
      predictionsTooLate: 1,
      labelsTooLate: 1,
    });
    expect(join.expire(20_000)).toEqual([]);
  });

  test('name what is odd: skew of clocks, times to come, unknown models, duplicates, conflicts and corrections', () => {
    const join = labelJoin<Score>({ known: ['aa'], skewMs: 500 });
    const score = { at: 10_000, probability: 0.5, label: 'no', sha256: 'aa' };
    join.addPrediction({ ...score, id: 'a' });
    join.addPrediction({ ...score, id: 'a' });
    join.addPrediction({ ...score, id: 'b' });
    join.addPrediction({ ...score, id: 'b', probability: 0.7, at: 10_500 });
    join.addPrediction({ ...score, id: 'c', sha256: 'bb' });
    join.addPrediction({ ...score, id: 'd', at: 70_000 });
    join.addLabel({ id: 'a', at: 9000, label: 'no' });
    join.addLabel({ id: 'a', at: 9200, label: 'yes' });
    join.addLabel({ id: 'b', at: 10_100, label: 'yes' });
    join.addLabel({ id: 'c', at: 20_000, label: 'yes' });
    join.addLabel({ id: 'b2', at: 90_000, label: 'yes' });
    const { rows, counts } = join.joined({ now: 60_000 });
    expect(counts).toEqual({
      predictions: 2,
      labelled: 2,
      predictionsWithoutLabel: 0,
      labels: 3,
      labelsWithoutPrediction: 1,
      labelsSuperseded: 0,
      duplicatePredictions: 2,
      conflictingPredictions: 1,
      duplicateLabels: 1,
      correctedLabels: 1,
      conflictingLabels: 0,
      labelsBeforePrediction: 1,
      predictionsFromFuture: 1,
      labelsFromFuture: 1,
      predictionsDropped: 0,
      labelsDropped: 0,
      predictionsTooLate: 0,
      labelsTooLate: 0,
      unknownModels: { bb: 1 },
    });
    expect(rows.map(({ prediction }) => prediction.probability)).toEqual([0.5, 0.7]);
  });

  test('of one time that differ are told from corrected ones, in any order, merged and restored alike', () => {
    const given: OutcomeLabel[] = [
      { id: 'tied', at: 9, label: 'no' },
      { id: 'tied', at: 9, label: 'yes' },
      { id: 'tied', at: 5, label: 'no' },
      { id: 'settled', at: 5, label: 'no' },
      { id: 'settled', at: 5, label: 'yes' },
      { id: 'settled', at: 9, label: 'no' },
      { id: 'settled', at: 9, label: 'no' },
      { entity: 'e', at: 7, label: 'a' },
      { entity: 'e', at: 7, label: 'b' },
    ];
    const found = (orders: readonly OutcomeLabel[][]) => {
      const [join, ...others] = orders.map((labels) => {
        const own = labelJoin<Score>();
        for (const label of labels) own.addLabel(label);
        return labelJoin<Score>(JSON.parse(JSON.stringify(own)));
      });
      for (const other of others) join.merge(other);
      const { conflictingLabels, correctedLabels } = join.joined({ now }).counts;
      return { conflictingLabels, correctedLabels, held: join.toJSON().labels.held };
    };
    const expected = found([given]);
    expect(expected).toMatchObject({ conflictingLabels: 2, correctedLabels: 1 });
    const random = splitmix32(3);
    for (let k = 0; k < 50; k++) {
      const turned = given
        .map((label) => [random(), label] as const)
        .sort(([a], [b]) => a - b)
        .map(([, label]) => label);
      const cut = Math.floor(random() * turned.length);
      expect(found([turned])).toEqual(expected);
      expect(found([turned.slice(cut), turned.slice(0, cut)])).toEqual(expected);
    }
  });

  test('a hostile id stays an id', () => {
    const join = labelJoin<Score>({ known: [] });
    for (let i = 0; i < 300; i++)
      join.addPrediction({ id: '__proto__', at: 0, probability: 0, label: '', sha256: i ? `d${i}` : '__proto__' });
    const { unknownModels } = join.joined({ now }).counts;
    expect(Object.keys(unknownModels)).toHaveLength(101);
    expect(unknownModels['others']).toBe(200);
  });

  test.each([
    [() => labelJoin({ capacity: 0 }), /capacity/],
    [() => labelJoin({ withinMs: -1 }), /withinMs/],
    [() => labelJoin({ skew: 1 } as never), /skew/],
    [() => labelJoin().addPrediction({ id: '', at: 0 }), /id: /],
    [() => labelJoin().addPrediction({ id: 'a', at: Number.NaN }), /at: /],
    [() => labelJoin().addLabel({ label: 'yes', at: 0 }), /an id or an entity/],
    [() => labelJoin().joined({ now: Number.POSITIVE_INFINITY }), /now/],
  ])('wrong input is refused: %s', (wrong, message) => {
    expect(wrong).toThrow(message);
  });
});

describe('label delays', () => {
  test('are counted in bins whose merge is exact, negative ones apart', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5000, max: 2 ** 36 })), fc.nat(), (delays, cut) => {
        const all = delayHistogram();
        const parts = [delayHistogram(), delayHistogram()];
        delays.forEach((delay, i) => {
          all.add(delay);
          parts[i < cut % (delays.length + 1) ? 0 : 1].add(delay);
        });
        parts[1].merge(delayHistogram(JSON.parse(JSON.stringify(parts[0]))));
        expect(JSON.stringify(parts[1])).toBe(JSON.stringify(all));
        expect(all.count + all.negative).toBe(delays.length);
        const sorted = delays.filter((delay) => delay >= 0).sort((a, b) => a - b);
        const middle = all.quantile(0.5);
        if (sorted.length === 0) expect(middle).toBeNull();
        else {
          const value = sorted[Math.max(1, Math.ceil(sorted.length / 2)) - 1];
          expect(value <= middle!.high && (value > middle!.low || middle!.low === 0)).toBe(true);
        }
      }),
      { seed: 20, numRuns: sweep(200, 2000) },
    );
  });

  test('wrong ones are refused', () => {
    expect(() => delayHistogram([])).toThrow(/edges/);
    expect(() => delayHistogram([2, 1])).toThrow(/rise/);
    expect(() => delayHistogram({ kind: 'delayHistogram', edges: [1], counts: [1], negative: 0, sumMs: 0 })).toThrow(
      /2 counts/,
    );
    expect(() => delayHistogram().add(Number.NaN)).toThrow(/finite/);
    expect(() => delayHistogram([1]).merge(delayHistogram([2]))).toThrow(/edges/);
    expect(() => delayHistogram().quantile(2)).toThrow(/share/);
  });

  const rowsOf = (list: readonly (readonly [at: number, delay: number | null])[]): JoinedRow<Joinable>[] =>
    list.map(([at, delayMs], i) => ({ prediction: { id: `${i}`, at }, label: null, delayMs }));

  test('maturity is that of Kaplan and Meier: 1, 2+, 3, 4+, 5 by hand', () => {
    const found = maturity(
      rowsOf([
        [0, 1],
        [8, null],
        [0, 3],
        [6, null],
        [0, 5],
      ]),
      10,
    )!;
    expect([...found.ages]).toEqual([1, 3, 5]);
    // of five one came, of the three that are left one, then the last
    expect([...found.labelled].map((share) => share.toFixed(12))).toEqual(
      [1 - 4 / 5, 1 - (4 / 5) * (2 / 3), 1].map((share) => share.toFixed(12)),
    );
    expect(found.ageOf(0.4)).toBe(3);
    expect(maturity(rowsOf([[0, null]]), 10)!.ageOf(0.5)).toBeNull();
    expect(maturity([], 10)).toBeNull();
  });

  test('labels that are not there yet do not make labels look fast', () => {
    // every label comes after exactly 100 or 1000, half and half; scores of the last 1000 lack the slow ones
    const all = Array.from({ length: 2000 }, (_, i): [number, number | null] => [i, i % 2 ? 100 : 1000]);
    const seen = all.map(([at, delay]): [number, number | null] => [at, at + delay! <= 2000 ? delay : null]);
    const found = maturity(rowsOf(seen), 2000)!;
    expect(found.labelled[0]).toBeCloseTo(0.5, 1);
    const naive = seen.filter(([, delay]) => delay === 100).length / seen.filter(([, delay]) => delay !== null).length;
    expect(naive).toBeGreaterThan(0.6);
    expect(found.ageOf(0.95)).toBe(1000);
  });
});
