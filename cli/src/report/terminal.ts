import { facts, figure, significant, table, whole } from '../report.ts';
import { percent } from './data.ts';
import type { Estimate, Evaluation } from './evaluation.ts';
import { brief } from './html.ts';

const between = ({ low, high }: Estimate, digits = 4) =>
  `95 % interval ${figure(low, digits)} … ${figure(high, digits)}`;
const EIGHTHS = ' ▏▎▍▌▋▊▉█';
const BAR = 20;

/** A bar of block characters, to an eighth of a character. */
export function bar(share: number): string {
  const eighths = Math.round(share * BAR * 8);
  return '█'.repeat(eighths >> 3) + (eighths % 8 > 0 ? EIGHTHS[eighths % 8] : '');
}

/** The figures of the report for a terminal. */
export function evaluationText(evaluation: Evaluation): string {
  const { classes, binary } = evaluation;
  return binary ? binaryText(evaluation) : classesText(classes);
}

function binaryText({ classes: [positive], binary, metrics }: Evaluation): string {
  const { confusion, threshold, brier: parts, slope, ks } = binary!;
  const name = brief(positive.name, 24);
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion;
  const total = truePositives + falsePositives + falseNegatives + trueNegatives;
  const lines = facts([
    positive.auc && ['AUC', `${figure(positive.auc.value)}   (${between(positive.auc)})`],
    ['average precision', `${figure(positive.averagePrecision)}   (share of ${name}: ${figure(positive.share)})`],
    ['KS', figure(ks)],
    [
      'Brier',
      `${figure(metrics.brier)}   (reliability ${figure(parts.reliability)} − resolution ${figure(parts.resolution)} + uncertainty ${figure(parts.uncertainty)} + within bins ${figure(parts.withinBins)})`,
    ],
    slope && ['calibration slope', `${figure(slope.value, 3)}   (${between(slope, 3)})`],
    [
      `above ${significant(threshold, 4)}`,
      `${percent((truePositives + falsePositives) / total)} of the rows, precision ${figure(confusion.precision)}, recall ${figure(confusion.recall)}, F1 ${figure(confusion.f1)}`,
    ],
  ]);
  const matrix = table([
    ['', `decided ${name}`, 'decided otherwise'],
    [`is ${name}`, significant(truePositives, 7), significant(falseNegatives, 7)],
    ['is otherwise', significant(falsePositives, 7), significant(trueNegatives, 7)],
  ]);
  const bins = positive.reliability.filter(({ weight }) => weight > 0);
  const rows = table([
    ['probability', 'rows', 'predicted', 'observed'],
    ...bins.map(({ low, high, weight, predicted, observed }) => [
      `${Math.round(100 * low)}–${Math.round(100 * high)} %`,
      Number.isInteger(weight) ? whole(weight) : significant(weight, 6),
      percent(predicted),
      percent(observed),
    ]),
  ]).split('\n');
  const width = Math.max(...rows.map((row) => row.length));
  const reliability = rows.map((row, k) =>
    k === 0 ? row : `${row.padEnd(width)}  ${bar(bins[k - 1].observed!)}`.trimEnd(),
  );
  return `${lines}\n\n${matrix}\n\n${reliability.join('\n')}`;
}

/** Classes shown at most. */
const MOST = 12;

function classesText(classes: Evaluation['classes']): string {
  const shown = classes.slice(0, MOST);
  const rows = table([
    ['class', 'share', 'AUC', '95 % interval', 'average precision'],
    ...shown.map(({ name, share, auc, averagePrecision }) => [
      brief(name, 24),
      percent(share),
      figure(auc?.value ?? null),
      auc ? `${figure(auc.low)} … ${figure(auc.high)}` : '–',
      figure(averagePrecision),
    ]),
  ]);
  return classes.length > MOST ? `${rows}\n  and ${whole(classes.length - MOST)} more` : rows;
}
