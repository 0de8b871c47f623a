import { ENCODINGS } from '../read/text/options.ts';
import type { OptionRow } from './table.ts';
import { decimalMark, delimiterMark, missingTexts, quoteMark, rowNumber, thousandsMark } from './values.ts';

/** How text files are read. docs/FILES.md has the defaults. */
export const READING: readonly OptionRow[] = [
  [
    '--na <list>',
    'texts that mean a missing cell, in every column; NaN applies to JSON and Parquet as well',
    { parse: missingTexts },
  ],
  ['--decimal <mark>', 'decimal mark of numbers in CSV: . or , (default: .)', { parse: decimalMark }],
  ['--thousands <mark>', 'thousands separator of numbers in CSV (default: none)', { parse: thousandsMark }],
  [
    '--delimiter <mark>',
    'separator of cells in CSV; write tab for a tab (default: the most frequent of , ; tab | in the header)',
    { parse: delimiterMark },
  ],
  ['--quote <mark>', 'quote around cells in CSV, or none (default: ")', { parse: quoteMark }],
  ['--encoding <name>', 'encoding of CSV and JSON lines (default: utf-8)', { choices: ENCODINGS }],
  ['--skip <lines>', 'number of lines to skip before the header of CSV (default: 0)', { parse: rowNumber }],
];
