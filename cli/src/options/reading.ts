import { ENCODINGS } from '../read/text/options.ts';
import type { OptionRow } from './table.ts';
import { decimalMark, delimiterMark, missingTexts, quoteMark, rowNumber, thousandsMark } from './values.ts';

/** How files of text are read; docs/FILES.md says what holds without them. */
export const READING: readonly OptionRow[] = [
  [
    '--na <list>',
    'texts that are missing cells, in every column; NaN also in JSON and Parquet',
    { parse: missingTexts },
  ],
  ['--decimal <mark>', 'before the fraction of numbers in CSV: . or , (default: .)', { parse: decimalMark }],
  ['--thousands <mark>', 'between groups of three digits in CSV (default: none)', { parse: thousandsMark }],
  [
    '--delimiter <mark>',
    'between the cells of CSV; tab for tabs (default: that of , ; tab | which is most often in the header)',
    { parse: delimiterMark },
  ],
  ['--quote <mark>', 'around cells of CSV, or none (default: ")', { parse: quoteMark }],
  ['--encoding <name>', 'of CSV and JSON lines (default: utf-8)', { choices: ENCODINGS }],
  ['--skip <lines>', 'lines to leave out before the header of CSV (default: 0)', { parse: rowNumber }],
];
