/** The page of `experiment --report`: no script and no external address, as that of `train`. */
import type { Interval } from '../../../src/monitor.ts';
import type { Comparison, ExperimentResult } from '../figures/experiment.ts';
import {
  meanText as meanOf,
  noteOfLeast,
  differenceText as points,
  rangeText,
  withheld,
} from '../figures/experimentWords.ts';
import { brief, counted, percent, pValue, significant, whole } from '../figures/wording.ts';
import type { Origin } from './data.ts';
import { documentOf, figureOf, parted, reproduction } from './document.ts';
import { dataTable, html, type Markup, name } from './html.ts';
import { ACCENT, asSpec, INK, type Plot, size, values } from './plots/plot.ts';

const range = (kind: ExperimentResult['kind'], ends: Interval | null): string => (ends ? rangeText(kind, ends) : '–');

const shownP = (result: ExperimentResult, p: number): string => (withheld(result) === null ? pValue(p) : '–');

/** The confidence sequence over the rows. */
function sequencePlot({ arm, curve, isRejected }: Comparison, { kind, control, alpha, time }: ExperimentResult): Plot {
  const scale = kind === 'rate' ? 100 : 1;
  const shown = curve.map(({ rows, difference, low, high }) => ({
    rows,
    y: scale * difference,
    low: scale * low,
    high: scale * high,
  }));
  // the first looks are wider than all that follows: the axis is for what follows
  const later = shown.slice(Math.floor(shown.length / 10));
  const ends = [0, ...later.flatMap(({ low, high }) => [low, high])];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const x = {
    field: 'rows',
    type: 'quantitative',
    title: `rows${time === null ? '' : `, in order of ${brief(time, 20)}`}`,
    axis: { format: '~s' },
  };
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: kind === 'rate' ? 'difference, points of percent' : 'difference',
    scale: { domain: [least, most], nice: true, zero: false },
    axis: { format: '~r' },
  });
  const last = curve[curve.length - 1];
  const excludes = last.low > 0 || last.high < 0;
  return {
    title: `${brief(arm, 30)} less ${brief(control, 30)}`,
    finding: `After ${counted(last.rows, 'row')} the difference is ${points(kind, last.difference)}, between ${range(kind, last)}, which ${excludes ? 'leaves out' : 'includes'} 0. The band contains the true difference at all looks together with a confidence of ${percent(1 - alpha, 0)}${isRejected && !excludes ? '; the exact test of the rates, which needs no interval, tells them apart already' : ''}.`,
    spec: asSpec({
      ...size,
      layer: [
        {
          data: values(shown),
          mark: { type: 'area', fill: ACCENT, opacity: 0.18, clip: true },
          encoding: { x, y: y('low'), y2: { field: 'high' } },
        },
        {
          data: values(shown),
          mark: { type: 'line', stroke: ACCENT, strokeWidth: 2, clip: true },
          encoding: { x, y: y('y') },
        },
        {
          data: values([{ zero: 0 }]),
          mark: { type: 'rule', stroke: INK, strokeWidth: 1 },
          encoding: { y: { field: 'zero', type: 'quantitative' } },
        },
      ],
    }),
    legend: [
      { mark: 'line accent', name: 'difference' },
      { mark: 'box pale', name: 'confidence sequence' },
    ],
    numbers: [
      ['rows', 'difference', 'low', 'high'],
      ...shown
        .filter((_, i) => i % Math.max(1, Math.floor(shown.length / 10)) === 0 || i === shown.length - 1)
        .map(({ rows, y: at, low, high }) => [
          whole(rows),
          significant(at, 4),
          significant(low, 4),
          significant(high, 4),
        ]),
    ],
  };
}

function heading(result: ExperimentResult): Markup {
  const { outcome, positive, rows, arms, control, kind, sampleRatio, comparisons } = result;
  const removed = comparisons[0]?.adjusted?.removed;
  const figures: readonly (readonly [string, string, string])[] = [
    ...arms.map(
      ({ arm, mean, rows: own }) =>
        [
          brief(arm, 30),
          meanOf(kind, mean),
          `${counted(own, 'row')}${arm === control ? ', the control' : ''}`,
        ] as const,
    ),
    [
      'sample ratio',
      sampleRatio.isMismatch ? 'mismatch' : 'as the shares',
      `p ${pValue(sampleRatio.p)} at any time of looking`,
    ],
    ...(removed === undefined
      ? []
      : [['variance removed', percent(removed), `by ${brief(result.score!, 30)} (CUPED)`] as const]),
  ];
  return html`<header>
<p class="overline">Experiment report</p>
<h1>${name(outcome, 90)}</h1>
<p class="aside">${positive === null ? 'The mean' : html`The rate of ${name(positive, 40)}`} of ${counted(rows, 'row')} in ${counted(arms.length, 'arm')}, compared with ${name(control, 40)}.</p>
<p class="verdict">${result.conclusion}</p>
${sampleRatio.isMismatch ? html`<p class="notice"><strong>Sample ratio mismatch.</strong> Until its cause is found, the figures below say nothing about the arms.</p>` : null}
<dl class="figures">${figures.map(([key, value, note]) => html`<div><dt>${key}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`)}</dl>
</header>`;
}

async function differences(result: ExperimentResult): Promise<Markup> {
  const { comparisons, kind, alpha } = result;
  const drawn = comparisons.filter(({ curve }) => curve.length > 1);
  const plots = await Promise.all(drawn.map((one, k) => figureOf(sequencePlot(one, result), `sequence-${k}`)));
  const rows = comparisons.map(({ arm, method, difference, interval, fixed, p, plain, adjusted }) => [
    name(arm, 40),
    difference === null ? '–' : points(kind, difference),
    range(kind, interval),
    range(kind, fixed),
    shownP(result, p),
    fixed ? shownP(result, fixed.p) : '–',
    method,
    plain && adjusted ? `${significant(plain.stdError, 3)} to ${significant(adjusted.stdError, 3)}` : '–',
  ]);
  return html`<section id="differences"><h2>Differences</h2>
<p class="aside">“At any time” holds however often one looks, while rows come in; “one look” holds for a single look that was planned before. ${comparisons.length > 1 ? `Each comparison is at ${significant(comparisons[0].alpha, 3)}, alpha over ${counted(comparisons.length, 'arm')}.` : null} ${withheld(result) ?? noteOfLeast(comparisons)}</p>
<div class="plots">${plots}</div>
<div class="card">${dataTable(
    [
      'arm',
      'difference',
      `${percent(1 - alpha, 0)} at any time`,
      'one look',
      'p at any time',
      'p, one look',
      'method',
      'standard error by CUPED',
    ],
    rows,
    true,
  )}</div></section>`;
}

function groupSection(result: ExperimentResult): Markup | null {
  const { groups, kind, by, alpha } = result;
  if (groups.length === 0) return null;
  const sorted = [...groups].sort((a, b) => a.q - b.q);
  return html`<section id="groups"><h2>By ${name(by!, 40)}</h2>
<p class="aside">q is p adjusted for the ${whole(groups.length)} comparisons (Benjamini-Hochberg): of those with q at most ${significant(alpha, 2)}, ${percent(alpha, 0)} are expected to be false. Intervals are not adjusted.</p>
<div class="card">${dataTable(
    ['group', 'arm', 'rows', 'difference', 'at any time', 'p', 'q', 'told apart'],
    sorted.map((one) => [
      name(one.group, 40),
      name(one.arm, 40),
      whole(one.rows),
      one.difference === null ? '–' : points(kind, one.difference),
      range(kind, one.interval),
      shownP(result, one.p),
      shownP(result, one.q),
      withheld(result) !== null ? '–' : one.isDiscovery ? 'yes' : 'no',
    ]),
    true,
  )}</div></section>`;
}

function checks({ arms, sampleRatio, warnings }: ExperimentResult): Markup {
  return html`<section id="checks"><h2>Checks</h2>
<div class="card">${dataTable(
    ['arm', 'assigned', 'share', 'expected share'],
    arms.map(({ arm, share }, k) => {
      const total = sampleRatio.counts.reduce((sum, count) => sum + count, 0);
      return [
        name(arm, 40),
        whole(sampleRatio.counts[k]),
        percent(total ? sampleRatio.counts[k] / total : null, 2),
        percent(share, 2),
      ];
    }),
  )}</div>
<p class="finding">χ² ${significant(sampleRatio.chi2, 4)} with ${sampleRatio.df} degrees of freedom, p ${pValue(sampleRatio.fixedP)} for one look; p ${pValue(sampleRatio.p)} at any time of looking.</p>
</section><section id="warnings"><h2>Warnings</h2>
${
  warnings.length === 0
    ? html`<p class="aside">None.</p>`
    : html`<ul class="warnings">${warnings.map(({ code, message, severity = 'warning' }) => {
        const [evidence, advice] = parted(message);
        return html`<li class="${severity}"><p class="code">${severity} · ${code}</p><p>${name(evidence, 600)}</p>${advice ? html`<p class="do">${name(advice, 600)}</p>` : null}</li>`;
      })}</ul>`
}</section>`;
}

/** @returns the same text for the same result and origin */
export async function experimentPage(
  result: ExperimentResult,
  origin: Omit<Origin, 'model' | 'seed'>,
): Promise<string> {
  const contents = [
    heading(result),
    await differences(result),
    groupSection(result),
    checks(result),
    reproduction(origin),
  ];
  return documentOf(`${brief(result.outcome)}: an experiment`, contents, origin.made);
}
