import { compile } from '../../src/compile.ts';
import type { Model } from '../../src/index.ts';
import { compare, local } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { type Fields, scoreRecords, scoreTable } from '../ours.ts';
import { asParsed, NUMBERS, TEXTS, trained, unseen } from '../records.ts';
import type { Rival } from '../timings.ts';

export const notes = [
  'Records: objects of 10 numbers (two decimals) and 10 texts (2 to 50 levels of 5 to 12 letters), as JSON.parse makes them; to a probability by Platt’s calibration, one after the other, different records in turn.',
  'compiled: the module that `compile` writes of the same model; to the object of a score, or to the probability alone.',
  'JSON text: an array of records parsed at once, then each scored; the rival parses and drops it.',
  'scikit-learn: ColumnTransformer(StandardScaler, OneHotEncoder), LogisticRegression and CalibratedClassifierCV(FrozenEstimator, sigmoid), fitted to the same rows and calibrated by the same others; its time is predict_proba, of a pandas frame made from the records or before. Probabilities agree to 1e-6, where both optima lie.',
];

/** The module that `compile` writes of a model. */
function compiled(model: Model): Promise<Pick<Model, 'score'> & { probability(record: object): number }> {
  return import(`data:text/javascript;base64,${Buffer.from(compile(model)).toString('base64')}`);
}

function sum(records: readonly Fields[], of: (record: Fields) => number): number {
  let total = 0;
  for (const record of records) total += of(record);
  return total;
}

export async function run(lab: Lab): Promise<void> {
  const { model, training, held } = trained(lab.wasm, lab.quick ? 2000 : 20_000);
  const all = unseen(10_000);
  const fresh = (count: number) => asParsed(all.slice(0, count));

  const thousand = fresh(1000);
  const work = { rows: 1000, bytes: 0, tolerance: 1e-6 };
  const objects = local('logodds', () => scoreRecords(model, thousand));
  const allowed: Rival = { name: '1.5 million a second', sample: () => 1000 / 1.5e3 };
  const name = 'calibrated probabilities, 1000 records of 20 fields';
  lab.cases.push(await compare({ ...work, name }, [objects, allowed], lab.settings));
  const { score, probability } = await compiled(model);
  const contestants = [
    local('compiled model', () => sum(thousand, (record) => score(record).probability)),
    local('compiled model, probability alone', () => sum(thousand, probability)),
    objects,
    allowed,
  ];
  lab.cases.push(await compare({ ...work, name: `${name}, compiled` }, contestants, lab.settings));

  const text = JSON.stringify(thousand);
  lab.cases.push(
    await compare(
      { ...work, name: 'calibrated probabilities, JSON text of 1000 records' },
      [
        local('logodds', () => scoreRecords(model, JSON.parse(text))),
        local('JSON.parse alone', () => JSON.parse(text).length),
      ],
      lab.settings,
    ),
  );

  const bytes = (rows: readonly Fields[]) => new TextEncoder().encode(JSON.stringify(rows));
  const scorer = model.scorer(lab.wasm, { reuse: true });
  for (const count of [1, 10_000]) {
    const scored = fresh(count);
    const probabilities = () => Float64Array.from(scored, (record) => model.score(record).probability);
    const arrays = { training: bytes(training), held: bytes(held), scored: bytes(scored) };
    await lab.add(
      {
        ...work,
        name: `calibrated probabilities, ${count} record${count > 1 ? 's' : ''} of 20 fields, with scikit-learn`,
        rows: count,
      },
      'f64',
      [
        local('logodds', () => scoreRecords(model, scored), { output: probabilities }),
        local('logodds, as a table', () => scoreTable(scorer, scored)[0], { output: () => scoreTable(scorer, scored) }),
        ...(await lab.rivals('pipeline', { numbers: NUMBERS, texts: TEXTS }, arrays)),
      ],
    );
  }
  scorer.free();
}
