import { brief, counted } from '../figures/wording.ts';
import type { ReportData } from './data.ts';
import { type Content, dataTable, html, Markup, name } from './html.ts';
import { draw } from './plots/draw.ts';
import type { Plot } from './plots/plot.ts';
import { STYLE } from './style.ts';

/**
 * A page: its head with the policy that allows no script and no address, and its contents.
 * @param made   the day, if its foot says so
 * @param style  of this kind of page, beside that of all
 */
export function documentOf(title: string, contents: Content, made: string | null = null, style = ''): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="logodds">
<title>${title}</title>
<style>${new Markup(STYLE + style)}</style>
</head>
<body>
<main>
${contents}
<footer>Made by logodds${made === null ? '' : ` on ${made}`}.</footer>
</main>
</body>
</html>
`.text;
}

/** A plot with its legend, its finding and its numbers. */
export async function figureOf(plot: Plot, id: string, numbers?: Content): Promise<Markup> {
  const [head, ...rows] = plot.numbers;
  return html`<figure id="figure-${id}">
<h3>${plot.title}</h3>
${await draw(plot, id)}
<ul class="legend">${plot.legend.map(
    ({ mark, name: text }) => html`<li><span class="mark ${mark}"></span>${name(text, 40)}</li>`,
  )}</ul>
<figcaption class="finding">${plot.finding}</figcaption>
<details><summary>Numbers</summary>${
    numbers ??
    dataTable(
      head.map((cell) => brief(cell, 40)),
      rows.map((row) => row.map((cell) => name(cell))),
    )
  }</details>
</figure>`;
}

/** A message at its last semicolon outside brackets and quotes: what was found, and what to do. */
export function parted(message: string): readonly [evidence: string, advice: string] {
  let depth = 0;
  let quoted = false;
  let at = -1;
  for (let i = 0; i < message.length; i++) {
    const sign = message[i];
    if (sign === '"' && message[i - 1] !== '\\') quoted = !quoted;
    if (quoted) continue;
    if (sign === '(') depth++;
    else if (sign === ')') depth--;
    else if (sign === ';' && message[i + 1] === ' ' && depth <= 0) at = i;
  }
  return at < 0 ? [message, ''] : [message.slice(0, at), message.slice(at + 2)];
}

/** A command line as a shell takes it. */
export const commandLine = (argv: readonly string[]): string =>
  argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .map((word) => brief(word, 2000))
    .join(' ');

export type Facts = readonly (readonly [string, string] | null)[];

/** The command line and the data, by which the page can be made again. */
export function reproduction(
  { argv, versions, data }: Pick<ReportData['origin'], 'argv' | 'versions' | 'data'>,
  before: Facts = [],
  after: Facts = [],
): Markup {
  const facts: Facts = [
    ...before,
    ['data', `${data.name}${data.bytes === null ? '' : `, ${counted(data.bytes, 'byte')}`}`],
    data.sha256 === null ? null : ['its SHA-256', data.sha256],
    ...after,
    ...versions,
  ];
  return html`<section id="reproduce"><h2>How to reproduce</h2>
<pre><code>${commandLine(argv)}</code></pre>
<dl class="facts">${facts.map((fact) => fact && html`<dt>${fact[0]}</dt><dd>${name(fact[1], 400)}</dd>`)}</dl></section>`;
}
