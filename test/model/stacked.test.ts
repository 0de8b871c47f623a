import { describe, expect, it } from 'vitest';
import { byteScorer } from '../../src/bytes.ts';
import { compile } from '../../src/compile.ts';
import { explain, fit, loadModel, type Model, outOfFold, reasons, saveModel, stackModels } from '../../src/index.ts';
import { splitmix32 } from '../../src/internal.ts';

/** Rows whose outcome depends on a number, a category, and both. */
function rows(n: number, seed = 1) {
  const random = splitmix32(seed);
  return Array.from({ length: n }, (_, i) => {
    const x = 4 * random() - 2;
    const kind = ['a', 'b', 'c'][Math.floor(3 * random())];
    const gap = random() < 0.1 ? null : 10 * random();
    const z = 1.5 * x + (kind === 'a' ? 1 : -0.5) + 0.1 * (gap ?? 0) - 0.5;
    return { x, kind, gap, y: random() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no', i };
  });
}

const data = rows(400);
const base = (features: string[], from = data): Model => fit(from, { target: 'y', features, positive: 'yes' }).model;
const A = base(['x', 'gap']);
const B = base(['kind', 'x']);
/** A meta-learner with these weights. */
function metaOf(weights: Record<string, number>, intercept: number): Model {
  const [first] = Object.keys(weights);
  const random = splitmix32(7);
  const made = fit(
    Array.from({ length: 60 }, (_, i) => ({
      y: i % 3 ? 'yes' : 'no',
      ...Object.fromEntries(Object.keys(weights).map((name) => [name, 2 * random() - (i % 3 ? 0 : 1)])),
    })),
    { target: 'y', positive: 'yes' },
  ).model;
  expect(made.manifest.schema.features[0].name).toBe(first);
  made.weights.set(Object.values(weights));
  made.intercept[0] = intercept;
  return made;
}

describe('stackModels', () => {
  it('weight 1 on one base, no other and no intercept is that base, bit for bit', () => {
    const stack = stackModels(metaOf({ A: 1, B: 0 }, 0), { A, B });
    expect([...stack.weights]).toEqual([...A.weights]);
    expect(stack.intercept[0]).toBe(A.intercept[0]);
    for (const row of data.slice(0, 50)) expect(stack.score(row).logit).toBe(A.score(row).logit);
    expect(stack.fields).toEqual(A.fields);
  });

  it('has the logit of the meta-learner over the logits of its bases', () => {
    const stack = stackModels(metaOf({ A: 0.75, B: -0.5 }, 0.25), { A, B });
    for (const row of data) {
      const logit = 0.25 + 0.75 * A.score(row).logit - 0.5 * B.score(row).logit;
      expect(Math.abs(stack.score(row).logit - logit)).toBeLessThan(1e-13);
    }
    // x is alike in both, so it is there once
    expect(stack.manifest.schema.features.map(({ name }) => name)).toEqual(['x', 'gap', 'kind']);
    expect(stack.manifest.stack).toMatchObject({
      intercept: 0.25,
      bases: [
        { name: 'A', weight: 0.75, rows: 400 },
        { name: 'B', weight: -0.5, rows: 400 },
      ],
    });
  });

  it('keeps both of two features of one name that differ, numbers with gaps and crosses too', () => {
    const schema = {
      features: [
        { name: 'kind', kind: 'categorical' },
        { name: 'half', kind: 'numeric', column: 'gap', bins: 2 },
        { name: 'both', kind: 'cross', of: ['kind', 'half'] },
      ],
    } as const;
    const crossed = (from: typeof data) => fit(from, { target: 'y', positive: 'yes', schema: schema as never }).model;
    const [early, late] = [data.slice(0, 200), data.slice(200).filter(({ kind }) => kind !== 'c')];
    const bases = {
      A: base(['x', 'gap'], early),
      B: base(['gap', 'kind', 'x'], late),
      C: crossed(early),
      D: crossed(late),
    };
    const stack = stackModels(metaOf({ A: 0.5, B: 0.25, C: 1, D: -0.75 }, 0), bases);
    expect(stack.manifest.schema.features.map(({ name }) => name)).toEqual([
      'x',
      'gap',
      'B: x',
      'kind',
      'B: gap',
      'C: kind',
      'half',
      'both',
      'D: kind',
      'D: half',
      'D: both',
    ]);
    for (const row of data) {
      const parts = Object.values(bases).map((one) => one.score(row).logit);
      expect(
        Math.abs(stack.score(row).logit - (0.5 * parts[0] + 0.25 * parts[1] + parts[2] - 0.75 * parts[3])),
      ).toBeLessThan(1e-12);
    }
    const again = loadModel(saveModel(stack));
    expect(again.manifest).toEqual(stack.manifest);
    // one source a column: contributions are those of all bases together
    expect(explain(again, data[0]).contributions.map(({ feature }) => feature)).toEqual([
      'x',
      'gap',
      'kind',
      'C: kind × half',
      'D: kind × D: half',
    ]);
  });

  it('a table, records, bytes and a compiled model have the bits of one record', async () => {
    const stack = loadModel(
      saveModel(stackModels(metaOf({ A: 0.75, B: -0.5 }, 0.25), { A, B: base(['kind', 'x'], data.slice(99)) })),
    );
    const alone = Float64Array.from(data, (row) => stack.score(row).logit);
    expect(stack.scoreTable(data).logits).toEqual(alone);
    const scorer = byteScorer(stack);
    expect(scorer.json(new TextEncoder().encode(JSON.stringify(data))).logits).toEqual(alone);
    scorer.free();
    const module = await import(`data:text/javascript,${encodeURIComponent(compile(stack))}`);
    expect(module.score(data[3]).logit).toBe(alone[3]);
  });

  it('contributions are those of the bases by their weights', () => {
    const stack = stackModels(metaOf({ A: 0.75, B: -0.5 }, 0.25), { A, B });
    const of = (model: Model, feature: string) =>
      explain(model, data[5]).contributions.find((one) => one.feature === feature)!.contribution;
    expect(of(stack, 'x')).toBeCloseTo(0.75 * of(A, 'x') - 0.5 * of(B, 'x'), 12);
    expect(of(stack, 'kind')).toBeCloseTo(-0.5 * of(B, 'kind'), 12);
    expect(reasons(stack, data[5]).length).toBeGreaterThan(0);
  });

  it('turns a base round whose positive class is the other one', () => {
    const turned = fit(data, { target: 'y', positive: 'no', features: ['x', 'gap'] }).model;
    const stack = stackModels(metaOf({ T: -1 }, 0), { T: turned });
    for (const row of data.slice(0, 20)) expect(stack.score(row).logit).toBe(turned.score(row).logit);
  });

  it('refuses by name other classes, an offset, a base without a weight, and a stack of nothing', () => {
    const meta = metaOf({ A: 1 }, 0);
    const other = fit(data, { target: 'kind', features: ['x'] }).model;
    expect(() => stackModels(meta, { A: other })).toThrow(/base "A": expected the classes of the stack/);
    const offset = fit(data, { target: 'y', positive: 'yes', features: ['x'], offset: 'i' }).model;
    expect(() => stackModels(meta, { A: offset })).toThrow(/without an offset, got the offset "i"/);
    expect(() => stackModels(meta, { B })).toThrow(/base "B": expected a number among the features/);
    expect(() => stackModels(metaOf({ A: 0 }, 1), { A })).toThrow(/weight that is not 0/);
  });

  it('refuses a file whose list of bases is not one', () => {
    const stack = stackModels(metaOf({ A: 1 }, 0), { A });
    for (const wrong of [{ intercept: 'x', bases: [] }, { intercept: 0, bases: [{ name: 'A' }] }, 5]) {
      const file = saveModel({ ...stack, manifest: { ...stack.manifest, stack: wrong } } as never);
      expect(() => loadModel(file)).toThrow(/manifest\.stack/);
    }
  });
});

describe('the transform logit', () => {
  const scores = data.map(({ y, x }, i) => ({ y, p: i === 3 ? 0 : i === 4 ? 1 : 1 / (1 + Math.exp(-x)) }));
  const schema = { features: [{ name: 'p', kind: 'numeric', transform: 'logit', low: 1e-6, high: 1 - 1e-6 }] } as const;
  const { model } = fit(scores, { target: 'y', positive: 'yes', schema: schema as never });

  it('is log(x/(1 − x)), of 0 and 1 that of the ends, and counts them', () => {
    const z = (p: number) => model.score({ p });
    const [w] = model.weights;
    expect(z(0.75).logit).toBeCloseTo(model.intercept[0] + w * Math.log(3), 12);
    expect(z(0)).toMatchObject({ logit: z(1e-6).logit, defaulted: 1 });
    expect(z(1)).toMatchObject({ logit: z(1 - 1e-6).logit, defaulted: 1 });
    expect(model.fields[0]).toMatchObject({ low: 0, high: 1 });
  });

  it('refuses what is no probability', () => {
    for (const p of [-0.1, 1.5, 80]) expect(() => model.score({ p })).toThrow(/a probability from 0 to 1/);
    expect(() => fit([...scores, { y: 'yes', p: 1.2 }], { target: 'y', schema: schema as never })).toThrow(
      /row 400 \(from 0\), column "p": expected a probability/,
    );
  });

  it('is refused by name where its ends are open and a cell is one of them', () => {
    const open = { features: [{ name: 'p', kind: 'numeric', transform: 'logit' }] } as never;
    expect(() => fit(scores, { target: 'y', schema: open })).toThrow(/a number that logit takes/);
    const inner = fit(
      scores.filter(({ p }) => p > 0 && p < 1),
      { target: 'y', schema: open },
    ).model;
    expect(inner.fields[0]).toMatchObject({ low: Number.MIN_VALUE, high: 1 - 2 ** -53 });
    expect(inner.score({ p: inner.fields[0].high! }).logit).toBeGreaterThan(5);
  });
});

it('out-of-fold logits are those of fits to the other folds', () => {
  const found = outOfFold(data, { target: 'y', positive: 'yes', features: ['x'], folding: { folds: 4 } });
  const held = data.flatMap((_, i) => (found.fold[i] === 2 ? [i] : []));
  const own = fit(
    data.filter((_, i) => found.fold[i] !== 2),
    { target: 'y', positive: 'yes', features: ['x'] },
  ).model;
  for (const i of held) expect(found.planes[0][i]).toBeCloseTo(own.score(data[i]).logit, 9);
});
