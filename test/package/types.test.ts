// The declarations of the package, as programs see them that have neither DOM nor Node's types: each entry in a program of its own.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';

/** Records as programs have them: interfaces, classes, type aliases, none with an index signature. */
const RECORDS = `
interface Flight { readonly distance: number | null; readonly origin: string }
class Row { constructor(public distance: number, public origin: string) {} get far() { return this.distance > 1000; } }
type Past = { distance: number; origin: string; late: 'yes' | 'no' };
declare const flight: Flight;
declare const flights: readonly Flight[];
declare const row: Row;
declare const rows: readonly Row[];
declare const past: readonly Past[];
declare const bytes: Uint8Array;
`;

/** What a model of every entry does. */
const SCORING = `
const one: number = model.score(flight).probability + model.score(row).logit;
const labels: string[] = [...model.scoreRecords(flights), ...model.scoreRecords(rows)].map(({ label }) => label);
for (const found of model.scoreRecords(flights, { onError: 'collect' })) {
  const text: string = found.error ? found.error.message : found.label;
  const { probability, error } = found;
  const shown: string | number = error ? error.message : probability;
}
const engine = pickEngine();
const view: Float64Array = engine.rows(4, 3).view;
const same: Float64Array = engine.rows(4, 3, 'f64').view;
const narrow: Float32Array = engine.rows(4, 3, 'f32').view;
const vector: Float64Array = engine.vector(4).view;
declare const table: Table;
const scores: Scores<'f64'> = model.scoreTable(table);
const probabilities: Float64Array = scores.probabilities;
const rounded: Float32Array = model.scoreTable(table, { precision: 'f32', engine }).probabilities;
const scorer: Scorer<'f64'> = model.scorer(engine);
const logits: Float64Array = scorer.score(table).logits;
const short: Float32Array = model.scorer(engine, { precision: 'f32' }).score(table).logits;
// @ts-expect-error a precision of its own type
const wrong: Float64Array = model.scorer(engine, { precision: 'f32' }).score(table).logits;
`;

const EXPLAINING = `
const contributions: readonly Contribution[] = [...explain(model, flight).contributions, ...explain(model, row).contributions];
const texts: string[] = [...reasons(model, flight, { k: 2 }), ...reasons(model, row)].map(({ text }) => text);
const { low, high }: ProbabilityInterval = interval(model, flight);
const ends: readonly number[] = [interval(model, row).low, interval(model, flight, 0.9).high];
const lows: Float64Array = interval(model, table).low;
const { to, score } = whatIf(model, flight, 'distance');
const probability: number | undefined = score?.probability ?? whatIf(model, row, 'origin').score?.probability;
const first: Explanation | undefined = explainer(model).record(flight)[0];
const ratio: number | undefined = oddsRatios(model, { distance: 100 })[0]?.oddsRatio;
`;

const PROGRAMS: Readonly<Record<string, string>> = {
  logodds: `
import { calibrate, type Contribution, coefficients, crossValidate, diagnose, type Explanation, explain, explainer, fit, type FitOptions, fitMatrix,
  fitPath, inputSchema, interval, loadModel, LogoddsError, type Model, oddsRatios, OnlineLearner, outOfFold, pickEngine, type ProbabilityInterval, reasons,
  saveModel, scoreBatch, type Scorer, type Scores, splitTable, type Table, tableFromRecords, whatIf } from 'logodds';
${RECORDS}
const options: FitOptions = { target: 'late', C: 0.5 };
const { model, warnings } = fit(past, options);
const other: Model = fit(tableFromRecords(past), { target: 'late', penalty: { lambda: 0.1, l1Ratio: 0.5, factors: { distance: 0 } } }).model;
fit(past, { target: 'late', penalty: 'none', inference: true, decide: { by: 'cost', costs: { fp: 1, fn: 4 } } });
// @ts-expect-error C and lambda exclude one another
fit(past, { target: 'late', C: 1, lambda: 1 });
const fromClasses: Table = tableFromRecords(rows);
const fromInterfaces: Table = tableFromRecords(flights, ['distance', 'origin']);
${SCORING}
const ofRecords: Float64Array = model.scoreTable(flights).probabilities;
const ofClasses: Float32Array = model.scoreTable(rows, { precision: 'f32' }).probabilities;
const ofBatch: Float64Array = scoreBatch(model, engine, engine.rows(4, 3)).probabilities;
const numbers: Float64Array = engine.columns(4, [{ kind: 'numeric' }]).numeric(0);
${EXPLAINING}
const better: Model = model.with({ decision: { threshold: 0.2 }, review: null });
const names: string[] = model.fields.map(({ name }) => name).concat(inputSchema(model).required);
const file: Uint8Array = saveModel(loadModel(bytes));
const value: number | null | undefined = coefficients(model)[1]?.value;
const best: Model = crossValidate(past, { target: 'late', folds: 3 }).model;
const path: Model = fitPath(past, { target: 'late', count: 3 }).model(0);
const planes: readonly Float64Array[] = outOfFold(past, { target: 'late' }).planes;
const found: string[] = diagnose(past, { target: 'late' }).map(({ advice }) => advice);
const matrix = fitMatrix({ layout: 'rows', rows: 2, columns: 1, values: Float64Array.of(0, 1) }, [0, 1]);
const { train, holdout } = splitTable(table, new Uint8Array(4));
const calibrated: Model = calibrate(model, holdout, { method: 'platt' });
const learner = OnlineLearner.start(train, { target: 'late' });
try { model.score({}); } catch (error) { if (error instanceof LogoddsError) error.problems.map(({ field, rule }) => field ?? rule); }
`,
  'logodds/metrics': `
import { aucInterval, evaluate, evaluateClasses, type Metrics, reliability } from 'logodds/metrics';
const found: Metrics = evaluate({ probabilities: [0.1, 0.9] }, new Uint8Array([0, 1]));
const other: number | null = evaluateClasses({ logits: [new Float64Array(2), [1, 2]] }, [0, 1], null).auc;
const low: number | undefined = aucInterval([1, 2, 3, 4], [0, 1, 0, 1])?.low;
const share: number | null | undefined = reliability({ logits: [1, 2] }, [0, 1], null, 5)[0]?.observed;
// @ts-expect-error one form of predictions
evaluate({ probabilities: [0.1], logits: [1] }, [1]);
`,
  'logodds/decide': `
import { abstainByCost, type Band, chooseThreshold, costThreshold, fitCalibration } from 'logodds/decide';
const threshold: number = costThreshold({ fp: 1, fn: 4 });
const band: Band | null = abstainByCost({ fp: 1, fn: 4 }, 0.5);
const { chosen } = chooseThreshold({ by: 'fbeta', beta: 1 }, [{ probabilities: Float64Array.of(0.1, 0.9), y: [0, 1] }]);
const calibration = fitCalibration('platt', [Float64Array.of(-1, 1)], [0, 1]);
`,
  'logodds/monitor': `
import { type Interval, meanTest, sampleRatioMismatch, type ShareTest, shareTest } from 'logodds/monitor';
const test: ShareTest = shareTest({ share: 0.05 });
test.add(true, 0.1);
const isRejected: boolean = test.isRejected || meanTest({ mean: 0.5 }).isRejected;
const interval: Interval = test.interval;
const p: number = sampleRatioMismatch([50, 50], [0.5, 0.5]).p;
// @ts-expect-error a share is needed
shareTest({});
`,
  'logodds/kernels': `
import { Encoder, Ftrl, type Likelihood, RowsBatch, sigmoid, Vector, Weights } from 'logodds/kernels';
declare const likelihood: Likelihood;
const loss: number = likelihood.at(new Float64Array(3), new Float64Array(3)).loss + sigmoid(1);
const values = (one: unknown): boolean => one instanceof RowsBatch || one instanceof Vector || one instanceof Weights || one instanceof Encoder;
declare const learner: Ftrl;
const weights: Float64Array = learner.weights();
`,
  'logodds/score': `
import { loadModel, pickEngine, type Scorer, type Scores, type Table } from 'logodds/score';
${RECORDS}
const model = loadModel(bytes);
${SCORING}
`,
  'logodds/stages': `
import { loadModel, type Table } from 'logodds/score';
import { allStages, type Contribution, encoders, type Explanation, explain, explainer, interval, oddsRatios, outcomes, type ProbabilityInterval,
  reasons, whatIf } from 'logodds/stages';
${RECORDS}
const model = loadModel(bytes.buffer, { encoders, outcomes });
const all = loadModel(bytes, allStages);
declare const table: Table;
${EXPLAINING}
`,
  'logodds/bytes': `
import { type ByteScores, byteScorer, type JsonScan, jsonScan, NO_LABEL, RowError, type SplitJson } from 'logodds/bytes';
import { loadModel } from 'logodds/score';
${RECORDS}
const scorer = byteScorer(loadModel(bytes), { onError: 'collect' });
const found: ByteScores = scorer.json(bytes);
const labels: Uint32Array = scorer.lines(bytes).labels;
const lost: boolean = scorer.end().labels[0] === NO_LABEL;
const refused: number[] = found.errors.map((error: RowError) => error.row + error.offset);
scorer.free();
const scan: JsonScan | null = jsonScan();
const split: SplitJson | null = scan!.split(bytes, 'data');
const numbers: Float64Array = split!.arrays[0]!.values;
const excess: 'depth' | 'keys' | 'elements' | null = scan!.excess(bytes, { depth: 64, keys: 100, elements: Infinity });
`,
  'logodds/slim': `
import module from 'logodds/kernels.wasm';
import { loadModel, pickEngine as pick, type Scorer, type Scores, type Table } from 'logodds/slim';
${RECORDS}
const model = loadModel(bytes);
const pickEngine = () => pick(module);
pick(bytes);
${SCORING}
`,
  'logodds/js': `
import { loadModel, pickEngine, type Scorer, type Scores, type Table } from 'logodds/js';
${RECORDS}
const model = loadModel(bytes);
${SCORING}
`,
  'logodds/threads': `
import { fit } from 'logodds';
import { threadedEngine } from 'logodds/threads';
const engine = threadedEngine({ threads: 2 });
engine.ready().then(() => fit([], { target: 'late', engine }));
`,
  'logodds/compile': `
import { compile, type CompileOptions } from 'logodds/compile';
import { loadModel } from 'logodds/score';
const options: CompileOptions = { format: 'ts' };
const source: string = compile(loadModel(new Uint8Array(8)), options);
`,
  'logodds/training.wasm': `
import scoring from 'logodds/kernels.wasm';
import training from 'logodds/training.wasm';
import same from 'logodds/wasm';
import { pickEngine } from 'logodds/slim';
const engines = [scoring, same, training].map(pickEngine);
`,
};

const FOLDER = 'build/consumer';
const STRICT: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};

/** What the compiler says of the programs. */
function problems(options: ts.CompilerOptions): string[] {
  mkdirSync(FOLDER, { recursive: true });
  const files = Object.entries(PROGRAMS).map(([entry, text]) => {
    const file = `${FOLDER}/${entry.replace(/\W/g, '-')}.ts`;
    writeFileSync(file, text);
    return file;
  });
  const program = ts.createProgram(files, { ...STRICT, ...options });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName.replace(/^.*\/(dist|build)\//, '') ?? ''}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

test('every entry has a program', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const entries = Object.keys(exports).filter((entry) => exports[entry].types?.includes('/src/'));
  for (const entry of entries) expect(Object.keys(PROGRAMS)).toContain(entry.replace('.', 'logodds'));
});

const MODULES = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };

test.each([
  ['bundler', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
  ['nodenext', MODULES],
])('a strict program without DOM and Node compiles, its declarations included (%s)', (_, options) => {
  expect(problems(options)).toEqual([]);
});

test('so does one with the newest library, DOM and Node', () => {
  expect(problems({ ...MODULES, lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'], types: ['node'] })).toEqual([]);
});
