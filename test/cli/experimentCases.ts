/*
 * What an experiment decides, of rows made here: what each statistic is computed of, and when. test/mutants sees whether every comparison is held by a case.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  discoveries,
  type Experiment,
  type ExperimentRows,
  experimentOf,
  sharesOf,
} from '../../cli/src/figures/experiment.ts';
import { conclusionOf, differenceText, meanText, rangeText } from '../../cli/src/figures/experimentWords.ts';
import { type ExperimentOptions, experimentCommand } from '../../cli/src/jobs/experiment.ts';
import { meanDifference, rateDifference, sampleRatioMismatch } from '../../src/monitor.ts';
import { splitmix32 } from './gateParts.ts';

type Case = readonly [name: string, work: () => void | Promise<void>];

const random = splitmix32(3);
/** 450 rows in three arms; the score foretells the outcome, and b is better in group g1 */
const MADE = Array.from({ length: 450 }, (_, i) => {
  const [u, group, score] = [random(), i % 2, random()];
  const arm = u < 0.2 ? 0 : u < 0.5 ? 1 : 2;
  return {
    arm,
    group,
    score,
    rate: Number(random() < 0.2 + 0.3 * score + (arm === 1 && group === 1 ? 0.4 : 0)),
    mean: 4 * score + random(),
  };
});
const rowsOf = (more: Partial<ExperimentRows> = {}, of = MADE): ExperimentRows => ({
  arms: ['a', 'b', 'c'],
  arm: of.map(({ arm }) => arm),
  outcome: of.map(({ rate }) => rate),
  kind: 'rate',
  ...{ score: null, groups: [], group: null },
  assigned: [0, 1, 2].map((k) => of.filter(({ arm }) => arm === k).length),
  ...more,
});
const SETTINGS = { control: 0, shares: [0.2, 0.3, 0.5], alpha: 0.1, tightestAt: 300 };
const throws = (work: () => unknown, code: string, message: RegExp) =>
  assert.throws(work, (error: Error & { code?: string }) => error.code === code && message.test(error.message));

const folder = () => mkdtempSync(join(tmpdir(), 'logodds-experiment-'));
/** Runs the command over these rows. */
async function command(rows: readonly object[], options: Partial<ExperimentOptions>) {
  const at = folder();
  const data = join(at, 'rows.csv');
  const said: string[] = [];
  writeFileSync(data, `${Object.keys(rows[0]!).join()}\n${rows.map((row) => Object.values(row).join()).join('\n')}\n`);
  try {
    const found = await experimentCommand({
      data,
      arm: 'arm',
      outcome: 'y',
      warn: (message) => said.push(message),
      ...options,
    });
    return { found, said };
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}
const fails = async (rows: readonly object[], options: Partial<ExperimentOptions>, message: RegExp) => {
  await assert.rejects(command(rows, options), message);
};
const PLAIN = Array.from({ length: 40 }, (_, i) => ({
  arm: i % 2 ? 'new' : 'old',
  y: i % 5 === 0 ? 'yes' : 'no',
  n: i % 7,
  t: 40 - i,
  k: `k${i}`,
}));

export const CASES: readonly Case[] = [
  [
    'rates without a score are compared exactly, each arm with the control at alpha over their number',
    () => {
      const found = experimentOf(rowsOf(), SETTINGS);
      const every = Math.ceil(450 / 200);
      for (const [j, k] of [1, 2].entries()) {
        const rates = rateDifference({ alpha: 0.05, share: SETTINGS.shares[k]! / (SETTINGS.shares[k]! + 0.2) });
        let seen = 0;
        const curve: object[] = [];
        for (let from = 0; from < 450; from += every) {
          const stretch = MADE.slice(from, from + every);
          const counts = (arm: number): [number, number] => {
            const own = stretch.filter((row) => row.arm === arm);
            seen += own.length;
            return [own.length, own.filter(({ rate }) => rate === 1).length];
          };
          const pair = { control: counts(0), treatment: counts(k) };
          if (pair.control[0] + pair.treatment[0] === 0) continue;
          rates.addCounts(pair);
          if (rates.difference !== null && rates.interval)
            curve.push({ rows: seen, difference: rates.difference, ...rates.interval });
        }
        const one = found.comparisons[j]!;
        assert.deepEqual(
          [one.arm, one.method, one.alpha, one.difference, one.interval, one.fixed, one.p, one.isRejected, one.curve],
          ['abc'[k], 'exact', 0.05, rates.difference, rates.interval, rates.fixed, rates.p, rates.isRejected, curve],
        );
        assert.equal(one.adjusted, null);
        assert.ok(curve.length > 100);
      }
      assert.deepEqual(
        found.arms.map(({ rows, share }) => [rows, share]),
        [0, 1, 2].map((k) => [MADE.filter(({ arm }) => arm === k).length, SETTINGS.shares[k]]),
      );
      const b = MADE.filter(({ arm }) => arm === 1);
      assert.ok(Math.abs(found.arms[1]!.mean! - b.filter(({ rate }) => rate).length / b.length) < 1e-12);
      const { counts, ...ratio } = found.sampleRatio;
      assert.deepEqual([counts, ratio], [rowsOf().assigned, sampleRatioMismatch(rowsOf().assigned, SETTINGS.shares)]);
      assert.deepEqual([found.kind, found.control, found.alpha, found.groups], ['rate', 'a', 0.1, []]);
    },
  ],
  [
    'means, and whatever has a score, by means; the control may be any arm',
    () => {
      for (const [outcome, kind, scored] of [
        ['mean', 'mean', false],
        ['mean', 'mean', true],
        ['rate', 'rate', true],
      ] as const) {
        const score = scored ? MADE.map((row) => row.score) : null;
        const found = experimentOf(rowsOf({ outcome: MADE.map((row) => row[outcome]), kind, score }), {
          ...SETTINGS,
          control: 2,
        });
        assert.deepEqual(
          found.comparisons.map(({ arm }) => arm),
          ['a', 'b'],
        );
        const means = meanDifference({ alpha: 0.05, tightestAt: 300 });
        for (const row of MADE)
          if (row.arm !== 0) means.add(row.arm === 1, row[outcome], scored ? row.score : undefined);
        const [, one] = found.comparisons;
        const by = scored ? means.adjusted! : means.estimate!;
        assert.deepEqual(
          [one!.method, one!.difference, one!.interval, one!.fixed, one!.p],
          [scored ? 'adjusted' : 'asymptotic', by.difference, by.interval, by.fixed, means.p],
        );
        assert.equal(one!.adjusted === null, !scored);
      }
    },
  ],
  [
    'groups are compared at alpha itself, with rows of their own',
    () => {
      const found = experimentOf(rowsOf({ groups: ['g0', 'g1'], group: MADE.map(({ group }) => group) }), SETTINGS);
      assert.deepEqual(
        found.groups.map(({ group, arm }) => `${group} ${arm}`),
        ['g0 b', 'g0 c', 'g1 b', 'g1 c'],
      );
      assert.deepEqual(
        found.groups.map(({ rows }) => rows),
        [0, 1].flatMap((g) =>
          [1, 2].map((k) => MADE.filter(({ group, arm }) => group === g && (arm === 0 || arm === k)).length),
        ),
      );
      assert.ok(found.groups.every((one) => one.alpha === 0.1 && !('curve' in one)));
      assert.deepEqual(
        found.groups.map(({ isDiscovery }) => isDiscovery),
        [false, false, true, false],
      );
      assert.deepEqual(found.comparisons, experimentOf(rowsOf(), SETTINGS).comparisons);
      const groups = Array.from({ length: 201 }, (_, k) => `g${k}`);
      throws(
        () => experimentOf(rowsOf({ groups }), SETTINGS),
        'ERR_DATA',
        /--by: expected at most 200 groups, got 201/,
      );
      const most = experimentOf(rowsOf({ groups: groups.slice(1), group: MADE.map((_, i) => i % 200) }), SETTINGS);
      assert.equal(most.groups.length, 400);
    },
  ],
  [
    'few rows: two arms at least, one look, arms without rows',
    () => {
      throws(
        () => experimentOf(rowsOf({ arms: ['a'] }), SETTINGS),
        'ERR_DATA',
        /^arms: expected two or more, got "a"; check --arm|^ERR_DATA arms: expected two or more, got "a"/,
      );
      throws(() => experimentOf(rowsOf({ arms: [] }), SETTINGS), 'ERR_DATA', /got none/);
      const none = experimentOf(rowsOf({ arm: [], outcome: [], assigned: [0, 0, 0] }), SETTINGS);
      assert.deepEqual(
        none.arms.map(({ mean }) => mean),
        [null, null, null],
      );
      assert.deepEqual(
        [none.comparisons[0]!.difference, none.comparisons[0]!.interval, none.comparisons[0]!.curve],
        [null, { low: -1, high: 1 }, []],
      );
      const few = MADE.slice(0, 7);
      const found = experimentOf(rowsOf({}, few), SETTINGS);
      const pair = few.filter(({ arm }) => arm < 2).length;
      assert.equal(found.comparisons[0]!.curve.at(-1)?.rows, pair);
      // few rows are looked at one by one
      const { curve } = experimentOf(rowsOf({}, MADE.slice(0, 120)), SETTINGS).comparisons[0]!;
      assert.ok(curve.length > 20 && curve.every(({ rows }, k) => k === 0 || rows === curve[k - 1]!.rows + 1));
      // a last stretch that is shorter than the others is looked at too
      const odd = experimentOf(rowsOf({}, MADE.slice(0, 401)), SETTINGS);
      assert.equal(odd.comparisons[0]!.curve.at(-1)!.rows, MADE.slice(0, 401).filter(({ arm }) => arm < 2).length);
    },
  ],
  [
    'Benjamini and Hochberg by hand',
    () => {
      const q = (ps: number[], alpha = 0.05) =>
        discoveries(
          ps.map((p) => ({ p })),
          alpha,
        );
      assert.deepEqual(
        q([0.01, 0.04, 0.03, 0.5]).map((one) => Number(one.q.toFixed(12))),
        [0.04, 0.053333333333, 0.053333333333, 0.5],
      );
      assert.deepEqual(
        q([0.01, 0.04, 0.03, 0.5]).map((one) => one.isDiscovery),
        [true, false, false, false],
      );
      assert.deepEqual(
        q([0.05]).map(({ isDiscovery }) => isDiscovery),
        [true],
      );
      assert.deepEqual(
        q([0.9, 1]).map((one) => one.q),
        [1, 1],
      );
      assert.deepEqual(q([]), []);
    },
  ],
  [
    'shares: equal ones, those that are given, and a sum that is not 1',
    () => {
      assert.deepEqual(sharesOf(['a', 'b', 'c', 'd'], undefined), [0.25, 0.25, 0.25, 0.25]);
      assert.deepEqual(sharesOf(['a', 'b'], { b: 0.25, a: 0.75 }), [0.75, 0.25]);
      const close = sharesOf(['a', 'b'], { a: 0.5, b: 0.5 + 5e-7 });
      assert.ok(Math.abs(close[0]! + close[1]! - 1) < 1e-15 && close[0]! < 0.5);
      for (const b of [0.5 + 2e-6, 0.5 - 2e-6])
        throws(() => sharesOf(['a', 'b'], { a: 0.5, b }), 'ERR_RANGE', /expected a sum of 1/);
      throws(() => sharesOf(['a', 'b'], { a: 1 }), 'ERR_RANGE', /a share of every arm, got none of "b"/);
      throws(
        () => sharesOf(['a', 'b'], { a: 0.5, b: 0.5, c: 0 }),
        'ERR_RANGE',
        /arms of the data, got "c"; arms are "a", "b"/,
      );
    },
  ],
  [
    'words',
    () => {
      assert.deepEqual(
        [
          differenceText('rate', 0.0123),
          differenceText('mean', 0.0123),
          meanText('rate', 0.5),
          meanText('mean', 0.5),
          meanText('mean', null),
        ],
        ['1.23 points', '0.0123', '50.00 %', '0.5', '–'],
      );
      assert.equal(rangeText('mean', { low: 1, high: 2 }), '1 to 2');
      const base = experimentOf(rowsOf({}, MADE), SETTINGS);
      const say = (comparison: object, more: Partial<Experiment> = {}) =>
        conclusionOf(
          {
            ...base,
            ...more,
            comparisons: [
              { ...base.comparisons[0]!, isRejected: true, difference: 0.1, method: 'exact', ...comparison },
            ],
          },
          'y',
        );
      const interval = (low: number, high: number) => ({ interval: { low, high } });
      assert.match(
        say(interval(0.05, 0.15)),
        /^"b" raises "y" from [\d.]+ % under "a" to [\d.]+ %\. The difference is 5 points to 15 points, with 90 % confidence, however often one looks\.$/,
      );
      assert.match(
        say({ difference: -0.1, ...interval(-0.2, -0.05) }),
        /^"b" lowers "y".* The difference is -20 points to -5 points/,
      );
      for (const ends of [interval(0, 0.2), interval(-0.1, 0), interval(-0.1, 0.2)])
        assert.match(say(ends), /the interval of the difference is still wide, /);
      assert.match(say({ difference: 0, ...interval(0.1, 0.2) }), /lowers/);
      assert.match(say({ interval: null }), / %\.$/);
      assert.match(say({ method: 'adjusted', ...interval(0.05, 0.15) }), / % \(10 points adjusted by the score\)\. /);
      assert.match(
        say({ isRejected: false, ...interval(-0.1, 0.2) }),
        /^No difference of "b" and "a" in "y" can be told: it is -10 points to 20 points with 90 % confidence\.$/,
      );
      assert.match(say({ difference: null, interval: null }), /can be told, with too few rows for an interval\.$/);
      assert.match(
        say({}, { sampleRatio: { ...base.sampleRatio, isMismatch: true } }),
        /^The arms do not have the rows that their shares say \(p .*mend it first\.$/,
      );
    },
  ],
  [
    'the outcome: two labels, 0 and 1, numbers',
    async () => {
      const positive = async (rows: readonly object[], options: Partial<ExperimentOptions> = {}) => {
        const { found } = await command(rows, options);
        return [found.kind, found.positive, found.arms.map(({ mean }) => mean)] as const;
      };
      const with_ = (of: (i: number) => unknown) => PLAIN.map((row, i) => ({ ...row, y: of(i) }));
      const share = (of: (i: number) => boolean) =>
        [0, 1].map((k) => PLAIN.filter((_, i) => i % 2 === k && of(i)).length / 20);
      const fifth = share((i) => i % 5 === 0);
      assert.deepEqual(await positive(PLAIN), ['rate', 'yes', [...fifth]]);
      assert.deepEqual(await positive(PLAIN, { positive: 'no' }), ['rate', 'no', fifth.map((one) => 1 - one)]);
      assert.deepEqual((await positive(with_((i) => (i % 5 ? 'low' : 'high'))))[1], 'low');
      assert.deepEqual((await positive(with_((i) => (i % 5 ? 'z' : 'True'))))[1], 'True');
      const bits = with_((i) => Number(i % 5 === 0));
      assert.deepEqual(await positive(bits), ['rate', '1', fifth]);
      assert.deepEqual(await positive(bits, { positive: '1' }), ['rate', '1', fifth]);
      assert.deepEqual(await positive(bits, { positive: '0' }), ['rate', '0', fifth.map((one) => 1 - one)]);
      const [kind, none] = await positive(with_((i) => i % 3));
      assert.deepEqual([kind, none], ['mean', null]);
      await fails(bits, { positive: '2' }, /--positive: expected one of the two outcomes 0 and 1, got "2"/);
      await fails(
        with_((i) => i % 3),
        { positive: '1' },
        /got numbers/,
      );
      await fails(
        with_((i) => (i === 0 ? 'once' : i % 2 ? 'a' : 'b')),
        {},
        /expected two labels, got /,
      );
      await fails(
        PLAIN,
        { positive: 'maybe' },
        /--positive: expected one of "no", "yes"|--positive: expected one of "yes", "no"/,
      );
      await fails(
        with_((i) => 'xyz'[i % 3]),
        {},
        /outcome "y": expected two labels, got "x", "y", "z"/,
      );
    },
  ],
  [
    'keys: one arm each, several rows of one, and keys in several arms left out by name',
    async () => {
      const codes = (found: { warnings: readonly { code: string }[] }) => found.warnings.map(({ code }) => code);
      const { found } = await command(PLAIN, { key: 'k' });
      assert.deepEqual(
        [found.rows, found.duplicates, codes(found), found.sampleRatio.counts],
        [40, { keys: 0, rows: 0, examples: [] }, [], [20, 20]],
      );
      assert.equal((await command(PLAIN, {})).found.duplicates, null);
      const twice = (await command([...PLAIN, { ...PLAIN[0]!, k: 'k0' }], { key: 'k' })).found;
      assert.deepEqual([twice.rows, codes(twice), twice.sampleRatio.counts], [41, ['KEYS_REPEATED'], [20, 20]]);
      assert.match(twice.warnings[0]!.message, /^1 key has several rows/);
      const mixed = (n: number) =>
        command([...PLAIN, ...PLAIN.slice(0, n).map((row) => ({ ...row, arm: row.arm === 'old' ? 'new' : 'old' }))], {
          key: 'k',
        });
      const one = (await mixed(1)).found;
      assert.deepEqual(
        [one.rows, one.duplicates, codes(one), one.sampleRatio.counts],
        [39, { keys: 1, rows: 2, examples: ['k0'] }, ['KEYS_IN_SEVERAL_ARMS'], [20, 19]],
      );
      assert.match(
        one.warnings[0]!.message,
        /^1 of 40 keys are in several arms \("k0"\), and their 2 rows are left out/,
      );
      const five = (await mixed(5)).found;
      assert.match(five.warnings[0]!.message, /\("k0", "k1", "k2", "k3", "k4"\), and/);
      assert.match((await mixed(6)).found.warnings[0]!.message, /"k4", …\), and their 12 rows/);
      // back in its first arm it is still in several
      const back = (await command([...PLAIN, { ...PLAIN[0]!, arm: 'new' }, PLAIN[0]!], { key: 'k' })).found;
      assert.deepEqual(back.duplicates, { keys: 1, rows: 3, examples: ['k0'] });
    },
  ],
  [
    'order, control and columns: what is guessed is said',
    async () => {
      const plain = await command(PLAIN, {});
      assert.deepEqual(plain.said, [
        'rows are looked at in their order in the data; --time says another',
        '--control not given: the arms are compared with "new"',
        '--shares not given: equal shares of 2 arms are tested',
      ]);
      const given = await command(PLAIN, { time: 't', control: 'old', shares: { old: 0.5, new: 0.5 } });
      assert.deepEqual([given.said, given.found.control], [[], 'old']);
      const reversed = await command([...PLAIN].reverse(), { control: 'old' });
      assert.deepEqual(given.found.comparisons, reversed.found.comparisons);
      assert.notDeepEqual(given.found.comparisons[0]!.curve, plain.found.comparisons[0]!.curve);
      const named = (word: string) =>
        command(
          PLAIN.map((row) => ({ ...row, arm: row.arm === 'old' ? word : 'a' })),
          {},
        );
      assert.deepEqual(
        [
          (await named('Control')).found.control,
          (await named('champion')).found.control,
          (await named('old')).found.control,
        ],
        ['Control', 'champion', 'a'],
      );
      assert.equal(given.found.time, 't');
      // numbers are groups and keys as they are
      const counted = await command(PLAIN, { by: 'n', key: 't' });
      assert.deepEqual([counted.found.groups.length, counted.found.duplicates!.keys], [7, 0]);
      const at = folder();
      try {
        const report = { path: join(at, 'page.html'), argv: [], versions: [] };
        await command(PLAIN, { report });
        assert.match(readFileSync(report.path, 'utf8'), /Experiment report/);
        const data = join(at, 'rows.csv');
        writeFileSync(data, 'arm,y\na,1\nb,0\n');
        await assert.rejects(command(PLAIN, { data, report: { ...report, path: data } }), /rows\.csv/);
        assert.match(readFileSync(data, 'utf8'), /^arm,y/);
      } finally {
        rmSync(at, { recursive: true, force: true });
      }
      // equal times keep their order
      const tied = await command(
        PLAIN.map((row) => ({ ...row, t: 1 })),
        { time: 't', control: 'new' },
      );
      assert.deepEqual(tied.found.comparisons, plain.found.comparisons);
      const scored = await command(PLAIN, { score: 'n', by: 'k', outcome: 'y' });
      assert.deepEqual(
        [
          scored.found.score,
          scored.found.by,
          scored.found.time,
          scored.found.comparisons[0]!.method,
          scored.found.groups.length,
        ],
        ['n', 'k', null, 'adjusted', 40],
      );
      await fails(PLAIN, { control: 'od' }, /--control: expected an arm of the data, got "od"; did you mean "old"\?/);
      await fails(PLAIN, { control: 'unheard-of' }, /; arms are /);
      await fails(PLAIN, { outcome: 'arm' }, /--outcome: expected a column beside --arm, got "arm"/);
      await fails(PLAIN, { score: 'n', by: 'n' }, /--by: expected a column beside --score, got "n"/);
      await fails(PLAIN, { score: 'k' }, /column "k"|"k0"|expected/);
    },
  ],
];
