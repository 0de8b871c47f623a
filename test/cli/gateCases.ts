/*
 * What each rule of `logodds gate` decides, at its limit and beside it. A rule is asked alone, of scores made here; so a case takes milliseconds, and
 * test/mutants sees whether every comparison of a rule is held by one of them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { latency, size } from '../../cli/src/jobs/gate/budgets.ts';
import { coefficients, incomparable, refusals, schema } from '../../cli/src/jobs/gate/compatibility.ts';
import { type Context, type Finding, finding, within } from '../../cli/src/jobs/gate/finding.ts';
import { type GateResult, lets } from '../../cli/src/jobs/gate/gate.ts';
import { groupGap, groups } from '../../cli/src/jobs/gate/groups.ts';
import { junitError, junitXml } from '../../cli/src/jobs/gate/junit.ts';
import * as performance_ from '../../cli/src/jobs/gate/performance.ts';
import { labelCoverage, positives, rows as rowsRule, scored, scorePsi } from '../../cli/src/jobs/gate/population.ts';
import { defaultRules, readRules, rulesOf } from '../../cli/src/jobs/gate/readRules.ts';
import type { ComparedRows } from '../../cli/src/jobs/gate/rows.ts';
import type { Given } from '../../cli/src/jobs/gate/rules.ts';
import * as kinds from '../../cli/src/options/kinds.ts';
import { eceFloor } from '../../src/metrics.ts';
import { fit, type Model, saveModel, splitmix32 } from './gateParts.ts';

type Case = readonly [name: string, work: () => void | Promise<void>];

const logit = (p: number) => Math.log(p / (1 - p));

/** Rows with the probabilities of candidate and champion, and labels. */
interface Made {
  readonly p: readonly number[];
  readonly q?: readonly number[];
  readonly y: readonly number[];
  readonly weight?: readonly number[];
  readonly weightKind?: 'sampling' | 'count';
  readonly cluster?: readonly number[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly counts?: Partial<ComparedRows['counts']>;
  readonly candidateReason?: string;
  readonly records?: readonly object[];
  readonly threshold?: number;
}

function comparedOf({
  p,
  q = p,
  y,
  weight,
  weightKind = 'sampling',
  cluster,
  groups: of = {},
  ...more
}: Made): ComparedRows {
  const { counts, candidateReason = null, records = [], threshold = 0.5 } = more;
  const scores = (plane: readonly number[]) => ({
    logits: [Float64Array.from(plane, logit)],
    probabilities: [Float64Array.from(plane)],
    labels: Uint32Array.from(plane, (one) => Number(one > threshold)),
  });
  return {
    counts: {
      ...{ rows: y.length, labelled: y.length, compared: y.length },
      ...{ candidateRefuses: 0, championRefuses: 0, bothRefuse: 0 },
      ...counts,
    },
    ...{ candidateReason, championReason: null, records, weightKind },
    codes: Uint32Array.from(y),
    weight: weight ? Float64Array.from(weight) : null,
    cluster: cluster ? Uint32Array.from(cluster) : null,
    groups: new Map(
      Object.entries(of).map(([column, names]) => {
        const all = [...new Set(names)];
        return [column, { names: all, codes: Uint32Array.from(names, (one) => all.indexOf(one)) }] as const;
      }),
    ),
    candidate: scores(p),
    champion: scores(q),
  };
}

const binary = { classes: ['no', 'yes'], positive: 'yes', multiclass: null, calibration: null };

interface Asked {
  readonly notes: string[];
  readonly context: Context;
}

function contextOf(
  rows: ComparedRows | string,
  more: { candidate?: object; champion?: object; settings?: object } = {},
): Asked {
  const notes: string[] = [];
  const model = (of: object = {}) => ({
    text: 'm',
    bytes: new Uint8Array(100),
    model: { manifest: binary, fields: [], ...of } as unknown as Model,
  });
  const context: Context = {
    rules: { ...defaultRules(), replicates: 100, ...more.settings },
    candidate: model(more.candidate),
    champion: model(more.champion),
    rows,
    note: (message) => notes.push(message),
  };
  return { notes, context };
}

/** The options of a rule, complete. */
const given = (rule: string, options: object = {}): Given =>
  rulesOf('rules', { rules: { [rule]: options } }).rules[rule as never]![0] as Given;

/** [status, of] of each finding. */
const statuses = (found: readonly Finding[]) => found.map(({ status }) => status);
const status = (found: readonly Finding[]) => {
  assert.equal(found.length, 1);
  return found[0].status;
};

/** Seeded rows whose labels follow `p` and more. */
function sample(n: number, seed: number) {
  const random = splitmix32(seed);
  const x = Array.from({ length: n }, () => 4 * random() - 2);
  const p = x.map((one) => 1 / (1 + Math.exp(-one)));
  const y = p.map((one) => Number(random() < one));
  return { x, p, y, random };
}

const decide = (low: number, high: number, ends: { least?: number; greatest?: number }) =>
  (['estimate', 'interval', 'evidence'] as const).map((by) => within(by, { value: (low + high) / 2, low, high }, ends));

export const CASES: readonly Case[] = [
  [
    'a figure is within its ends: at them it is',
    () => {
      for (const by of ['estimate', 'interval', 'evidence'] as const) {
        const at = (value: number, ends: object) => within(by, { value, low: value, high: value }, ends);
        assert.deepEqual([at(1, { least: 1 }), at(0.999, { least: 1 })], [true, false], by);
        assert.deepEqual([at(1, { greatest: 1 }), at(1.001, { greatest: 1 })], [true, false], by);
        assert.deepEqual(
          [at(1, { least: 1, greatest: 2 }), at(2, { least: 1, greatest: 2 }), at(3, { least: 1, greatest: 2 })],
          [true, true, false],
        );
        assert.equal(at(5, {}), true);
      }
      assert.deepEqual(decide(0, 2, { least: 0 }), [true, true, true]);
      assert.deepEqual(decide(-1, 2, { least: 0 }), [true, false, true]);
      assert.deepEqual(decide(-3, 1, { least: 0 }), [false, false, true]);
      assert.deepEqual(decide(-3, -1, { least: 0 }), [false, false, false]);
      assert.deepEqual(decide(0, 2, { greatest: 2 }), [true, true, true]);
      assert.deepEqual(decide(0, 3, { greatest: 2 }), [true, false, true]);
      assert.deepEqual(decide(1, 5, { greatest: 2 }), [false, false, true]);
      assert.deepEqual(decide(3, 5, { greatest: 2 }), [false, false, false]);
      // both ends count
      assert.deepEqual(decide(-1, 5, { least: 0, greatest: 4 }), [true, false, true]);
      assert.deepEqual(decide(5, 6, { least: 0, greatest: 4 }), [false, false, false]);
      assert.deepEqual(decide(-6, -5, { least: 0, greatest: 4 }), [false, false, false]);
    },
  ],
  [
    'a finding has the figures that exist; what is broken fails, what is not checked does unless optional',
    () => {
      const [yes, no] = [{ optional: true }, { optional: false }] as Given[];
      assert.deepEqual(
        finding('auc', no, true, 's', { value: 1, low: Number.NaN, high: Number.POSITIVE_INFINITY, least: undefined }),
        {
          ...{ rule: 'auc', of: null, status: 'pass', optional: false, sentence: 's', value: 1 },
        },
      );
      assert.equal(finding('auc', no, false, 's').status, 'fail');
      const judged = (['pass', 'fail', 'not checked'] as const).flatMap((one) =>
        [no, yes].map((given) => lets(finding('auc', given, one, 's'))),
      );
      assert.deepEqual(judged, [true, true, false, false, false, true]);
    },
  ],
  [
    'counts of rows: refused, compared, of the rarest class, labelled, each at its limit',
    () => {
      const rows = (counts: object, y = [1, 1, 0], candidateReason?: string) =>
        contextOf(comparedOf({ p: y.map(() => 0.5), y, counts, candidateReason })).context;
      const refused = (candidateRefuses: number, most: number, bothRefuse = 0) =>
        scored(rows({ rows: 10, candidateRefuses, bothRefuse }, [1, 1, 0], 'why'), given('scored', { most }));
      assert.deepEqual(
        [status(refused(0, 0)), status(refused(1, 0)), status(refused(1, 1)), status(refused(2, 1))],
        ['pass', 'fail', 'pass', 'fail'],
      );
      assert.equal(refused(0, 0)[0].sentence, 'the candidate scores all of 10 rows');
      assert.equal(refused(2, 1)[0].sentence, 'the candidate refuses 2 of 10 rows (why); expected at most 1');
      assert.equal(
        refused(2, 1, 1)[0].sentence,
        'the candidate refuses 2 of 10 rows, 1 of which the champion refuses too (why); expected at most 1',
      );
      assert.match(
        scored(rows({ rows: 10, candidateRefuses: 2 }), given('scored'))[0].sentence,
        /2 of 10 rows; expected/,
      );
      const least = (compared: number) => status(rowsRule(rows({ compared }), given('rows', { least: 5 })));
      assert.deepEqual([least(4), least(5), least(6)], ['fail', 'pass', 'pass']);
      const rare = (y: number[], least: number) => positives(rows({}, y), given('positives', { least }));
      assert.deepEqual(
        [status(rare([1, 0, 0], 1)), status(rare([1, 0, 0], 2)), status(rare([0, 0], 1))],
        ['pass', 'fail', 'fail'],
      );
      assert.match(rare([1, 0, 0], 2)[0].sentence, /^1 row is "yes", the fewest of a class; expected at least 2$/);
      assert.match(rare([1, 1, 0], 2)[0].sentence, /^1 row is "no"/);
      const share = (labelled: number) =>
        labelCoverage(rows({ rows: 4, labelled }), given('labelCoverage', { least: 0.5 }));
      assert.deepEqual([status(share(1)), status(share(2)), status(share(3))], ['fail', 'pass', 'pass']);
      assert.equal(share(1)[0].value, 0.25);
      // nothing to compare
      assert.match(rowsRule(contextOf('why not').context, given('rows'))[0].sentence, /^why not$/);
      for (const check of [performance_.auc, performance_.logLossRule, scorePsi]) {
        const [one] = check(rows({ compared: 0 }), given('auc'));
        assert.deepEqual([one.status, one.sentence], ['not checked', 'no row has a label and a score of both models']);
      }
      assert.equal(status(rowsRule(rows({ compared: 0 }), given('rows', { least: 1 }))), 'fail');
    },
  ],
  [
    'PSI by hand, of the worst class, at its limit',
    () => {
      const p = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.85, 0.95];
      const q = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.85, 0.95];
      const made = comparedOf({ p, q, y: p.map((one) => Number(one > 0.5)) });
      const ask = (most: number, rows: ComparedRows = made) =>
        scorePsi(contextOf(rows).context, given('scorePsi', { most, bins: 2 }));
      // 4 and 4 of the champion in two bins, 3 and 5 of the candidate
      const psi = (3 / 8 - 1 / 2) * Math.log(3 / 4) + (5 / 8 - 1 / 2) * Math.log(5 / 4);
      const { value } = ask(1)[0];
      assert.ok(Math.abs(value! - psi) < 1e-12, `${value} ${psi}`);
      assert.deepEqual(
        [status(ask(value!)), status(ask(value! - 1e-9)), status(ask(value! + 1e-9))],
        ['pass', 'fail', 'pass'],
      );
      assert.doesNotMatch(ask(1)[0].sentence, /empty/);
      const apart = comparedOf({ p: q.map(() => 0.99), q, y: [...made.codes] });
      assert.match(ask(1, apart)[0].sentence, /2 bins, 1 of them empty on one side/);
      const planes = (one: number[], two: number[]) => [Float64Array.from(one), Float64Array.from(two)];
      const three: ComparedRows = {
        ...made,
        candidate: { ...made.candidate, probabilities: planes(q, p) },
        champion: { ...made.champion, probabilities: planes(q, q) },
      };
      assert.equal(ask(1, three)[0].value, value);
      assert.equal(ask(1, { ...three, candidate: { ...made.candidate, probabilities: planes(p, q) } })[0].value, value);
      const weighted = comparedOf({ p, q, y: [...made.codes], weight: [1, 1, 1, 0, 1, 1, 1, 1] });
      assert.notEqual(ask(1, weighted)[0].value, value);
    },
  ],
  [
    'log loss and Brier score: the margin at the end of the interval',
    () => {
      const { p, y } = sample(300, 1);
      const worse = p.map((one) => 1 / (1 + Math.exp(-2.5 * logit(one))));
      const context = contextOf(comparedOf({ p: worse, q: p, y })).context;
      for (const [rule, check] of [
        ['logLoss', performance_.logLossRule],
        ['brier', performance_.brierRule],
      ] as const) {
        const ask = (margin: number, judgedBy: string) => check(context, given(rule, { margin, judgedBy }));
        const [{ value, low, high, candidate, champion }] = ask(0, 'estimate');
        assert.ok(low! < value! && value! < high! && low! > 0, rule);
        assert.ok(Math.abs(candidate! - champion! - value!) < 1e-12);
        for (const [by, end] of [
          ['estimate', value],
          ['interval', high],
          ['evidence', low],
        ] as const)
          assert.deepEqual([status(ask(end!, by)), status(ask(end! - 1e-9, by))], ['pass', 'fail'], `${rule} ${by}`);
        const [better] = check(contextOf(comparedOf({ p, q: worse, y })).context, given(rule));
        assert.deepEqual([better.status, better.value! < 0], ['pass', true]);
        assert.match(
          ask(0, 'interval')[0].sentence,
          /: \+0\.\d+, interval \+0\.\d+ to \+0\.\d+ \(bootstrap\); expected its whole interval at or below 0$/,
        );
        assert.match(better.sentence, /: -0\.\d+, interval -0\.\d+ to -0\.\d+ /);
      }
      // what happened had the probability 0
      const none = (own: number, other: number) =>
        performance_.logLossRule(
          contextOf(comparedOf({ p: [own, 0.5, 0.4], q: [other, 0.5, 0.4], y: [1, 0, 1] })).context,
          given('logLoss'),
        );
      assert.deepEqual([status(none(0, 0.5)), status(none(0.5, 0)), status(none(0, 0))], ['fail', 'pass', 'fail']);
      assert.match(none(0, 0.5)[0].sentence, /of the candidate is infinite/);
      assert.match(none(0.5, 0)[0].sentence, /of the champion is infinite/);
      // the positive class may be the first one
      const first = { manifest: { ...binary, positive: 'no' } };
      const turned = contextOf(comparedOf({ p: worse.map((one) => 1 - one), q: p.map((one) => 1 - one), y }), {
        candidate: first,
        champion: first,
      }).context;
      assert.ok(
        Math.abs(
          performance_.logLossRule(turned, given('logLoss'))[0].value! -
            performance_.logLossRule(context, given('logLoss'))[0].value!,
        ) < 1e-12,
      );
      assert.match(
        performance_.logLossRule(contextOf(comparedOf({ p, y })).context, given('logLoss'))[0].sentence,
        /: 0, interval 0 to 0 /,
      );
      const one = contextOf(comparedOf({ p: [0.4], y: [1] })).context;
      assert.deepEqual(
        statuses([...performance_.logLossRule(one, given('logLoss')), ...performance_.brierRule(one, given('brier'))]),
        ['not checked', 'not checked'],
      );
    },
  ],
  [
    'AUC: by DeLong where two classes have no clusters; the margin is what it may be smaller',
    () => {
      const { p, y, random } = sample(300, 2);
      const worse = p.map((one) => Math.min(0.99, Math.max(0.01, one + 0.8 * (random() - 0.5))));
      const made = { p: worse, q: p, y };
      const context = contextOf(comparedOf(made)).context;
      const ask = (margin: number, judgedBy: string, method?: string, of = context) =>
        performance_.auc(of, given('auc', { margin, judgedBy, ...(method && { method }) }));
      const [{ value, low, high, sentence }] = ask(0, 'interval');
      assert.ok(low! < value! && value! < high! && high! < 0);
      assert.match(sentence, /\(DeLong\); expected its whole interval at or above 0$/);
      for (const [by, end] of [
        ['estimate', value],
        ['interval', low],
        ['evidence', high],
      ] as const)
        assert.deepEqual([status(ask(-end!, by)), status(ask(-end! - 1e-9, by))], ['pass', 'fail'], by);
      assert.match(ask(0, 'interval', 'bootstrap')[0].sentence, /\(bootstrap\)/);
      const clustered = contextOf(comparedOf({ ...made, cluster: y.map((_, i) => i >> 1) })).context;
      assert.match(ask(0, 'interval', undefined, clustered)[0].sentence, /\(bootstrap\)/);
      assert.equal(
        status(ask(1, 'interval', undefined, contextOf(comparedOf({ p: [0.4, 0.6], y: [1, 1] })).context)),
        'not checked',
      );
      const three = threeClasses();
      assert.match(ask(0.5, 'interval', undefined, three)[0].sentence, /\(bootstrap\)/);
      assert.match(ask(0.5, 'interval', 'delong', three)[0].sentence, /DeLong compares areas of two classes/);
    },
  ],
  [
    'calibration: error over its floor, line in its ends; of more than two classes the error of the label',
    () => {
      const { p, y } = sample(400, 3);
      const context = (plane: number[]) => contextOf(comparedOf({ p: plane, q: p, y })).context;
      const error = (plane: number[], most: number) =>
        performance_.calibrationError(context(plane), given('calibrationError', { most }));
      const off = p.map((one) => Math.min(0.99, one + 0.3));
      const [{ value, greatest }] = error(off, 0);
      assert.ok(value! > greatest! && greatest! > 0);
      assert.deepEqual(
        [status(error(off, value!)), status(error(off, value! - 1e-9)), status(error(p, 0))],
        ['pass', 'fail', 'pass'],
      );
      assert.ok(Math.abs(error(off, 0.25)[0].greatest! - 0.25) < 1e-15);
      const [rows, wide] = [context(off), { ...context(off) }];
      assert.notEqual(
        performance_.calibrationError(rows, given('calibrationError', { bins: 5 }))[0].value,
        performance_.calibrationError(wide, given('calibrationError', { bins: 50 }))[0].value,
      );
      for (const [rule, check] of [
        ['calibrationIntercept', performance_.calibrationIntercept],
        ['calibrationSlope', performance_.calibrationSlope],
      ] as const) {
        const ask = (least: number, greatest: number, judgedBy: string) =>
          check(context(off), given(rule, { least, greatest, judgedBy }));
        const [{ value, low, high }] = ask(-100, 100, 'interval');
        assert.ok(low! < value! && value! < high!);
        const by = (judgedBy: string, from: number, to: number) => [
          status(ask(from, 100, judgedBy)),
          status(ask(from + 1e-9, 100, judgedBy)),
          status(ask(-100, to, judgedBy)),
          status(ask(-100, to - 1e-9, judgedBy)),
        ];
        const wanted = ['pass', 'fail', 'pass', 'fail'];
        assert.deepEqual(by('estimate', value!, value!), wanted, rule);
        assert.deepEqual(by('interval', low!, high!), wanted, rule);
        assert.deepEqual(by('evidence', high!, low!), wanted, rule);
        const one = check(contextOf(comparedOf({ p: [0.2, 0.7, 0.6], y: [1, 1, 1] })).context, given(rule));
        assert.deepEqual(statuses(one), ['not checked']);
        const [several] = check(threeClasses(), given(rule));
        assert.deepEqual(
          [several.status, /is of two classes, and the models have more$/.test(several.sentence)],
          ['not checked', true],
        );
      }
      // the intercept is how far the log-odds are too low: these are too high
      assert.ok(performance_.calibrationIntercept(context(off), given('calibrationIntercept'))[0].value! < -0.5);
      assert.equal(
        status(
          performance_.calibrationIntercept(context(p), given('calibrationIntercept', { least: -0.5, greatest: 0.5 })),
        ),
        'pass',
      );
      const three = performance_.calibrationError(threeClasses(), given('calibrationError', { most: 1 }));
      // labels are right in 21 of 30 rows, and said to be by 0.6
      assert.ok(Math.abs(three[0].value! - 0.1) < 1e-12, String(three[0].value));
      assert.ok(three[0].greatest! >= 1);
      const floor = (plane: Float64Array, replicates: number) =>
        eceFloor(plane, undefined, { replicates, seed: 1, level: 0.95, bins: 10 }).high;
      const strict = performance_.calibrationError(threeClasses(), given('calibrationError', { most: 0 }))[0];
      assert.equal(strict.greatest, floor(new Float64Array(30).fill(0.6), 100));
      const twice = (replicates: number) =>
        performance_.calibrationError(
          contextOf(comparedOf({ p, y }), { settings: { replicates } }).context,
          given('calibrationError', { most: 0 }),
        )[0].greatest;
      assert.deepEqual(
        [twice(100), twice(2000)],
        [floor(Float64Array.from(p), 100), floor(Float64Array.from(p), 1000)],
      );
      const bins = performance_.calibrationError(threeClasses(), given('calibrationError', { bins: 5 }));
      assert.match(bins[0].sentence, /of 10 bins; leave out bins/);
    },
  ],
  [
    'groups: those that are large enough, each at its level and margin',
    () => {
      const { p, y } = sample(240, 4);
      const names = y.map((_, i) => 'abc'[i % 3] ?? '');
      const worse = p.map((one, i) => (names[i] === 'a' ? 1 - one : one));
      const made = { p: worse, q: p, y, groups: { g: names, all: y.map(() => 'one') } };
      const { context, notes } = contextOf(comparedOf(made));
      const ask = (options: object, of = context) =>
        groups(of, given('groups', { columns: ['g'], minRows: 80, minPositives: 10, ...options }));
      for (const metric of ['logLoss', 'auc', 'brier', 'ece'])
        assert.deepEqual(statuses(ask({ metric })), ['fail', 'pass', 'pass'], metric);
      assert.deepEqual(
        ask({ metric: 'auc' }).map(({ of }) => of),
        ['g=a auc', 'g=b auc', 'g=c auc'],
      );
      assert.match(
        ask({ metric: 'auc' })[0].sentence,
        /\(DeLong, 80 rows\); expected a part of its interval at or above -0\.02/,
      );
      assert.match(ask({ metric: 'brier' })[0].sentence, /\(bootstrap, 80 rows\)/);
      assert.deepEqual(notes, []);
      // the level is raised for three groups by evidence alone
      const widths = (['evidence', 'interval'] as const).map((judgedBy) => {
        const [one] = ask({ metric: 'auc', judgedBy });
        return one.high! - one.low!;
      });
      const z = 2.3939797998185104; // of 1 − 0.05/6
      assert.ok(Math.abs(widths[0]! / widths[1]! - z / 1.959963984540054) < 1e-9, String(widths));
      const small = ask({ minRows: 81 });
      assert.deepEqual([small.length, small[0].status, small[0].of], [1, 'not checked', 'g']);
      assert.match(
        notes[0]!,
        /^groups, column "g": 3 of 3 groups have too few rows and are not judged: "a" 80 \(\d+ of the rarer class\), /,
      );
      const rarer = Math.min(
        ...[0, 1, 2].map((k) =>
          Math.min(...[0, 1].map((one) => y.filter((label, i) => i % 3 === k && label === one).length)),
        ),
      );
      assert.equal(ask({ minPositives: rarer }).length, 3);
      notes.length = 0;
      assert.equal(ask({ minPositives: rarer + 1 }).length, 2);
      assert.match(notes[0]!, /1 of 3 groups/);
      const many = { p, y, groups: { g: y.map((_, i) => `g${i % 13}`) } };
      const other = contextOf(comparedOf(many));
      ask({ minRows: 100 }, other.context);
      assert.match(other.notes[0]!, /13 of 13 groups .*: "g0" \d+ .*"g11" \d+ \([^)]*\) and 1 more$/);
      const twelve = contextOf(comparedOf({ p, y, groups: { g: y.map((_, i) => `g${i % 12}`) } }));
      ask({ minRows: 100 }, twelve.context);
      assert.doesNotMatch(twelve.notes[0]!, /more/);
      // what has no interval
      const zero = p.map((one, i) => (i === y.indexOf(1) ? 0 : one));
      const [first] = groups(
        contextOf(comparedOf({ p: zero, q: p, y, groups: { all: made.groups.all } })).context,
        given('groups', { columns: ['all'] }),
      );
      assert.deepEqual([first.status, first.of], ['not checked', 'all=one logLoss']);
      // of more than two classes rows alone count
      const three = threeClasses({ all: Array.from({ length: 30 }, () => 'one') });
      assert.deepEqual(statuses(groups(three, given('groups', { columns: ['all'], minRows: 30 }))), ['pass']);
      const told: string[] = [];
      assert.deepEqual(
        statuses(
          groups(
            { ...three, note: (message) => told.push(message) },
            given('groups', { columns: ['all'], minRows: 31 }),
          ),
        ),
        ['not checked'],
      );
      assert.match(told[0]!, /is not judged: "one" 30$/);
      assert.deepEqual(
        statuses(groups(three, given('groups', { columns: ['all'], minRows: 30, metric: 'auc', margin: 0.5 }))),
        ['pass'],
      );
    },
  ],
  ['gaps of each figure by hand, with weights, counts and clusters', gaps],
  [
    'gaps: what cannot be compared',
    () => {
      const { p, y } = sample(200, 6);
      const names = y.map((_, i) => (i < 100 ? 'a' : 'b'));
      const ask = (rows: ComparedRows | Context, options: object = {}) =>
        groupGap(
          'rules' in rows ? rows : contextOf(rows).context,
          given('groupGap', { columns: ['g'], minRows: 50, minPositives: 5, ...options }),
        );
      const one = comparedOf({ p, y, groups: { g: names } });
      assert.match(ask(one, { minRows: 101 })[0].sentence, /has no group with enough rows/);
      assert.match(
        ask(comparedOf({ p, y, groups: { g: y.map(() => 'a') } }))[0].sentence,
        /has fewer than two groups with enough rows and a selectionRate/,
      );
      assert.match(
        ask({ ...one, cluster: Uint32Array.from(y, (_, i) => i) }, { metric: 'auc' })[0].sentence,
        /no interval by clusters/,
      );
      assert.equal(status(ask({ ...one, cluster: Uint32Array.from(y, (_, i) => i) })), 'pass');
      assert.equal(status(ask(one, { metric: 'auc', most: 1 })), 'pass');
      // nobody of a group is called positive
      const none = comparedOf({ p: p.map((q, i) => (i < 100 ? 0.1 : q)), y, groups: { g: names } });
      assert.deepEqual(statuses(ask(none, { metric: 'precision' })), ['not checked']);
      const three = threeClasses({ g: Array.from({ length: 30 }, (_, i) => (i < 15 ? 'a' : 'b')) });
      assert.match(
        ask(three, { metric: 'tpr', minRows: 15 })[0].sentence,
        /tpr is of two classes, and the models have more/,
      );
      const [right] = ask(three, { metric: 'accuracy', minRows: 15, most: 1 });
      // 12 of 15 are right, and 9 of 15
      assert.ok(right.status === 'pass' && Math.abs(right.value! - 0.2) < 1e-12);
      assert.match(right.sentence, /^accuracy is 0\.8 in "a" \(15 rows\) and 0\.6 in "b" \(15\)/);
      // one row of b is called positive: there is no error
      const lone = comparedOf({
        p: p.map((q, i) => (i < 100 || i === 150 ? q : 0.1)).map((q, i) => (i === 150 ? 0.9 : q)),
        y,
        groups: { g: names },
      });
      assert.deepEqual(statuses(ask(lone, { metric: 'precision' })), ['not checked']);
      const light = ask({ ...one, weight: new Float64Array(200).fill(0.001) });
      assert.ok(Math.abs(light[0].value! - ask(one)[0].value!) < 1e-12);
      const which = ask(one, { metric: 'accuracy', most: 1 })[0].sentence;
      const hits = ['a', 'b'].map(
        (g) => y.filter((label, i) => names[i] === g && label === Number(p[i]! > 0.5)).length,
      );
      assert.match(which, hits[0]! > hits[1]! ? /^accuracy is [\d.]+ in "a"/ : /^accuracy is [\d.]+ in "b"/);
    },
  ],
  ['coefficients: sign, ends, level, and those that are not there', coefficientCases],
  [
    'size at its limit',
    () => {
      const { context } = contextOf('no rows');
      const ask = (mostBytes: number) => size(context, given('size', { mostBytes }));
      assert.deepEqual([status(ask(99)), status(ask(100)), status(ask(101))], ['fail', 'pass', 'pass']);
      assert.match(ask(99)[0].sentence, /^the file has 100 bytes; expected at most 99$/);
    },
  ],
  ['times at their limits, by a clock that stands still', times],
  ['fields that refuse what the champion takes', fields],
  [
    'classes of two models',
    () => {
      const model = (of: object) => ({ manifest: { ...binary, ...of } }) as unknown as Model;
      const ask = (of: object) => incomparable(model(of), model({}));
      assert.equal(ask({}), null);
      assert.match(
        ask({ classes: ['no', 'yes', 'maybe'] })!,
        /^the classes of the candidate are "no", "yes", "maybe", those of the champion "no", "yes"$/,
      );
      assert.match(ask({ classes: ['yes', 'no'] })!, /^the classes/);
      assert.match(ask({ classes: ['no', 'x'] })!, /^the classes/);
      assert.match(
        ask({ positive: 'no' })!,
        /^the positive class of the candidate is "no", that of the champion "yes"$/,
      );
      const { context } = contextOf('x', { candidate: { manifest: { ...binary, positive: 'no' } } });
      assert.deepEqual(statuses(schema(context, given('schema'))), ['fail']);
      assert.deepEqual(statuses(schema(contextOf('x').context, given('schema'))), ['pass']);
    },
  ],
  [
    'options of rules: kinds at their ends',
    () => {
      const fits = (kind: kinds.Kind, ...values: unknown[]) => values.map(kind.fits);
      assert.deepEqual(fits(kinds.number(0, 1), -1e-9, 0, 1, 1.1, '1', Number.NaN), [
        false,
        true,
        true,
        false,
        false,
        false,
      ]);
      assert.deepEqual(fits(kinds.finite, 1, Number.POSITIVE_INFINITY, '1'), [true, false, false]);
      assert.deepEqual(fits(kinds.between, 0, 1e-9, 1 - 1e-9, 1, '0.5'), [false, true, true, false, false]);
      assert.deepEqual(fits(kinds.positive, 0, 1e-9, Number.POSITIVE_INFINITY, '1'), [false, true, false, false]);
      assert.deepEqual(fits(kinds.integer(2, 4), 1, 2, 4, 5, 2.5, '3'), [false, true, true, false, false, false]);
      assert.deepEqual(fits(kinds.text, '', 'a', 1), [false, true, false]);
      assert.deepEqual(fits(kinds.texts, [], ['a'], ['a', 'a'], ['a', ''], 'a', ['a', 1]), [
        false,
        true,
        false,
        false,
        false,
        false,
      ]);
      assert.deepEqual(fits(kinds.onOff, true, false, 1), [true, true, false]);
      assert.deepEqual(fits(kinds.choice('a', 'b'), 'a', 'c'), [true, false]);
    },
  ],
  ['files of rules: what is completed, and all that is wrong', readCases],
  ['JUnit XML: which cases fail, are skipped and are counted; what XML cannot have', junit],
];

/** 30 rows of three classes: 21 are right, said to be by 0.6. */
function threeClasses(of: Readonly<Record<string, readonly string[]>> = {}): Context {
  const y = Array.from({ length: 30 }, (_, i) => i % 3);
  const said = y.map((one, i) => (i % 9 < 6 ? one : (one + 1) % 3));
  const plane = (k: number) => Float64Array.from(said, (one) => (one === k ? 0.6 : 0.2));
  const scores = {
    logits: [0, 1, 2].map((k) => plane(k).map(Math.log)),
    probabilities: [0, 1, 2].map(plane),
    labels: Uint32Array.from(said),
  };
  const rows = { ...comparedOf({ p: y.map(() => 0.5), y, groups: of }), candidate: scores, champion: scores };
  const manifest = { classes: ['a', 'b', 'c'], positive: null, multiclass: 'multinomial', calibration: null };
  return contextOf(rows, { candidate: { manifest }, champion: { manifest } }).context;
}

function gaps(): void {
  const p = [0.9, 0.8, 0.3, 0.6, 0.2, 0.7, 0.4, 0.1, 0.55, 0.35, 0.95, 0.15];
  const y = [1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1];
  const names = p.map((_, i) => (i < 6 ? 'a' : 'b'));
  const ask = (metric: string, more: Partial<Made> = {}, options: object = {}) =>
    groupGap(
      contextOf(comparedOf({ p, y, groups: { g: names }, ...more })).context,
      given('groupGap', { columns: ['g'], metric, minRows: 6, minPositives: 2, ...options }),
    )[0];
  const called = p.map((one) => Number(one > 0.5));
  const values: Record<string, (i: number) => number | null> = {
    selectionRate: (i) => called[i]!,
    tpr: (i) => (y[i] === 1 ? called[i]! : null),
    fpr: (i) => (y[i] === 0 ? called[i]! : null),
    precision: (i) => (called[i] === 1 ? y[i]! : null),
    accuracy: (i) => Number(called[i] === y[i]),
    brier: (i) => (p[i]! - y[i]!) ** 2,
  };
  const variants: readonly Partial<Made>[] = [
    {},
    { weight: [1, 2, 1, 1, 3, 1, 0, 2, 1, 1, 1, 2] },
    { weight: [1, 2, 1, 1, 3, 1, 0, 2, 1, 1, 1, 2], weightKind: 'count' },
    { cluster: [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5] },
    {
      cluster: [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5],
      weight: [1, 2, 1, 1, 3, 1, 0, 2, 1, 1, 1, 2],
      weightKind: 'count',
    },
  ];
  for (const [metric, value] of Object.entries(values))
    for (const more of variants) {
      const sides = ['a', 'b'].map((group) => {
        const own = p.flatMap((_, i) => (names[i] === group && value(i) !== null ? [i] : []));
        const w = (i: number) => more.weight?.[i] ?? 1;
        const total = own.reduce((sum, i) => sum + w(i), 0);
        const mean = own.reduce((sum, i) => sum + w(i) * value(i)!, 0) / total;
        const apart = (i: number) => value(i)! - mean;
        const seen = own.filter((i) => w(i) > 0);
        const isCount = more.weightKind === 'count' && !more.cluster;
        const clusters = [...new Set(seen.map((i) => more.cluster?.[i] ?? -1 - i))];
        const parts = clusters.map((one) =>
          seen.filter((i) => (more.cluster?.[i] ?? -1 - i) === one).reduce((sum, i) => sum + w(i) * apart(i), 0),
        );
        const squares = isCount
          ? seen.reduce((sum, i) => sum + w(i) * apart(i) ** 2, 0)
          : parts.reduce((sum, one) => sum + one ** 2, 0);
        const draws = isCount ? seen.reduce((sum, i) => sum + w(i), 0) : clusters.length;
        return draws > 1 ? { mean, error: Math.sqrt((squares * draws) / (draws - 1)) / total } : null;
      });
      const found = ask(metric, more, { most: 1, judgedBy: 'estimate' });
      const what = `${metric} ${JSON.stringify(more)}`;
      if (sides.includes(null)) {
        assert.equal(found.status, 'not checked', what);
        continue;
      }
      const gap = Math.abs(sides[0]!.mean - sides[1]!.mean);
      const half = 1.959963984540054 * Math.hypot(sides[0]!.error, sides[1]!.error);
      assert.ok(Math.abs(found.value! - gap) < 1e-12, `${what}: ${found.value} ${gap}`);
      assert.ok(
        Math.abs(found.high! - gap - half) < 1e-9 && Math.abs(found.low! - gap + half) < 1e-9,
        `${what}: ${found.high} ${gap + half}`,
      );
    }
  const { value, low, high, sentence } = ask('brier');
  for (const [by, end] of [
    ['estimate', value],
    ['interval', high],
    ['evidence', low],
  ] as const) {
    const most = Math.max(0, end!);
    assert.equal(ask('brier', {}, { most: Math.min(1, most), judgedBy: by }).status, 'pass', by);
    if (most > 1e-9 && most < 1) assert.equal(ask('brier', {}, { most: most - 1e-9, judgedBy: by }).status, 'fail', by);
  }
  assert.match(sentence, /^brier is [\d.]+ in "b" \(6 rows\) and [\d.]+ in "a" \(6\): a gap of /);
  // the greatest and the least of three
  const more = sample(60, 9);
  const three = more.p.map((_, i) => 'abc'[i % 3]!);
  const means = ['a', 'b', 'c'].map((one) => more.p.filter((q, i) => three[i] === one && q > 0.5).length / 20);
  const spread = ask('selectionRate', { p: more.p, y: more.y, groups: { g: three } }, { minRows: 20, most: 1 });
  assert.ok(Math.abs(spread.value! - (Math.max(...means) - Math.min(...means))) < 1e-12);
}

function coefficientCases(): void {
  const random = splitmix32(7);
  const data = Array.from({ length: 200 }, () => {
    const [a, b] = [2 * random() - 1, 2 * random() - 1];
    const kind = random() < 0.5 ? 'u' : 'v';
    return { a, b, kind, y: random() < 1 / (1 + Math.exp(-2 * a + b)) ? 'yes' : 'no' };
  });
  const model = fit(data, {
    target: 'y',
    positive: 'yes',
    features: ['a', 'b', 'kind'],
    lambda: 0,
    coding: 'treatment',
  } as never).model;
  const { context } = contextOf('no rows');
  const ask = (options: object, of: Model = model) =>
    coefficients({ ...context, candidate: { ...context.candidate, model: of } }, given('coefficients', options))[0];
  const { value } = ask({ feature: 'a', sign: 'positive' });
  assert.ok(value! > 0);
  const judged = (options: object, of?: Model) => ask(options, of).status;
  assert.deepEqual(
    ['positive', 'negative', 'zero'].map((sign) => judged({ feature: 'a', sign })),
    ['pass', 'fail', 'fail'],
  );
  assert.deepEqual(
    ['positive', 'negative', 'zero'].map((sign) => judged({ feature: 'b', sign })),
    ['fail', 'pass', 'fail'],
  );
  assert.deepEqual(
    [judged({ feature: 'a', least: value }), judged({ feature: 'a', least: value! + 1e-9 })],
    ['pass', 'fail'],
  );
  assert.deepEqual(
    [judged({ feature: 'a', greatest: value }), judged({ feature: 'a', greatest: value! - 1e-9 })],
    ['pass', 'fail'],
  );
  assert.deepEqual(
    [judged({ feature: 'a', sign: 'positive', greatest: 0.1 }), judged({ feature: 'a', sign: 'positive', least: 50 })],
    ['fail', 'fail'],
  );
  assert.match(
    ask({ feature: 'a', sign: 'positive', least: 0, greatest: 9 }).sentence,
    /^the coefficient of "a" is [\d.]+; expected positive, at least 0, at most 9$/,
  );
  assert.match(ask({ feature: 'a', greatest: 9 }).sentence, /; expected at most 9$/);
  assert.match(ask({ feature: 'kind', level: 'v', greatest: 9 }).sentence, /^the coefficient of "v" of "kind" is /);
  assert.equal(ask({ feature: 'kind', level: 'v', greatest: 9 }).of, 'kind v');
  assert.match(ask({ feature: 'aa', sign: 'zero' }).sentence, /no feature "aa"; did you mean "a"\?/);
  assert.match(
    ask({ feature: 'unheard-of', sign: 'zero' }).sentence,
    /no feature "unheard-of"; there are "\(intercept\)"|no feature "unheard-of"; there are "a", "b"/,
  );
  assert.match(
    ask({ feature: 'kind', level: 'zzzzz', sign: 'zero' }).sentence,
    /no level "zzzzz" of "kind"; there are /,
  );
  // several: one wrong fails, and the first that is wrong is named
  const all = fit(data, { target: 'y', positive: 'yes', features: ['a', 'kind'], C: 1 } as never).model;
  const levels = ask({ feature: 'kind', least: -5, greatest: 5 }, all);
  assert.equal(levels.status, 'pass');
  assert.match(levels.sentence, / \(0 of \d coefficients are not\)$/);
  const one = ask({ feature: 'kind', sign: 'positive' }, all);
  assert.deepEqual([one.status, one.value! < 0], ['fail', true]);
  assert.doesNotMatch(ask({ feature: 'a', least: -5 }, all).sentence, /of \d coefficients/);
  const other = ask({ feature: 'kind', sign: 'negative' }, all);
  assert.deepEqual([other.status, other.value! > 0], ['fail', true]);
  assert.match(ask({ feature: 'a', least: -5 }).sentence, /; expected at least -5$/);
  const [zero] = [0].map((weight) => {
    const changed = fit(data, { target: 'y', positive: 'yes', features: ['a'], standardize: false } as never).model;
    changed.weights[0] = weight;
    return changed;
  });
  assert.deepEqual(
    ['positive', 'negative', 'zero'].map((sign) => judged({ feature: 'a', sign }, zero)),
    ['fail', 'fail', 'pass'],
  );
  for (const [weight, sign] of [
    [0.5, 'positive'],
    [-0.5, 'negative'],
  ] as const) {
    zero.weights[0] = weight;
    assert.deepEqual(
      [judged({ feature: 'a', sign }, zero), judged({ feature: 'a', sign: 'zero' }, zero)],
      ['pass', 'fail'],
    );
  }
  const doubled = fit(
    data.map((row) => ({ ...row, same: row.kind })),
    { target: 'y', positive: 'yes', features: ['kind', 'same'], lambda: 0, coding: 'treatment' } as never,
  ).model;
  const levelsOf = ['kind', 'same'].map((feature) => ask({ feature, least: -100 }, doubled));
  assert.match(
    levelsOf.find((one) => one.status === 'not checked')!.sentence,
    /^the coefficient of "[uv]" could not be estimated$/,
  );
  // a column that says the same as another has none
  const twins = fit(
    data.map((row) => ({ ...row, twin: row.a })),
    { target: 'y', positive: 'yes', features: ['a', 'twin'], lambda: 0 } as never,
  ).model;
  const found = ['a', 'twin'].map((feature) => ask({ feature, least: -100 }, twins));
  assert.deepEqual(statuses(found).toSorted(), ['not checked', 'pass']);
  assert.match(found.find((one) => one.status === 'not checked')!.sentence, /could not be estimated$/);
}

function times(): void {
  const real = performance.now;
  let now = 0;
  let asked: unknown[] = [];
  const model = (millis: (k: number) => number, refuses = false) => {
    let k = 0;
    return {
      score: (record: unknown) => {
        if (refuses) throw new Error('refused');
        asked.push(record);
        now += millis(k++);
      },
    };
  };
  const rows = comparedOf({ p: [0.5, 0.5], y: [0, 1], records: [{ r: 0 }, { r: 1 }] });
  const ask = (options: object, own = model(() => 1), other = model(() => 1), of: ComparedRows | string = rows) => {
    asked = [];
    return latency(
      contextOf(of, { candidate: own, champion: other }).context,
      given('latency', { repetitions: 100, ...options }),
    );
  };
  performance.now = () => now;
  try {
    const median = (limit: number) => status(ask({ medianMicros: limit }));
    assert.deepEqual([median(999), median(1000), median(1001)], ['fail', 'pass', 'pass']);
    // two that see whether it scores, ten that are not counted, a hundred
    assert.equal(asked.length, 2 + 10 + 100);
    assert.deepEqual(asked.slice(2, 6), [{ r: 0 }, { r: 1 }, { r: 0 }, { r: 1 }]);
    ask({ medianMicros: 1, repetitions: 200 });
    assert.equal(asked.length, 2 + 20 + 200);
    // of a hundred times two are long: behind the 99 % point is one, so it is one of both
    const rare = () => model((k) => (k === 30 || k === 60 ? 50 : 1));
    assert.deepEqual(
      [
        status(ask({ p99Micros: 49_000 }, rare())),
        status(ask({ p99Micros: 50_000 }, rare())),
        status(ask({ medianMicros: 1000 }, rare())),
      ],
      ['fail', 'pass', 'pass'],
    );
    assert.equal(
      status(
        ask(
          { p99Micros: 1000 },
          model((k) => (k < 12 ? 50 : 1)),
        ),
      ),
      'pass',
    );
    assert.equal(
      status(
        ask(
          { p99Micros: 49_000 },
          model((k) => (k === 30 ? 50 : 1)),
        ),
      ),
      'fail',
    );
    const odd = (slow: number) =>
      ask(
        { medianMicros: 5000, repetitions: 101 },
        model((k) => (k >= 13 && k < 13 + slow ? 9 : 1)),
      )[0].value;
    assert.deepEqual([odd(50), odd(51)], [1000, 9000]);
    const half = (slow: number) => model((k) => (k >= 12 && k < 12 + slow ? 9 : 1));
    assert.deepEqual(
      [ask({ medianMicros: 5000 }, half(50))[0].value, ask({ medianMicros: 5000 }, half(51))[0].value],
      [1000, 9000],
    );
    const ratio = (limit: number) =>
      ask(
        { ratio: limit },
        model(() => 3),
        model(() => 2),
      );
    assert.deepEqual([status(ratio(1.49)), status(ratio(1.5)), ratio(1.5)[0].value], ['fail', 'pass', 1.5]);
    assert.match(
      ratio(1)[0].sentence,
      /^median time of scoring a record over that of the champion: 1\.5, measured on this machine \(.+, Node\.js [\d.]+\) in 100 repetitions; expected at most 1$/,
    );
    assert.deepEqual(
      ask({ medianMicros: 1, p99Micros: 1, ratio: 1 }).map(({ of }) => of),
      ['medianMicros', 'p99Micros', 'ratio'],
    );
    const unchecked = ask(
      { medianMicros: 1, ratio: 1 },
      model(() => 1, true),
    );
    assert.deepEqual(
      unchecked.map(({ of, status }) => [of, status]),
      [
        ['medianMicros', 'not checked'],
        ['ratio', 'not checked'],
      ],
    );
    assert.match(unchecked[0].sentence, /scores none of the first records/);
    const [lost] = ask(
      { ratio: 1 },
      model(() => 1),
      model(() => 1, true),
    );
    assert.deepEqual([lost.status, lost.of], ['not checked', 'ratio']);
    assert.deepEqual(
      ask(
        { p99Micros: 1 },
        model(() => 1),
        model(() => 1),
        'why not',
      ).map(({ sentence }) => sentence),
      ['why not'],
    );
    const machine = `measured on this machine (${cpus()[0]!.model.trim() || 'unknown processor'}, Node.js ${process.version.slice(1)})`;
    assert.ok(ratio(1)[0].sentence.includes(machine));
    // each look at the clock is a millisecond later
    performance.now = () => now++;
    const bytes = saveModel(
      fit(
        Array.from({ length: 20 }, (_, i) => ({ x: i % 7, y: i % 2 ? 'a' : 'b' })),
        { target: 'y' },
      ).model,
    );
    const load = (options: object) => {
      asked = [];
      const { context } = contextOf(rows, { candidate: model(() => 1) });
      return latency(
        { ...context, candidate: { ...context.candidate, bytes } },
        given('latency', { repetitions: 100, ...options }),
      );
    };
    for (const key of ['loadMedianMillis', 'loadP99Millis']) {
      const [one, ...others] = load({ [key]: 1 });
      assert.deepEqual([one.of, one.status, one.value, others.length, asked.length], [key, 'pass', 1, 0, 2]);
      assert.equal(status(load({ [key]: 0.99 })), 'fail');
      assert.match(one.sentence, /in 20 repetitions/);
    }
    assert.match(load({ loadMedianMillis: 1, repetitions: 3001 })[0].sentence, /in 31 repetitions/);
    assert.match(load({ loadMedianMillis: 1, repetitions: 2001 })[0].sentence, /in 21 repetitions/);
  } finally {
    performance.now = real;
  }
}

function fields(): void {
  type Of = Record<string, unknown>;
  const model = (list: readonly Of[]) =>
    ({
      manifest: binary,
      fields: list.map((one) => ({ type: 'number', nullable: true, strict: false, ...one })),
    }) as unknown as Model;
  const ask = (own: Of, other: Of = {}, allowed?: string[]) =>
    refusals(model([{ name: 'f', ...own }]), model([{ name: 'f', ...other }]), allowed);
  assert.deepEqual(ask({}), []);
  assert.deepEqual(ask({ type: 'category' }), []);
  assert.deepEqual(ask({ type: 'number' }, { type: 'category' }), [
    'field "f" is of type number, in the champion category',
  ]);
  assert.deepEqual(ask({ type: 'category' }, { type: 'date' }), [
    'field "f" is of type category, in the champion date',
  ]);
  assert.deepEqual(ask({ type: 'date' }), ['field "f" is of type date, in the champion number']);
  assert.deepEqual(ask({ nullable: false }), ['field "f" must not be missing']);
  assert.deepEqual(ask({ nullable: false }, { nullable: false }), []);
  assert.deepEqual(ask({}, { nullable: false }), []);
  const strict = { type: 'category', strict: true, levels: ['a', 'b'] };
  assert.deepEqual(ask(strict, { ...strict, strict: false }), ['field "f" refuses categories that it does not know']);
  assert.deepEqual(ask(strict, { ...strict, levels: ['a', 'c'] }), ['field "f" refuses "c"']);
  assert.deepEqual(ask(strict, strict), []);
  assert.deepEqual(ask({ ...strict, strict: false }, strict), []);
  assert.deepEqual(ask({ low: 0 }), ['field "f" refuses numbers below 0']);
  assert.deepEqual(ask({ low: 0 }, { low: 0 }), []);
  assert.deepEqual(ask({ low: 0 }, { low: -1 }), ['field "f" refuses numbers below 0']);
  assert.deepEqual(ask({ low: 0 }, { low: 1 }), []);
  assert.deepEqual(ask({ high: 1 }), ['field "f" refuses numbers above 1']);
  assert.deepEqual(ask({ high: 1 }, { high: 1 }), []);
  assert.deepEqual(ask({ high: 1 }, { high: 2 }), ['field "f" refuses numbers above 1']);
  assert.deepEqual(ask({ high: 1 }, { high: 0 }), []);
  assert.deepEqual(ask({}, { low: 0, high: 1 }), []);
  assert.deepEqual(ask({ maxText: 10 }), ['field "f" refuses texts of more than 10 characters']);
  assert.deepEqual(ask({ maxText: 10 }, { maxText: 10 }), []);
  assert.deepEqual(ask({ maxText: 10 }, { maxText: 11 }), ['field "f" refuses texts of more than 10 characters']);
  assert.deepEqual(ask({}, { maxText: 10 }), []);
  const added = (n: number, allowed?: string[]) =>
    refusals(model(Array.from({ length: n }, (_, k) => ({ name: `n${k}` }))), model([]), allowed);
  assert.deepEqual(added(1), ['it requires new fields: "n0" (newFields allows them)']);
  assert.deepEqual(added(2, ['n0']), ['it requires new fields: "n1" (newFields allows them)']);
  assert.deepEqual(added(1, ['n0']), []);
  assert.match(added(12)[0]!, /"n11" \(/);
  assert.match(added(13)[0]!, /^it requires new fields: "n0", .*"n11" and 1 more \(/);
  const said = (n: number) => {
    const changed = model(Array.from({ length: n }, (_, k) => ({ name: `c${k}`, nullable: false })));
    const { context } = contextOf('x', {
      candidate: changed,
      champion: model(Array.from({ length: n }, (_, k) => ({ name: `c${k}` }))),
    });
    return schema(context, given('schema'))[0];
  };
  assert.deepEqual(
    [said(0).status, said(0).sentence],
    ['pass', 'the candidate takes every record that the champion takes, and has its classes'],
  );
  assert.deepEqual([said(1).status, said(1).sentence], ['fail', 'field "c0" must not be missing']);
  assert.match(said(8).sentence, /^field "c0" .*field "c7" must not be missing$/);
  assert.match(said(9).sentence, /^field "c0" .*field "c7" must not be missing and 1 more$/);
  assert.match(ask({ name: 'x'.repeat(60), type: 'date' }, { name: 'x'.repeat(60) })[0]!, /^field "x{60}" is/);
  assert.match(ask({ name: 'x'.repeat(61), type: 'date' }, { name: 'x'.repeat(61) })[0]!, /^field "x{60}…" is/);
}

async function readCases(): Promise<void> {
  const problem = (values: unknown) => {
    try {
      rulesOf('rules', values);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.deepEqual(Object.keys(defaultRules().rules), [
    'schema',
    'scored',
    'rows',
    'positives',
    'labelCoverage',
    'logLoss',
    'auc',
    'calibrationError',
    'scorePsi',
  ]);
  const some = rulesOf('rules', { $schema: 'x', rules: { auc: {} }, level: 0.9 });
  assert.deepEqual(
    [Object.keys(some.rules), some.level, some.replicates, some.rules.auc![0]],
    [['schema', 'scored', 'auc'], 0.9, 1000, { margin: 0.01, judgedBy: 'interval', optional: false }],
  );
  for (const wrong of [null, [], 'x', { rules: [] }, { rules: null }, {}])
    assert.match(problem(wrong)!, /expected an object with rules, got/);
  assert.match(problem([])!, /got \[\];/);
  assert.match(problem({ rules: [1] })!, /got \[1\];/);
  assert.match(problem({})!, /got nothing;/);
  assert.match(
    problem({ rules: { size: {} } })!,
    /size\.mostBytes: expected a whole number from 1 to 1000000000000, got nothing/,
  );
  assert.match(problem({ rules: { auc: 5 } })!, /auc: expected an object of options, got 5/);
  assert.match(problem({ rules: { auc: [{}] } })!, /auc: expected an object of options, got \[\{\}\]/);
  assert.match(problem({ rules: { coefficients: [] } })!, /coefficients: expected at least one, got none/);
  assert.match(
    problem({ rules: { coefficients: [{ feature: 'a', sign: 'zero' }, 7] } })!,
    /coefficients\[1\]: expected an object of options, got 7/,
  );
  assert.match(
    problem({ rules: { coefficients: [{ feature: 'a' }] } })!,
    /coefficients: expected one of sign, least, greatest, got none/,
  );
  assert.equal(problem({ rules: { coefficients: [{ feature: 'a', least: 1, greatest: 1 }] } }), null);
  assert.match(
    problem({ rules: { coefficients: { feature: 'a', least: 2, greatest: 1 } } })!,
    /coefficients\.least: expected at most 1 \(greatest\), got 2/,
  );
  assert.equal(problem({ rules: { coefficients: { feature: 'a', least: 2 } } }), null);
  const delong = (more: object, method = 'delong') => problem({ rules: { auc: { method } }, ...more });
  assert.deepEqual(
    [
      delong({}),
      delong({ cluster: 'c' }, 'bootstrap'),
      delong({ cluster: 'c' })?.includes('expected bootstrap beside a cluster'),
    ],
    [null, null, true],
  );
  assert.match(
    problem({ rules: { brier: { margin: 3 }, logLoss: { margin: -1 } } })!,
    /logLoss\.margin: .*got -1 \(and 1 more: brier\.margin: expected a number from 0 to 2, got 3\)/,
  );
  assert.doesNotMatch(problem({ rules: { brier: { margin: 3 } } })!, /more/);
  assert.match(
    problem({ rules: { nothing: {} } })!,
    /nothing: expected a rule that exists, got another; there are schema, /,
  );
  assert.match(
    problem({ rules: { auc: { nothing: 1 } } })!,
    /auc\.nothing: expected an option that exists, got another; there are margin, /,
  );
  assert.match(problem({ rules: { auc: { margin: 'x'.repeat(58) } } })!, /got "x{58}"; its keys/);
  assert.match(problem({ rules: { auc: { margin: 'x'.repeat(59) } } })!, /got "x{59}…; its keys/);
  assert.equal(rulesOf('rules', { rules: { auc: { optional: true } } }).rules.auc![0].optional, true);
  assert.match(problem({ rules: { auc: { margin: Number.NaN } } })!, /got NaN;/);
  assert.match(problem({ rules: { acu: {} } })!, /acu: expected a rule that exists, got another; did you mean auc\?/);
  assert.match(problem({ rules: { ['k'.repeat(61)]: {} } })!, /: k{60}: expected a rule/);
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, k) => [`r${k}`, {}]));
  assert.match(
    problem({ rules: ten })!,
    /: r0: .* \(and 9 more: r1: .*r8: expected a rule[^;]*; there are [^;]*\); its keys/,
  );
  assert.deepEqual(await readRules(undefined), defaultRules());
  const folder = mkdtempSync(join(tmpdir(), 'logodds-rules-'));
  try {
    const read = (text: string) => {
      writeFileSync(join(folder, 'rules'), text);
      return readRules(join(folder, 'rules'));
    };
    assert.deepEqual(Object.keys((await read('rules:\n  auc: {}\n')).rules), ['schema', 'scored', 'auc']);
    await assert.rejects(read('{\n"rules": {\n"auc": {} "size": 1}}'), /got an error in line 3 \(/);
    const aliases = (n: number) =>
      `rules:\n  auc: &a {}\n  latency: &l {ratio: 1}\n  coefficients:\n${'    - *l\n'.repeat(n)}`;
    await assert.rejects(read(aliases(99)), /ERR_RANGE|coefficients/);
    await assert.rejects(read(aliases(100)), /expected few aliases, got an error/);
    await assert.rejects(readRules(join(folder, 'absent')), /expected a file of rules, got an error/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function junit(): void {
  const [yes, no] = [{ optional: true }, { optional: false }] as Given[];
  const found = [
    finding('auc', no, 'pass', 'fine'),
    finding('brier', no, 'pass', 'fine'),
    finding('scorePsi', no, 'pass', 'fine'),
    finding('logLoss', no, 'fail', 'bad'),
    finding('size', yes, 'not checked', 'why'),
    finding('rows', no, 'not checked', 'why'),
    finding('groups', yes, 'fail', 'worse', {}, 'a<"&\'>\n\t\u0007\ud800x\u{1f600}'),
  ];
  const side = { model: 'm', sha256: null, bytes: 1 };
  const result = {
    findings: found,
    candidate: side,
    champion: { ...side, sha256: 'ab' },
    data: 'd',
    target: 'y',
  } as unknown as GateResult;
  const xml = junitXml(result, { seconds: 1.23456, at: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) });
  assert.match(
    xml,
    /<testsuite name="logodds gate" tests="7" failures="3" errors="0" skipped="1" time="1\.235" timestamp="2026-01-02T03:04:05" hostname="localhost">/,
  );
  assert.match(xml, /<property name="candidate\.sha256" value=""\/>/);
  assert.match(xml, /<property name="champion\.sha256" value="ab"\/>/);
  assert.match(xml, /<testcase classname="logodds\.gate\.auc" name="auc" time="0"\/>/);
  assert.match(xml, /name="logLoss" time="0"><failure type="broken" message="bad">bad<\/failure>/);
  assert.match(xml, /name="size" time="0"><skipped message="not checked: why"\/>/);
  assert.match(
    xml,
    /name="rows" time="0"><failure type="unchecked" message="not checked: why">not checked: why<\/failure>/,
  );
  assert.match(xml, /name="groups: a&lt;&quot;&amp;&apos;&gt;&#10;&#9;\ufffd\ufffdx\u{1f600}"/u);
  const turned = junitXml(
    { ...result, candidate: result.champion, champion: result.candidate },
    { seconds: 0, at: new Date(0) },
  );
  assert.match(
    turned,
    /<property name="candidate\.sha256" value="ab"\/>.*<property name="champion\.sha256" value=""\/>/,
  );
  const error = junitError({ code: 'ERR_DATA', message: 'no' }, { seconds: 0, at: new Date(0) });
  assert.match(error, /tests="1" failures="0" errors="1" skipped="0"/);
  assert.match(
    error,
    /<testcase classname="logodds\.gate" name="gate" time="0"><error type="ERR_DATA" message="no">no<\/error>/,
  );
}
