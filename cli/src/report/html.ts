import { brief } from '../figures/wording.ts';

/** HTML that is safe to write unchanged. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | null | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** Control characters other than tab and line feed, which a page must not contain, and marks that change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it removes
const UNFIT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** Text without characters that a page must not contain. A lone surrogate becomes U+FFFD when the page is encoded. */
export const plain = (text: string): string => text.replace(UNFIT, '\ufffd');

/** Text escaped for HTML. A percent sign stays with its number. */
export const escapeText = (text: string): string =>
  plain(text)
    .replace(/[&<>"'`]/g, (mark) => ENTITIES[mark])
    .replace(/(\d) %/g, '$1\u00a0%');

const render = (content: Content): string =>
  content === null
    ? ''
    : content instanceof Markup
      ? content.text
      : typeof content === 'object'
        ? content.map(render).join('')
        : escapeText(String(content));

/** Markup from a template. Inserted text is escaped, inserted markup is not, and null inserts nothing. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  return new Markup(strings.reduce((text, part, i) => text + render(contents[i - 1]) + part));
}

/** A name from the data, cut, with its writing direction isolated. */
export const name = (text: string, most?: number): Markup => html`<bdi>${brief(text, most)}</bdi>`;

/** Tables with more columns than this stack their columns on narrow screens; the style sheet does it. */
const NARROW = 4;

/**
 * A table; the first column holds the headings of the rows.
 * @param words  cells are words, not numbers
 */
export function dataTable(head: readonly string[], rows: readonly (readonly Content[])[], words = false): Markup {
  const kind = [head.length > NARROW || words ? 'wide' : '', words ? 'words' : ''].join(' ').trim();
  return html`<table role="table" class="${kind}"><thead role="rowgroup"><tr role="row">${head.map(
    (cell) => html`<th role="columnheader" scope="col">${cell}</th>`,
  )}</tr></thead><tbody role="rowgroup">${rows.map(
    ([first, ...others]) =>
      html`<tr role="row"><th role="rowheader" scope="row">${first}</th>${others.map(
        (cell, k) => html`<td role="cell" data-head="${head[k + 1]}"><span>${cell}</span></td>`,
      )}</tr>`,
  )}</tbody></table>`;
}
