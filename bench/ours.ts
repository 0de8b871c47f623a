import type { Engine } from '../bindings/engine.ts';
import { Ftrl, type FtrlOptions } from '../bindings/ftrl.ts';
import type { RowsBatch } from '../bindings/rowsBatch.ts';
import { type ByteScores, byteScorer } from '../src/bytes.ts';
import { coefficients, fit, fitMatrix, fitPath, type Model, type Table, tableFromRecords } from '../src/index.ts';
import { auc } from '../src/metrics.ts';
import type { Dense, Flights, Sparse } from './data.ts';
import { type Contestant, contestant, type Fit, tolerances } from './race.ts';

/** the longer run that gives f* */
const TIGHT = 1e-12;
const LADDER = tolerances(3, 10);

/** Fits of logodds: as a contestant, and the best parameters it can give. */
export interface Ours {
  readonly mine: Contestant;
  readonly optimum: Float64Array;
}

function ours(fitAt: (tol: number) => Fit, { threads }: Engine, ladder = LADDER): Ours {
  const name = threads > 1 ? `logodds, ${threads} threads` : 'logodds';
  return { mine: contestant(name, ladder, fitAt), optimum: fitAt(TIGHT).params() };
}

function matrixOf(data: Dense | Sparse) {
  const { rows, columns } = data;
  return 'x' in data
    ? { layout: 'rows' as const, rows, columns, values: data.x }
    : { layout: 'sparse' as const, rows, columns, rowPtr: data.rowPtr, colIdx: data.colIdx, values: data.values };
}

/** `fitMatrix` of dense or sparse data; parameters by class: weights, then the intercept. */
export function matrix(engine: Engine, data: Dense | Sparse, lambda: number): Ours {
  const { y, columns } = data;
  const x = matrixOf(data);
  const classes = 'classes' in data ? data.classes : 2;
  return ours((tol) => {
    const { weights, intercept, report } = fitMatrix(x, y, { lambda, standardize: false, tol, classes, engine });
    return { params: () => byClass(weights, intercept, columns), iterations: report.iterations };
  }, engine);
}

function byClass(weights: Float64Array, intercept: Float64Array, columns: number): Float64Array {
  const params = new Float64Array(intercept.length * (columns + 1));
  intercept.forEach((b, k) => {
    params.set(weights.subarray(k * columns, (k + 1) * columns), k * (columns + 1));
    params[(k + 1) * (columns + 1) - 1] = b;
  });
  return params;
}

const INTERCEPT = '(intercept)';

/** The coefficients of a model at the places of their names, a level as feature=level. */
function placed(model: Model, place: ReadonlyMap<string, number>): Float64Array {
  const params = new Float64Array(place.size);
  for (const { feature, level, value } of coefficients(model)) {
    params[place.get(level === null ? feature : `${feature}=${level}`)!] = value ?? 0;
  }
  return params;
}

const placesOf = (names: readonly string[]) => new Map(names.map((name, i) => [name, i]));

/** The table of the flights, as `fit` takes it. */
function flightsTable({ rows, y, numeric, coded }: Flights): Table {
  return {
    rows,
    columns: [
      { name: 'late', kind: 'numeric', values: y },
      ...numeric.map((column) => ({ kind: 'numeric' as const, ...column })),
      ...coded.map((column) => ({ kind: 'coded' as const, ...column })),
    ],
  };
}

/** `fit` of the flights; parameters: numbers, levels in order, the intercept. */
export function table(engine: Engine, data: Flights, lambda: number): Ours {
  const levels = data.coded.flatMap(({ name, levels: all }) => all.map((level) => `${name}=${level}`));
  const place = placesOf([...data.numeric.map(({ name }) => name), ...levels, INTERCEPT]);
  const of = flightsTable(data);
  return ours((tol) => {
    const { model } = fit(of, { target: 'late', lambda, standardize: false, tol, engine });
    return { params: () => placed(model, place), iterations: model.manifest.fit.iterations };
  }, engine);
}

/** the fits whose peak memory is taken: of a batch where it lies, and of a table */
export function fitBatch(engine: Engine, batch: RowsBatch, y: Float64Array): void {
  fitMatrix(batch, y, { lambda: 1 / batch.rows, standardize: false, engine });
}

export function fitFlights(data: Flights): void {
  fit(flightsTable(data), { target: 'late', C: 1 });
}

/** Dense data as a table: y, and a column for each feature. */
function columnsOf({ x, y, rows, columns }: Dense): { names: string[]; of: Table } {
  const names = Array.from({ length: columns }, (_, j) => `x${j}`);
  const features = names.map((name, j) => ({
    name,
    kind: 'numeric' as const,
    values: Float64Array.from({ length: rows }, (_, i) => x[i * columns + j]),
  }));
  return { names, of: { rows, columns: [{ name: 'y', kind: 'numeric', values: y }, ...features] } };
}

/** `fit` without penalty and with inference, and the lines of its summary; parameters: coefficients, then standard errors, the intercept first. */
export function inference(engine: Engine, data: Dense): Ours {
  const { of } = columnsOf(data);
  const fitAt = (tol: number) => {
    const { model } = fit(of, { target: 'y', penalty: 'none', inference: true, tol, engine });
    const lines = coefficients(model);
    const params = () =>
      Float64Array.from([...lines.map(({ value }) => value!), ...lines.map((line) => line.stdError!)]);
    return { params, iterations: model.manifest.fit.iterations };
  };
  return ours(fitAt, engine, tolerances(6, 10));
}

/** `fitPath` under L1; parameters: for each λ the weights, then the intercept. */
export function path(engine: Engine, data: Dense, lambdas: Float64Array): Contestant {
  const { names, of } = columnsOf(data);
  const place = placesOf([...names, INTERCEPT]);
  return contestant('logodds', LADDER, (tol) => {
    const options = { target: 'y', lambdas: [...lambdas], l1Ratio: 1, standardize: false, tol, engine };
    const { steps, model } = fitPath(of, options);
    const params = () => Float64Array.from(steps.flatMap((_, k) => [...placed(model(k), place)]));
    return { params, iterations: steps.reduce((sum, step) => sum + step.iterations, 0) };
  });
}

/** The area under the ROC curve. */
export function area(scores: Float64Array, y: Uint8Array, weight?: Float64Array): number {
  return auc(scores, y, weight)!;
}

/** One pass of FTRL over a batch in memory, from no state to weights; parameters: weights, then the intercept. */
export function online(engine: Engine, data: Sparse, options: FtrlOptions): Ours {
  const { columns, y } = data;
  const batch = engine.sparse(data, columns);
  const pass = () => {
    const ftrl = new Ftrl(engine, { slots: columns, ...options });
    ftrl.learn(batch, y);
    const params = ftrl.weights();
    ftrl.free();
    return { params: () => params };
  };
  return { mine: { ...contestant('logodds', [0], pass), rungs: ['FTRL'] }, optimum: pass().params() };
}

export type Fields = Readonly<Record<string, number | string | null>>;

/** A model of records, with Platt's calibration by other records of the same kind; `target` is their field of 0 and 1. */
export function calibrated(
  engine: Engine,
  training: readonly Fields[],
  held: readonly Fields[],
  target: string,
): Model {
  const holdout = tableFromRecords(held);
  const options = { target, C: 1, tol: 1e-12, engine, calibrate: { method: 'platt', holdout } } as const;
  return fit(tableFromRecords(training), options).model;
}

/** Σ of the probabilities of records, one after the other. */
export function scoreRecords(model: Model, records: readonly Fields[]): number {
  let sum = 0;
  for (const record of records) sum += model.score(record).probability;
  return sum;
}

/** Probabilities of records, as one table. */
export function scoreTable(scorer: ReturnType<Model['scorer']>, records: readonly Fields[]) {
  return scorer.score(tableFromRecords(records)).probabilities;
}

/** Probabilities of texts of records, as JSON.parse and `Model.score` give them. */
export function scoreTexts(model: Model, texts: readonly string[]): Float64Array {
  const probabilities = new Float64Array(texts.length);
  for (let i = 0; i < texts.length; i++) probabilities[i] = model.score(JSON.parse(texts[i])).probability;
  return probabilities;
}

/** Probabilities of records from their bytes: at once, and as a stream in chunks. */
export function bytesScorer(model: Model) {
  const scorer = byteScorer(model);
  const record = (bytes: Uint8Array) => scorer.record(bytes).probability;
  const json = (bytes: Uint8Array) => scorer.json(bytes).probabilities;
  /** @param next  the next chunk, which has no bytes at the end */
  const stream = (format: 'lines' | 'csv', next: () => Uint8Array, out: Float64Array) => {
    let row = 0;
    const put = ({ probabilities }: ByteScores) => {
      out.set(probabilities, row);
      row += probabilities.length;
    };
    for (let chunk = next(); chunk.length > 0; chunk = next()) put(scorer[format](chunk));
    put(scorer.end());
    return out;
  };
  const chunks = (bytes: Uint8Array, size: number, out: Float64Array) => {
    let at = 0;
    const next = () => {
      const chunk = bytes.subarray(at, at + size);
      at += size;
      return chunk;
    };
    return stream('lines', next, out);
  };
  const csv = (next: () => Uint8Array, out: Float64Array) => stream('csv', next, out);
  return { record, json, chunks, csv, free: () => scorer.free() };
}

/** What another program needs to score as a model of records does that is calibrated by Platt's method. */
export function weightsOf(model: Model, numbers: readonly string[], texts: readonly string[]) {
  const lines = coefficients(model);
  const [platt] = model.manifest.calibration?.calibrators ?? [];
  if (platt?.method !== 'platt') throw new Error('expected a model with one calibrator, by Platt');
  const levels = (text: string) => lines.filter(({ feature }) => feature === text).map((c) => [c.level, c.value]);
  return {
    intercept: model.intercept[0],
    a: platt.a,
    b: platt.b,
    numbers: numbers.map((name) => lines.find(({ feature }) => feature === name)!.value),
    labels: texts.map((text) => Object.fromEntries(levels(text))),
  };
}
