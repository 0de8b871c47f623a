import type { BinaryMetrics, Coefficient, Model } from '../../src/index.ts';
import { describeFeatures, type FeatureSummary } from './report/features.ts';
import type { EvalResult, StreamResult } from './score.ts';
import type { TrainResult } from './train.ts';

export const whole = (n: number) => n.toLocaleString('en-US');
export const figure = (value: number | null, digits = 4) =>
  value === null ? '–' : value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1');

/** Significant digits, without an exponent where a person would write none. */
export function significant(value: number | null, digits = 5): string {
  if (value === null) return '–';
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e7)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}

/** A share in per cent, two digits. */
export const percent = (share: number) => `${significant(100 * share, 2)} %`;

function bytes(size: number): string {
  return size < 10_000
    ? `${size} bytes`
    : size < 10_000_000
      ? `${whole(Math.round(size / 1000))} kB`
      : `${whole(Math.round(size / 1e6))} MB`;
}

/** Lines "  name   text", the texts in one column. */
export function facts(entries: readonly (readonly [string, string] | null)[]): string {
  const present = entries.filter((entry) => entry !== null);
  const width = Math.max(...present.map(([key]) => key.length));
  return present.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`).join('\n');
}

/** Rows of cells as an aligned table; the first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
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
  const shown = shorten(
    schema.features.map((feature) => feature.name),
    10,
  );
  return [target, '~', [...shown, ...(offset === null ? [] : [`offset(${offset})`])].join(' + ')].join(' ');
}

function penaltyName(l1Ratio: number): string {
  return l1Ratio === 0 ? 'L2 penalty' : l1Ratio === 1 ? 'L1 penalty' : `elastic net, L1 ratio ${l1Ratio}`;
}

/** At most `most` names, the rest as a number. */
const shorten = (names: readonly string[], most: number): string[] =>
  names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : [...names];

function classNames({ manifest: { classes, positive, multiclass, reference } }: Model): string {
  const note =
    multiclass === null
      ? `probabilities are of ${positive}`
      : multiclass === 'ovr'
        ? 'one against the rest'
        : reference === null
          ? 'multinomial'
          : `multinomial, the reference is ${reference}`;
  return `${shorten(classes, 12).join(', ')}   (${note})`;
}

/** How the model was fitted: name and text. */
export function fitFacts(model: Model): (readonly [string, string])[] {
  const { objective, fit } = model.manifest;
  const penalty =
    objective.lambda === 0
      ? objective.firth
        ? "Firth's: half the logarithm of the information's determinant"
        : 'no penalty'
      : `${penaltyName(objective.l1Ratio)}, C = ${significant(objective.C)} (lambda = ${significant(objective.lambda)})`;
  const end = fit.converged ? 'converged' : `NOT converged (${fit.reason})`;
  const path =
    fit.gradNorm === null
      ? fit.choice
      : `${fit.solver}, ${end} in ${fit.iterations} iterations, gradient ${fit.gradNorm.toExponential(1)}`;
  return [
    ['classes', classNames(model)],
    ['penalty', penalty],
    ['fit', path],
    ...decisionFacts(model),
    ['log-likelihood', `${significant(fit.logLik, 8)}   (intercept alone: ${significant(fit.nullLogLik, 8)})`],
  ];
}

/** How probabilities are calibrated and become labels, where that is not the default. */
function decisionFacts({ manifest }: Model): (readonly [string, string])[] {
  const { calibration, decision, positive } = manifest;
  const { threshold, costs, abstain, chosen } = decision;
  const by = calibration?.by;
  const rows = by ? `, by ${whole(by.rows)} rows${by.folds === null ? ' held out' : ` in ${by.folds} folds`}` : '';
  const shift = calibration && calibration.shift.length > 0 ? ', shifted to the true shares of the classes' : '';
  const why = chosen && REASONS[chosen.by](chosen.parameter);
  const found = chosen
    ? `   (${why}: ${significant(chosen.value, 4)}${chosen.stdError === null ? '' : ` ± ${significant(chosen.stdError, 2)}`} out of fold${chosen.range ? `; folds: ${chosen.range.map((end) => significant(end, 3)).join(' to ')}` : ''})`
    : '';
  const facts: (readonly [string, string] | false)[] = [
    !!calibration && ['calibration', `${calibration.method}${rows}${shift}`],
    positive === null
      ? costs !== undefined && ['decision', 'least expected cost']
      : (threshold !== 0.5 || !!chosen) && ['decision', `${positive} above ${significant(threshold, 4)}${found}`],
    !!abstain && [
      'review',
      positive === null
        ? `below ${significant(abstain.high, 4)}`
        : `from ${significant(abstain.low, 4)} to ${significant(abstain.high, 4)}`,
    ],
  ];
  return facts.filter((fact) => fact !== false);
}

type Chosen = NonNullable<Model['manifest']['decision']['chosen']>;

const REASONS: Readonly<Record<Chosen['by'], (parameter: number | null) => string>> = {
  cost: () => 'mean cost',
  fbeta: (beta) => `F${beta}`,
  recall: (precision) => `recall, at precision ${precision} or more`,
  precision: (recall) => `precision, at recall ${recall} or more`,
  budget: (most) => `share called positive, at most ${most}`,
};

/** p as R prints it: small values as a bound. */
export const pValue = (p: number | null) =>
  p === null ? '–' : p < 2e-16 ? '<2e-16' : p < 1e-4 ? p.toExponential(2) : p.toFixed(4);

export function stars(p: number | null): string {
  return p === null ? '' : p < 0.001 ? '***' : p < 0.01 ? '**' : p < 0.05 ? '*' : p < 0.1 ? '.' : '';
}

export const label = ({ feature, level }: Coefficient) => (level === null ? feature : `${feature} = ${level}`);

const LEGEND = '\n  p: *** < 0.001, ** < 0.01, * < 0.05, . < 0.1';

/** Classes side by side in a table of coefficients. */
const CLASSES_A_TABLE = 6;

/**
 * What was estimated, as R prints it. Of several classes: without standard errors a column for each (a few to a table), with
 * them a table for each.
 */
export function coefficientTable(list: readonly Coefficient[]): string {
  const classes = [...new Set(list.map((line) => line.class))];
  const of = (name: string) => list.filter((line) => line.class === name);
  const inference = list.some((line) => line.stdError !== null);
  if (classes.length < 2) return classTable(list) + (inference ? LEGEND : '');
  if (inference) {
    return `${classes.map((name) => `class ${name}\n${classTable(of(name))}`).join('\n\n')}${LEGEND}`;
  }
  const tables: string[] = [];
  for (let at = 0; at < classes.length; at += CLASSES_A_TABLE) {
    const shown = classes.slice(at, at + CLASSES_A_TABLE);
    const columns = shown.map(of);
    tables.push(
      table([
        ['coefficient', ...shown],
        ...columns[0].map((line, i) => [label(line), ...columns.map((lines) => significant(lines[i].value))]),
      ]),
    );
  }
  return tables.join('\n\n');
}

function classTable(list: readonly Coefficient[]): string {
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
  return table([head, ...rows]);
}

export function trainReport(out: string, result: TrainResult, by: string | undefined, summary: string | null): string {
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
  const list = summary === null ? '' : `\n\n${summary}`;
  const next = facts([
    [`logodds inspect ${out}`, 'its coefficients'],
    [`logodds score ${out} NEW_DATA --out scores.csv`, 'probabilities for new rows'],
  ]);
  return `${formula(model)}\n${lines}${list}\n\nnext\n${next}\n`;
}

/** Kinds of features that say all of themselves in their coefficients. */
const PLAIN = ['numeric', 'categorical'];

const featureFact = ({ name, reads, kind, detail }: FeatureSummary): readonly [string, string] => [
  `feature ${name}`,
  `${kind}${reads.join() === name ? '' : ` of ${reads.join(', ')}`}   (${detail})`,
];

export function inspectReport(model: Model, summary: string): string {
  const { features } = model.manifest.schema;
  const rich = describeFeatures(features.filter((feature) => !PLAIN.includes(feature.kind)));
  const { format, producer, fit, warnings } = model.manifest;
  const lines = facts([
    ...fitFacts(model),
    [
      'rows',
      `${whole(fit.rows)}${fit.totalWeight === fit.rows ? '' : `, total weight ${significant(fit.totalWeight)}`}`,
    ],
    ...rich.map(featureFact),
    ['file', `format ${format}, written by ${producer}`],
    ['sha256', model.sha256 ?? '–'],
  ]);
  const notes = warnings.map(({ code, message }) => `\n  ${code} ${message}`).join('');
  return `${formula(model)}\n${lines}\n\n${summary}\n${notes ? `\nwarnings${notes}\n` : ''}`;
}

export function scoreReport(out: string, { rows, defaulted, seconds }: StreamResult): string {
  const defaults = defaulted > 0 ? `, ${percent(defaulted)} of their values missing, unseen or out of range` : '';
  return `${whole(rows)} rows scored in ${seconds.toFixed(2)} s (${whole(Math.round(rows / seconds))} rows/s)${defaults}: ${out}\n`;
}

export function evalReport({ rows, metrics }: EvalResult, details: string): string {
  return `${facts([
    ['rows', whole(rows)],
    ['metrics', metricsLine(metrics)],
  ])}\n\n${details}\n`;
}
