import { CALIBRATION_METHODS } from '../../../src/decide.ts';
import { exclusive, type OptionRow } from './table.ts';
import { budgetOf, costsOf, fraction, fScore, priorShare, reviewOf, share } from './values.ts';

/** What does not go with what is estimated by cross-validation. */
const NOT_IN_FOLDS = ['memory', 'bootstrap'];

/** How logits become probabilities. */
const CALIBRATION: readonly OptionRow[] = [
  [
    '--calibrate <method>',
    'how logits become probabilities, estimated by five folds of the fitted rows (default: none)',
    { choices: ['none', ...CALIBRATION_METHODS], conflicts: NOT_IN_FOLDS },
  ],
  [
    '--prior <share>',
    'true share of the positive class, or LABEL=SHARE,…, where rows of some class were sampled more often',
    { parse: priorShare, conflicts: NOT_IN_FOLDS },
  ],
];

/** Ways to decide, of which there is one. */
const WAYS: readonly OptionRow[] = [
  [
    '--threshold <p>',
    'label the positive class above this probability (default: 0.5)',
    { parse: share, conflicts: ['bootstrap'] },
  ],
  [
    '--costs <pairs>',
    'least mean cost: FP=5,FN=1 (TP=, TN= too), or a .json file with a matrix [true class][decided class]',
    { parse: costsOf, conflicts: NOT_IN_FOLDS },
  ],
  ['--maximize <score>', 'greatest F-score: f1, f2, f0.5', { parse: fScore, conflicts: NOT_IN_FOLDS }],
  ['--min-precision <share>', 'most recall with at least this precision', { parse: fraction, conflicts: NOT_IN_FOLDS }],
  ['--min-recall <share>', 'most precision with at least this recall', { parse: fraction, conflicts: NOT_IN_FOLDS }],
  [
    '--budget <rows>',
    'most rows labelled positive: 5%, or 100 of as many as are fitted',
    { parse: budgetOf, conflicts: NOT_IN_FOLDS },
  ],
];

/** How logits become probabilities, and these labels. */
export const DECISION_OPTIONS: readonly OptionRow[] = [
  ...CALIBRATION,
  ...exclusive(WAYS),
  [
    '--review <band>',
    'mark rows for a person: probabilities 0.4:0.6, or the least certain 5%',
    { parse: reviewOf, conflicts: NOT_IN_FOLDS },
  ],
];
