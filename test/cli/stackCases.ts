/*
 * What `logodds stack` decides: which scores it takes, what it refuses and says, which rows it fits and holds out, whether it calls itself worth it.
 * test/mutants sees whether every comparison is held by a case.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Compared, compare } from '../../cli/src/figures/paired.ts';
import { refuseNames, sameRows, scoreNotes } from '../../cli/src/jobs/stack/checks.ts';
import { labelsOf, verdictOf } from '../../cli/src/jobs/stack/judge.ts';
import type { StackOptions } from '../../cli/src/jobs/stack/options.ts';
import {
  logitsBy,
  logitsIn,
  lookAtScores,
  numbersIn,
  refuseClasses,
  schemaOf,
} from '../../cli/src/jobs/stack/scores.ts';
import { stackCommand } from '../../cli/src/jobs/stack/stack.ts';
import { loadModel, saveModel, type Table, tableFromRecords } from '../../src/index.ts';
import { evaluate } from '../../src/metrics.ts';
import { fit, type Model, splitmix32 } from './gateParts.ts';

type Case = readonly [name: string, work: () => void | Promise<void>];

const random = splitmix32(21);
/** 160 rows of 20 sites; a fourth of the days has no score by others */
const ROWS = Array.from({ length: 160 }, (_, i) => {
  const [x, w] = [4 * random() - 2, 4 * random() - 2];
  const kind = 'ab'[Math.floor(2 * random())]!;
  const y = random() < 1 / (1 + Math.exp(-x - 0.7 * w - (kind === 'a' ? 1 : -1))) ? 'yes' : 'no';
  return {
    x,
    w,
    kind,
    site: `s${i % 20}`,
    day: i,
    weight: 1 + (i % 3),
    score: 1 / (1 + Math.exp(-x)),
    logit: w + random(),
    y,
  };
});
const csv = (rows: readonly object[]) =>
  `${Object.keys(rows[0]!).join()}\n${rows.map((row) => Object.values(row).join()).join('\n')}\n`;

/** Runs the command in a folder of its own. */
async function stack(
  options: Partial<StackOptions>,
  files: Readonly<Record<string, Uint8Array>> = {},
  rows: readonly object[] = ROWS,
) {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-stack-cases-'));
  try {
    const at = (name: string) => join(folder, name);
    writeFileSync(at('rows.csv'), csv(rows));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(at(name), bytes);
    const base =
      options.base && Object.fromEntries(Object.entries(options.base).map(([name, file]) => [name, at(file)]));
    // DATA: the file of the rows itself
    const named = (file: string) => (file === 'DATA' ? at('rows.csv') : file);
    const { report, out = at('out.st') } = options;
    const found = await stackCommand({
      ...{ data: at('rows.csv'), target: 'y', ...options },
      ...(base && { base }),
      out: 'out' in options && options.out === undefined ? undefined : named(out),
      ...(report && { report: { ...report, path: named(report.path) } }),
    });
    return {
      ...found,
      codes: found.warnings.map(({ code }) => code),
      file: existsSync(at('out.st')) ? readFileSync(at('out.st')) : null,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const fails = (work: () => unknown, message: RegExp) => assert.throws(work, message);
const table = (cells: readonly (number | string | null)[]): Table => tableFromRecords(cells.map((s) => ({ s })));
const modelOf = (features: string[], more: object = {}): Model =>
  fit(ROWS, { target: 'y', positive: 'yes', features, ...more } as never).model;
const recipe = (...features: string[]) => ({ features, fit: {} });
const near = (a: number, b: number, by = 1e-12) => assert.ok(Math.abs(a - b) < by, `${a} ${b}`);

export const CASES: readonly Case[] = [
  [
    'a column of scores is of probabilities where all are from 0 to 1; what is beyond the ends is counted',
    () => {
      const look = (cells: readonly (number | null)[], said?: 'probability' | 'logit', clip = 0.1) => {
        const { kind, guessed, clipped } = lookAtScores(table(cells), 's', said, clip);
        return `${kind} ${guessed} ${clipped}`;
      };
      assert.equal(look([0, 0.5, 1]), 'probability true 2');
      assert.equal(look([0.1, 0.5, 0.9]), 'probability true 0');
      assert.equal(look([0.0999, 0.9001, null]), 'probability true 2');
      assert.equal(look([0.5, 1.01]), 'logit true 0');
      assert.equal(look([-0.01, 0.05]), 'logit true 0');
      assert.equal(look([1.5, 0.5]), 'logit true 0');
      assert.equal(look([0.05, 0.5], 'logit'), 'logit false 0');
      assert.equal(look([0.05, 0.5], 'probability'), 'probability false 1');
      fails(() => look([2, 0.5], 'probability'), /column "s": expected probabilities from 0 to 1/);
      fails(() => numbersIn(table(['a', 'b']), 's'), /column "s": expected scores, got text such as "a"/);
      fails(() => numbersIn(table(['1', '', 'b']), 's'), /got text such as ""|got text such as "b"/);
      fails(() => numbersIn(table(['1', '2']), 's'), /expected scores, got text; correct the cells/);
    },
  ],
  [
    'logits of scores: clipped, NaN where missing; of a model those of the positive class of the stack',
    () => {
      const cells = [0, 0.25, 1, null];
      const z = logitsIn(table(cells), { name: 's', kind: 'probability' }, 0.1);
      for (const [k, p] of [0.1, 0.25, 0.9].entries()) near(z[k]!, Math.log(p / (1 - p)));
      assert.ok(Number.isNaN(z[3]));
      assert.deepEqual([...logitsIn(table([-3, 5]), { name: 's', kind: 'logit' }, 0.1)], [-3, 5]);
      const model = modelOf(['x']);
      const own = model.scoreTable(ROWS).logits;
      assert.deepEqual(logitsBy(model, tableFromRecords(ROWS), 'yes'), own);
      assert.deepEqual(
        logitsBy(model, tableFromRecords(ROWS), 'no'),
        own.map((one) => -one),
      );
      refuseClasses('b', model, ['no', 'yes']);
      fails(
        () => refuseClasses('b', model, ['no', 'maybe']),
        /base "b": expected the classes "no", "maybe", got "no", "yes"/,
      );
      const three = fit(
        ROWS.map((row, i) => ({ ...row, y: 'uvw'[i % 3] })),
        { target: 'y', features: ['x'] } as never,
      ).model;
      fails(() => refuseClasses('b', three, ['u', 'v', 'w']), /base "b": expected the classes/);
      assert.deepEqual(
        schemaOf(
          [
            { name: 'l', kind: 'logit', guessed: false, clipped: 0 },
            { name: 'p', kind: 'probability', guessed: false, clipped: 0 },
          ],
          0.1,
        ),
        {
          features: [
            { name: 'l', kind: 'numeric' },
            { name: 'p', kind: 'numeric', transform: 'logit', low: 0.1, high: 0.9 },
          ],
          others: 'infer',
        },
      );
      assert.deepEqual(
        [
          ...labelsOf(tableFromRecords([{ y: 'a' }, { y: 'b' }]), 'y', 'b'),
          ...labelsOf(tableFromRecords([{ y: 1 }, { y: 0 }]), 'y', '1'),
        ],
        [0, 1, 1, 0],
      );
    },
  ],
  [
    'names: each once, some at all, out-of-fold columns of bases, and no base that may have seen the rows',
    () => {
      refuseNames(['a', 'b'], {}, {});
      fails(() => refuseNames(['a', 'b', 'a'], {}, {}), /expected a name of its own for each base, got "a" twice/);
      fails(() => refuseNames([], {}, {}), /expected bases, got none/);
      fails(() => refuseNames(['a'], { a: 'f' }, { b: 'c' }), /--out-of-fold: expected names of --base, got "b"/);
      fails(
        () => refuseNames(['a', 'b'], { a: 'f', b: 'g' }, { a: 'c' }),
        /base "b": expected scores of models that did not see these rows/,
      );
      fails(() => refuseNames(['a'], { a: 'f' }, {}, false), /base "a"/);
      refuseNames(['a'], { a: 'f' }, { a: 'c' });
      refuseNames(['a'], { a: 'f' }, {}, true);
    },
  ],
  [
    'a base that was fitted to about as many rows of the same target is warned of',
    () => {
      const model = (target: string, rows: number) => ({ manifest: { target, fit: { rows } } }) as unknown as Model;
      const warned = (target: string, rows: number, here = 800) =>
        sameRows('b', model(target, rows), { rows: here, columns: [] }, 'y').length;
      assert.deepEqual([warned('y', 800), warned('z', 800), warned('y', 801), warned('y', 799)], [1, 0, 0, 0]);
      // all of them, of which a fifth is held out here
      assert.deepEqual([warned('y', 1000), warned('y', 1001), warned('z', 1000), warned('y', 999)], [1, 0, 0, 0]);
      assert.deepEqual([warned('y', 1000, 801), warned('y', 1003)], [0, 0]);
      const notes = (guessed: boolean, clipped: number, kind: 'logit' | 'probability' = 'probability') =>
        scoreNotes({ name: 's', kind, guessed, clipped }, 9, 0.1).map(
          ({ code, message, severity }) => `${severity} ${code} ${message.slice(0, 60)}`,
        );
      assert.deepEqual(
        [notes(false, 0).length, notes(true, 0).length, notes(false, 1).length, notes(true, 2).length],
        [0, 1, 1, 2],
      );
      assert.match(notes(true, 0)[0]!, /^info SCORE_KIND the scores in "s" are taken for probabilities/);
      assert.match(notes(true, 0, 'logit')[0]!, /taken for logits/);
      assert.match(notes(false, 3)[0]!, /^info SCORES_CLIPPED 3 of 9 probabilities in "s" are below 0\.1/);
    },
  ],
  [
    'whether it is worth it: better than the best base and the average, by whole intervals',
    () => {
      const ends = (low: number, high: number) => ({ value: (low + high) / 2, interval: { low, high } });
      const of = (best: [number, number], average: [number, number]) =>
        verdictOf(
          [
            ['(stack)', null],
            ['b', best],
            ['(average)', average],
          ].map(([name, gain]) => ({
            name,
            gain: gain && { logLoss: ends(...(gain as [number, number])) },
          })) as unknown as Compared[],
          'b',
        );
      assert.match(
        of([0.1, 0.3], [0.1, 0.2]),
        /^Stacking is worth it: its log loss on held-out rows is 0\.2000 lower than that of the best base, b \(95 % interval of the gain 0\.1000 to 0\.3000\), and 0\.1500 lower than that of a plain average/,
      );
      assert.match(of([0, 0.3], [0.1, 0.2]), /^Stacking is not shown to be worth it: .*; b alone is simpler\.$/);
      assert.match(
        of([0.1, 0.3], [0, 0.2]),
        /^Stacking is not shown to be worth it: .*; a plain average is simpler\.$/,
      );
      assert.match(
        of([-0.2, 0], [0.1, 0.2]),
        /not shown to be worth it: .*0\.1000 higher than that of the best base.*; b alone/,
      );
      assert.match(of([-0.3, -0.1], [0.1, 0.2]), /^Stacking is not worth it: .*; use b\.$/);
      assert.match(of([0.1, 0.3], [-0.3, -0.1]), /^Stacking is not worth it: .*; use the average\.$/);
      assert.match(of([0.1, 0.3], [-0.3, 0]), /not shown/);
      assert.match(of([-0.1, 0.1], [-0.1, 0.1]), /0\.0000 lower than that of the best base/);
    },
  ],
  [
    'columns, files and bases fitted here together: weights, origins, held-out comparison, file',
    async () => {
      const old = modelOf(['w'], { positive: 'no' });
      const found = await stack(
        {
          ...{
            scores: ['score'],
            base: { old: 'old.st' },
            outOfFold: { old: 'logit' },
            fits: { new: { ...recipe('x'), fit: { C: 0.5 } } },
          },
          ...{ passthrough: ['kind'], weight: 'weight', scoreKind: undefined, folds: 3 },
        },
        { 'old.st': saveModel(old) },
      );
      assert.deepEqual(
        found.bases.map(({ name, origin }) => `${name} ${origin}`),
        ['score column', 'old model', 'new folds'],
      );
      assert.deepEqual(found.rows, { train: 128, holdout: 32 });
      assert.deepEqual(
        found.codes.filter((code) => /^(SCORE|UNSC|BASE_)/.test(code)),
        ['SCORE_KIND', 'SCORES_TRUSTED'],
      );
      assert.deepEqual(found.model.fields.map(({ name }) => name).toSorted(), ['kind', 'score', 'w', 'x']);
      const { meta, model } = found;
      const names = meta.manifest.schema.features.map(({ name }) => name);
      assert.deepEqual(names, ['score', 'new', 'old', 'kind']);
      const weights = ['score', 'old', 'new'].map((name) => meta.weights[names.indexOf(name)]!);
      assert.deepEqual(
        found.bases.map(({ weight }) => weight),
        weights,
      );
      assert.deepEqual(
        loadModel(found.file as never).manifest.stack!.bases.map(({ name, weight }) => [name, weight]),
        [
          ['old', -weights[1]!],
          ['new', weights[2]],
        ],
      );
      assert.equal(found.bytes, found.file!.length);
      assert.deepEqual(
        found.comparison!.map(({ name }) => name),
        ['(stack)', 'score', 'old', 'new', '(average)'],
      );
      assert.equal(found.unscored, 0);
      assert.ok(found.verdict && found.metrics && found.evaluation);
      // the held-out rows are those of a random holdout by class, scored by the stack
      near(found.comparison![0]!.logLoss, found.metrics!.logLoss!, 1e-9);
      assert.ok(found.bases.every(({ logLoss }) => logLoss > 0.3 && logLoss < 1.2));
      assert.equal(model.manifest.weight, 'weight');
    },
  ],
  [
    'dates: bases read what they declare, a base of all leaves them out and says so, --drop leaves out others, and the rest is refused by name',
    async () => {
      const at = (day: number) => new Date(Date.UTC(2024, 0, 1) + day * 864e5).toISOString().slice(0, 10);
      const rows = ROWS.map((row) => ({ at: at(row.day), ...row }));
      const schema = {
        features: [
          { name: 'at', kind: 'date', parts: ['weekday'] },
          { name: 'x', kind: 'numeric' },
        ],
      } as never;
      const dated = saveModel(fit(rows, { target: 'y', schema } as never).model);
      const old = { base: { old: 'old.st' }, baseIsOutOfSample: true };
      const names = ({ meta }: { meta: Model }) => meta.manifest.schema.features.map(({ name }) => name);
      assert.deepEqual(names(await stack(old, { 'old.st': dated }, rows)), ['old']);
      const both = await stack({ ...old, fits: { new: { features: null, fit: {} } } }, { 'old.st': dated }, rows);
      assert.ok(both.codes.includes('DECLARED_ELSEWHERE'));
      assert.ok(both.model.fields.some(({ name }) => name === 'kind'));
      const declared = await stack({ fits: { new: { features: null, schema, fit: {} } } }, {}, rows);
      assert.deepEqual(declared.model.fields.map(({ name }) => name).toSorted(), ['at', 'x']);
      // neither base declares it
      const all = { ...old, fits: { new: { features: null, fit: {} } } };
      const plain = saveModel(modelOf(['x']));
      await assert.rejects(stack(all, { 'old.st': plain }, rows), /column "at": .* got dates; .*--drop at$/);
      const without = await stack({ ...all, drop: ['at', 'site'] }, { 'old.st': plain }, rows);
      assert.deepEqual(without.model.fields.map(({ name }) => name).toSorted(), [
        'day',
        'kind',
        'logit',
        'score',
        'w',
        'weight',
        'x',
      ]);
      const coded = await stack({ ...all, categorical: ['at'] }, { 'old.st': plain }, rows);
      assert.ok(coded.model.fields.some(({ name }) => name === 'at'));
      // dropped of all, and still read by the base that needs it
      const dropped = await stack({ ...all, drop: ['at', 'x'] }, { 'old.st': dated }, rows);
      assert.ok(dropped.model.fields.some(({ name }) => name === 'x'));
      await assert.rejects(
        stack({ ...old, drop: ['at'] }, { 'old.st': plain }, rows),
        /--drop: expected a base of all/,
      );
      await assert.rejects(
        stack({ ...all, scores: ['score'], drop: ['score'] }, { 'old.st': plain }, rows),
        /--drop: expected columns that nothing else names, got "score"/,
      );
      const open = { features: null, schema: { ...(schema as object), others: 'infer' } as never, fit: {} };
      await assert.rejects(stack({ fits: { new: open } }, {}, rows), /base "new": expected a schema that declares all/);
    },
  ],
  [
    'the average and the bases are compared on the held-out rows; a missing score counts as one half',
    async () => {
      const gaps = ROWS.map((row, i) => ({ ...row, score: i >= 120 && i % 2 ? '' : row.score }));
      const found = await stack(
        { scores: ['score', 'logit'], holdoutBy: 'day', holdout: 0.25, clip: 0.2, out: undefined },
        {},
        gaps,
      );
      const held = gaps.slice(120);
      const p = held.map(({ score }) => (score === '' ? 0.5 : Math.min(0.8, Math.max(0.2, score as number))));
      const q = held.map(({ logit }) => 1 / (1 + Math.exp(-logit)));
      const y = Uint8Array.from(held, (row) => Number(row.y === 'yes'));
      const by = Object.fromEntries(found.comparison!.map((one) => [one.name, one.logLoss]));
      const loss = (probabilities: number[]) =>
        evaluate({ probabilities: Float64Array.from(probabilities) }, y).logLoss!;
      near(by['score']!, loss(p));
      near(by['logit']!, loss(q));
      near(by['(average)']!, loss(p.map((one, i) => (one + q[i]!) / 2)));
      assert.equal(found.file, null);
      assert.ok(found.codes.includes('SCORES_CLIPPED'));
      const train = ROWS.slice(0, 120);
      near(
        found.bases[1]!.logLoss,
        evaluate(
          { logits: Float64Array.from(train, ({ logit }) => logit) },
          Uint8Array.from(train, (row) => Number(row.y === 'yes')),
        ).logLoss!,
      );
    },
  ],
  [
    'by time the earliest rows have no scores, by groups whole ones are held out, without a holdout nothing is compared',
    async () => {
      const fits = { one: recipe('x') };
      const timed = await stack({ fits, time: 'day', folds: 4 });
      assert.deepEqual(
        [timed.rows, timed.unscored, timed.codes.includes('UNSCORED')],
        [{ train: 128, holdout: 32 }, 26, true],
      );
      const none = await stack({ fits, holdout: false });
      assert.deepEqual(
        [none.rows, none.comparison, none.verdict, none.metrics, none.evaluation],
        [{ train: 160, holdout: 0 }, null, null, null, null],
      );
      const grouped = await stack({ fits, groups: 'site', seed: 3 });
      assert.deepEqual(grouped.rows, { train: 128, holdout: 32 });
      const other = await stack({ fits, groups: 'site', seed: 4 });
      assert.notDeepEqual(other.metrics, grouped.metrics);
      const again = await stack({ fits, groups: 'site', seed: 3 });
      assert.deepEqual(again.metrics, grouped.metrics);
      const missing = ROWS.map((row, i) => ({ ...row, score: i % 4 ? row.score : '' }));
      const file = { 'x.st': saveModel(modelOf(['x'])) };
      const some = await stack({ base: { old: 'x.st' }, outOfFold: { old: 'score' }, holdout: false }, file, missing);
      assert.deepEqual(
        [some.unscored, some.codes.includes('UNSCORED'), some.codes.includes('BASE_SAME_ROWS')],
        [40, true, false],
      );
      const empty = ROWS.map((row) => ({ ...row, score: '' }));
      await assert.rejects(
        stack({ base: { old: 'x.st' }, outOfFold: { old: 'score' }, holdout: false }, file, empty),
        /expected rows with a score of every base, got none|"score"/,
      );
      const taken = await stack({ base: { old: 'x.st' }, baseIsOutOfSample: true, holdout: false }, file);
      assert.deepEqual([taken.codes.includes('BASE_SAME_ROWS'), taken.unscored], [true, 0]);
      near(
        taken.bases[0]!.logLoss,
        evaluate(
          { logits: modelOf(['x']).scoreTable(ROWS).logits },
          Uint8Array.from(ROWS, (row) => Number(row.y === 'yes')),
        ).logLoss!,
      );
    },
  ],
  [
    'how the meta-learner and the bases are fitted: bounds, all other columns, calibration, errors, threads of options',
    async () => {
      const turned = ROWS.map((row) => ({ ...row, bad: -row.logit }));
      const scores = ['logit', 'bad'];
      const free = await stack({ scores, holdout: false }, {}, turned);
      assert.ok(free.bases[1]!.weight < 0);
      const bounded = await stack({ scores, holdout: false, nonnegative: true }, {}, turned);
      assert.ok(bounded.bases[1]!.weight === 0 && bounded.bases[0]!.weight > 0);
      const whole = { features: null, fit: {} };
      const all = await stack({ fits: { all: whole }, scores: ['score'], groups: 'site', weight: 'weight' });
      assert.deepEqual(all.model.fields.map(({ name }) => name).toSorted(), [
        'day',
        'kind',
        'logit',
        'score',
        'w',
        'x',
      ]);
      assert.deepEqual(
        all.meta.manifest.schema.features.map(({ name }) => name),
        ['score', 'all'],
      );
      const declared = await stack({
        fits: {
          own: { features: null, schema: { features: [{ name: 'x', kind: 'numeric', bins: 3 }] } as never, fit: {} },
        },
        holdout: false,
      });
      assert.deepEqual(
        declared.model.fields.map(({ name }) => name),
        ['x'],
      );
      const strong = await stack({ fits: { one: { ...recipe('x'), fit: { C: 0.001 } } }, holdout: false });
      const weak = await stack({ fits: { one: recipe('x') }, holdout: false });
      assert.ok(strong.bases[0]!.weight > weak.bases[0]!.weight);
      const calibrated = await stack({ fits: { one: recipe('x') }, calibrate: 'platt', holdout: false });
      assert.deepEqual(
        [calibrated.meta.manifest.calibration?.method, weak.meta.manifest.calibration ?? null],
        ['platt', null],
      );
      const errors = (more: object) =>
        stack({ scores: ['logit'], penalty: 'none', holdout: false, ...more }).then(({ meta }) =>
          meta.covariance ? [...meta.covariance][0]! : null,
        );
      const [plain, robust, no] = [await errors({ inference: true }), await errors({ robust: true }), await errors({})];
      assert.ok(no === null && plain! > 0 && robust! > 0 && plain !== robust);
    },
  ],
  [
    'each base reads its own columns, whatever the others read; columns are read as the bases of files read them',
    async () => {
      const lossOf = (found: Awaited<ReturnType<typeof stack>>, name: string) =>
        found.bases.find((one) => one.name === name)!.logLoss;
      const schema = { features: [{ name: 'binned', kind: 'numeric', column: 'x', bins: 3 }] } as never;
      const own = { features: null, schema, fit: {} };
      const whole = { features: null, fit: {} };
      const alone = await stack({ fits: { w: own, one: recipe('x') }, holdout: false });
      const beside = await stack({ fits: { own, one: recipe('x'), all: whole }, holdout: false });
      near(lossOf(alone, 'w'), lossOf(beside, 'own'));
      near(lossOf(alone, 'one'), lossOf(beside, 'one'));
      assert.deepEqual(
        alone.model.fields.map(({ name }) => name),
        ['x'],
      );
      assert.ok(beside.model.fields.length > 3);
      assert.ok(!alone.codes.includes('SCORES_TRUSTED'));
      // numbers that are categories of a base, and a column that two bases read in two ways
      const coded = ROWS.map((row, i) => ({ ...row, code: `0${(row.kind === 'a' ? 1 : 2) + (i % 2)}` }));
      const by = (kind: 'categorical' | 'numeric') =>
        fit(
          coded.map((row) => (kind === 'numeric' ? { ...row, code: Number(row.code) } : row)),
          {
            ...{ target: 'y', positive: 'yes', schema: { features: [{ name: 'code', kind }] } },
          } as never,
        ).model;
      const files = {
        'c.st': saveModel(by('categorical')),
        'n.st': saveModel(by('numeric')),
        'x.st': saveModel(modelOf(['x'])),
      };
      const read = async (base: Record<string, string>) => {
        const found = await stack({ base, baseIsOutOfSample: true, holdout: false }, files, coded);
        return found.bases.map(({ logLoss }) => logLoss);
      };
      const y = Uint8Array.from(ROWS, (row) => Number(row.y === 'yes'));
      const wanted = evaluate({ logits: by('categorical').scoreTable(coded).logits }, y).logLoss!;
      near((await read({ c: 'c.st' }))[0]!, wanted);
      near((await read({ c: 'c.st', old: 'x.st' }))[0]!, wanted);
      await assert.rejects(read({ c: 'c.st', n: 'n.st' }), /column "code": expected a number, got text/);
    },
  ],
  [
    'how many rows are held out: none, one, groups of numbers; the best base is named; a report says all of it',
    async () => {
      const fits = { one: recipe('x') };
      const timed = await stack({ fits, time: 'day', folds: 4, holdout: false });
      assert.deepEqual([timed.rows, timed.comparison], [{ train: 160, holdout: 0 }, null]);
      assert.deepEqual((await stack({ fits, groups: 'day' })).rows, { train: 128, holdout: 32 });
      const few = await stack({ fits, holdout: 0.001 });
      assert.deepEqual([few.rows.holdout, few.comparison], [0, null]);
      const last = await stack({ fits, holdoutBy: 'day', holdout: 1 / 160 });
      assert.deepEqual([last.rows.holdout, last.comparison === null], [1, false]);
      for (const scores of [
        ['score', 'logit'],
        ['logit', 'score'],
      ]) {
        const found = await stack({ scores });
        const best = found.bases.reduce((a, b) => (b.logLoss < a.logLoss ? b : a)).name;
        assert.ok(found.verdict!.includes(`the best base, ${best} (`), found.verdict!);
        assert.equal(found.model.manifest.stack, undefined);
      }
      const gap = ROWS.map((row, i) => ({ ...row, score: i === 5 ? '' : row.score }));
      const file = { 'x.st': saveModel(modelOf(['x'])) };
      const single = await stack({ base: { old: 'x.st' }, outOfFold: { old: 'score' }, holdout: false }, file, gap);
      assert.deepEqual([single.unscored, single.codes.includes('UNSCORED')], [1, true]);
      const column = await stack({ scores: ['score', 'logit'], holdout: false }, {}, gap);
      const y = Uint8Array.from(ROWS, (row) => Number(row.y === 'yes'));
      near(
        column.bases[0]!.logLoss,
        evaluate({ probabilities: Float64Array.from(gap, ({ score }) => (score === '' ? 0.5 : (score as number))) }, y)
          .logLoss!,
        1e-9,
      );
      const page = async (more: Partial<StackOptions>) => {
        const folder = mkdtempSync(join(tmpdir(), 'logodds-stack-page-'));
        try {
          const report = { path: join(folder, 'page.html'), argv: ['logodds', 'stack'], versions: [] };
          await stack({ fits, report, ...more });
          return readFileSync(report.path, 'utf8');
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      };
      const random = await page({ seed: 7, out: undefined });
      assert.match(random, /base one/);
      assert.match(random, /stacking/);
      assert.match(random, /not saved/);
      const seed = (page: string) => /seed<\/dt>\s*<dd>(?:<[^>]+>)*(\d+)/.exec(page)?.[1] ?? null;
      assert.deepEqual([seed(random), seed(await page({})), seed(await page({ holdoutBy: 'day' }))], ['7', '1', null]);
      assert.match(await page({}), /out\.st/);
      assert.match(random, /figure-roc/);
      const whole = await page({ holdout: false });
      assert.doesNotMatch(whole, /stacking<|figure-roc/);
      assert.equal(seed(whole), null);
    },
  ],
  [
    'what cannot be stacked is refused, and no file is left',
    async () => {
      await assert.rejects(stack({ fits: { x: recipe('x') } }), /base "x": expected a name that no column has/);
      await assert.rejects(stack({ fits: { y: recipe('x') } }), /base "y": expected a name that no column has/);
      await stack({ scores: ['score'] });
      await assert.rejects(
        stack({ fits: { one: recipe('x') }, out: 'DATA' }),
        /ERR_OUTPUT|is read|input|DATA|rows\.csv/,
      );
      await assert.rejects(
        stack({ fits: { one: recipe('x') }, report: { path: 'DATA', argv: [], versions: [] } }),
        /rows\.csv/,
      );
      await assert.rejects(
        stack({ target: 'site', fits: { one: recipe('x') } }),
        /target "site": expected two classes, got 20/,
      );
      await assert.rejects(
        stack({ scores: ['logit'], scoreKind: 'probability' }),
        /column "logit": expected probabilities/,
      );
    },
  ],
  [
    'paired comparison is of the first',
    () => {
      const y = [1, 0, 1, 0];
      const of = (name: string, list: number[]) => ({ name, probabilities: Float64Array.from(list) });
      const [, two] = compare([of('a', [0.9, 0.1, 0.8, 0.3]), of('b', [0.6, 0.4, 0.7, 0.5])], y);
      assert.ok(two!.gain!.logLoss.value > 0);
    },
  ],
];
