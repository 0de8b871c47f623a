/**
 * What the command says. Everything that it writes to the terminal goes through this file, so that no text out of data, paths or model
 * files can move the cursor, change colours or turn the direction of a line.
 */
import type { Warning } from '../../../src/index.ts';

/**
 * Control characters but the line feed; marks that turn the direction of the text around them; separators of lines and paragraphs; what
 * is no character.
 */
const UNFIT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it replaces
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\uffff]/g;

/** Characters of a line at most. */
const LINE = 4096;
const LONG = new RegExp(`^(.{${LINE}}).+$`, 'gmu');

/** Text with an escape like \u001b in place of everything that a terminal might obey; in JSON, where these are in strings only, it stays the same value. */
const escaped = (text: string): string =>
  text.replace(UNFIT, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Lines that are safe to show: escaped, each cut to some thousand characters. */
export const printable = (text: string): string => escaped(text).replace(LONG, '$1…');

/** One such line. */
export const printableLine = (text: string): string => printable(text.replaceAll('\n', ' '));

/** Lines for people, on standard output. */
export const print = (text: string) => process.stdout.write(printable(text));

/** JSON on standard output, whole: as one line, or as the text that is given. */
export const printJson = (value: object | string) =>
  process.stdout.write(escaped(typeof value === 'string' ? value : `${JSON.stringify(value)}\n`));

/** A line on standard error. */
export const say = (text: string) => process.stderr.write(`${printableLine(text)}\n`);

export const note = (message: string) => say(`note: ${message}`);

export const warnAll = (warnings: readonly Warning[]) => {
  for (const { code, message, severity } of warnings) {
    say(`${severity === 'info' ? 'note' : 'warning'}: ${code} ${message}`);
  }
};
