/** Numbers and names as people read them, in the terminal and on the page. */
import { show } from '../../../src/internal.ts';

export const whole = (n: number) => n.toLocaleString('en-US');
export const figure = (value: number | null, digits = 4) =>
  value === null ? '–' : value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1');

/** Significant digits, without an exponent where a person would write none. */
export function significant(value: number | null, digits = 5): string {
  if (value === null) return '–';
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e7)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}

/** A share in per cent, two digits. */
export const roughPercent = (share: number) => `${significant(100 * share, 2)} %`;

/** What may be flagged at most: a share of the rows below 1, else so many. */
export const budget = (most: number): string => (most < 1 ? `${significant(100 * most, 4)} %` : `${whole(most)} rows`);

/** Of rows that were sampled by class, where a prior says how often the classes are. */
export const TRUE_SHARES = 'weighted to the true shares of the classes';

/** Weight of rows as people count them. */
export const rowCount = (weight: number): string =>
  weight >= 100 || Number.isInteger(weight) ? whole(Math.round(weight)) : significant(weight, 3);

/** A share in per cent, so many digits behind the point. */
export const percent = (share: number | null, digits = 1): string =>
  share === null ? '–' : `${(100 * share).toFixed(digits)} %`;

export function bytes(size: number): string {
  return size < 10_000
    ? `${size} bytes`
    : size < 10_000_000
      ? `${whole(Math.round(size / 1000))} kB`
      : `${whole(Math.round(size / 1e6))} MB`;
}

/** p as R prints it: small values as a bound. */
export const pValue = (p: number | null) =>
  p === null ? '–' : p < 2e-16 ? '<2e-16' : p < 1e-4 ? p.toExponential(2) : p.toFixed(4);

export function stars(p: number | null): string {
  return p === null ? '' : p < 0.001 ? '***' : p < 0.01 ? '**' : p < 0.05 ? '*' : p < 0.1 ? '.' : '';
}

/** A text with a capital at its start and a stop at its end. */
export const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** A name out of the data in a line of the terminal: as it is, or quoted where it would break the line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it quotes
export const word = (name: string): string => (/[\u0000-\u001f]/.test(name) ? show(name) : name);

/** A name out of the data, as long as a line or a page can bear. */
export const brief = (name: string, most = 60): string => {
  const letters = Array.from(name.slice(0, 2 * most + 2));
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : name;
};
