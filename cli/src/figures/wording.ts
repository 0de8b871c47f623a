/** Numbers and names in readable form, for the terminal and the page. */
import { show } from '../../../src/internal.ts';

/** With a comma before each three digits. The first number that the host formats takes it 18 ms. */
export const whole = (n: number) =>
  Number.isSafeInteger(n) ? String(n).replace(/\B(?=(\d{3})+$)/g, ',') : n.toLocaleString('en-US');

/** A count with its noun: 1 row, 2 rows. What is behind it in the sentence may stand in both: `counted(n, 'row is', 'rows are')`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${whole(count)} ${count === 1 ? one : many}`;

export const figure = (value: number | null, digits = 4) =>
  value === null ? '–' : value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1');

/** Significant digits, without an exponent for numbers of ordinary size. */
export function significant(value: number | null, digits = 5): string {
  if (value === null) return '–';
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e7)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}

/** A difference with its sign. */
export const signed = (value: number | null, digits = 3): string =>
  value === null ? '–' : `${value > 0 ? '+' : ''}${significant(value, digits)}`;

/** A share in per cent, two digits. */
export const roughPercent = (share: number) => `${significant(100 * share, 2)} %`;

/** The largest number of flagged rows: a share if below 1, else a count. */
export const budget = (most: number): string => (most < 1 ? `${significant(100 * most, 4)} %` : counted(most, 'row'));

/** Said of rows that are weighted to the class shares of a prior. */
export const TRUE_SHARES = 'weighted to the true shares of the classes';

/** Weight of rows as a count. */
export const rowCount = (weight: number): string =>
  weight >= 100 || Number.isInteger(weight) ? whole(Math.round(weight)) : significant(weight, 3);

/** A share in per cent, with this many decimals. */
export const percent = (share: number | null, digits = 1): string =>
  share === null ? '–' : `${(100 * share).toFixed(digits)} %`;

export function bytes(size: number): string {
  return size < 10_000
    ? `${size} byte${size === 1 ? '' : 's'}`
    : size < 10_000_000
      ? `${whole(Math.round(size / 1000))} kB`
      : `${whole(Math.round(size / 1e6))} MB`;
}

/** A p-value as R prints it: small values as a bound. */
export const pValue = (p: number | null) =>
  p === null ? '–' : p < 2e-16 ? '<2e-16' : p < 1e-4 ? p.toExponential(2) : p.toFixed(4);

export function stars(p: number | null): string {
  return p === null ? '' : p < 0.001 ? '***' : p < 0.01 ? '**' : p < 0.05 ? '*' : p < 0.1 ? '.' : '';
}

/** Text with a capital at its start and a full stop at its end. */
export const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** A name from the data for a line of the terminal: unchanged, or quoted if it would break the line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it quotes
export const word = (name: string): string => (/[\u0000-\u001f]/.test(name) ? show(name) : name);

/** A text in which a name from data may stand, as one line: breaks are written as \\n. */
export const oneLine = (text: string): string =>
  text.replace(/\r\n|[\n\r\u0085\u2028\u2029]/g, (mark) => (mark === '\r' ? '\\r' : '\\n'));

/** A name from the data, cut to a length that fits a line or a page. */
export const brief = (name: string, most = 60): string => {
  const letters = Array.from(name.slice(0, 2 * most + 2));
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : name;
};
