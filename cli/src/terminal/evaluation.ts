import type { Metrics } from '../../../src/metrics.ts';
import type { Evaluation, Interval } from '../figures/evaluation.ts';
import { brief, figure, percent, rowCount, significant, whole, word } from '../figures/wording.ts';
import { facts, table } from './layout.ts';

/** @param classes  with several classes the line says that AUC is a mean and Brier a sum over them */
export function metricsLine({ logLoss, auc, brier, ece, accuracy }: Metrics, classes = 2): string {
  const mean = classes > 2 ? ' (mean over classes)' : '';
  const sum = classes > 2 ? ' (sum over classes, 0 to 2)' : '';
  return `log loss ${figure(logLoss)}   AUC ${figure(auc)}${mean}   Brier ${figure(brier)}${sum}   ECE ${figure(ece)}   accuracy ${figure(accuracy)}`;
}

const between = (interval: Interval | null, digits = 4) =>
  interval ? `   (95 % interval ${figure(interval.low, digits)} … ${figure(interval.high, digits)})` : '';
const EIGHTHS = ' ▏▎▍▌▋▊▉█';
const BAR = 20;

/** A bar of block characters, precise to an eighth of a character. */
export function bar(share: number): string {
  const eighths = Math.round(share * BAR * 8);
  return '█'.repeat(eighths >> 3) + (eighths % 8 > 0 ? EIGHTHS[eighths % 8] : '');
}

/** The figures of the report for a terminal. */
export function evaluationText(evaluation: Evaluation): string {
  return evaluation.binary ? binaryText(evaluation) : classesText(evaluation);
}

function binaryText({ classes: [positive], binary, metrics }: Evaluation): string {
  const { confusion, threshold, brier: parts, slope, ks, large, cost } = binary!;
  const name = word(brief(positive.name, 24));
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion;
  const total = truePositives + falsePositives + falseNegatives + trueNegatives;
  const lines = facts([
    positive.auc && ['AUC', `${figure(positive.auc.value)}${between(positive.auc.interval)}`],
    ['average precision', `${figure(positive.averagePrecision)}   (share of ${name}: ${figure(positive.share)})`],
    ['KS', figure(ks)],
    [
      'Brier',
      `${figure(metrics.brier)}   (reliability ${figure(parts.reliability)} − resolution ${figure(parts.resolution)} + uncertainty ${figure(parts.uncertainty)} + within bins ${figure(parts.withinBins)})`,
    ],
    [
      'calibration',
      `predicted ${percent(large.predicted)} on average, observed ${percent(large.observed)}${large.intercept ? `; intercept ${figure(large.intercept.value, 3)}${between(large.intercept.interval, 3)}` : ''}`,
    ],
    slope && ['calibration slope', `${figure(slope.value, 3)}${between(slope.interval, 3)}`],
    [
      `above ${significant(threshold, 4)}`,
      `${percent((truePositives + falsePositives) / total)} of the rows, precision ${figure(confusion.precision)}, recall ${figure(confusion.recall)}, F1 ${figure(confusion.f1)}`,
    ],
    cost && [
      'mean cost',
      `${significant(cost.decided, 4)}   (${significant(cost.nobody, 4)} flagging nobody, ${significant(cost.everybody, 4)} flagging everybody)`,
    ],
  ]);
  const matrix = table([
    ['', `decided ${name}`, 'decided otherwise'],
    [`is ${name}`, rowCount(truePositives), rowCount(falseNegatives)],
    ['is otherwise', rowCount(falsePositives), rowCount(trueNegatives)],
  ]);
  const bins = positive.reliability.filter(({ weight }) => weight > 0);
  const rows = table([
    ['probability', 'rows', 'predicted', 'observed'],
    ...bins.map(({ low, high, weight, predicted, observed }) => [
      `${Math.round(100 * low)}–${Math.round(100 * high)} %`,
      rowCount(weight),
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

function classesText({ classes, costs }: Evaluation): string {
  const shown = classes.slice(0, MOST);
  const rows = table([
    ['class', 'share', 'AUC', '95 % interval', 'average precision'],
    ...shown.map(({ name, share, auc, averagePrecision }) => [
      brief(name, 24),
      percent(share),
      figure(auc?.value ?? null),
      auc?.interval ? `${figure(auc.interval.low)} … ${figure(auc.interval.high)}` : '–',
      figure(averagePrecision),
    ]),
  ]);
  const more = classes.length > MOST ? `\n  and ${whole(classes.length - MOST)} more` : '';
  const cost = costs
    ? `\n\n  mean cost ${significant(costs.decided, 4)}   (${significant(costs.mostProbable, 4)} by always taking the most probable class), ${significant(costs.constant, 4)} by one class for all`
    : '';
  return rows + more + cost;
}
