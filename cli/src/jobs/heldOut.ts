import type { Engine, Model, Table } from '../../../src/index.ts';
import { classWeights, trueFactors } from '../../../src/internal.ts';
import type { Metrics } from '../../../src/metrics.ts';
import { metricsOf } from '../figures/metrics.ts';
import { planes } from '../figures/planes.ts';
import type { ScoredRows } from '../figures/ranked.ts';
import { type Stranger, Strangers } from '../figures/strangers.ts';
import { startRows } from '../terminal/progress.ts';
import type { Split } from './split.ts';
import type { TrainOptions } from './trainOptions.ts';

/** The scores of rows: logits and probabilities of each weight vector, and the labels. */
export function scoreRows(
  model: Model,
  engine: Engine,
  part: Split['part'],
  partRows: number,
  rows: number,
): Omit<ScoredRows, 'codes'> & { readonly defaulted: number; readonly unseen: readonly Stranger[] } {
  const strangers = new Strangers(model);
  let defaulted = 0;
  const logits = Array.from(model.intercept, () => new Float64Array(rows));
  const probabilities = Array.from(model.intercept, () => new Float64Array(rows));
  const labels = new Uint32Array(rows);
  const scorer = model.scorer(engine, { reuse: true });
  const phase = startRows('evaluate');
  try {
    for (let start = 0; start < rows; start += partRows) {
      const end = Math.min(start + partRows, rows);
      const table = part(start, end);
      const scores = scorer.score(table, start);
      strangers.add(table);
      planes(scores, scores.logits).forEach((plane, k) => {
        logits[k].set(plane, start);
      });
      planes(scores, scores.probabilities).forEach((plane, k) => {
        probabilities[k].set(plane, start);
      });
      labels.set(scores.labels, start);
      defaulted += sum(scores.defaulted);
      phase.update(end, end / rows);
    }
  } finally {
    phase.end();
    scorer.free();
  }
  return { logits, probabilities, labels, defaulted: defaulted / rows, unseen: strangers.finish() };
}

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

export const numbersOf = (table: Table, name: string | undefined) => {
  const column = table.columns.find((one) => one.name === name);
  return column?.kind === 'numeric' ? (column.values as Float64Array) : undefined;
};

/**
 * Metrics of held-out rows, these rows, and the number of rows left out (with weight 0) because the model lacks their class. If the model
 * has a prior, the rows are weighted to its class shares.
 */
export function evaluateHeldOut(
  model: Model,
  scores: Omit<ScoredRows, 'codes'>,
  table: Table,
  { weight, weightKind, trials }: Pick<TrainOptions, 'weight' | 'weightKind' | 'trials'>,
): { metrics: Metrics | null; scored: ScoredRows | null; unknown: number } {
  const { target, classes, positive } = model.manifest;
  const column = table.columns.find((one) => one.name === target)!;
  const given = numbersOf(table, weight);
  if (column.kind !== 'coded') {
    // counts: a row stands for its successes and its failures
    const tries = numbersOf(table, trials)!;
    const shares = [1, 0].flatMap((label) =>
      Array.from(column.values, (hits, i) => (given?.[i] ?? 1) * (label === 1 ? hits : tries[i] - hits)),
    );
    const code = classes.indexOf(positive!);
    const scored = withTrueShares(model, {
      logits: scores.logits.map(twice),
      probabilities: scores.probabilities.map(twice),
      labels: Array.from(shares, (_, i) => scores.labels[i % table.rows]),
      codes: Uint8Array.from(shares, (_, i) => (i < table.rows ? code : 1 - code)),
      weight: Float64Array.from(shares),
      weightKind: given ? weightKind : 'count',
    });
    return { metrics: metricsOf(model, scored), scored, unknown: 0 };
  }
  const order = column.levels.map((label) => classes.indexOf(label));
  const codes = new Uint32Array(table.rows);
  const known = new Uint8Array(table.rows);
  for (let i = 0; i < table.rows; i++) {
    codes[i] = Math.max(0, order[column.codes[i]]);
    known[i] = order[column.codes[i]] < 0 ? 0 : 1;
  }
  const unknown = known.reduce((rows, one) => rows - one, table.rows);
  const shares = unknown > 0 ? Float64Array.from(known, (one, i) => one * (given?.[i] ?? 1)) : given;
  if (unknown === table.rows) return { metrics: null, scored: null, unknown };
  const scored = withTrueShares(model, { ...scores, codes, weight: shares, weightKind });
  return { metrics: metricsOf(model, scored), scored, unknown };
}

/** Weights multiplied by the true share of the class over its share in these rows; unchanged if the model has no prior. */
function withTrueShares({ manifest: { calibration, classes } }: Model, rows: ScoredRows): ScoredRows {
  const prior = calibration?.prior;
  if (prior === undefined) return rows;
  const { codes, weight } = rows;
  const factors = trueFactors([...classWeights(classes.length, codes, weight)], prior);
  return {
    ...rows,
    weightKind: 'sampling',
    weight: Float64Array.from(codes, (code, i) => factors[code] * (weight ? weight[i] : 1)),
  };
}

/** Number of rows with weight above 0 whose true class has probability 0. */
export function ruledOut(
  { manifest: { classes, positive } }: Model,
  { probabilities, codes, weight }: ScoredRows,
): number {
  const one = classes.indexOf(positive!);
  const ofClass = (code: number, row: number) =>
    one < 0 ? probabilities[code][row] : code === one ? probabilities[0][row] : 1 - probabilities[0][row];
  let rows = 0;
  for (let i = 0; i < codes.length; i++) if ((!weight || weight[i] > 0) && ofClass(codes[i], i) === 0) rows++;
  return rows;
}

function twice(values: Float64Array): Float64Array {
  const out = new Float64Array(2 * values.length);
  out.set(values);
  out.set(values, values.length);
  return out;
}
