import type { ClassFigures, Point } from '../../figures/evaluation.ts';
import { brief, percent } from '../../figures/wording.ts';
import {
  ACCENT,
  asSpec,
  classLegend,
  colour,
  DIAGONAL,
  guide,
  MUTED,
  number,
  type Plot,
  share,
  size,
  values,
} from './plot.ts';

/** Curves by class over the unit square. */
function curves(
  classes: readonly ClassFigures[],
  of: (one: ClassFigures) => readonly Point[],
  x: string,
  y: string,
): object {
  return {
    data: values(
      classes.flatMap((one, series) =>
        of(one).map((point, order) => ({ ...point, order, series, colour: colour(series) })),
      ),
    ),
    mark: { type: 'line', strokeWidth: 2, strokeJoin: 'round', clip: true },
    encoding: {
      x: share(x, 'x'),
      y: share(y, 'y'),
      order: { field: 'order', type: 'quantitative' },
      detail: { field: 'series', type: 'nominal' },
      stroke: classes.length > 1 ? { field: 'colour', type: 'nominal', scale: null } : { value: ACCENT },
    },
  };
}

const drawn = (classes: readonly ClassFigures[]) => classes.filter(({ auc }) => auc !== null);

/** Worst and best of several classes, in words. */
function extremes(classes: readonly ClassFigures[], of: (one: ClassFigures) => number): string {
  const sorted = [...classes].sort((a, b) => of(a) - of(b));
  const [worst, best] = [sorted[0], sorted[sorted.length - 1]];
  return `from ${number(of(worst))} (${brief(worst.name)}) to ${number(of(best))} (${brief(best.name)})`;
}

/** Five points of a curve for the table of numbers: y at each x. */
const at = (points: readonly Point[], x: number): number => {
  const after = points.findIndex((point) => point.x >= x);
  if (after <= 0) return points[0].y;
  const [left, right] = [points[after - 1], points[after]];
  return right.x === left.x ? right.y : left.y + ((right.y - left.y) * (x - left.x)) / (right.x - left.x);
};

const interval = ({ auc }: ClassFigures): string =>
  auc?.interval ? `, 95 % interval ${number(auc.interval.low)} to ${number(auc.interval.high)}` : '';

export function rocPlot(all: readonly ClassFigures[]): Plot {
  const classes = drawn(all);
  const [first] = classes;
  const found = at(first.roc, 0.1);
  return {
    title: 'ROC curve',
    finding:
      all.length === 1
        ? `AUC ${number(first.auc!.value)}${interval(first)} (0.5 is chance, 1 perfect). Where a tenth of the other rows is flagged, ${percent(found, 0)} of those that are ${brief(first.name)} are found.`
        : `AUC of a class against the rest: ${extremes(classes, ({ auc }) => auc!.value)}.`,
    spec: asSpec({
      ...size,
      layer: [guide(DIAGONAL), curves(classes, (one) => one.roc, 'false positive rate', 'true positive rate')],
    }),
    legend: classLegend(classes, 'chance'),
    numbers: [
      ['class', 'AUC', 'from', 'to', ...[0.01, 0.05, 0.1, 0.2, 0.5].map((x) => `found at ${percent(x, 0)} false`)],
      ...classes.map(({ name, auc, roc }) => [
        name,
        ...[auc!.value, auc!.interval?.low, auc!.interval?.high].map((value) => number(value)),
        ...[0.01, 0.05, 0.1, 0.2, 0.5].map((x) => percent(at(roc, x))),
      ]),
    ],
  };
}

export function precisionRecallPlot(all: readonly ClassFigures[]): Plot {
  const classes = drawn(all);
  const [first] = classes;
  return {
    title: 'Precision and recall',
    finding:
      all.length === 1
        ? `Average precision ${number(first.averagePrecision)}, where chance would give ${number(first.share)}. To find half of those that are ${brief(first.name)}, ${percent(at(first.precisionRecall, 0.5), 0)} of the flagged rows are right.`
        : `Average precision: ${extremes(classes, (one) => one.averagePrecision!)}.`,
    spec: asSpec({
      ...size,
      layer: [
        ...(all.length === 1
          ? [
              guide([
                { x: 0, y: first.share },
                { x: 1, y: first.share },
              ]),
            ]
          : []),
        curves(classes, (one) => one.precisionRecall, 'recall', 'precision'),
      ],
    }),
    legend: all.length === 1 ? classLegend(classes, 'chance') : classLegend(classes, '').slice(0, -1),
    numbers: [
      [
        'class',
        'average precision',
        'share of rows',
        ...[0.25, 0.5, 0.75, 0.9].map((x) => `precision at recall ${percent(x, 0)}`),
      ],
      ...classes.map(({ name, averagePrecision, share: base, precisionRecall }) => [
        name,
        number(averagePrecision),
        number(base),
        ...[0.25, 0.5, 0.75, 0.9].map((x) => percent(at(precisionRecall, x))),
      ]),
    ],
  };
}

const SHARES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

export function gainPlot(gain: readonly Point[], positive: string, base: number): Plot {
  const top = at(gain, 0.1);
  return {
    title: 'Gain',
    finding: `The tenth of the rows with the greatest scores holds ${percent(top, 0)} of those that are ${brief(positive)}.`,
    spec: asSpec({
      ...size,
      layer: [
        guide(DIAGONAL),
        {
          data: values([
            { x: 0, y: 0, order: 0 },
            { x: base, y: 1, order: 1 },
            { x: 1, y: 1, order: 2 },
          ]),
          mark: { type: 'line', stroke: MUTED, strokeWidth: 1 },
          encoding: {
            x: share('share of the rows flagged', 'x'),
            y: share('share found', 'y'),
            order: { field: 'order', type: 'quantitative' },
          },
        },
        {
          data: values(gain.map((point, order) => ({ ...point, order }))),
          mark: { type: 'line', stroke: ACCENT, strokeWidth: 2 },
          encoding: {
            x: share('share of the rows flagged', 'x'),
            y: share('share found', 'y'),
            order: { field: 'order', type: 'quantitative' },
          },
        },
      ],
    }),
    legend: [
      { mark: 'line accent', name: 'this model' },
      { mark: 'line', name: 'perfect' },
      { mark: 'line dashed', name: 'chance' },
    ],
    numbers: [
      ['share of rows', 'found', 'lift'],
      ...SHARES.map((x) => [percent(x, 0), percent(at(gain, x)), (at(gain, x) / x).toFixed(2)]),
    ],
  };
}

export function liftPlot(gain: readonly Point[], positive: string): Plot {
  const tenths = Array.from({ length: 10 }, (_, k) => ({
    low: k / 10,
    high: (k + 1) / 10,
    lift: 10 * (at(gain, (k + 1) / 10) - at(gain, k / 10)),
  }));
  const most = Math.max(1, ...tenths.map(({ lift }) => lift));
  return {
    title: 'Lift by tenth',
    finding: `In the first tenth of the rows, ${brief(positive)} is ${tenths[0].lift.toFixed(1)} times as frequent as in all of them, in the last tenth ${tenths[9].lift.toFixed(1)} times.`,
    spec: asSpec({
      ...size,
      layer: [
        {
          data: values(tenths),
          mark: { type: 'rect', fill: ACCENT, stroke: 'var(--paper)', strokeWidth: 2 },
          encoding: {
            x: share('share of the rows flagged', 'low'),
            x2: { field: 'high' },
            y: { field: 'lift', type: 'quantitative', title: 'lift', scale: { domain: [0, most], nice: true } },
            y2: { datum: 0 },
          },
        },
        guide([
          { x: 0, y: 1 },
          { x: 1, y: 1 },
        ]),
      ],
    }),
    legend: [
      { mark: 'box accent', name: 'a tenth of the rows' },
      { mark: 'line dashed', name: 'as in all rows' },
    ],
    numbers: [['tenth', 'lift'], ...tenths.map(({ high, lift }) => [`to ${percent(high, 0)}`, lift.toFixed(2)])],
  };
}
