/**
 * A slow reader of files, written from the rule of docs/FILES.md and from nothing else: a character at a time, everything in memory. It shares no
 * code with the readers of the command but the parser of dates.
 */

import type { ReadOptions } from '../../cli/src/read/text/options.ts';
import { parseDate } from '../../src/encode/date.ts';

/** A cell: nothing, a text, or a value of JSON. */
export interface SlowCell {
  readonly text: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'list' | 'object' | 'special';
}

export interface SlowTable {
  readonly names: readonly string[];
  /** by row, by column */
  readonly rows: readonly (SlowCell | null)[][];
  readonly lines: readonly number[];
}

/** What is refused, and at which line where one is at fault. */
export class Refused extends Error {
  readonly line: number | null;
  constructor(line: number | null, why: string) {
    super(why);
    this.line = line;
  }
}

const TOKENS = ['NA', 'N/A', '#N/A', 'NaN', 'nan', 'null', 'NULL', 'None', '.', '-', '?', 'unknown'];

/** The characters of a file; bytes that are none of UTF-8 stand as U+E000 + byte behind U+E100. */
function decode(bytes: Buffer, { encoding = 'utf-8' }: ReadOptions): string {
  const [a, b, c] = bytes;
  const marks = {
    'utf-8': a === 0xef && b === 0xbb && c === 0xbf,
    'utf-16le': a === 0xff && b === 0xfe,
    'utf-16be': a === 0xfe && b === 0xff,
  };
  if (encoding === 'utf-8') {
    if (marks['utf-16le'] || marks['utf-16be']) throw new Refused(null, 'UTF-16');
    const body = marks['utf-8'] ? bytes.subarray(3) : bytes;
    return body.toString('latin1');
  }
  for (const [name, there] of Object.entries(marks))
    if (there && name !== encoding) throw new Refused(null, 'another encoding');
  try {
    // as a stream, since some versions of Node take Windows-1252 for Latin-1 otherwise
    const decoder = new TextDecoder(encoding === 'latin1' ? 'windows-1252' : encoding, { fatal: true });
    const text = decoder.decode(bytes, { stream: true }) + decoder.decode();
    return Buffer.from(text).toString('latin1');
  } catch {
    throw new Refused(null, 'undecodable');
  }
}

/** Text of bytes that stand as Latin-1. @throws Refused */
function utf8(text: string, line: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    throw new Refused(line, 'no UTF-8');
  }
}

export function slowCsv(name: string, bytes: Buffer, options: ReadOptions): SlowTable {
  let text = decode(bytes, options);
  let line = 1;
  const nextLine = (): string => {
    const match = /^[^\r\n]*(\r\n|\n|\r|$)/.exec(text)!;
    text = text.slice(match[0].length);
    line++;
    return match[0].replace(/[\r\n]+$/, '');
  };
  for (let i = 0; i < (options.skip ?? 0) && text !== ''; i++) nextLine();
  const blank = (given: string) => /^[\s]*$/.test(given);
  const peek = () => /^[^\r\n]*/.exec(text)![0];
  while (text !== '' && blank(peek())) nextLine();
  if (text === '') throw new Refused(null, 'nothing');
  let { delimiter } = options;
  const said = /^\s*"?sep=(.)"?\s*$/i.exec(peek());
  if (said) {
    delimiter ??= said[1];
    nextLine();
  }
  const quote = options.quote ?? '"';
  if (delimiter === undefined && name.endsWith('.tsv')) delimiter = '\t';
  if (delimiter === undefined) {
    const outside = peek()
      .split(quote)
      .filter((_, i) => i % 2 === 0)
      .join('');
    const counts = [',', ';', '\t', '|'].map((mark) => outside.split(mark).length - 1);
    const most = Math.max(...counts);
    if (most > 0 && counts.filter((count) => count === most).length > 1) throw new Refused(line, 'a tie');
    delimiter = most === 0 ? ',' : [',', ';', '\t', '|'][counts.indexOf(most)];
  }
  const isBlank = (char: string) => char === ' ' || (char === '\t' && delimiter !== '\t');
  let at = 0;
  const atEnd = () => at >= text.length || text[at] === '\n' || text[at] === '\r';
  const readRecord = (): (SlowCell | null)[] => {
    const begun = line;
    const cells: (SlowCell | null)[] = [];
    for (;;) {
      while (isBlank(text[at])) at++;
      if (text[at] === quote) {
        let cell = '';
        for (at++; ; at++) {
          if (at >= text.length) throw new Refused(begun, 'unclosed');
          if (text[at] === '\0') throw new Refused(begun, 'NUL');
          if (text[at] === quote) {
            if (text[at + 1] !== quote) break;
            at++;
          } else if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) line++;
          cell += text[at];
        }
        at++;
        while (isBlank(text[at])) at++;
        if (text[at] === '\0') throw new Refused(begun, 'NUL');
        if (!atEnd() && text[at] !== delimiter) throw new Refused(begun, 'behind the quote');
        cells.push({ text: cell, kind: 'text' });
      } else {
        let cell = '';
        while (!atEnd() && text[at] !== delimiter) {
          if (text[at] === '\0') throw new Refused(begun, 'NUL');
          cell += text[at++];
        }
        while (cell !== '' && isBlank(cell.at(-1)!)) cell = cell.slice(0, -1);
        cells.push(cell === '' ? null : { text: cell, kind: 'text' });
      }
      if (at < text.length && text[at] === delimiter) {
        at++;
        continue;
      }
      if (text[at] === '\r' && text[at + 1] === '\n') at++;
      at++;
      line++;
      return cells.map((cell) => cell && { ...cell, text: utf8(cell.text, begun) });
    }
  };
  let names: string[] | null = null;
  let header: (SlowCell | null)[] = [];
  const rows: (SlowCell | null)[][] = [];
  const lines: number[] = [];
  let blanks = 0;
  while (at < text.length) {
    const begun = line;
    const cells = readRecord();
    if (cells.length === 1 && cells[0] === null) {
      blanks++;
      continue;
    }
    if (names === null) {
      names = cells.map((cell, i) => (cell === null || cell.text === '' ? `column${i}` : cell.text));
      header = cells;
      if (new Set(names).size < names.length) throw new Refused(null, 'twice');
    } else {
      if (names.length === 1) for (; blanks > 0; blanks--) lines.push(rows.push([null]) && begun);
      if (cells.length !== names.length) throw new Refused(begun, 'width');
      if (
        cells.every((cell, i) => (cell?.text ?? '') === (header[i]?.text ?? '')) &&
        cells.some((cell) => (cell?.text ?? '') !== '')
      )
        throw new Refused(begun, 'header');
      rows.push(cells);
      lines.push(begun);
    }
    blanks = 0;
  }
  if (names === null) throw new Refused(null, 'nothing');
  return { names, rows, lines };
}

export function slowJson(bytes: Buffer, options: ReadOptions): SlowTable {
  const names: string[] = [];
  const objects: Map<string, SlowCell | null>[] = [];
  const lines: number[] = [];
  for (const [i, raw] of decode(bytes, options).split('\n').entries()) {
    const line = utf8(raw, i + 1);
    if (/^[ \t\r\n]*$/.test(line)) continue;
    const object = new Map<string, SlowCell | null>();
    // special values are no JSON: they are strings nobody writes while it is parsed
    const plain = outsideStrings(line, /(?<![\w.])-?(?:NaN|Infinity)(?!\w)/g, (word) =>
      word === '-NaN' ? word : JSON.stringify(`\u0000${word}`),
    );
    let value: unknown;
    try {
      value = JSON.parse(plain);
    } catch {
      throw new Refused(i + 1, 'no JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused(i + 1, 'no object');
    for (const [key, text] of fieldsOf(plain)) {
      if (!/^(?:[^\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/.test(key)) throw new Refused(i + 1, 'half a pair');
      if (object.has(key)) throw new Refused(i + 1, 'twice');
      const cell = JSON.parse(text) as unknown;
      if (typeof cell === 'string' && /[\ud800-\udfff]/.test(cell.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')))
        throw new Refused(i + 1, 'half a pair');
      if (!names.includes(key)) names.push(key);
      const kind: SlowCell['kind'] =
        typeof cell === 'number'
          ? 'number'
          : typeof cell === 'boolean'
            ? 'boolean'
            : Array.isArray(cell)
              ? 'list'
              : 'object';
      if (typeof cell === 'string')
        object.set(
          key,
          cell.startsWith('\u0000') ? { text: cell.slice(1), kind: 'special' } : { text: cell, kind: 'text' },
        );
      else object.set(key, cell === null ? null : { text, kind });
    }
    objects.push(object);
    lines.push(i + 1);
  }
  return { names, rows: objects.map((object) => names.map((name) => object.get(name) ?? null)), lines };
}

/** Replaces what stands outside of the strings of a JSON text. */
function outsideStrings(text: string, pattern: RegExp, by: (match: string) => string): string {
  return text
    .split(/("(?:[^"\\]|\\.)*")/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(pattern, by)))
    .join('');
}

/** The top-level fields of an object, each with its text. */
function fieldsOf(text: string): [string, string][] {
  const fields: [string, string][] = [];
  let depth = 0;
  let begun = 0;
  const pieces: string[] = [];
  for (const part of text.split(/("(?:[^"\\]|\\.)*")/)) {
    if (part.startsWith('"')) {
      pieces.push(part);
      continue;
    }
    for (const char of part) {
      if (char === '{' || char === '[') depth++;
      if (char === '}' || char === ']') depth--;
      if ((char === ',' && depth === 1) || (depth === 0 && char === '}')) {
        fields.push(['', pieces.slice(begun).join('')]);
        begun = pieces.length;
      } else if (!(char === '{' && depth === 1)) pieces.push(char);
    }
  }
  return fields.flatMap(([, field]): [string, string][] => {
    const match = /^\s*("(?:[^"\\]|\\.)*")\s*:\s*(.*?)\s*$/s.exec(field);
    return match ? [[JSON.parse(match[1]) as string, match[2]]] : [];
  });
}

/** What a column is, and its cells. */
export type SlowColumn =
  | { readonly kind: 'numeric'; readonly values: readonly (number | null)[] }
  | { readonly kind: 'coded'; readonly labels: readonly (string | null)[] };

const escaped = (mark: string) => mark.replace(/[^\w\s]/g, '\\$&');

/** The number a text is; null when it is none. */
function numberOf(text: string, { decimal = '.', thousands }: ReadOptions): number | null {
  const bare = text.replace(/^ +| +$/g, '');
  const point = escaped(decimal);
  const whole =
    thousands === undefined
      ? null
      : new RegExp(`^[-+]?\\d{1,3}(${escaped(thousands)}\\d{3})+(${point}\\d*)?(e[-+]?\\d+)?$`, 'i');
  if (whole?.test(bare)) return Number(bare.replaceAll(thousands!, '').replace(decimal, '.'));
  return new RegExp(`^[-+]?(\\d+(${point}\\d*)?|${point}\\d+)(e[-+]?\\d+)?$`, 'i').test(bare)
    ? Number(bare.replace(decimal, '.'))
    : null;
}

const zeroLed = (text: string) => /^ *[-+]?0\d/.test(text);

/** A column that nobody said anything about, by the rule. @throws Refused naming the line of the first cell at fault */
export function slowColumn(
  table: SlowTable,
  column: number,
  json: boolean,
  options: ReadOptions,
  target: boolean,
  looksLike: (text: string) => boolean,
): SlowColumn {
  const cells = table.rows.map((row) => row[column]);
  const na = options.na ?? [];
  const tokens = ['', ...TOKENS, ...na];
  const isText = (cell: SlowCell) => cell.kind === 'text';
  const isToken = (cell: SlowCell) => isText(cell) && tokens.includes(cell.text);
  const isNumber = (cell: SlowCell) => (json ? cell.kind === 'number' : numberOf(cell.text, options) !== null);
  const given = cells
    .map((cell, row) => ({ cell, line: table.lines[row] }))
    .filter((one): one is { cell: SlowCell; line: number } => one.cell !== null);
  const rest = given.filter(({ cell }) => !isToken(cell) && !(cell.kind === 'special' && na.includes(cell.text)));
  const special = rest.find(({ cell }) => cell.kind === 'special');
  if (special) throw new Refused(special.line, 'special');
  const numbers = rest.filter(({ cell }) => isNumber(cell));
  const others = rest.filter(({ cell }) => !isNumber(cell));
  const zeros = numbers.filter(({ cell }) => zeroLed(cell.text));
  const allNumbers = others.length === 0 && numbers.length > 0;
  const value = (cell: SlowCell | null): number | null => {
    if (cell === null || isToken(cell) || cell.kind === 'special') return null;
    return json ? Number(cell.text) : numberOf(cell.text, options);
  };
  if (!target) {
    if (allNumbers && zeros.length === 0) {
      const values = cells.map(value);
      const huge = values.findIndex((number) => number !== null && !Number.isFinite(number));
      if (huge >= 0) throw new Refused(table.lines[huge], 'not finite');
      return { kind: 'numeric', values };
    }
    if (json) {
      const kinds = new Set(others.map(({ cell }) => cell.kind));
      if (numbers.length > 0 && others.length > 0) throw new Refused(others[0].line, 'types');
      if (kinds.has('object') || kinds.has('list') || kinds.size > 1) throw new Refused(null, 'types');
    } else if (others.length > 0) {
      const look = others.filter(({ cell }) => looksLike(cell.text));
      if (look.length > 0 && 2 * (numbers.length + look.length) >= rest.length)
        throw new Refused(look[0].line, 'notation');
      if (2 * numbers.length >= rest.length) throw new Refused(others[0].line, 'half are numbers');
    }
    if (
      others.length > 0 &&
      numbers.length === 0 &&
      others.every(({ cell }) => isText(cell) && parseDate(cell.text) !== null)
    )
      throw new Refused(null, 'dates');
  }
  // categories
  const missing = allNumbers ? tokens : na;
  const kept = given.filter(({ cell }) => !((isText(cell) || cell.kind === 'special') && missing.includes(cell.text)));
  if (kept.length === 0) throw new Refused(null, 'missing only');
  const texts = kept.map(({ cell }) => cell.text);
  const spelled = !json && texts.every((text) => numberOf(text, options) !== null && !zeroLed(text));
  const boolean = !json && texts.every((text) => /^(true|false)$/i.test(text));
  const label = (cell: SlowCell): string => {
    if (json) return cell.kind === 'number' && !/^-?[1-9]\d*$/.test(cell.text) ? String(Number(cell.text)) : cell.text;
    if (boolean) return cell.text.toLowerCase();
    if (!spelled || (/^-?\d+$/.test(cell.text) && cell.text !== '-0')) return cell.text;
    const number = numberOf(cell.text, options)!;
    if (/^\+\d+$/.test(cell.text) && Math.abs(number) >= 2 ** 53) return cell.text.slice(1);
    return Number.isFinite(number) ? String(number) : cell.text;
  };
  return {
    kind: 'coded',
    labels: cells.map((cell) => {
      const gone = cell === null || ((isText(cell) || cell.kind === 'special') && missing.includes(cell.text));
      return gone ? null : label(cell);
    }),
  };
}
