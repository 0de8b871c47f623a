import type { Coefficient, Warning } from '../../../src/index.ts';
import type { ColumnSummary } from '../figures/columns.ts';
import type { BinaryFigures } from '../figures/evaluation.ts';
import { label } from '../figures/model.ts';
import {
  brief,
  counted,
  figure,
  percent,
  pValue,
  rowCount,
  sentence,
  significant,
  TRUE_SHARES,
  whole,
} from '../figures/wording.ts';
import type { ReportData, Sample } from './data.ts';
import { documentOf, type Facts, figureOf, parted, reproduction } from './document.ts';
import { type Content, dataTable, html, type Markup, name } from './html.ts';
import { confusionPlot } from './plots/confusion.ts';
import { type Effect, forestPlot } from './plots/effects.ts';
import { histogramPlot } from './plots/histogram.ts';
import { gainPlot, liftPlot, precisionRecallPlot, rocPlot } from './plots/ranking.ts';
import { reliabilityPlot } from './plots/reliability.ts';
import { thresholdPlot } from './plots/threshold.ts';

/** Largest number of coefficients in the forest plot. */
const EFFECTS = 25;
/** Largest number of listed cells of a confusion matrix that is too wide for a table. */
const MISTAKES = 40;
const MATRIX_CLASSES = 8;

/**
 * The report as one HTML page: no script and no external address. Text from the data is escaped.
 * @returns the same text for the same data
 */
export async function reportPage(data: ReportData): Promise<string> {
  const sections = [
    await performance(data),
    await coefficientSection(data),
    features(data),
    columns(data),
    warnings(data.warnings),
    reproduce(data),
  ];
  return documentOf(`${brief(data.target)}: a logistic regression`, [heading(data), sections], data.origin.made);
}

const OF: Readonly<Record<Sample, (rows: string) => string>> = {
  'held-out': (rows) => `Figures are of ${rows} that were held out of the fit`,
  fitted: (rows) => `Figures are of the ${rows} fitted rows themselves`,
  given: (rows) => `Figures are of the ${rows} that eval was given`,
};

/** A notice to read before the figures; null if none is needed. */
function notice({ sample, evaluation }: ReportData): Markup | null {
  const next = 'Train with --holdout, or run logodds eval on rows that the fit has not seen.';
  if (!evaluation)
    return html`<p class="notice">No rows were held out, and the fitted rows are no longer available, so there are no curves. ${next}</p>`;
  return sample === 'fitted'
    ? html`<p class="notice"><strong>Optimistic.</strong> No rows were held out. A model does better on the rows it was fitted to than on new ones. ${next}</p>`
    : null;
}

function heading(data: ReportData): Markup {
  const { target, positive, classes, rows, sample, trueShares, evaluation, warnings: list } = data;
  const what =
    positive === null
      ? counted(classes.length, 'class', 'classes')
      : html`the probability that it is ${name(positive)}`;
  const serious = list.filter(({ severity }) => severity !== 'info').length;
  return html`<header>
<p class="overline">Logistic regression report</p>
<h1>${name(target, 90)}</h1>
<p class="aside">Predicts ${what}, fitted to ${counted(rows.fitted, 'row')}. ${evaluation ? `${OF[sample](counted(rows.evaluated, 'row'))}${trueShares ? `, ${TRUE_SHARES}` : ''}.` : null}${
    serious > 0 ? html` <a href="#warnings">${counted(serious, 'warning')}</a>` : null
  }</p>
${evaluation ? html`<p class="verdict">${data.verdict}</p>` : null}
${notice(data)}
<dl class="figures">${data.figures.map(
    (one) => html`<div><dt>${one.name}</dt><dd>${one.value}</dd><dd class="note">${one.note}</dd></div>`,
  )}</dl>
</header>`;
}

async function performance({ evaluation, classes, positive }: ReportData): Promise<Markup | null> {
  if (!evaluation) return null;
  const { classes: figures, binary } = evaluation;
  const ranked = figures.some(({ auc }) => auc !== null);
  const plots: (Promise<Markup> | Markup)[] = [
    ...(ranked ? [figureOf(rocPlot(figures), 'roc'), figureOf(precisionRecallPlot(figures), 'precision-recall')] : []),
    figureOf(reliabilityPlot(evaluation), 'reliability'),
    figureOf(histogramPlot(evaluation), 'histogram'),
    ...(binary
      ? [
          figureOf(thresholdPlot(binary.curve, binary.threshold), 'threshold'),
          binaryConfusion(binary, classes, positive!),
        ]
      : [figureOf(confusionPlot(evaluation, classes), 'confusion', mistakes(evaluation.confusion, classes))]),
    ...(binary && binary.gain.length > 0
      ? [
          figureOf(gainPlot(binary.gain, positive!, figures[0].share), 'gain'),
          figureOf(liftPlot(binary.gain, positive!), 'lift'),
        ]
      : []),
  ];
  return html`<section id="performance"><h2>How well it predicts</h2><div class="plots">${await Promise.all(plots)}</div></section>`;
}

/** For many classes, the most frequent mistakes instead of a table that is too wide; undefined: the table fits. */
function mistakes(confusion: readonly Float64Array[], classes: readonly string[]): Markup | undefined {
  if (classes.length <= MATRIX_CLASSES) return undefined;
  const cells = confusion
    .flatMap((row, actual) => Array.from(row, (weight, decided) => ({ actual, decided, weight })))
    .filter(({ actual, decided, weight }) => actual !== decided && weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, MISTAKES);
  return dataTable(
    ['true', 'decided', 'rows'],
    cells.map(({ actual, decided, weight }) => [name(classes[actual]), name(classes[decided]), rowCount(weight)]),
  );
}

function binaryConfusion(
  { threshold, confusion }: BinaryFigures,
  classes: readonly string[],
  positive: string,
): Markup {
  const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = confusion;
  const { precision, recall, specificity, accuracy, balancedAccuracy, f1, mcc } = confusion;
  const other = classes.find((one) => one !== positive)!;
  const rate = (part: number, whole_: number) => (whole_ > 0 ? part / whole_ : null);
  const cell = (weight: number, of: number, words: string) =>
    html`<td style="--tint:${Math.round(4 + 30 * (rate(weight, of) ?? 0))}%"><b>${rowCount(weight)}</b><span>${words}, ${percent(rate(weight, of), 0)}</span></td>`;
  return html`<figure id="figure-confusion">
<h3>Confusion at ${significant(threshold, 3)}</h3>
<table class="matrix"><thead><tr><td></td><th scope="col">decided ${name(positive, 20)}</th><th scope="col">decided ${name(other, 20)}</th></tr></thead>
<tbody><tr><th scope="row">is ${name(positive, 20)}</th>${cell(tp, tp + fn, 'found')}${cell(fn, tp + fn, 'missed')}</tr>
<tr><th scope="row">is ${name(other, 20)}</th>${cell(fp, fp + tn, 'false alarm')}${cell(tn, fp + tn, 'left alone')}</tr></tbody></table>
<p class="finding">${percent(rate(tp + fp, tp + fp + fn + tn))} of the rows are flagged; ${percent(precision, 0)} of these are ${name(positive)}, and ${percent(recall, 0)} of those that are ${name(positive)} are among them.</p>
<details><summary>Numbers</summary>${dataTable(
    ['rate', 'value'],
    [
      ['precision', percent(precision)],
      ['recall', percent(recall)],
      ['specificity', percent(specificity)],
      ['accuracy', percent(accuracy)],
      ['balanced accuracy', percent(balancedAccuracy)],
      ['F1', figure(f1, 3)],
      ['Matthews correlation', figure(mcc, 3)],
    ],
  )}</details>
</figure>`;
}

/** The strongest coefficients; those of numbers are per standard deviation. */
function effects({ coefficients, deviations }: ReportData): { readonly list: readonly Effect[]; readonly of: number } {
  const several = new Set(coefficients.map((line) => line.class)).size > 1;
  const inference = coefficients.some(({ stdError }) => stdError !== null);
  const list = coefficients
    .filter(({ feature, value }) => feature !== '(intercept)' && value !== null && value !== 0)
    .map((line) => {
      const deviation = line.level === null ? deviations.get(line.feature) : undefined;
      const scale = deviation ?? 1;
      const text = several ? `${line.class}: ${label(line)}` : label(line);
      const scaled = (end: number | null) => (end === null ? null : end * scale);
      return {
        name: text,
        unit: deviation === undefined ? '' : ` (per ${significant(deviation, 3)})`,
        value: line.value! * scale,
        low: scaled(line.ciLow),
        high: scaled(line.ciHigh),
        strength: Math.abs(inference ? (line.z ?? 0) : line.value! * scale),
      };
    })
    .sort((a, b) => b.strength - a.strength);
  return { list: list.slice(0, EFFECTS), of: list.length };
}

const coefficientRow = (line: Coefficient, several: boolean): Content[] => [
  name(several ? `${line.class}: ${label(line)}` : label(line)),
  significant(line.value),
  significant(line.stdError),
  pValue(line.p),
  significant(line.oddsRatio, 4),
  line.ciLow === null ? '–' : `${significant(Math.exp(line.ciLow), 4)} to ${significant(Math.exp(line.ciHigh!), 4)}`,
];

async function coefficientSection(data: ReportData): Promise<Markup> {
  const { coefficients } = data;
  const { list, of } = effects(data);
  const several = new Set(coefficients.map((line) => line.class)).size > 1;
  const table = dataTable(
    ['coefficient', 'log-odds', 'std. error', 'p', 'odds ratio', '95 % interval'],
    coefficients.map((line) => coefficientRow(line, several)),
  );
  return html`<section id="coefficients"><h2>What moves the odds</h2>
<p class="aside">An odds ratio of 2 doubles the odds${several ? ' of its class' : ''}, one of 0.5 halves them, all else equal. It says what goes together in these data, not what causes what.</p>
<div class="spread">${list.length > 0 ? await figureOf(forestPlot(list, of, 'Odds ratios'), 'odds') : html`<p class="finding">Every weight is 0: the model gives the shares of the classes.</p>`}
<div><h3>How the model came about</h3><dl class="facts">${data.model.map(([key, text]) => html`<dt>${key}</dt><dd>${name(text, 400)}</dd>`)}</dl></div></div>
<div class="card"><details><summary>All ${counted(coefficients.length, 'coefficient')}, per unit</summary>${table}</details></div>
</section>`;
}

function features({ features: list }: ReportData): Markup {
  return html`<section id="features"><h2>How records are read</h2>
<p class="aside">Training and scoring share this encoding; it travels in the model file.</p>
<div class="card">${dataTable(
    ['feature', 'kind', 'fitted to', 'a missing cell', 'an unseen value', 'out of range'],
    list.map(({ name: feature, reads, kind, detail, missing, unseen, range }) => [
      name(feature),
      reads.length === 1 && reads[0] === feature
        ? kind
        : html`${kind}, of ${reads.map((one, k) => [k > 0 ? ' and ' : null, name(one, 30)])}`,
      name(detail, 200),
      missing,
      unseen,
      range,
    ]),
    true,
  )}</div></section>`;
}

function columns({ columns: list, sample }: ReportData): Markup | null {
  if (!list) return null;
  const content = (column: ColumnSummary): Content => {
    if (column.kind === 'coded') {
      const unseen = column.unseen > 0 ? `; unseen ${percent(column.unseen)}` : null;
      if (column.dates) return [name(column.dates[0], 30), ' to ', name(column.dates[1], 30), unseen];
      return [
        column.top.map(({ level, share }, k) => [k > 0 ? ', ' : null, name(level, 30), ` ${percent(share)}`]),
        column.distinct > column.top.length ? `, ${whole(column.distinct - column.top.length)} more` : null,
        unseen,
      ];
    }
    const { range } = column;
    return range
      ? `${significant(range.min)} to ${significant(range.max)}, mean ${significant(range.mean)}, standard deviation ${significant(range.deviation)}`
      : 'no value';
  };
  return html`<section id="data"><h2>The data</h2>
<p class="aside">${sample === 'given' ? 'Of the rows that eval was given.' : 'Of the fitted rows.'} Shares are by weight.</p>
<div class="card">${dataTable(
    ['column', 'kind', 'values', 'missing'],
    list.map((column) => [
      name(column.name),
      column.kind === 'coded' ? `${whole(column.distinct)} ${column.dates ? 'dates' : 'levels'}` : 'number',
      content(column),
      percent(column.missing),
    ]),
    true,
  )}</div></section>`;
}

/** Splits a message at its first semicolon into evidence and advice. */
function warnings(list: readonly Warning[]): Markup {
  return html`<section id="warnings"><h2>Warnings</h2>${
    list.length === 0
      ? html`<p class="aside">None.</p>`
      : html`<ul class="warnings">${list.map(({ code, message, severity = 'warning' }) => {
          const [evidence, advice] = parted(message);
          return html`<li class="${severity}"><p class="code">${severity} · ${code}</p><p>${name(evidence, 600)}</p>${advice ? html`<p class="do">${name(sentence(advice), 600)}</p>` : null}</li>`;
        })}</ul>`
  }</section>`;
}

function reproduce({ origin }: ReportData): Markup {
  const { model, seed } = origin;
  const before: Facts = [['model', model.path], model.sha256 === null ? null : ['its SHA-256', model.sha256]];
  return reproduction(origin, before, [seed === null ? null : ['seed', String(seed)]]);
}
