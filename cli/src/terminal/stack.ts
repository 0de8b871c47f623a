import { fitFacts, formula } from '../figures/model.ts';
import { bytes, significant, whole, word } from '../figures/wording.ts';
import type { StackResult } from '../jobs/stack/options.ts';
import { NOT_SAVED } from '../jobs/train.ts';
import { summary } from './coefficients.ts';
import { evaluationText } from './evaluation.ts';
import { facts, table } from './layout.ts';

const ORIGINS = { column: 'column of scores', model: 'model file', folds: 'fitted here' } as const;

/** What `stack` prints: the bases, the comparison on held-out rows, and whether it is worth it. */
export function stackReport(out: string | undefined, result: StackResult): string {
  const { model, meta, bases, rows, comparison, verdict, evaluation, unscored } = result;
  const lines = facts([
    ['rows', `${whole(rows.train)} fitted, ${rows.holdout === 0 ? 'none' : whole(rows.holdout)} held out`],
    unscored > 0 ? ['', `${whole(unscored)} of them without an out-of-fold score`] : null,
    ...fitFacts(model),
    ['model', out === undefined ? NOT_SAVED : `${out}, ${bytes(result.bytes)}`],
  ]);
  const members = table([
    ['base', '', 'weight', 'log loss of the fitted rows'],
    ...bases.map(({ name, origin, weight, logLoss }) => [
      word(name),
      ORIGINS[origin],
      significant(weight, 4),
      significant(logLoss, 5),
    ]),
  ]);
  const compared =
    comparison &&
    table([
      ['held-out rows', 'log loss', 'Brier', 'AUC', 'gain of the stack in log loss', '95 % interval'],
      ...comparison.map(({ name, logLoss, brier, auc, gain }) => [
        name,
        significant(logLoss, 5),
        significant(brier, 5),
        significant(auc, 5),
        gain ? significant(gain.logLoss.value, 4) : '',
        gain ? `${significant(gain.logLoss.interval.low, 4)} … ${significant(gain.logLoss.interval.high, 4)}` : '',
      ]),
    ]);
  const parts = [
    `${formula(meta)}\n${lines}`,
    members,
    compared,
    verdict,
    meta.manifest.inference ? `weights of the bases, as if these were given\n${summary(meta)}` : null,
    evaluation ? `held-out rows\n${evaluationText(evaluation())}` : null,
  ];
  return `${parts.filter((part) => part).join('\n\n')}\n`;
}
