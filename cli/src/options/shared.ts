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
export const MODEL = ['<model>', 'model file, or models:/NAME@ALIAS or models:/NAME/VERSION of a registry'] as const;
/** Of commands that read the bytes of a file, and what lies beside it. */
export const MODEL_FILE = ['<model>', 'model file'] as const;

/** Where the registry is. */
export const REGISTRY: OptionRow = [
  '--registry <place>',
  'folder of the registry, s3://BUCKET/PREFIX or mlflow+https://… (default: LOGODDS_REGISTRY, else ./registry)',
];

export const TARGET: OptionRow = ['--target <col>', 'column to predict', { required: true }];
export const QUERY: OptionRow = [
  '--query <sql>',
  "read rows from this DuckDB query instead of DATA; it reads files with your own rights. CSV and JSON lines that it names (from 'x.csv') are read as DATA is",
];
export const WEIGHT: OptionRow = ['--weight <col>', 'column of sample weights'];
export const WEIGHT_KIND: OptionRow = [
  '--weight-kind <kind>',
  'meaning of the weight. sampling: how much of a population the row represents, on any scale; count: how many identical rows it represents (default: sampling)',
  { choices: ['sampling', 'count'] },
];
export const MISSING: OptionRow = [
  '--missing <policy>',
  'missing cells of features. slot: they get a weight of their own; mean: they take the mean, or the most frequent level of a category; drop: the row is left out (default: slot). Rows without a target are always left out and counted',
  { choices: MISSING_POLICIES },
];
export const OFFSET: OptionRow = ['--offset <col>', 'column added to the logit'];
export const THREADS: OptionRow = [
  '--threads <n>',
  'compute with this many threads (default: 1); the results are the same for any number',
  { parse: threadCount },
];
export const VERBOSE: OptionRow = ['--verbose', 'print every note before the result, instead of at most five'];
export const MAX_UNSEEN: OptionRow = [
  '--max-unseen <share>',
  'fail and write no output if a feature has a larger share of values that are unseen or beyond the fitted range (0.05; 0 allows none)',
  { parse: share },
];
export const REPORT: OptionRow = [
  '--report <file>',
  'write a page (.html) with curves, coefficients, data and warnings',
];
/** Where a run is kept. */
export const TRACK: readonly OptionRow[] = [
  [
    '--track [place]',
    'keep the run: its parameters, metrics, curves, data digest, report and model, in a folder (default: LOGODDS_TRACKING, MLFLOW_TRACKING_URI or ./runs) or on an MLflow server (http://…)',
  ],
  ['--experiment <name>', 'with --track: the experiment of the run (default: MLFLOW_EXPERIMENT_NAME, else logodds)'],
  ['--run-name <name>', 'with --track: the name of the run (default: the command and DATA)'],
];
export const JSON_OUTPUT: OptionRow = ['--json', 'print one JSON object on standard output'];

/** Which columns are features, and how they are read. Options that contradict `--schema` are refused. */
export const COLUMNS: readonly OptionRow[] = [
  [
    '--schema <file>',
    'JSON file that says how columns become features; `logodds schema` writes one (its fields are in schema.json of the package)',
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

/** Options that `train`, `path` and `cv` share: the columns, the form of the penalty, the solver. */
export const MODEL_OPTIONS: readonly OptionRow[] = [
  QUERY,
  ...READING,
  [
    '--positive <label>',
    'class whose probability is modelled (default: 1, true, yes, or the second of the two in sorted order)',
  ],
  ...COLUMNS,
  ['--trials <col>', 'column with the number of trials; the target then counts successes'],
  [
    '--multiclass <kind>',
    'model of a target with three or more classes (default: multinomial)',
    { choices: ['multinomial', 'ovr'] },
  ],
  ['--l1-ratio <share>', 'share of the L1 penalty: 0 is L2 alone, 1 is L1 alone (default: 0)', { parse: share }],
  ['--no-standardize', 'penalise weights on the raw scale of the features, not on standardised features'],
  [
    '--penalty-factors <pairs>',
    'multiply the penalty of features by these factors: age=0,income=2; 0 means no penalty',
    { parse: numbersByName(notNegative) },
  ],
  ['--bounds <pairs>', 'least and greatest weight of features: age=0:inf,income=-1:1', { parse: boundsByName }],
  [
    '--coding <kind>',
    'coding of categories (default: onehot; treatment with --no-penalty)',
    { choices: ['onehot', 'treatment'] },
  ],
  ['--reference <pairs>', 'reference levels for treatment coding: race=white,...', { parse: pairs }],
  ['--solver <name>', 'algorithm of the fit (default: auto)', { choices: SOLVERS }],
  [
    '--tol <number>',
    'the fit has converged when no entry of the gradient is larger than this',
    { parse: positiveNumber },
  ],
  ['--max-iter <n>', 'largest number of iterations', { parse: positiveInteger }],
  [
    '--class-weight <weights>',
    'weights of classes: balanced, or LABEL=W,...; 0 leaves a class out',
    { parse: classWeight },
  ],
];

/** Options that `path` and `cv` share. */
export const PATH_OPTIONS: readonly OptionRow[] = [
  ...MODEL_OPTIONS,
  ['--lambdas <list>', 'penalty strengths, instead of --count and --ratio', { parse: positiveNumbers }],
  [
    '--count <n>',
    'number of penalty strengths, log-spaced from the smallest that zeroes every weight down to --ratio times it (default: 100)',
    { parse: positiveInteger },
  ],
  [
    '--ratio <number>',
    'smallest strength as a fraction of the largest (default: 0.0001, or 0.01 with more weights than rows; with L2 alone the strengths reach C = 10000)',
    { parse: fraction },
  ],
  THREADS,
  ...TRACK,
  VERBOSE,
  JSON_OUTPUT,
];
