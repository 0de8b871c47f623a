/** Words of an experiment, for terminal and page. */
import { show } from '../../../src/internal.ts';
import type { Experiment } from './experiment.ts';
import { percent, pValue, significant } from './wording.ts';

/** A difference in words: points of percent, or a number. */
export const differenceText = (kind: Experiment['kind'], value: number): string =>
  kind === 'rate' ? `${significant(100 * value, 3)} points` : significant(value, 4);
export const meanText = (kind: Experiment['kind'], mean: number | null): string =>
  mean === null ? '–' : kind === 'rate' ? percent(mean, 2) : significant(mean, 5);
export const rangeText = (
  kind: Experiment['kind'],
  { low, high }: { readonly low: number; readonly high: number },
): string => `${differenceText(kind, low)} to ${differenceText(kind, high)}`;

/** Why no p-value of a comparison is shown; null: they are. A test that arms are equal takes their shares for given. */
export const withheld = ({ sampleRatio }: Pick<Experiment, 'sampleRatio'>): string | null =>
  sampleRatio.isMismatch
    ? 'p –: the arms do not have the rows that their shares say, and the tests take these shares for given.'
    : null;

/** Why p at any time is less than the interval lets one think: it is the least of all looks; null: it is not less. */
export const noteOfLeast = (comparisons: Experiment['comparisons']): string | null => {
  const moved = comparisons.filter(({ p, pNow, alpha }) => pNow > alpha && pValue(p) !== pValue(pNow));
  return moved.length === 0
    ? null
    : `p at any time is the least of all looks, intervals are of the last one; by this one alone p is ${moved.map(({ arm, pNow }) => `${pValue(pNow)} (${show(arm)})`).join(', ')}.`;
};

/** What the experiment says, in sentences. */
export function conclusionOf(found: Experiment, outcome: string): string {
  const { sampleRatio, comparisons, kind, control, alpha } = found;
  if (sampleRatio.isMismatch)
    return `The arms do not have the rows that their shares say (p ${pValue(sampleRatio.p)}), so assignment or logging is broken and no comparison can be trusted; mend it first.`;
  const certain = percent(1 - alpha, 0);
  const means = new Map(found.arms.map(({ arm, mean }) => [arm, mean]));
  return comparisons
    .map(({ arm, isRejected, difference, interval: shown, method }) => {
      if (isRejected && difference !== null) {
        const verb = difference > 0 ? 'raises' : 'lowers';
        const isWide = shown && shown.low <= 0 && shown.high >= 0;
        const of = isWide
          ? 'The test tells them apart already; the interval of the difference is still wide,'
          : 'The difference is';
        const ends = shown
          ? ` ${of} ${rangeText(kind, shown)}, with ${certain} confidence, however often one looks.`
          : '';
        return `${show(arm)} ${verb} ${show(outcome)} from ${meanText(kind, means.get(control)!)} under ${show(control)} to ${meanText(kind, means.get(arm)!)}${method === 'adjusted' ? ` (${differenceText(kind, difference)} adjusted by the score)` : ''}.${ends}`;
      }
      const ends = shown
        ? `: it is ${rangeText(kind, shown)} with ${certain} confidence`
        : ', with too few rows for an interval';
      return `No difference of ${show(arm)} and ${show(control)} in ${show(outcome)} can be told${ends}.`;
    })
    .join(' ');
}
