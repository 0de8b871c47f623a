import { brief, counted, sentence, significant, whole } from '../figures/wording.ts';
import { type Comparison, directionOf, hasMetric, shortValue } from '../jobs/tracking/compare.ts';
import { type RunRecord, stepsOf } from '../jobs/tracking/record.ts';
import { documentOf, figureOf } from './document.ts';
import { type Content, dataTable, html, type Markup, name } from './html.ts';
import { curvesPlot, MOST_LINES } from './plots/curves.ts';

export interface RunsPage {
  readonly place: string;
  /** runs of the place; the page may have fewer */
  readonly total: number;
  readonly sort?: string;
  readonly comparison: Comparison;
}

/** Beside the style of other pages: wide tables scroll on their own, the best of a metric is marked. */
const OWN = `
.scroll { overflow-x: auto; margin-top: 18px; }
.scroll table { min-width: max-content; }
.scroll td, .scroll th { max-width: 280px; }
.best { font-weight: 650; color: var(--accent); }
.best::after { content: " ★"; }
.muted { color: var(--muted); }
.alarm { color: var(--alarm); }
.bar { display: block; height: 4px; margin-top: 3px; background: var(--accent); border-radius: 2px; opacity: 0.55; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
@container (max-width: 640px) { .scroll table { min-width: 0; } .scroll td, .scroll th { max-width: none; } }
@media print { .scroll { overflow: visible; } .scroll table { min-width: 0; font-size: 8.5pt; } }
`;

const time = (text: string): string => text.slice(0, 16).replace('T', ' ');

/** A page that compares runs: no script and no external address. @returns the same text for the same runs */
export async function runsPage({ place, total, sort, comparison }: RunsPage): Promise<string> {
  const { runs, best } = comparison;
  const named = [...best].filter(([metric]) => comparison.metrics.includes(metric));
  const title = counted(total, 'run');
  const experiments = [...new Set(runs.map(({ experiment }) => experiment))];
  const contents = html`<header>
<p class="overline">Comparison of runs</p>
<h1>${title} in ${name(place, 80)}</h1>
<p class="aside">${experiments.length === 1 ? html`Experiment ${name(experiments[0]!)}. ` : `${counted(experiments.length, 'experiment')}. `}${
    runs.length < total ? `The page has ${whole(runs.length)} of them. ` : null
  }${sort === undefined ? 'The newest comes first.' : html`The best by ${name(sort)} comes first.`}</p>
${
  named.length > 0
    ? html`<dl class="figures">${named.map(
        ([metric, run]) =>
          html`<div><dt>best ${name(metric)}</dt><dd>${significant(run.metrics[metric]!, 4)}</dd><dd class="note">${name(run.name || run.id, 50)}<br>${name(run.id)}</dd></div>`,
      )}</dl>`
    : null
}
${comparison.cautions.map((one) => html`<p class="notice">${sentence(one)}</p>`)}
</header>
${metricSection(comparison)}
${paramSection(comparison)}
${await curveSection(runs)}
${runSection(runs)}`;
  return documentOf(`${title}: a comparison`, contents, null, OWN);
}

const headOf = ({ name: given, id, started }: RunRecord): Content =>
  html`${name(given || id, 50)}<br><span class="muted">${time(started)} · ${name(id.slice(-8))}</span>`;

/** Metrics of each run, with a bar from the worst (none) to the best (whole) of the page. */
function metricSection({ runs, metrics, best }: Comparison): Markup {
  const range = new Map(
    metrics.map((metric) => {
      const values = runs.filter((run) => hasMetric(run, metric)).map((run) => run.metrics[metric]!);
      return [metric, [Math.min(...values), Math.max(...values)] as const];
    }),
  );
  const cell = (run: RunRecord, metric: string): Content => {
    if (!Object.hasOwn(run.metrics, metric)) return html`<span class="muted">–</span>`;
    const value = run.metrics[metric]!;
    const [low, high] = range.get(metric)!;
    const sign = directionOf(metric);
    const share =
      sign === 0 || !(high > low) || Number.isNaN(value)
        ? null
        : sign > 0
          ? (value - low) / (high - low)
          : (high - value) / (high - low);
    const text = significant(value);
    return html`${best.get(metric) === run ? html`<span class="best">${text}</span>` : text}${
      share === null || !Number.isFinite(share)
        ? null
        : html`<span class="bar" style="width:${(4 + 96 * share).toFixed(0)}%"></span>`
    }`;
  };
  const head = ['run', 'status', ...metrics];
  const rows = runs.map((run) => [headOf(run), statusOf(run), ...metrics.map((metric) => cell(run, metric))]);
  return html`<section><h2>Metrics</h2><p class="aside">★ marks the best finished run. A bar shows where a run stands between the worst and the best of this page.</p>
<div class="card scroll">${dataTable(head, rows)}</div></section>`;
}

const statusOf = ({ status }: RunRecord): Content =>
  status === 'finished' ? status : html`<span class="${status === 'running' ? 'muted' : 'alarm'}">${status}</span>`;

function paramSection({ runs, differing, common }: Comparison): Markup {
  const rows = runs.map((run) => [
    headOf(run),
    ...differing.map((param) =>
      Object.hasOwn(run.params, param) ? name(shortValue(run.params[param]!), 60) : html`<span class="muted">–</span>`,
    ),
  ]);
  const same = common.map(([param, value]) => html`<dt>${name(param)}</dt><dd>${name(value, 200)}</dd>`);
  return html`<section><h2>Parameters that differ</h2>${
    differing.length === 0
      ? html`<p class="aside">None: the runs have the same parameters.</p>`
      : html`<div class="card scroll">${dataTable(['run', ...differing], rows, true)}</div>`
  }${same.length > 0 ? html`<details><summary>${whole(same.length)} that are the same</summary><dl class="facts">${same}</dl></details>` : null}</section>`;
}

/** Most plots of curves; further ones are named. */
const MOST_PLOTS = 12;

/** Each curve that some run has, with a line for each of these runs. */
async function curveSection(runs: readonly RunRecord[]): Promise<Markup | null> {
  const names = [...new Set(runs.flatMap(({ curves }) => Object.keys(curves)))].sort();
  const withPoints = names.filter((one) => runs.some(({ curves }) => (curves[one] ?? []).some(Number.isFinite)));
  if (withPoints.length === 0) return null;
  const plots = withPoints.slice(0, MOST_PLOTS).map((one, k) => {
    const lines = runs
      .filter(({ curves }) => (curves[one] ?? []).some(Number.isFinite))
      .map((run) => ({
        name: brief(run.name || run.id, 24) + (run.name ? ` ${run.id.slice(-4)}` : ''),
        steps: stepsOf(run, one),
        values: run.curves[one]!,
      }));
    return figureOf(curvesPlot(one, lines), `curve-${k}`);
  });
  const left = withPoints.slice(MOST_PLOTS);
  return html`<section id="curves"><h2>Curves</h2><p class="aside">By step, in the order of the runs above${runs.length > MOST_LINES ? `; a plot has ${MOST_LINES} lines at most` : null}.${
    left.length > 0 ? html` Not drawn: ${left.map((one, k) => html`${k > 0 ? ', ' : null}${name(one)}`)}.` : null
  }</p>
<div class="plots">${await Promise.all(plots)}</div></section>`;
}

function runSection(runs: readonly RunRecord[]): Markup {
  const cards = runs.map(
    (run) => html`<details><summary>${name(run.name || run.id, 60)} · ${name(run.id)}</summary><dl class="facts">
<dt>command</dt><dd><code>${brief(run.line, 2000)}</code></dd>
<dt>data</dt><dd>${run.data.map(({ name: data, sha256 }) => html`${name(data, 200)}${sha256 === null ? null : html` <code>${sha256}</code>`}`)}</dd>
${run.model === null ? null : html`<dt>model</dt><dd><code>${run.model.sha256}</code></dd>`}
${run.notes.map((one) => html`<dt>note</dt><dd>${one}</dd>`)}
${run.error === null ? null : html`<dt>error</dt><dd class="alarm">${one(run.error)}</dd>`}
</dl></details>`,
  );
  return html`<section><h2>Runs</h2>${cards}</section>`;
}

const one = (text: string): string => brief(text, 500);
