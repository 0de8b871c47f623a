import { CALIBRATION_METHODS } from '../../../src/decide.ts';
import { exclusive, type OptionRow } from './table.ts';
import { budgetOf, costsOf, fraction, fScore, priorShare, reviewOf, share } from './values.ts';

/** Options that exclude estimation by cross-validation. */
const NOT_IN_FOLDS = ['memory', 'bootstrap'];

/** How logits become probabilities. */
const CALIBRATION: readonly OptionRow[] = [
  [
    '--calibrate <method>',
    'how to turn logits into probabilities; estimated on five folds of the fitted rows (default: none)',
    { choices: ['none', ...CALIBRATION_METHODS], conflicts: NOT_IN_FOLDS },
  ],
  [
    '--prior <share>',
    'true share of the positive class, or LABEL=SHARE,… of all classes; use it when some class was sampled more often',
    { parse: priorShare, conflicts: NOT_IN_FOLDS },
  ],
];

/** Ways to decide, of which at most one is used. */
const WAYS: readonly OptionRow[] = [
  [
    '--threshold <p>',
    'label the positive class above this probability (default: 0.5)',
    { parse: share, conflicts: ['bootstrap'] },
  ],
  [
    '--costs <pairs>',
    'choose labels of least mean cost: FP=5,FN=1 (TP= and TN= are optional), or a .json file with a matrix [true class][decided class]',
    { parse: costsOf, conflicts: NOT_IN_FOLDS },
  ],
  [
    '--maximize <score>',
    'choose the threshold with the greatest F-score: f1, f2, f0.5',
    { parse: fScore, conflicts: NOT_IN_FOLDS },
  ],
  [
    '--min-precision <share>',
    'choose the threshold with the greatest recall at this precision or more',
    { parse: fraction, conflicts: NOT_IN_FOLDS },
  ],
  [
    '--min-recall <share>',
    'choose the threshold with the greatest precision at this recall or more',
    { parse: fraction, conflicts: NOT_IN_FOLDS },
  ],
  [
    '--budget <rows>',
    'label at most this many rows positive: a share (5%), or a count per fitted rows (100)',
    { parse: budgetOf, conflicts: NOT_IN_FOLDS },
  ],
];

/** How logits become probabilities, and probabilities labels. */
export const DECISION_OPTIONS: readonly OptionRow[] = [
  ...CALIBRATION,
  ...exclusive(WAYS),
  [
    '--review <band>',
    'mark rows for a person to review: a band of probabilities (0.4:0.6), or the least certain share of rows (5%)',
    { parse: reviewOf, conflicts: NOT_IN_FOLDS },
  ],
];
