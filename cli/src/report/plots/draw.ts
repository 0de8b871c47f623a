import type { Spec } from 'vega';
import { escapeText, Markup } from '../html.ts';
import { LETTER, lettersOf } from './labels.ts';
import type { Plot } from './plot.ts';

/** The text measurement of vega, which its types leave out. */
interface TextMetrics {
  width: (item: { readonly text?: unknown; readonly fontSize?: number }, shown?: unknown) => number;
}

/**
 * The drawing of a plot, without a browser: an <svg> with a title and a description, scaled by the page.
 * @param id  id of the element; the ids of its title and description begin with it
 */
export async function draw({ title, finding, spec }: Plot, id: string): Promise<Markup> {
  // loaded here, because it takes half a second that only a report needs
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const { parse, View, Error: ERROR } = vega;
  // layouts need text widths, and without a browser vega overestimates them
  (vega as unknown as { textMetrics: TextMetrics }).textMetrics.width = ({ text, fontSize = 12 }, shown = text) =>
    LETTER * fontSize * lettersOf(String(shown ?? ''));
  const view = new View(parse(compile(spec).spec as Spec), { renderer: 'none', logLevel: ERROR });
  // its counter of ids goes on from drawing to drawing: each drawing has its own, whatever was drawn before
  vega.resetSVGDefIds();
  const svg = (await view.toSVG()).replaceAll(/(id="|url\(#)((?:clip|gradient_)\d+)/g, `$1${id}-$2`);
  view.finalize();
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!;
  // frames of groups, which draw nothing
  const marks = svg
    .slice(svg.indexOf('>') + 1)
    .replace(/<path class="(background|foreground)"[^>]*><\/path>|<path class="(background|foreground)"[^>]*\/>/g, '');
  const head = `<svg id="${id}" role="img" aria-labelledby="${id}-title ${id}-text" viewBox="0 0 ${width} ${height}" style="max-width:${Math.round(1.15 * Number(width))}px">`;
  return new Markup(
    `${head}<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-text">${escapeText(finding)}</desc>${marks}`,
  );
}
