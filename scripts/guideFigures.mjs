// Draws the pictures of the guide from the files that its commands and code wrote.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const GUIDE = fileURLToPath(new URL('../docs/guide', import.meta.url));

/** Colours of the report on paper; a picture in a page of Markdown has no style sheet. */
const COLOURS = { paper: '#ffffff', ink: '#1b2430', muted: '#5c6876', rule: '#e4e8ed', accent: '#1d5fc4' };

/** The pictures of a guide, `<!-- figure: img/NAME.svg from FILE.html #ID -->` each. @returns {{ path: string, file: string, id: string }[]} */
export const figuresOf = (markdown) =>
  [...markdown.matchAll(/<!-- figure: (img\/[\w-]+\.svg) from ([\w.-]+\.(?:html|json))(?: #([\w-]+))? -->/g)].map(
    ([, path, file, id]) => ({ path, file, id }),
  );

/** A picture as it is committed. */
export async function figure({ file, id }, folder) {
  const text = readFileSync(join(folder, file), 'utf8');
  return file.endsWith('.json') ? drawn(JSON.parse(text)) : ofReport(text, id);
}

/** The drawing of a plot in the page of --report. */
function ofReport(page, id) {
  const section = page.slice(page.indexOf(`<figure id="figure-${id}">`));
  const svg = /<svg [\s\S]*?<\/svg>/.exec(section)[0];
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg);
  return framed(svg.slice(svg.indexOf('>') + 1, -'</svg>'.length), Number(width), Number(height));
}

/** A drawing with a background and colours of its own. */
function framed(marks, width, height) {
  const coloured = marks.replaceAll(
    /var\(--([\w-]+)\)/g,
    (_, name) => COLOURS[name.replace('class-0', 'accent')] ?? COLOURS.muted,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${Math.round(1.5 * width)}" font-family="sans-serif">
<rect width="100%" height="100%" fill="${COLOURS.paper}"/>
${coloured.trim()}
</svg>
`;
}

/** A plot of a file that a program of the guide wrote: { x, y, lines: [{ name, points, dashed }] } or { x, bars: [[name, value]] }. */
async function drawn({ x, y, lines, bars }) {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const axis = {
    domainColor: COLOURS.muted,
    gridColor: COLOURS.rule,
    labelColor: COLOURS.muted,
    labelFontSize: 12,
    ticks: false,
    titleColor: COLOURS.ink,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  };
  const config = {
    background: COLOURS.paper,
    padding: 6,
    view: { stroke: null },
    axis,
    axisX: { grid: Boolean(bars) },
    axisY: { grid: !bars, minExtent: 34 },
  };
  const quantitative = (field, title) => ({
    field,
    type: 'quantitative',
    title,
    scale: { zero: false, nice: true },
    axis: { tickCount: 6 },
  });
  const spec = bars
    ? {
        width: 320,
        height: { step: 24 },
        data: { values: bars.map(([name, value], row) => ({ name, value, row })) },
        layer: [
          {
            mark: { type: 'bar', height: 14 },
            encoding: {
              x: { field: 'value', type: 'quantitative', title: x },
              y: {
                field: 'name',
                type: 'nominal',
                sort: null,
                title: y ?? null,
                axis: { labelLimit: 260, labelColor: COLOURS.ink, domain: false },
              },
              color: { condition: { test: 'datum.value < 0', value: COLOURS.muted }, value: COLOURS.accent },
            },
          },
        ],
      }
    : {
        width: 420,
        height: 230,
        layer: lines.flatMap(({ name, points, dashed }) => [
          {
            data: { values: points.map(([px, py]) => ({ x: px, y: py })) },
            mark: {
              type: 'line',
              point: dashed ? false : { fill: COLOURS.accent },
              stroke: dashed ? COLOURS.muted : COLOURS.accent,
              ...(dashed && { strokeDash: [4, 4] }),
            },
            encoding: { x: quantitative('x', x), y: quantitative('y', y) },
          },
          {
            data: { values: [{ x: points.at(-1)[0], y: points.at(-1)[1], name }] },
            mark: { type: 'text', align: 'left', dx: 8, fontSize: 12, fill: dashed ? COLOURS.muted : COLOURS.accent },
            encoding: { x: quantitative('x', x), y: quantitative('y', y), text: { field: 'name' } },
          },
        ]),
      };
  const view = new vega.View(vega.parse(compile({ ...spec, config }).spec), { renderer: 'none' });
  // neither what was drawn before nor how a host measures text may change a picture
  vega.resetSVGDefIds();
  vega.textMetrics.width = ({ text, fontSize = 12 }, shown = text) => 0.62 * fontSize * String(shown ?? '').length;
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

/** Draws the pictures of a guide into docs/guide/img. */
export async function drawFigures(markdown, folder) {
  mkdirSync(join(GUIDE, 'img'), { recursive: true });
  for (const one of figuresOf(markdown)) writeFileSync(join(GUIDE, one.path), await figure(one, folder));
}
