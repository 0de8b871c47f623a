import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectJson, inspectReport } from '../../cli/src/commands/inspect.ts';
import { compare } from '../../cli/src/figures/paired.ts';
import type { StackOptions } from '../../cli/src/jobs/stack/options.ts';
import { stackCommand } from '../../cli/src/jobs/stack/stack.ts';
import { createService } from '../../service/src/index.ts';
import { byteScorer } from '../../src/bytes.ts';
import { fit, loadModel, type Model, outOfFold, saveModel } from '../../src/index.ts';
import { splitmix32 } from '../../src/internal.ts';
import { aucInterval } from '../../src/metrics.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-stack-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const random = splitmix32(5);
const rows = Array.from({ length: 900 }, (_, i) => {
  const x = 4 * random() - 2;
  const w = 4 * random() - 2;
  const kind = ['a', 'b', 'c'][Math.floor(3 * random())];
  const p = 1 / (1 + Math.exp(-(x + 0.8 * w + (kind === 'a' ? 1 : -0.3))));
  const score = i % 90 === 7 ? 0 : 1 / (1 + Math.exp(-x - random()));
  return { x, w, kind, site: `s${i % 40}`, day: i, score, logit: 0.8 * w + random(), y: random() < p ? 'yes' : 'no' };
});
const csv = (name: string, of: readonly object[]): string => {
  const text = [Object.keys(of[0]).join(), ...of.map((row) => Object.values(row).join())].join('\n');
  writeFileSync(at(name), `${text}\n`);
  return at(name);
};
const data = csv('data.csv', rows);
const stack = (options: Partial<StackOptions>) => stackCommand({ data, target: 'y', ...options });
const written = (model: Model, name: string): string => {
  writeFileSync(at(name), saveModel(model));
  return at(name);
};
const recipe = (...features: string[]) => ({ features, fit: {} });

describe('logodds stack', () => {
  it('fits the meta-learner to the out-of-fold logits that outOfFold gives, and puts the bases into it', async () => {
    const { meta, model, bases } = await stack({
      fits: { one: recipe('x'), two: recipe('w', 'kind') },
      holdout: false,
      folds: 4,
      out: at('fits.safetensors'),
    });
    const folding = { folds: 4 };
    const plane = (features: string[]) => outOfFold(rows, { target: 'y', features, folding }).planes[0];
    const [one, two] = [plane(['x']), plane(['w', 'kind'])];
    const own = fit(
      rows.map(({ y }, i) => ({ one: one[i], two: two[i], y })),
      { target: 'y' },
    ).model;
    expect([...meta.weights]).toEqual([...own.weights]);
    expect(bases.map(({ name, origin }) => `${name} ${origin}`)).toEqual(['one folds', 'two folds']);
    const alone = [['x'], ['w', 'kind']].map((features) => fit(rows, { target: 'y', features }).model);
    const loaded = loadModel(readFileSync(at('fits.safetensors')));
    const logits = Float64Array.from(rows, (row) => loaded.score(row).logit);
    rows.forEach((row, i) => {
      const [a, b] = alone.map((base) => base.score(row).logit);
      expect(Math.abs(logits[i] - (own.intercept[0] + own.weights[0] * a + own.weights[1] * b))).toBeLessThan(1e-12);
    });
    expect(model.scoreTable(rows).logits).toEqual(logits);
    const scorer = byteScorer(loaded);
    expect(scorer.json(new TextEncoder().encode(JSON.stringify(rows))).logits).toEqual(logits);
    scorer.free();
  });

  it('takes columns of scores: tells their kinds, clips and counts', async () => {
    const { model, warnings, comparison, verdict } = await stack({ scores: ['score', 'logit'], nonnegative: true });
    expect(model.fields.map(({ name }) => name).sort()).toEqual(['logit', 'score']);
    const said = warnings.map(({ message }) => message).join('\n');
    expect(said).toMatch(/"score" are taken for probabilities/);
    expect(said).toMatch(/"logit" are taken for logits/);
    expect(said).toMatch(/^\d of 720 probabilities in "score" are below 0\.000001/m);
    expect(comparison!.map(({ name }) => name)).toEqual(['(stack)', 'score', 'logit', '(average)']);
    expect(verdict).toMatch(/^Stacking is (not )?(shown to be )?worth it|^Stacking is not/);
    expect(model.score({ score: 0, logit: 1 }).logit).toBe(model.score({ score: 1e-6, logit: 1 }).logit);
  });

  it('keeps weights of bases at 0 or above where asked', async () => {
    const turned = csv(
      'turned.csv',
      rows.map((row) => ({ ...row, bad: -row.logit })),
    );
    const scores = ['score', 'logit', 'bad'];
    const { bases } = await stack({ data: turned, scores, nonnegative: true });
    expect(bases.every(({ weight }) => weight >= 0)).toBe(true);
    expect(bases[2].weight).toBe(0);
    expect((await stack({ data: turned, scores })).bases[2].weight).toBeLessThan(0);
  });

  it('refuses a base file that may have seen the rows, and takes it with a reason or with out-of-fold scores', async () => {
    const path = written(fit(rows, { target: 'y', features: ['x'] }).model, 'x.safetensors');
    await expect(stack({ base: { old: path } })).rejects.toThrow(
      /base "old": expected scores of models that did not see these rows/,
    );
    const taken = await stack({ base: { old: path }, baseIsOutOfSample: true, holdout: false });
    expect(taken.warnings.map(({ code }) => code)).toContain('BASE_SAME_ROWS');
    const given = await stack({ base: { old: path }, outOfFold: { old: 'score' }, fits: { two: recipe('w') } });
    expect(given.bases.map(({ origin }) => origin)).toEqual(['model', 'folds']);
    expect(given.model.fields.map(({ name }) => name)).toEqual(['x', 'w']);
    expect(given.model.manifest.stack!.bases[0].sha256).toBe(loadModel(readFileSync(path)).sha256);
  });

  it('holds whole groups out, and by time the latest rows; the earliest have no scores', async () => {
    const fits = { one: recipe('x'), two: recipe('w') };
    const grouped = await stack({ fits, groups: 'site' });
    expect(grouped.rows).toEqual({ train: 720, holdout: 180 });
    const timed = await stack({ fits, time: 'day', folds: 5 });
    expect(timed.unscored).toBe(120);
    expect(timed.warnings.map(({ code }) => code)).toContain('UNSCORED');
  });

  it('has features beside its bases, calibration and a decision, and the same answer on threads', async () => {
    const options = { fits: { one: recipe('x') }, passthrough: ['kind'], calibrate: 'platt', minRecall: 0.8 } as const;
    const one = await stack(options);
    expect(one.model.fields.map(({ name }) => name)).toEqual(['x', 'kind']);
    expect(one.model.manifest.calibration!.method).toBe('platt');
    const two = await stack({ ...options, threads: 2 });
    expect(saveModel(two.model)).toEqual(saveModel(one.model));
    expect(saveModel(loadModel(saveModel(one.model)))).toEqual(saveModel(one.model));
  });

  it('names its bases in inspect and in GET /models/{m}', async () => {
    const path = written(fit(rows, { target: 'y', features: ['x'] }).model, 'base.safetensors');
    const options = {
      base: { old: path },
      outOfFold: { old: 'score' },
      fits: { new: recipe('w') },
      holdout: false,
    } as const;
    const { model } = await stack({ ...options, out: at('named.safetensors') });
    const named = loadModel(readFileSync(at('named.safetensors')));
    const { stack: told } = model.manifest;
    expect(told!.bases.map(({ name }) => name)).toEqual(['old', 'new']);
    expect(inspectJson(named)).toMatchObject({ stack: told });
    const report = inspectReport(named);
    expect(report).toMatch(/stack +2 bases, intercept [-\d.]+; the coefficients have them in\n/);
    expect(report).toMatch(
      /base old +weight [\d.]+, fitted to 900 rows, SHA-256 [0-9a-f]{64}\n +base new +weight [\d.]+, fitted to 900 rows\n/,
    );
    const plain = loadModel(readFileSync(path));
    expect(inspectJson(plain)).not.toHaveProperty('stack');
    expect(inspectReport(plain)).not.toMatch(/stack|base old/);
    const service = createService({
      models: [
        { name: 'risk', model: saveModel(named) },
        { name: 'old', model: saveModel(plain) },
      ],
    });
    const ask = async (name: string) => (await service.fetch(new Request(`http://localhost/models/${name}`))).json();
    expect([(await ask('risk')).stack, (await ask('old')).stack]).toEqual([told, null]);
    // a base that has weight 0 is said to be left out
    const none = {
      ...told!,
      bases: told!.bases.map((base, k) => ({ ...base, weight: k * base.weight, calibrated: true })),
    };
    const manifest = { ...named.manifest, stack: none };
    expect(inspectReport(loadModel(saveModel({ ...named, manifest } as never)))).toMatch(
      /base old +weight 0: left out, fitted to 900 rows, without its calibration/,
    );
  });

  it('one base of all columns is not shown to be better than itself', async () => {
    const { verdict } = await stack({ fits: { whole: { features: ['x', 'w', 'kind'], fit: {} } } });
    expect(verdict).toMatch(/^Stacking is not/);
  });

  it('refuses by name what cannot be stacked', async () => {
    const three = fit(rows, { target: 'kind', features: ['x'] }).model;
    const cases: [Partial<StackOptions>, RegExp][] = [
      [{}, /expected bases, got none; give --scores, --base or --fit/],
      [{ scores: ['kind'] }, /column "kind": expected scores, got text such as "[abc]"|"kind"/],
      [{ scores: ['logit'], scoreKind: 'probability' }, /column "logit": expected probabilities from 0 to 1/],
      [{ scores: ['absent'] }, /absent/],
      [{ scores: ['score', 'score'] }, /"score" twice/],
      [{ fits: { x: recipe('x') } }, /base "x": expected a name that no column has/],
      [{ outOfFold: { a: 'score' }, scores: ['logit'] }, /--out-of-fold: expected names of --base, got "a"/],
      [{ target: 'kind', fits: { one: recipe('x') } }, /target "kind": expected two classes, got 3/],
      [
        { base: { other: written(three, 'three.safetensors') }, baseIsOutOfSample: true },
        /base "other": expected the classes/,
      ],
    ];
    for (const [options, said] of cases)
      await expect(stack({ ...options, out: at('none.safetensors') }), String(said)).rejects.toThrow(said);
    expect(() => readFileSync(at('none.safetensors'))).toThrow(/ENOENT/);
  });
});

describe('compare', () => {
  const y = [1, 1, 0, 0, 1, 0];
  const first = Float64Array.of(0.9, 0.6, 0.2, 0.4, 0.7, 0.65);
  const other = Float64Array.of(0.8, 0.3, 0.3, 0.5, 0.6, 0.4);

  it('is a paired mean, worked by hand', () => {
    const [, { gain, brier }] = compare(
      [
        { name: 'a', probabilities: first },
        { name: 'b', probabilities: other },
      ],
      y,
    );
    const d = y.map((one, i) => (other[i] - one) ** 2 - (first[i] - one) ** 2);
    const mean = d.reduce((a, b) => a + b) / 6;
    const error = Math.sqrt(d.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 5 / 6);
    expect(brier).toBeCloseTo((0.04 + 0.49 + 0.09 + 0.25 + 0.16 + 0.16) / 6, 12);
    expect(gain!.brier.value).toBeCloseTo(mean, 12);
    expect(gain!.brier.interval.low).toBeCloseTo(mean - 1.959963985 * error, 8);
  });

  it("has DeLong's interval of the gain in AUC: against scores without information that of the AUC itself", () => {
    const flat = { name: 'flat', probabilities: new Float64Array(6).fill(0.5) };
    const [, { gain, auc }] = compare([{ name: 'a', probabilities: first }, flat], y);
    const own = aucInterval([...first], y)!;
    expect(auc).toBe(0.5);
    expect(gain!.auc!.value).toBeCloseTo(own.auc - 0.5, 12);
    expect(gain!.auc!.interval.high - gain!.auc!.value).toBeCloseTo(1.959963985 * own.stdError, 8);
  });
});
