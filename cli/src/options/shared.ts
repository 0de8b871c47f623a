import { SOLVERS } from '../../../src/internal.ts';
import { MISSING_POLICIES } from '../read/roles.ts';
import { READING } from './reading.ts';
import type { OptionRow } from './table.ts';
import {
  boundsByName,
  classWeight,
  fraction,
  names,
  notNegative,
  numbersByName,
  pairs,
  positiveInteger,
  positiveNumber,
  positiveNumbers,
  share,
  threadCount,
} from './values.ts';

/** Arguments of the commands. */
export const DATA = ['[data]', 'file, glob, or - for standard input'] as const;
export const MODEL = ['<model>', 'model file'] as const;

export const TARGET: OptionRow = ['--target <col>', 'column to predict', { required: true }];
export const QUERY: OptionRow = [
  '--query <sql>',
  "rows come from this DuckDB query instead of DATA, which reads files with your own rights; CSV and JSON lines that it names (from 'x.csv') are read as DATA is",
];
export const WEIGHT: OptionRow = ['--weight <col>', 'column of sample weights'];
export const WEIGHT_KIND: OptionRow = [
  '--weight-kind <kind>',
  'sampling: how much of a population a row stands for, at any scale; count: how many rows (default: sampling)',
  { choices: ['sampling', 'count'] },
];
export const MISSING: OptionRow = [
  '--missing <policy>',
  'missing cells of features: slot, a weight of their own; mean, of categories the most frequent level; drop, leave the row out (default: slot). Rows without a target are always left out, with a count',
  { choices: MISSING_POLICIES },
];
export const OFFSET: OptionRow = ['--offset <col>', 'column added to the logit'];
export const THREADS: OptionRow = [
  '--threads <n>',
  'compute with this many threads (default: 1); the numbers are the same',
  { parse: threadCount },
];
export const VERBOSE: OptionRow = ['--verbose', 'every note before the result; without it at most five'];
export const MAX_UNSEEN: OptionRow = [
  '--max-unseen <share>',
  'fail, and leave no output, when more of the values of a feature are unseen or beyond the fitted range (0.05; 0 for none)',
  { parse: share },
];
export const REPORT: OptionRow = ['--report <file>', 'a page (.html) with curves, coefficients, data and warnings'];
export const JSON_OUTPUT: OptionRow = ['--json', 'one JSON object on standard output'];

/** Which columns are features, and how they are read. What `--schema` says of them nothing else does. */
export const COLUMNS: readonly OptionRow[] = [
  [
    '--schema <file>',
    'how columns become features: a JSON file, as `logodds schema` writes it (see schema.json of the package)',
    { conflicts: ['features', 'categorical', 'numeric'] },
  ],
  ['--features <list>', 'use these columns only', { parse: names, conflicts: ['drop'] }],
  ['--drop <list>', 'use all columns but these', { parse: names }],
  ['--categorical <list>', 'read these columns as categories', { parse: names }],
  ['--numeric <list>', 'read these columns as numbers', { parse: names }],
  MISSING,
  WEIGHT,
  WEIGHT_KIND,
  OFFSET,
];

/** What `train`, `path` and `cv` take of the same: the columns, the form of the penalty, the solver. */
export const MODEL_OPTIONS: readonly OptionRow[] = [
  QUERY,
  ...READING,
  [
    '--positive <label>',
    'the class whose probability is modelled (default: 1, true, yes, or the second of the two sorted)',
  ],
  ...COLUMNS,
  ['--trials <col>', 'the target counts successes; this column says of how many trials'],
  ['--multiclass <kind>', 'of a target of several classes (default: multinomial)', { choices: ['multinomial', 'ovr'] }],
  ['--l1-ratio <share>', 'of the penalty on absolute values: 0 is L2, 1 is L1 (default: 0)', { parse: share }],
  ['--no-standardize', 'penalise raw-scale weights'],
  [
    '--penalty-factors <pairs>',
    'age=0,income=2: factors on the penalty of features; 0 is none',
    { parse: numbersByName(notNegative) },
  ],
  ['--bounds <pairs>', 'age=0:inf,income=-1:1: least and greatest weight of features', { parse: boundsByName }],
  [
    '--coding <kind>',
    'of categories (default: onehot; treatment with --no-penalty)',
    { choices: ['onehot', 'treatment'] },
  ],
  ['--reference <pairs>', 'reference levels under treatment coding: race=white,...', { parse: pairs }],
  ['--solver <name>', '', { choices: SOLVERS }],
  ['--tol <number>', 'largest gradient at convergence', { parse: positiveNumber }],
  ['--max-iter <n>', 'iterations at most', { parse: positiveInteger }],
  ['--class-weight <weights>', 'balanced, or LABEL=W,...; 0 leaves a class out', { parse: classWeight }],
];

/** What `path` and `cv` take of the same. */
export const PATH_OPTIONS: readonly OptionRow[] = [
  ...MODEL_OPTIONS,
  ['--lambdas <list>', 'strengths of the penalty, instead of --count and --ratio', { parse: positiveNumbers }],
  ['--count <n>', 'strengths between the first and the last (default: 100)', { parse: positiveInteger }],
  [
    '--ratio <number>',
    'the last strength by the first, which makes all weights 0 (default: 0.0001; of L2 alone on to C = 10000)',
    { parse: fraction },
  ],
  THREADS,
  VERBOSE,
  JSON_OUTPUT,
];
