import { compile } from '../../src/compile.ts';
import type { Model } from '../../src/index.ts';
import { compare, local, random, SEED } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { calibrated, type Fields, scoreRecords, scoreTable } from '../ours.ts';
import type { Rival } from '../timings.ts';

export const notes = [
  'Records: objects of 10 numbers (two decimals) and 10 texts (2 to 50 levels of 5 to 12 letters), as JSON.parse makes them; to a probability by Platt’s calibration, one after the other, different records in turn.',
  'compiled: the module that `compile` writes of the same model; to the object of a score, or to the probability alone.',
  'JSON text: an array of records parsed at once, then each scored; the rival parses and drops it.',
  'scikit-learn: ColumnTransformer(StandardScaler, OneHotEncoder), LogisticRegression and CalibratedClassifierCV(FrozenEstimator, sigmoid), fitted to the same rows and calibrated by the same others; its time is predict_proba, of a pandas frame made from the records or before. Probabilities agree to 1e-6, where both optima lie.',
];

const LEVELS = [2, 3, 4, 5, 6, 8, 10, 12, 16, 50];
const NUMBERS = LEVELS.map((_, j) => `number_${j}`);
const TEXTS = LEVELS.map((_, j) => `text_${j}`);
const TARGET = 'target';
const WORDS = ['level', 'state', 'category', 'segment', 'area'];

/** Records with a target that depends on some of their fields, as JSON.parse gives them. */
function records(count: number, seed: number): Fields[] {
  const next = random(seed);
  const effect = random(SEED);
  const effects = LEVELS.map((levels) => Array.from({ length: levels }, effect));
  const rows = Array.from({ length: count }, () => {
    const codes = LEVELS.map((levels) => Math.floor(((next() + 1) / 2) * levels));
    const numbers = NUMBERS.map(() => Math.round(next() * 10_000) / 100);
    const logit = codes.reduce((sum, code, j) => sum + effects[j][code] + (numbers[j] * effects[j][0]) / 100, 0);
    return Object.fromEntries<number | string>([
      ...NUMBERS.map((name, j) => [name, numbers[j]] as const),
      ...TEXTS.map((name, j) => [name, `${WORDS[j % 5]} ${codes[j]}`] as const),
      [TARGET, (next() + 1) / 2 < 1 / (1 + Math.exp(-logit)) ? 1 : 0],
    ]);
  });
  return parse(JSON.stringify(rows));
}

/** The module that `compile` writes of a model. */
function compiled(model: Model): Promise<Pick<Model, 'score'> & { probability(record: object): number }> {
  return import(`data:text/javascript;base64,${Buffer.from(compile(model)).toString('base64')}`);
}

function sum(records: readonly Fields[], of: (record: Fields) => number): number {
  let total = 0;
  for (const record of records) total += of(record);
  return total;
}

const parse = (text: string): Fields[] => JSON.parse(text);

export async function run(lab: Lab): Promise<void> {
  const [training, held] = [SEED, SEED + 1].map((seed) => records(lab.quick ? 2000 : 20_000, seed));
  const model = calibrated(lab.wasm, training, held, TARGET);
  const all = records(10_000, SEED + 2).map(({ [TARGET]: _, ...fields }) => fields);
  const fresh = (count: number) => parse(JSON.stringify(all.slice(0, count)));

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
      [local('logodds', () => scoreRecords(model, parse(text))), local('JSON.parse alone', () => parse(text).length)],
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
