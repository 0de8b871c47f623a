import type { Comparison, ExperimentResult } from '../figures/experiment.ts';
import { differenceText, meanText, noteOfLeast, rangeText, withheld } from '../figures/experimentWords.ts';
import { counted, percent, pValue, significant, whole } from '../figures/wording.ts';
import { facts, table as textTable } from './layout.ts';

/** The object of `experiment --json`. */
export function experimentJson(result: ExperimentResult): object {
  const { rows, kind, outcome, positive, control, alpha, arms, comparisons, groups, sampleRatio } = result;
  const { duplicates, conclusion, warnings } = result;
  return {
    rows,
    kind,
    outcome,
    positive,
    control,
    alpha,
    arms,
    comparisons,
    groups,
    sampleRatio,
    duplicates,
    conclusion,
    warnings,
  };
}

/** What `experiment` prints. */
export function experimentText(result: ExperimentResult): string {
  const { kind, arms, comparisons, sampleRatio, groups, alpha } = result;
  const lines = facts([
    ['rows', whole(result.rows)],
    [
      'outcome',
      result.positive === null ? `mean of ${result.outcome}` : `rate of ${result.outcome} ${result.positive}`,
    ],
    [
      'sample ratio',
      `${sampleRatio.isMismatch ? 'MISMATCH' : 'as the shares say'} (p ${pValue(sampleRatio.p)} at any time; χ² ${significant(sampleRatio.chi2, 4)}, p ${pValue(sampleRatio.fixedP)} for one look)`,
    ],
    ...comparisons
      .flatMap(({ adjusted }): [string, string][] =>
        adjusted
          ? [
              [
                'CUPED',
                `the score removes ${percent(adjusted.removed)} of the variance (θ ${significant(adjusted.theta, 4)})`,
              ],
            ]
          : [],
      )
      .slice(0, 1),
  ]);
  const armTable = textTable([
    ['arm', 'rows', 'share', kind],
    ...arms.map(({ arm, rows, share, mean }) => [arm, whole(rows), percent(share), meanText(kind, mean)]),
  ]);
  const head = [
    'difference',
    `${percent(1 - alpha, 0)} at any time`,
    'one planned look',
    'p at any time',
    'p, one look',
  ];
  const reason = withheld(result);
  const shownP = (p: number) => (reason === null ? pValue(p) : '–');
  const cells = ({ difference, interval, fixed, p }: Omit<Comparison, 'curve'>) => [
    difference === null ? '–' : differenceText(kind, difference),
    interval ? rangeText(kind, interval) : '–',
    fixed ? rangeText(kind, fixed) : '–',
    shownP(p),
    fixed ? shownP(fixed.p) : '–',
  ];
  const differences = textTable([['arm', ...head], ...comparisons.map((one) => [one.arm, ...cells(one)])]);
  const several =
    comparisons.length > 1
      ? `\n  Each comparison is at ${significant(comparisons[0].alpha, 3)}: alpha over ${counted(comparisons.length, 'arm')} (Bonferroni).`
      : '';
  const told = reason ?? noteOfLeast(comparisons);
  const why = told === null ? '' : `\n  ${told}`;
  const shown = [...groups].sort((a, b) => a.q - b.q).slice(0, 30);
  const grouped =
    groups.length === 0
      ? ''
      : `\n\n${textTable([
          ['group', 'arm', 'rows', ...head.slice(0, 2), 'p', 'q'],
          ...shown.map((one) => [
            one.group,
            one.arm,
            whole(one.rows),
            ...cells(one).slice(0, 2),
            shownP(one.p),
            `${shownP(one.q)}${one.isDiscovery && reason === null ? ' *' : ''}`,
          ]),
        ])}${groups.length > shown.length ? `\n  ${groups.length - shown.length} more: --json and --report have them` : ''}\n  * at most ${percent(alpha, 0)} of these are expected to be false (Benjamini-Hochberg over ${groups.length}); intervals are not adjusted for their number`;
  return `${lines}\n\n${armTable}\n\n${differences}${why}${several}${grouped}\n\n${result.conclusion}\n`;
}
