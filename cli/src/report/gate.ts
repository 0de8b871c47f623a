import { significant, whole } from '../figures/wording.ts';
import type { Finding } from '../jobs/gate/finding.ts';
import { type GateResult, lets } from '../jobs/gate/gate.ts';
import { markOf, verdict } from '../terminal/gate.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { commandLine, documentOf } from './document.ts';
import { type Content, dataTable, html, type Markup, name } from './html.ts';
import type { ReportTarget } from './write.ts';

const OWN = `
.status { font-weight: 620; white-space: nowrap; }
.status.fail { color: var(--alarm); }
.status.skipped { color: var(--muted); }
.span { display: block; width: 100%; max-width: 220px; height: 26px; overflow: visible; }
.span text { font-size: 10px; fill: var(--muted); }
.findings { list-style: none; display: grid; gap: 0; margin-top: 20px; }
.findings li { display: grid; grid-template-columns: 110px minmax(0, 1fr) 220px; gap: 4px 24px; padding: 12px 0; border-bottom: 1px solid var(--rule); align-items: center; break-inside: avoid; }
.findings p { max-width: 78ch; }
.findings .rule { font-weight: 560; }
@media (max-width: 760px) { .findings li { grid-template-columns: minmax(0, 1fr); } }
@media print { .findings li { grid-template-columns: 80pt minmax(0, 1fr) 150pt; } }
`;

/** What a gate found, as one HTML page: no script and no external address. Text from models, data and rules is escaped. */
export function gatePage(result: GateResult, { argv, versions }: ReportTarget): string {
  const { passed, candidate, champion, data, target, rows, findings, notes, rules } = result;
  const broken = findings.filter((one) => !lets(one));
  const others = findings.filter(lets);
  const facts: readonly (readonly [string, string])[] = [
    ['candidate', candidate.model],
    ['its SHA-256', candidate.sha256 ?? 'none'],
    ['champion', champion.model],
    ['its SHA-256', champion.sha256 ?? 'none'],
    ['data', `${withoutSecrets(data)}, target ${target}`],
    ...versions,
  ];
  const figures: readonly (readonly [string, string, string])[] = rows
    ? [
        ['rows compared', whole(rows.compared), `of ${whole(rows.rows)}, ${whole(rows.labelled)} with a label`],
        ['refused by the candidate', whole(rows.candidateRefuses), 'of all rows'],
        ['refused by the champion', whole(rows.championRefuses), `${whole(rows.bothRefuse)} by both`],
        [
          'checks passed',
          whole(findings.filter(({ status }) => status === 'pass').length),
          `of ${whole(findings.length)}`,
        ],
      ]
    : [];
  const contents = html`<header>
<p class="overline">Gate of a model</p>
<h1>${passed ? 'Passed' : 'Not passed'}</h1>
<p class="verdict">${name(candidate.model, 90)} against ${name(champion.model, 90)}, ${verdict(result)}.</p>
<dl class="figures">${figures.map(([what, value, aside]) => html`<div><dt>${what}</dt><dd>${value}</dd><dd class="note">${aside}</dd></div>`)}</dl>
</header>
${section('broken', 'What does not let it pass', broken)}
${section('passed', broken.length > 0 ? 'What does' : 'What was checked', others)}
${notes.length > 0 ? html`<section id="notes"><h2>Notes</h2><ul class="warnings">${notes.map((note) => html`<li><p>${name(note, 1000)}</p></li>`)}</ul></section>` : null}
<section id="rules"><h2>Rules</h2>
<p class="aside">${result.areDefault ? 'The default ones. ' : null}Intervals have the level ${significant(rules.level)}; bootstraps draw ${whole(rules.replicates)} times from seed ${rules.seed}${rules.cluster === undefined ? null : html`, by ${name(rules.cluster)}`}.</p>
<div class="card">${dataTable(
    ['rule', 'options'],
    Object.entries(rules.rules).flatMap(([rule, list]) =>
      list.map((given) => [rule, name(JSON.stringify(given), 400)]),
    ),
    true,
  )}</div></section>
<section id="reproduce"><h2>How to reproduce</h2>
<pre><code>${commandLine(argv.map(withoutSecrets))}</code></pre>
<dl class="facts">${facts.map(([key, text]) => html`<dt>${key}</dt><dd>${name(text, 400)}</dd>`)}</dl></section>`;
  return documentOf(`Gate: ${passed ? 'passed' : 'not passed'}`, contents, null, OWN);
}

function section(id: string, title: string, findings: readonly Finding[]): Content {
  if (findings.length === 0) return null;
  return html`<section id="${id}"><h2>${title}</h2><ul class="findings">${findings.map(
    (
      one,
    ) => html`<li><span class="status ${one.status === 'pass' ? 'pass' : lets(one) ? 'skipped' : 'fail'}">${markOf(one).toLowerCase()}</span>
<p><span class="rule">${one.rule}${one.of === null ? null : html` ${name(one.of, 80)}`}</span><br>${name(one.sentence, 600)}</p>${drawing(one)}</li>`,
  )}</ul></section>`;
}

/** A figure with its interval and the ends within which it passes, on one line. */
function drawing({ value, low, high, least, greatest }: Finding): Markup | null {
  if (value === undefined || low === undefined || high === undefined) return null;
  const ends = [least, greatest].filter((end) => end !== undefined);
  const all = [value, low, high, ...ends];
  const [from, to] = [Math.min(...all), Math.max(...all)];
  const room = (to - from || 1) * 0.08;
  const x = (at: number) => (220 * (at - from + room)) / (to - from + 2 * room);
  const px = (at: number) => x(at).toFixed(1);
  const limits = ends.map(
    (end) =>
      html`<line x1="${px(end)}" x2="${px(end)}" y1="2" y2="18" stroke="var(--alarm)" stroke-dasharray="2 2"/><text x="${px(end)}" y="26" text-anchor="${x(end) > 110 ? 'end' : 'start'}">${significant(end, 3)}</text>`,
  );
  const label = `${significant(value, 3)}, interval ${significant(low, 3)} to ${significant(high, 3)}${ends.length > 0 ? `, limit ${ends.map((end) => significant(end, 3)).join(' and ')}` : ''}`;
  return html`<svg class="span" viewBox="0 0 220 28" role="img" aria-label="${label}"><line x1="0" x2="220" y1="10" y2="10" stroke="var(--rule)"/><line x1="${px(low)}" x2="${px(high)}" y1="10" y2="10" stroke="var(--accent)" stroke-width="3"/><circle cx="${px(value)}" cy="10" r="4" fill="var(--accent)"/>${limits}</svg>`;
}
