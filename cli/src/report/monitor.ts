/** The page of `monitor --report`: no script and no external address, as that of `train`. */
import type { WatchReport, WindowReport } from '../../../src/monitor.ts';
import {
  changeText,
  conclusion,
  FRESHNESS_HEAD,
  freshnessRow,
  newestDrift,
  SEQUENCE_HEAD,
  sequenceRow,
  sequencesText,
  signed,
  span,
  WINDOW_HEAD,
  windowName,
  windowRow,
} from '../figures/monitor.ts';
import { brief, counted, percent, pValue, sentence, significant, whole } from '../figures/wording.ts';
import type { MonitorResult } from '../jobs/monitor/monitor.ts';
import { documentOf, figureOf, reproduction } from './document.ts';
import { dataTable, html, Markup, name } from './html.ts';
import { ACCENT, asSpec, INK, type Plot, size, values } from './plots/plot.ts';
import { originOf, type ReportTarget } from './write.ts';

type Found = Omit<MonitorResult, 'seconds'>;

const OWN = new Markup(`<style>
.heat { overflow-x: auto; margin-top: 18px; }
.heat table { width: auto; border-collapse: separate; border-spacing: 2px; font-size: 12px; }
.heat th { border: 0; padding: 2px 6px; white-space: nowrap; font-weight: 400; }
.heat tbody th { position: sticky; left: 0; background: var(--paper); max-width: 220px; overflow: hidden; text-overflow: ellipsis; }
.heat thead th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg); padding: 6px 0; text-align: left; }
.heat td { border: 0; padding: 0; width: 30px; min-width: 30px; height: 24px; text-align: center; background: color-mix(in srgb, var(--alarm) var(--tint), var(--soft)); font-size: 10px; line-height: 24px; }
.heat td.none { background: none; color: var(--muted); }
.heat td.drifted { outline: 1.5px solid var(--ink); outline-offset: -2px; }
.bar { display: grid; grid-template-columns: 1fr 1fr; min-width: 140px; height: 12px; align-items: center; }
.bar i { display: block; height: 10px; background: var(--accent); }
.bar .left { justify-self: end; background: var(--class-1); }
.changes { list-style: none; margin-top: 20px; }
.changes li { display: grid; grid-template-columns: 150px minmax(0, 1fr); gap: 4px 24px; padding: 10px 0; border-bottom: 1px solid var(--rule); break-inside: avoid; }
.changes time { color: var(--muted); white-space: nowrap; }
@media (max-width: 560px) { .changes li { grid-template-columns: minmax(0, 1fr); } }
</style>`);

/** Windows of the heat table, and features, at most. */
const COLUMNS = 40;
const FEATURES = 60;

function heading(found: Found): Markup {
  const { model, changes, windows, labels, reference } = found;
  const measured = windows.find(({ from }) => from === found.newest.performance)?.performance.realised ?? null;
  const drift = newestDrift(found)?.drift ?? null;
  const figures: readonly (readonly [string, string, string])[] = [
    ['rows', whole(found.rows), counted(windows.length, 'window')],
    [
      'score drift',
      significant(drift?.score.psi ?? null, 3),
      reference === null ? 'no baseline' : 'population stability index, newest window',
    ],
    ['shift of the mean logit', signed(drift?.logitShift.total ?? null), 'newest window against training'],
    [
      'log loss',
      significant(measured?.logLoss ?? null, 4),
      measured ? `newest ripe window, ${counted(measured.rows, 'label')}` : 'no ripe labels',
    ],
    [
      'scores with a label',
      percent(labels.missing === null ? null : 1 - labels.missing, 0),
      labels.ripeAfterMs === null ? 'none ripe' : `ripe after ${span(labels.ripeAfterMs)}`,
    ],
  ];
  return html`<header>${OWN}
<p class="overline">Watch of a model</p>
<h1>${name(model.target, 90)}</h1>
<p class="verdict">${sentence(conclusion(found))}</p>
<dl class="figures">${figures.map(([key, value, note]) => html`<div><dt>${key}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`)}</dl>
</header>
<section id="changes"><h2>What changed, and since when</h2>
${changes.length === 0 ? html`<p class="aside">Nothing that could be told.</p>` : html`<ul class="changes">${changes.map((one) => html`<li><time>since ${windowName(one.since, found.every)}</time><p>${name(sentence(changeText(one, found)), 400)}</p></li>`)}</ul>`}
</section>`;
}

const axisOf = ({ every }: WatchReport) =>
  'rows' in every
    ? { field: 'from', type: 'quantitative', title: 'first row', axis: { format: '~s' } }
    : { field: 'from', type: 'temporal', scale: { type: 'utc' }, title: null };

interface Point {
  readonly from: number;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly expected: number | null;
  readonly least: number | null;
  readonly most: number | null;
}

/** A figure over time: realised with its interval, and what the scores say it would be. */
function overTime(
  found: Found,
  title: string,
  finding: string,
  of: (window: WindowReport) => Omit<Point, 'from'>,
  zero = false,
): Plot | null {
  const points = found.windows.map((window): Point => ({ from: window.from, ...of(window) }));
  const real = points.filter(({ value }) => value !== null);
  const expected = points.filter(({ expected: value }) => value !== null);
  if (real.length + expected.length < 2) return null;
  const x = axisOf(found);
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: null,
    scale: { zero: false, nice: true },
    axis: { format: '~r' },
  });
  const layer: object[] = [];
  if (expected.length > 0)
    layer.push(
      {
        data: values(expected),
        mark: { type: 'area', fill: INK, opacity: 0.12 },
        encoding: { x, y: y('least'), y2: { field: 'most' } },
      },
      {
        data: values(expected),
        mark: { type: 'line', stroke: INK, strokeWidth: 1, strokeDash: [3, 3] },
        encoding: { x, y: y('expected') },
      },
    );
  if (real.some(({ low }) => low !== null))
    layer.push({
      data: values(real.filter(({ low }) => low !== null)),
      mark: { type: 'rule', stroke: ACCENT, strokeWidth: 2, opacity: 0.5 },
      encoding: { x, y: y('low'), y2: { field: 'high' } },
    });
  if (real.length > 0)
    layer.push({
      data: values(real),
      mark: { type: 'line', stroke: ACCENT, strokeWidth: 2, point: { filled: true, fill: ACCENT, size: 24 } },
      encoding: { x, y: y('value') },
    });
  // where the scores ceased to be calibrated, and where it was seen
  const since = found.changes.filter(({ what }) => what === 'calibration' || what === 'confidence');
  if (since.length > 0)
    layer.push({
      data: values([...new Set(since.map((one) => one.since))].map((from) => ({ from }))),
      mark: { type: 'rule', stroke: INK, strokeWidth: 1, strokeDash: [6, 3], opacity: 0.8 },
      encoding: { x },
    });
  if (zero)
    layer.push({
      data: values([{ zero: 0 }]),
      mark: { type: 'rule', stroke: INK, strokeWidth: 1, opacity: 0.5 },
      encoding: { y: { field: 'zero', type: 'quantitative' } },
    });
  return {
    title,
    finding,
    spec: asSpec({ ...size, layer }),
    legend: [
      ...(real.length > 0 ? [{ mark: 'line accent', name: 'realised' }] : []),
      ...(expected.length > 0 ? [{ mark: 'line dashed', name: 'if the scores were calibrated' }] : []),
      ...(since.length > 0 ? [{ mark: 'line dashed', name: 'upright: since then' }] : []),
    ],
    numbers: [
      ['window', 'realised', 'low', 'high', 'expected'],
      ...points.map((one) => [
        windowName(one.from, found.every),
        significant(one.value, 4),
        significant(one.low, 4),
        significant(one.high, 4),
        significant(one.expected, 4),
      ]),
    ],
  };
}

async function performance(found: Found): Promise<Markup> {
  const none = { low: null, high: null, expected: null, least: null, most: null };
  const plots = [
    overTime(
      found,
      'Log loss',
      'The band has 95 % of the log losses that labels drawn with the probabilities would give: above it the scores are wrong more often than they say.',
      ({ performance: { realised, estimated } }) => ({
        ...none,
        value: realised?.logLoss ?? null,
        expected: estimated?.logLoss?.value ?? null,
        least: estimated?.logLoss?.low ?? null,
        most: estimated?.logLoss?.high ?? null,
      }),
    ),
    overTime(
      found,
      'Area under the ROC curve',
      'Intervals by DeLong; the band is where the area would be if the scores were calibrated.',
      ({ performance: { realised, estimated } }) => ({
        value: realised?.auc?.auc ?? null,
        low: realised?.auc?.low ?? null,
        high: realised?.auc?.high ?? null,
        expected: estimated?.auc?.value ?? null,
        least: estimated?.auc?.low ?? null,
        most: estimated?.auc?.high ?? null,
      }),
    ),
    overTime(
      found,
      'Calibration intercept',
      '0: as many rows are positive as the scores say. Intervals of 95 %.',
      ({ performance: { realised } }) => ({
        ...none,
        value: realised?.intercept?.value ?? null,
        low: realised?.intercept?.low ?? null,
        high: realised?.intercept?.high ?? null,
      }),
      true,
    ),
    overTime(
      found,
      'Base rate and mean probability',
      'The line: the share of positive labels; the band: what the scores say it would be.',
      ({ performance: { realised, estimated } }) => ({
        ...none,
        value: realised?.baseRate ?? null,
        expected: estimated?.baseRate.value ?? null,
        least: estimated?.baseRate.low ?? null,
        most: estimated?.baseRate.high ?? null,
      }),
    ),
  ].filter((plot) => plot !== null);
  const drawn = await Promise.all(plots.map((plot, k) => figureOf(plot, `performance-${k}`)));
  return html`<section id="performance"><h2>Performance over time</h2>
<p class="aside">${found.labels.labelled === 0 ? 'No labels: the figures are what the scores say of themselves.' : `Measured where labels are ripe, ${found.labels.ripeAfterMs === null ? 'which none are yet' : `after ${span(found.labels.ripeAfterMs)}`}; beside it what calibrated scores would give.`}</p>
<div class="plots">${drawn}</div>
<div class="card"><details${found.windows.length <= 20 ? new Markup(' open') : null}><summary>All windows</summary>${dataTable(
    WINDOW_HEAD,
    found.windows.map((one) => windowRow(one, found)),
    true,
  )}</details></div>
${groups(found)}</section>`;
}

/** Confidence sequences, drawn after each window. */
async function sequences(found: Found): Promise<Markup | null> {
  if (found.sequences.length === 0) return null;
  const plotOf = (figure: string, title: string, finding: string, zero: boolean): Plot | null => {
    const course = new Map(found.sequences.find((one) => one.figure === figure)!.course.map((one) => [one.from, one]));
    const none = { value: null, low: null, high: null, expected: null, least: null, most: null };
    return overTime(
      found,
      title,
      finding,
      ({ from }) => {
        const one = course.get(from);
        return one ? { ...none, value: one.mean, low: one.low, high: one.high } : none;
      },
      zero,
    );
  };
  const plots = [
    plotOf(
      'calibration',
      'Observed − predicted so far',
      'Mean of all rows up to each window. Where the interval leaves out 0, the scores are not calibrated.',
      true,
    ),
    plotOf('logLoss', 'Log loss so far', 'Mean of all rows up to each window; more than 4 counts as 4.', false),
  ].filter((plot) => plot !== null);
  const drawn = await Promise.all(plots.map((plot, k) => figureOf(plot, `sequence-${k}`)));
  return html`<section id="sequences"><h2>Valid when looked at all the time</h2>
<p class="aside">Confidence sequences: ${sequencesText(found)}.</p>
<div class="plots">${drawn}</div>
<div class="card">${dataTable(SEQUENCE_HEAD, found.sequences.map(sequenceRow), true)}</div></section>`;
}

function groups(found: Found): Markup | null {
  const of = found.windows.find(({ from }) => from === found.newest.performance)?.performance.groups;
  if (!of || of.length === 0) return null;
  return html`<div class="card"><h3>By group, ${windowName(found.newest.performance!, found.every)}</h3>${dataTable(
    ['group', 'labels', 'base rate', 'mean probability', 'log loss', 'AUC', 'recall', 'false positive rate'],
    of.map((one) => [
      name(one.name, 40),
      whole(one.rows),
      percent(one.baseRate),
      percent(one.meanProbability),
      significant(one.logLoss, 4),
      significant(one.auc?.auc ?? null, 4),
      percent(one.recall),
      percent(one.fpr),
    ]),
    true,
  )}</div>`;
}

/** Population stability index of features by windows. */
function heat(found: Found): Markup | null {
  const compared = found.windows.filter(({ drift }) => drift).slice(-COLUMNS);
  if (compared.length === 0) return null;
  const newest = compared[compared.length - 1].drift!;
  const order = newest.features
    .map((feature, k) => ({
      feature,
      k,
      most: Math.max(...compared.map(({ drift }) => drift!.features[k].tests.psi?.value ?? 0)),
    }))
    .sort((a, b) => b.most - a.most);
  const cell = (value: number | null, drifted: boolean): Markup =>
    value === null
      ? html`<td class="none">·</td>`
      : html`<td class="${drifted ? 'drifted' : ''}" style="--tint: ${Math.round(60 * Math.min(1, Math.sqrt(value / 0.5)))}%" title="${significant(value, 3)}">${value >= 0.1 ? significant(value, 2) : null}</td>`;
  const row = (label: Markup, of: (window: WindowReport) => Markup): Markup =>
    html`<tr><th scope="row">${label}</th>${compared.map(of)}</tr>`;
  return html`<section id="drift"><h2>Drift by feature and window</h2>
<p class="aside">Population stability index against ${counted(found.reference ?? 0, 'row')} of training; a frame marks what drifted (adjusted for the number of features, and beyond noise). ${order.length > FEATURES ? `The ${FEATURES} features that drifted most of ${whole(order.length)}.` : null} ${found.windows.length > compared.length ? `${whole(compared.length)} of ${counted(found.windows.length, 'window')}.` : null}</p>
<div class="heat" tabindex="0" role="region" aria-label="Drift by feature and window"><table><thead><tr><th>feature</th>${compared.map(({ from }) => html`<th scope="col">${windowName(from, found.every)}</th>`)}</tr></thead><tbody>
${row(html`<b>scores</b>`, ({ drift }) => cell(drift!.score.psi, drift!.score.drifted))}
${order.slice(0, FEATURES).map(({ feature, k }) => row(name(feature.feature, 40), ({ drift }) => cell(drift!.features[k].tests.psi?.value ?? null, drift!.features[k].drifted)))}
</tbody></table></div>${shifts(found)}</section>`;
}

/** What moved the mean logit, the greatest first. */
function shifts(found: Found): Markup | null {
  const window = newestDrift(found);
  if (!window?.drift) return null;
  const { features, logitShift, rows } = window.drift;
  const order = [...features]
    .sort((a, b) => Math.abs(b.logitShift ?? 0) - Math.abs(a.logitShift ?? 0))
    .slice(0, FEATURES);
  const most = Math.max(1e-12, ...order.map((one) => Math.abs(one.logitShift ?? 0)));
  const bar = (value: number | null): Markup => {
    const width = `${Math.round((100 * Math.abs(value ?? 0)) / most)}%`;
    return (value ?? 0) < 0
      ? html`<div class="bar"><i class="left" style="width: ${width}"></i><span></span></div>`
      : html`<div class="bar"><span></span><i style="width: ${width}"></i></div>`;
  };
  return html`<div class="card"><h3>What moved the mean logit in ${windowName(window.from, found.every)}: ${signed(logitShift.total)}</h3>
<p class="finding">Weight times change of the mean, feature by feature; the parts add up to the whole.</p>${dataTable(
    ['feature', 'shift', '', 'towards', 'psi', 'adjusted p', 'missing', 'unseen', 'out of range'],
    order.map(({ feature, logitShift: shift, towards, tests, adjustedP, current }) => [
      name(feature, 40),
      signed(shift),
      bar(shift),
      towards === null ? '–' : name(towards, 30),
      significant(tests.psi?.value ?? null, 3),
      pValue(adjustedP),
      percent(current.missing / rows.current),
      percent(current.unseen / rows.current),
      percent((current.below + current.above) / rows.current),
    ]),
    true,
  )}</div>`;
}

function labelsSection({ labels }: Found): Markup | null {
  if (labels.count === 0) return null;
  const most = Math.max(...labels.counts);
  const ends = labels.counts
    .map((count, k) => ({ count, k }))
    .filter(({ k }) => labels.counts.slice(k).some((one) => one > 0));
  return html`<section id="labels"><h2>How late labels come</h2>
<p class="aside">Half of the labels within ${span(labels.medianMs)}, 95 % within ${span(labels.p95Ms)}. ${labels.ripeAfterMs === null ? null : `Windows are ripe after ${span(labels.ripeAfterMs)}${labels.ripeBy === 'labels' ? ', by which 95 % of the labels that ever come have come' : ', as was said'}.`}</p>
<div class="card">${dataTable(
    ['delay up to', 'labels', '', 'scores with a label by then'],
    ends.map(({ count, k }) => [
      k < labels.edges.length ? span(labels.edges[k]) : 'beyond',
      whole(count),
      html`<div class="bar"><span></span><i style="width: ${Math.round((100 * count) / most)}%"></i></div>`,
      percent(labels.labelledBy[k] ?? null),
    ]),
    true,
  )}</div></section>`;
}

function quality({ windows, skew, notes, log, every, freshness }: Found): Markup {
  const last = windows.slice(-COLUMNS);
  return html`<section id="quality"><h2>Quality of the data</h2>
${skew && skew.compared > 0 ? html`<p class="finding">${whole(skew.equal)} of ${counted(skew.compared, 'score that was computed again is', 'scores that were computed again are')} the same to the bit${skew.compared > skew.equal ? `; the greatest difference of logits is ${significant(skew.greatestLogit, 3)}` : null}.</p>` : null}
${freshness ? html`<div class="card"><h3>Age of values when they were scored</h3>${dataTable(FRESHNESS_HEAD, freshness.map(freshnessRow), true)}</div>` : null}
<div class="card"><details${last.length <= 20 ? new Markup(' open') : null}><summary>Rows by window</summary>${dataTable(
    ['window', 'rows', 'refused', 'missing cells', 'unseen cells', 'out of range'],
    last.map(({ from, rows, refused, features }) => {
      const sum = (of: (feature: (typeof features)[number]) => number) =>
        whole(features.reduce((total, one) => total + of(one), 0));
      return [
        windowName(from, every),
        whole(rows),
        whole(refused),
        sum(({ missing }) => missing),
        sum(({ unseen }) => unseen),
        sum(({ below, above }) => below + above),
      ];
    }),
    true,
  )}</details></div>
${
  log.origins.length > 0
    ? html`<div class="card"><h3>Who scored the rows</h3>${dataTable(
        ['model', 'version', 'digest', 'route', 'rows', 'watched'],
        log.origins.map((one) => [
          name(one.model || '–', 40),
          name(one.version || '–', 20),
          one.sha256 ? `${one.sha256.slice(0, 12)}…` : '–',
          name(one.route ?? '–', 30),
          whole(one.rows),
          one.isWatched ? 'yes' : 'no',
        ]),
        true,
      )}</div>`
    : null
}
</section><section id="notes"><h2>What was left out, and must be told</h2>
${notes.length === 0 ? html`<p class="aside">Nothing.</p>` : html`<ul class="warnings">${notes.map(({ what, count }) => html`<li><p>${name(what, 600)}${count === undefined ? null : ` (${whole(count)})`}</p></li>`)}</ul>`}</section>`;
}

/** @returns the same text for the same result and origin */
export async function monitorPage(found: Found, target: ReportTarget): Promise<string> {
  const files = `${counted(found.log.files, 'file')} of a prediction log`;
  const origin = await originOf(target, { query: files });
  const contents = [
    heading(found),
    await performance(found),
    await sequences(found),
    heat(found),
    labelsSection(found),
    quality(found),
    reproduction({ ...origin, data: { ...origin.data, name: files } }),
  ];
  return documentOf(`${brief(found.model.target)}: a watch`, contents, origin.made);
}
