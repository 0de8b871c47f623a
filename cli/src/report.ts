import { type BinaryMetrics, type Coefficient, coefficients, type Model } from '../../src/index.ts';
import type { EvalResult, StreamResult } from './score.ts';
import type { TrainResult } from './train.ts';

const whole = (n: number) => n.toLocaleString('en-US');
const figure = (value: number | null, digits = 4) => (value === null ? '–' : value.toFixed(digits));

/** Significant digits, without an exponent where a person would write none. */
function significant(value: number | null, digits = 5): string {
  if (value === null) return '–';
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e7)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}

function bytes(size: number): string {
  return size < 10_000
    ? `${size} bytes`
    : size < 10_000_000
      ? `${whole(Math.round(size / 1000))} kB`
      : `${whole(Math.round(size / 1e6))} MB`;
}

/** Lines "  name   text", the texts in one column. */
function facts(entries: readonly (readonly [string, string] | null)[]): string {
  const present = entries.filter((entry) => entry !== null);
  const width = Math.max(...present.map(([key]) => key.length));
  return present.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`).join('\n');
}

/** Rows of cells as an aligned table; the first column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
}

export function metricsLine({ logLoss, auc, brier, ece, accuracy }: BinaryMetrics): string {
  return `log loss ${figure(logLoss)}   AUC ${figure(auc)}   Brier ${figure(brier)}   ECE ${figure(ece)}   accuracy ${figure(accuracy)}`;
}

function formula(model: Model): string {
  const { target, schema, offset } = model.manifest;
  const names = schema.features.map((feature) => feature.name);
  const shown = names.length > 10 ? [...names.slice(0, 9), `${names.length - 9} more`] : names;
  return [target, '~', [...shown, ...(offset === null ? [] : [`offset(${offset})`])].join(' + ')].join(' ');
}

function penaltyName(l1Ratio: number): string {
  return l1Ratio === 0 ? 'L2 penalty' : l1Ratio === 1 ? 'L1 penalty' : `elastic net, L1 ratio ${l1Ratio}`;
}

function fitFacts(model: Model): (readonly [string, string])[] {
  const { classes, positive, objective, fit } = model.manifest;
  const penalty =
    objective.lambda === 0
      ? 'no penalty'
      : `${penaltyName(objective.l1Ratio)}, C = ${significant(objective.C)} (lambda = ${significant(objective.lambda)})`;
  const end = fit.converged ? 'converged' : `NOT converged (${fit.reason})`;
  return [
    ['classes', `${classes.join(', ')}   (probabilities are of ${positive})`],
    ['penalty', penalty],
    ['fit', `${fit.solver}, ${end} in ${fit.iterations} iterations, gradient ${fit.gradNorm.toExponential(1)}`],
    ['log-likelihood', `${significant(fit.logLik, 8)}   (intercept alone: ${significant(fit.nullLogLik, 8)})`],
  ];
}

/** p as R prints it: small values as a bound. */
const pValue = (p: number | null) =>
  p === null ? '–' : p < 2e-16 ? '<2e-16' : p < 1e-4 ? p.toExponential(2) : p.toFixed(4);

function stars(p: number | null): string {
  return p === null ? '' : p < 0.001 ? '***' : p < 0.01 ? '**' : p < 0.05 ? '*' : p < 0.1 ? '.' : '';
}

const label = ({ feature, level }: Coefficient) => (level === null ? feature : `${feature} = ${level}`);

export function coefficientTable(list: readonly Coefficient[]): string {
  if (!list.some((line) => line.stdError !== null)) {
    return table([
      ['', 'coefficient', 'odds ratio'],
      ...list.map((line) => [label(line), significant(line.value), significant(line.oddsRatio)]),
    ]);
  }
  const head = ['', 'coefficient', 'std. error', 'z', 'p', '', 'odds ratio', '95 % interval of the coefficient'];
  const rows = list.map((line) => [
    label(line),
    significant(line.value),
    significant(line.stdError),
    figure(line.z, 3),
    pValue(line.p),
    stars(line.p),
    significant(line.oddsRatio),
    line.ciLow === null ? '–' : `${significant(line.ciLow)} … ${significant(line.ciHigh)}`,
  ]);
  return `${table([head, ...rows])}\n  p: *** < 0.001, ** < 0.01, * < 0.05, . < 0.1`;
}

export function trainReport(out: string, result: TrainResult, by: string | undefined, inference: boolean): string {
  const { model, rows, metrics, seconds } = result;
  const held =
    rows.holdout === 0 ? 'none held out' : `${whole(rows.holdout)} held out (${by ? `largest ${by}` : 'at random'})`;
  const rate = whole(Math.round(rows.train / Math.max(seconds.fit, 1e-6)));
  const lines = facts([
    ['rows', `${whole(rows.train)} fitted, ${held}`],
    ...fitFacts(model),
    metrics && ['held out', metricsLine(metrics)],
    [
      'time',
      `read ${seconds.read.toFixed(2)} s, fit ${seconds.fit.toFixed(2)} s (${rate} rows/s), evaluate ${(seconds.score + seconds.evaluate).toFixed(2)} s`,
    ],
    ['model', `${out}, ${bytes(result.bytes)}`],
  ]);
  const list = inference ? `\n\n${coefficientTable(coefficients(model))}` : '';
  const next = facts([
    [`logodds inspect ${out}`, 'its coefficients'],
    [`logodds score ${out} NEW_DATA --out scores.csv`, 'probabilities for new rows'],
  ]);
  return `${formula(model)}\n${lines}${list}\n\nnext\n${next}\n`;
}

export function inspectReport(model: Model): string {
  const { format, producer, fit, warnings } = model.manifest;
  const lines = facts([
    ...fitFacts(model),
    [
      'rows',
      `${whole(fit.rows)}${fit.totalWeight === fit.rows ? '' : `, total weight ${significant(fit.totalWeight)}`}`,
    ],
    ['file', `format ${format}, written by ${producer}`],
    ['sha256', model.sha256 ?? '–'],
  ]);
  const notes = warnings.map(({ code, message }) => `\n  ${code} ${message}`).join('');
  return `${formula(model)}\n${lines}\n\n${coefficientTable(coefficients(model))}\n${notes ? `\nwarnings${notes}\n` : ''}`;
}

export function scoreReport(out: string, { rows, seconds }: StreamResult): string {
  return `${whole(rows)} rows scored in ${seconds.toFixed(2)} s (${whole(Math.round(rows / seconds))} rows/s): ${out}\n`;
}

export function evalReport({ rows, metrics }: EvalResult): string {
  return `${facts([
    ['rows', whole(rows)],
    ['metrics', metricsLine(metrics)],
  ])}\n`;
}
