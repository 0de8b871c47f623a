/**
 * Output of the command. Everything written to the terminal goes through this file, so that no text from data, paths or model
 * files can move the cursor, change colours or reverse the direction of a line.
 */
import type { Warning } from '../../../src/index.ts';
import { asGiven } from '../stores/arrivals.ts';

/**
 * Control characters other than line feed, marks that change the direction of text, separators of lines and paragraphs, and
 * noncharacters.
 */
const UNFIT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it replaces
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\uffff]/g;

/** Largest number of characters in a line. */
const LINE = 4096;
const LONG = new RegExp(`^(.{${LINE}}).+$`, 'gmu');

/**
 * Replaces everything that a terminal might obey with an escape such as \u001b. The value of JSON text does not change, because there such
 * characters are in strings only. Files of the run that stand for objects have the addresses of these.
 */
const escaped = (text: string): string =>
  asGiven(text).replace(UNFIT, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Lines that are safe to show: escaped, each cut to some thousand characters. */
export const printable = (text: string): string => escaped(text).replace(LONG, '$1…');

/** One such line. */
export const printableLine = (text: string): string => printable(text.replaceAll('\n', ' '));

/** What waits until it is true; null: nothing has to. */
let held: string[] | null = null;

/**
 * Keeps back what is printed on standard output until a result is where it belongs.
 * @returns what prints it (true) or forgets it
 */
export function holdOutput(): (isTrue: boolean) => void {
  held = [];
  return (isTrue) => {
    const texts = held ?? [];
    held = null;
    if (isTrue) for (const text of texts) process.stdout.write(text);
  };
}

const put = (text: string) => (held ? held.push(text) > 0 : process.stdout.write(text));

/** Lines for people, on standard output. */
export const print = (text: string) => put(printable(text));

/** Prints JSON completely on standard output: a value as one line, a text unchanged. */
export const printJson = (value: object | string) =>
  put(escaped(typeof value === 'string' ? value : `${JSON.stringify(value)}\n`));

/** A value as a line of a log: JSON, complete, without its end. */
export const jsonLine = (value: object): string => escaped(JSON.stringify(value));

/** A value as a line of JSON on standard error. */
export const logJson = (value: object) => process.stderr.write(`${jsonLine(value)}\n`);

/** A line on standard error. */
export const say = (text: string) => process.stderr.write(`${printableLine(text)}\n`);

export const note = (message: string) => say(`note: ${message}`);

export const warnAll = (warnings: readonly Warning[]) => {
  for (const { code, message, severity } of warnings) {
    say(`${severity === 'info' ? 'note' : 'warning'}: ${code} ${message}`);
  }
};
