/** How text files are read: the options, and the defaults. */
import { LogoddsError } from '../../../../src/index.ts';
import { MISSING_TOKENS, NumberReader, type NumberStyle } from '../../../../src/text.ts';

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin1'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Options of reading. delimiter, quote and skip apply to CSV alone. */
export interface ReadOptions {
  /** of the bytes; UTF-8 when absent */
  readonly encoding?: Encoding;
  /** between cells; default: the most frequent of , ; tab | in the header */
  readonly delimiter?: string;
  /** around cells; " when absent, "none" for none */
  readonly quote?: string;
  /** lines to leave out before the header */
  readonly skip?: number;
  /** of numbers; "." when absent */
  readonly decimal?: string;
  /** between groups of three digits; none when absent */
  readonly thousands?: string;
  /** texts that stand for a missing value, in every column */
  readonly na?: readonly string[];
  /** receives notes on cells that needed interpretation */
  readonly warn?: (message: string) => void;
}

/** The resolved options. */
export interface Reading {
  readonly encoding: Encoding;
  readonly delimiter: string | null;
  /** null: none */
  readonly quote: string | null;
  readonly skip: number;
  readonly style: NumberStyle;
  /** missing in columns of numbers */
  readonly tokens: ReadonlySet<string>;
  /** missing in every column */
  readonly na: ReadonlySet<string>;
  readonly warn: (message: string) => void;
}

export const readerOf = ({ style }: Reading) => new NumberReader(style);

/** @throws ERR_RANGE for options that contradict one another */
export function readingOf(options: ReadOptions): Reading {
  const { encoding = 'utf-8', delimiter = null, quote = '"', skip = 0, decimal = '.', thousands = null } = options;
  if (thousands === decimal) {
    throw new LogoddsError(
      'ERR_RANGE',
      `--thousands: expected another mark than that of fractions (${decimal}), got ${thousands}; give --decimal too`,
    );
  }
  if (delimiter !== null && delimiter === quote) {
    throw new LogoddsError(
      'ERR_RANGE',
      `--delimiter: expected another mark than the quote, got ${delimiter}; give --quote none`,
    );
  }
  const na = new Set((options.na ?? []).map((text) => text.trim()));
  return {
    encoding,
    delimiter,
    quote: quote === 'none' ? null : quote,
    skip,
    style: { decimal, thousands },
    tokens: new Set(['', ...MISSING_TOKENS, ...na]),
    na,
    warn: options.warn ?? (() => {}),
  };
}
