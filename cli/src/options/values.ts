/** Parsers of option values. */
import { InvalidArgumentError } from 'commander';
import type { Costs } from '../../../src/decide.ts';
import { Names } from '../read/names.ts';

/** A refused value is a usage error. */
const refuse = (rule: string, got: string): never => {
  throw new InvalidArgumentError(`Expected ${rule}, got "${got}".`);
};

const number =
  (rule: string, accept: (value: number) => boolean) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    return accept(value) ? value : refuse(rule, text);
  };

export const positiveNumber = number('a finite number > 0', (value) => value > 0 && Number.isFinite(value));
export const notNegative = number('a finite number >= 0', (value) => value >= 0 && Number.isFinite(value));
export const share = number('a number from 0 to 1', (value) => value >= 0 && value <= 1);
export const fraction = number('a number between 0 and 1', (value) => value > 0 && value < 1);
export const positiveInteger = number('an integer >= 1', (value) => Number.isInteger(value) && value >= 1);
export const integer = number('an integer', Number.isInteger);
export const replicates = number('an integer >= 2', (value) => Number.isInteger(value) && value >= 2);
export const rowNumber = number('an integer >= 0', (value) => Number.isInteger(value) && value >= 0);
export const threadCount = number(
  'an integer from 1 to 256',
  (value) => Number.isInteger(value) && value >= 1 && value <= 256,
);

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** "90s", "15m", "1h", "250ms" → seconds */
export const duration = (text: string): number => {
  const rule = 'a time such as 50ms, 90s, 15m, 1h or 2d';
  const [, value, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? refuse(rule, text);
  return Number(value) * SECONDS[unit]!;
};

/** A time between two looks: without one a command does nothing else. */
export const pause = (text: string): number => {
  const seconds = duration(text);
  return seconds >= 1 ? seconds : refuse('1s or more', text);
};

/** "1h" for all, or "1h,1d" one after the other */
export const durations = (text: string): number[] => text.split(',').map(duration);

export const finiteNumber = number('a finite number', Number.isFinite);
export const shares = (text: string): number[] => text.split(',').map((one) => share(one));

/** The arguments of options that may be given several times. */
export const several = (text: string, before: string[] = []): string[] => [...before, text];

/** b=3:0.2 */
export const armOf = (
  text: string,
  before: { name: string; version: number; share: number }[] = [],
): { name: string; version: number; share: number }[] => {
  const rule = 'NAME=VERSION:SHARE such as b=3:0.2';
  const [, name, version, part] = /^([^=]+)=(\d+):([^:]+)$/.exec(text) ?? refuse(rule, text);
  return [...before, { name, version: positiveInteger(version), share: share(part) }];
};

/** "512MB", "1.5GB" → bytes */
export const memorySize = (text: string): number => {
  const [, value, unit] = /^(\d+(?:\.\d+)?)([MG])B$/i.exec(text.trim()) ?? refuse('a size such as 512MB or 2GB', text);
  return Number(value) * (unit.toUpperCase() === 'M' ? 1e6 : 1e9);
};

/**
 * The parts of a list, written like a record of CSV: separated by commas, with quotes around a part that has a comma, and quotes in it doubled.
 * @returns for each part its text and the end of its quoted beginning (0: not quoted)
 */
function parts(text: string): { readonly text: string; readonly quoted: number }[] {
  const found: { text: string; quoted: number }[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ') at++;
    let part = '';
    let quoted = 0;
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) return refuse('a closing quote in the list', text);
        if (text[at] !== '"') part += text[at];
        else if (text[at + 1] === '"') part += text[at++];
        else break;
      }
      at++;
      quoted = part.length;
    }
    const end = text.indexOf(',', at);
    const rest = (end < 0 ? text.slice(at) : text.slice(at, end)).trimEnd();
    found.push({ text: part + rest, quoted });
    if (end < 0) return found;
    at = end + 1;
  }
}

/**
 * "age,income", '"price, net",age'; repeated options form one list. If the whole text is the name of a column, it is that one: see `Names`.
 */
export const names = (text: string, before: string[] = []): string[] => {
  const list = parts(text);
  if (list.some((part) => part.text === '' && part.quoted === 0)) refuse('names separated by commas', text);
  const given = before instanceof Names ? before.given : [];
  return Names.fromTexts([...given, { text, names: list.map((part) => part.text) }]);
};

/** race=white,smoke=no; a name with a comma or = in quotes: "price, net"=1 */
export const pairs = (text: string, before: Record<string, string> = {}, last = false): Record<string, string> => {
  const entries = parts(text).map(({ text: pair, quoted }): [string, string] => {
    const at = last ? pair.lastIndexOf('=') : pair.indexOf('=', quoted);
    if (at <= 0) refuse('NAME=VALUE pairs separated by commas', text);
    const value = pair.slice(at + 1);
    return [pair.slice(0, at).trim(), /^".*"$/s.test(value) ? value.slice(1, -1).replaceAll('""', '"') : value];
  });
  return { ...before, ...Object.fromEntries(entries) };
};

const oneMark =
  (rule: string, allowed: RegExp) =>
  (text: string): string => {
    const mark = text === '\\t' || text.toLowerCase() === 'tab' ? '\t' : text;
    return allowed.test(mark) ? mark : refuse(rule, text);
  };

export const delimiterMark = oneMark(
  'one character of ASCII that is no letter, digit, dot, quote or line end, or tab',
  /^[^\w\r\n".\0\u0080-\uffff]$/,
);
export const quoteMark = oneMark('one character such as \' or ", or none', /^(?:[^\w\s\0\u0080-\uffff]|none)$/);
export const decimalMark = oneMark('. or ,', /^[.,]$/);
export const thousandsMark = oneMark("one of , . ' _ and the blank", /^[.,'’_ \u00a0\u202f]$/);
export const missingTexts = (text: string, before: string[] = []): string[] => [
  ...before,
  ...parts(text).map((part) => part.text),
];

/** "age=0,income=2" */
export const numbersByName =
  (accept: (text: string) => number) =>
  (text: string, before: Record<string, number> = {}): Record<string, number> => ({
    ...before,
    ...Object.fromEntries(Object.entries(pairs(text, {}, true)).map(([name, value]) => [name, accept(value)])),
  });

/** "age=0:inf,income=-1:1"; inf and -inf are no bound */
export const boundsByName = (
  text: string,
  before: Record<string, [number, number]> = {},
): Record<string, [number, number]> => {
  const end = (value: string) =>
    ({ inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY })[value] ??
    (value.trim() === '' || Number.isNaN(Number(value)) ? refuse('LOWER:UPPER', value) : Number(value));
  const entries = Object.entries(pairs(text, {}, true)).map(([name, value]): [string, [number, number]] => {
    const ends = value.split(':');
    return [name, ends.length === 2 ? [end(ends[0]), end(ends[1])] : refuse('NAME=LOWER:UPPER', `${name}=${value}`)];
  });
  return { ...before, ...Object.fromEntries(entries) };
};

export const positiveNumbers = (text: string, before: number[] = []): number[] => [
  ...before,
  ...names(text).map(positiveNumber),
];

/** "LABEL=SHARE,…", or the share of the positive class */
export const priorShare = (text: string): number | Record<string, number> =>
  text.includes('=') ? numbersByName(fraction)(text) : fraction(text);

/** "FP=5,FN=1", or a file */
export const costsOf = (text: string): Costs | { file: string } => {
  if (!text.includes('=')) return { file: text };
  const rule = 'FP=5,FN=1 (TP=, TN= too), or a .json file with a matrix';
  const entries = Object.entries(pairs(text)).map(([name, value]): [string, number] => [
    name.toLowerCase(),
    value.trim() === '' || !Number.isFinite(Number(value)) ? refuse(rule, text) : Number(value),
  ]);
  const known = entries.every(([name]) => ['fp', 'fn', 'tp', 'tn'].includes(name));
  const costs = Object.fromEntries(entries);
  return known && 'fp' in costs && 'fn' in costs ? (costs as unknown as Costs) : refuse(rule, text);
};

/** "f1", "f0.5" */
export const fScore = (text: string): number => {
  const [, beta] = /^f(\d+(?:\.\d+)?)$/i.exec(text.trim()) ?? refuse('f1, f2, f0.5 or another F-score', text);
  return Number(beta) > 0 ? Number(beta) : refuse('an F-score of a weight above 0', text);
};

const percent = (text: string): number | null =>
  /^\d+(\.\d+)?%$/.test(text) ? fraction(String(Number(text.slice(0, -1)) / 100)) : null;

/** "100", "5%" */
export const budgetOf = (text: string): { share: number } | { rows: number } => {
  const part = percent(text);
  return part === null ? { rows: positiveInteger(text) } : { share: part };
};

/** "0.4:0.6", "5%" */
export const reviewOf = (text: string): { low: number; high: number } | { share: number } => {
  const part = percent(text);
  if (part !== null) return { share: part };
  const ends = text.split(':').map((end) => share(end));
  return ends.length === 2 && ends[0] <= ends[1]
    ? { low: ends[0], high: ends[1] }
    : refuse('LOW:HIGH, two probabilities, or a share of the rows such as 5%', text);
};

export const classWeight = (text: string): 'balanced' | Record<string, number> =>
  text === 'balanced'
    ? text
    : text.includes('=')
      ? Object.fromEntries(Object.entries(pairs(text, {}, true)).map(([label, weight]) => [label, notNegative(weight)]))
      : refuse('balanced, or LABEL=WEIGHT pairs separated by commas', text);

/** A time in ISO 8601, a day or with its zone, in milliseconds since 1970. */
export function instant(text: string): number {
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isFinite(time) ? time : refuse('a time such as 2026-01-31T00:00:00Z', text);
}
