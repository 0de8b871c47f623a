import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { significant, whole } from '../report.ts';
import { percent } from './data.ts';
import type { ClassFigures, Evaluation, Point, ThresholdCurve } from './evaluation.ts';
import { brief, escapeText, Markup, plain } from './html.ts';

/** What a plot shows, in words and numbers too. */
export interface Plot {
  readonly title: string;
  /** the finding, in a sentence or two */
  readonly finding: string;
  readonly spec: TopLevelSpec;
  /** what the marks mean: how each is drawn (a class of the style sheet), and its name */
  readonly legend: readonly { readonly mark: string; readonly name: string }[];
  /** the numbers: a heading, then rows */
  readonly numbers: readonly (readonly string[])[];
}

/** Colours are variables of the page, so that one drawing serves light, dark and paper. */
const INK = 'var(--ink)';
const MUTED = 'var(--muted)';
const RULE = 'var(--rule)';
const ACCENT = 'var(--accent)';
/** Classes with a colour of their own; others share that of the last. */
const COLOURS = 7;
const colour = (k: number) => `var(--class-${Math.min(k, COLOURS)})`;
const swatch = (k: number) => `line class-${Math.min(k, COLOURS)}`;

const WIDTH = 320;
const HEIGHT = 250;

const CONFIG = {
  aria: false,
  background: undefined,
  font: 'sans-serif',
  padding: 3,
  view: { stroke: null },
  axis: {
    domainColor: MUTED,
    domainOpacity: 0.6,
    gridColor: RULE,
    labelColor: MUTED,
    labelFontSize: 12,
    labelPadding: 5,
    ticks: false,
    tickCount: 5,
    titleColor: INK,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
  },
  axisY: { domain: false, minExtent: 34, labelLimit: 150 },
  axisX: { grid: false },
} as const;

/** A share on an axis from 0 to 1. */
const share = (title: string, field: string) =>
  ({
    field,
    type: 'quantitative',
    title,
    scale: { domain: [0, 1], nice: false },
    axis: { format: '.0%', values: [0, 0.25, 0.5, 0.75, 1] },
  }) as const;

const values = (list: readonly object[]) => ({ values: list as object[] });

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

/** A straight dashed line, for comparison. */
const guide = (points: readonly Point[]) => ({
  data: values(points),
  mark: { type: 'line', stroke: MUTED, strokeWidth: 1, strokeDash: [4, 4] },
  encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
});

const size = { width: WIDTH, height: HEIGHT } as const;
const asSpec = (spec: object): TopLevelSpec => ({ ...spec, config: CONFIG }) as unknown as TopLevelSpec;

const DIAGONAL: readonly Point[] = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
];

const classLegend = (classes: readonly ClassFigures[], chance: string) => [
  ...(classes.length > 1 ? classes.slice(0, COLOURS).map(({ name }, k) => ({ mark: swatch(k), name })) : []),
  ...(classes.length > COLOURS ? [{ mark: swatch(COLOURS), name: 'others' }] : []),
  { mark: 'line dashed', name: chance },
];

const number = (value: number | null | undefined, digits = 3) => (value == null ? '–' : value.toFixed(digits));
const drawn = (classes: readonly ClassFigures[]) => classes.filter(({ auc }) => auc !== null);

/** Worst and best of several classes, in words. */
function extremes(classes: readonly ClassFigures[], of: (one: ClassFigures) => number): string {
  const sorted = [...classes].sort((a, b) => of(a) - of(b));
  const [worst, best] = [sorted[0], sorted[sorted.length - 1]];
  return `from ${number(of(worst))} (${brief(worst.name)}) to ${number(of(best))} (${brief(best.name)})`;
}

/** Five points of a curve, for readers: the y at each x. */
const at = (points: readonly Point[], x: number): number => {
  const after = points.findIndex((point) => point.x >= x);
  if (after <= 0) return points[0].y;
  const [left, right] = [points[after - 1], points[after]];
  return right.x === left.x ? right.y : left.y + ((right.y - left.y) * (x - left.x)) / (right.x - left.x);
};

export function rocPlot(all: readonly ClassFigures[]): Plot {
  const classes = drawn(all);
  const [first] = classes;
  const found = at(first.roc, 0.1);
  return {
    title: 'ROC curve',
    finding:
      all.length === 1
        ? `AUC ${number(first.auc!.value)}, 95 % interval ${number(first.auc!.low)} to ${number(first.auc!.high)} (0.5 is chance, 1 perfect). Where a tenth of the other rows is flagged, ${percent(found, 0)} of those that are ${brief(first.name)} are found.`
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
        ...[auc!.value, auc!.low, auc!.high].map((value) => number(value)),
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

/** 95 % interval of a share of so many rows. @see Wilson, Journal of the American Statistical Association 22, 1927 */
function wilson(observed: number, weight: number): readonly [number, number] {
  const z2 = 1.959963984540054 ** 2;
  const centre = (observed + z2 / (2 * weight)) / (1 + z2 / weight);
  const half =
    (Math.sqrt(z2) / (1 + z2 / weight)) * Math.sqrt((observed * (1 - observed)) / weight + z2 / (4 * weight * weight));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

export function reliabilityPlot({ classes, metrics, binary }: Evaluation): Plot {
  const single = classes.length === 1;
  const before = single && classes[0].uncalibrated;
  const bins = classes.flatMap(({ reliability }, series) =>
    reliability.flatMap(({ predicted, observed, weight, low, high }) => {
      if (predicted === null || observed === null) return [];
      const [from, to] = wilson(observed, weight);
      return [{ predicted, observed, weight, low, high, from, to, series, colour: single ? ACCENT : colour(series) }];
    }),
  );
  const x = share('predicted probability', 'predicted');
  const worst = bins.reduce((a, b) =>
    Math.abs(b.predicted - b.observed) * b.weight > Math.abs(a.predicted - a.observed) * a.weight ? b : a,
  );
  const total = classes[0].reliability.map((bin, k) => ({
    low: bin.low,
    high: bin.high,
    weight: classes.reduce((sum, one) => sum + one.reliability[k].weight, 0) / classes.length,
  }));
  const line = (mark: object, data: readonly object[], rest: object = {}) => ({
    data: values(data),
    mark,
    encoding: { x, y: share('observed share', 'observed'), ...rest },
  });
  const byClass = {
    detail: { field: 'series', type: 'nominal' },
    order: { field: 'predicted', type: 'quantitative' },
    stroke: { field: 'colour', type: 'nominal', scale: null },
  };
  return {
    title: 'Reliability',
    finding: `Expected calibration error ${number(metrics.ece)}. ${
      single
        ? `Where it weighs most, around a probability of ${percent(worst.predicted, 0)}, it happened in ${percent(worst.observed, 0)} of ${whole(Math.round(worst.weight))} rows.`
        : 'It is that of the decided class; the lines are of each class against the rest.'
    }${binary?.slope ? ` Calibration slope ${number(binary.slope.value, 2)} (1 is right, less is too sure).` : ''}`,
    spec: asSpec({
      spacing: 10,
      vconcat: [
        {
          width: WIDTH,
          height: HEIGHT - 62,
          layer: [
            guide(DIAGONAL),
            ...(before
              ? [
                  line(
                    {
                      type: 'line',
                      stroke: MUTED,
                      strokeWidth: 1.5,
                      strokeDash: [2, 3],
                      point: { filled: false, fill: 'var(--paper)', stroke: MUTED, size: 24 },
                    },
                    before.flatMap(({ predicted, observed }) => (predicted === null ? [] : [{ predicted, observed }])),
                    { order: byClass.order },
                  ),
                ]
              : []),
            ...(single
              ? [
                  {
                    data: values(bins),
                    mark: { type: 'rule', stroke: ACCENT, strokeWidth: 1.5, opacity: 0.55 },
                    encoding: { x, y: { field: 'from', type: 'quantitative' }, y2: { field: 'to' } },
                  },
                ]
              : []),
            line({ type: 'line', strokeWidth: 2 }, bins, byClass),
            line({ type: 'point', filled: true, size: 34, opacity: 1 }, bins, {
              fill: byClass.stroke,
            }),
          ],
        },
        {
          width: WIDTH,
          height: 42,
          data: values(total),
          mark: { type: 'rect', fill: MUTED, opacity: 0.45, stroke: 'var(--paper)' },
          encoding: {
            x: { ...x, field: 'low' },
            x2: { field: 'high' },
            y: { field: 'weight', type: 'quantitative', title: 'rows', axis: { tickCount: 2, format: '~s' } },
            y2: { datum: 0 },
          },
        },
      ],
    }),
    legend: [
      ...(single
        ? [{ mark: 'dot', name: before ? 'calibrated, with its 95 % interval' : 'a bin, with its 95 % interval' }]
        : classLegend(classes, '').slice(0, -1)),
      ...(before ? [{ mark: 'line dotted', name: 'before calibration' }] : []),
      { mark: 'line dashed', name: 'perfect' },
    ],
    numbers: [
      ['class', 'from', 'to', 'rows', 'mean probability', 'observed share'],
      ...classes.flatMap(({ name, reliability }) =>
        reliability
          .filter(({ weight }) => weight > 0)
          .map(({ low, high, weight, predicted, observed }) => [
            name,
            percent(low, 0),
            percent(high, 0),
            significant(weight),
            percent(predicted),
            percent(observed),
          ]),
      ),
    ],
  };
}

export function histogramPlot({ histogram: { upper, lower }, binary }: Evaluation): Plot {
  const groups = [upper, lower].map(({ name, weights }) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { name, total, shares: Array.from(weights, (weight) => (total > 0 ? weight / total : 0)) };
  });
  const bins = groups.flatMap(({ shares }, group) =>
    shares.map((part, k) => ({
      low: k / shares.length,
      high: (k + 1) / shares.length,
      part: group === 0 ? part : -part,
      colour: group === 0 ? ACCENT : MUTED,
    })),
  );
  const most = Math.max(...bins.map(({ part }) => Math.abs(part)));
  const middle = ({ shares }: { shares: readonly number[] }) => {
    let sum = 0;
    const k = shares.findIndex((part) => {
      sum += part;
      return sum >= 0.5;
    });
    return percent((k + 0.5) / shares.length, 0);
  };
  const [first, second] = groups;
  return {
    title: binary ? 'Scores by class' : 'How sure it was',
    finding: groups.every(({ total }) => total > 0)
      ? `Half of the rows that are ${brief(first.name)} have a probability ${binary ? '' : 'of their class '}above ${middle(first)}, half of those that are ${binary ? brief(second.name) : 'wrong'} above ${middle(second)}.`
      : `All rows are ${brief(groups.find(({ total }) => total > 0)!.name)}.`,
    spec: asSpec({
      ...size,
      layer: [
        {
          data: values(bins),
          mark: { type: 'rect', stroke: 'var(--paper)', strokeWidth: 1 },
          encoding: {
            x: share(binary ? 'probability' : 'probability of the decided class', 'low'),
            x2: { field: 'high' },
            y: {
              field: 'part',
              type: 'quantitative',
              title: 'share of the group',
              scale: { domain: [-most, most] },
              axis: { labelExpr: "format(abs(datum.value), '.0%')" },
            },
            y2: { datum: 0 },
            fill: { field: 'colour', type: 'nominal', scale: null },
          },
        },
        ...(binary ? [rule(binary.threshold)] : []),
      ],
    }),
    legend: [
      { mark: 'box accent', name: `${first.name} (up)` },
      { mark: 'box', name: `${second.name} (down)` },
      ...(binary ? [{ mark: 'line upright', name: 'threshold' }] : []),
    ],
    numbers: [
      ['probability', first.name, second.name],
      ...first.shares
        .map((part, k) => [percent(k / first.shares.length, 0), percent(part), percent(second.shares[k])])
        .filter(([, ...cells]) => cells.some((cell) => cell !== '0.0 %')),
    ],
  };
}

/** An upright line at a threshold. */
const rule = (threshold: number) => ({
  data: values([{ threshold }]),
  mark: { type: 'rule', stroke: INK, strokeWidth: 1.5 },
  encoding: { x: { field: 'threshold', type: 'quantitative' } },
});

export function thresholdPlot(curve: ThresholdCurve, threshold: number): Plot {
  const points = curve.points.map(({ threshold: x, value, stdError }) => ({
    x,
    y: value,
    low: value - 1.96 * (stdError ?? 0),
    high: value + 1.96 * (stdError ?? 0),
  }));
  const here = points.reduce((a, b) => (Math.abs(b.x - threshold) < Math.abs(a.x - threshold) ? b : a));
  const best = points.reduce((a, b) => (Math.abs(b.x - curve.best) < Math.abs(a.x - curve.best) ? b : a));
  const within = curve.range && threshold >= curve.range[0] && threshold <= curve.range[1];
  const lows = points.map(({ low }) => low);
  const highs = points.map(({ high }) => high);
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: curve.criterion,
    scale: { domain: [Math.min(...lows), Math.max(...highs)], nice: true, zero: false },
    axis: { format: '~g' },
  });
  return {
    title: `${curve.criterion[0].toUpperCase()}${curve.criterion.slice(1)} by threshold`,
    finding: `${number(here.y)} at the model's threshold of ${significant(threshold, 3)}; the ${curve.least ? 'least' : 'greatest'} is ${number(best.y)} at ${significant(curve.best, 3)}.${
      curve.range
        ? ` Thresholds from ${significant(curve.range[0], 3)} to ${significant(curve.range[1], 3)} cannot be told apart${within ? ', and the model’s is one of them' : '; the model’s is none of them'}.`
        : ''
    } ${curve.source}`,
    spec: asSpec({
      ...size,
      layer: [
        ...(curve.range
          ? [
              {
                data: values([{ from: curve.range[0], to: curve.range[1] }]),
                mark: { type: 'rect', fill: ACCENT, opacity: 0.1 },
                encoding: { x: { field: 'from', type: 'quantitative' }, x2: { field: 'to' } },
              },
            ]
          : []),
        {
          data: values(points),
          mark: { type: 'area', fill: ACCENT, opacity: 0.18 },
          encoding: { x: share('threshold', 'x'), y: y('low'), y2: { field: 'high' } },
        },
        {
          data: values(points),
          mark: { type: 'line', stroke: ACCENT, strokeWidth: 2 },
          encoding: { x: share('threshold', 'x'), y: y('y') },
        },
        rule(threshold),
        {
          data: values([best]),
          mark: { type: 'point', filled: true, size: 50, fill: ACCENT, stroke: 'var(--paper)', opacity: 1 },
          encoding: { x: share('threshold', 'x'), y: y('y') },
        },
      ],
    }),
    legend: [
      { mark: 'line accent', name: 'with its 95 % interval' },
      { mark: 'line upright', name: 'the model’s threshold' },
      { mark: 'dot', name: 'best' },
      ...(curve.range ? [{ mark: 'box pale', name: 'as good as the best' }] : []),
    ],
    numbers: [
      ['threshold', curve.criterion, 'standard error'],
      ...[0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95].map((x) => {
        const near = curve.points.reduce((a, b) => (Math.abs(b.threshold - x) < Math.abs(a.threshold - x) ? b : a));
        return [significant(near.threshold, 3), number(near.value, 4), number(near.stdError, 4)];
      }),
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

/** Width of a text in letters; those of the east are twice as wide. */
const lettersOf = (text: string) => Array.from(text).reduce((sum, letter) => sum + (letter >= '\u1100' ? 2 : 1), 0);
/** Width of a letter in units of its size: a little more than fonts without serifs have on average. */
const LETTER = 0.57;

/** A name as a label of an axis, cut to a width in letters. */
function fitted(name: string, most: number): string {
  const start = plain(name.slice(0, 2 * most));
  if (name.length <= 2 * most && lettersOf(start) <= most) return start;
  let kept = '';
  for (const letter of start) {
    if (lettersOf(kept + letter) >= most) break;
    kept += letter;
  }
  return `${kept}…`;
}

export function confusionPlot({ confusion, metrics }: Evaluation, classes: readonly string[]): Plot {
  const sums = confusion.map((row) => row.reduce((sum, cell) => sum + cell, 0));
  const cells = confusion.flatMap((row, actual) =>
    Array.from(row, (weight, decided) => ({
      actual,
      decided,
      weight,
      part: sums[actual] > 0 ? weight / sums[actual] : 0,
      text: classes.length <= 8 ? (sums[actual] > 0 ? percent(weight / sums[actual], 0) : '–') : '',
    })),
  );
  const mistakes = cells.filter(({ actual, decided }) => actual !== decided);
  const worst = mistakes.reduce((a, b) => (b.weight > a.weight ? b : a));
  const names = classes.map((one) => fitted(one, 14));
  const axis = (title: string) => ({
    title,
    labelExpr: 'names[datum.value]',
    labelLimit: 0,
    domain: false,
    labelOverlap: true,
  });
  return {
    title: 'Confusion matrix',
    finding: `${percent(metrics.accuracy)} of the labels are right.${
      worst.weight > 0
        ? ` The most frequent mistake: ${brief(classes[worst.actual])} taken for ${brief(classes[worst.decided])}, ${percent(worst.part, 0)} of its rows.`
        : ''
    }`,
    spec: asSpec({
      ...size,
      params: [{ name: 'names', value: names }],
      data: values(cells),
      encoding: {
        x: {
          field: 'decided',
          type: 'ordinal',
          axis: { ...axis('decided'), labelAngle: classes.length > 4 ? -45 : 0 },
        },
        y: { field: 'actual', type: 'ordinal', axis: axis('true') },
      },
      layer: [
        {
          mark: { type: 'rect', fill: ACCENT, stroke: 'var(--paper)', strokeWidth: classes.length > 20 ? 0 : 2 },
          encoding: {
            fillOpacity: {
              field: 'part',
              type: 'quantitative',
              scale: { domain: [0, 1], range: [0.04, classes.length > 8 ? 1 : 0.4] },
              legend: null,
            },
          },
        },
        { mark: { type: 'text', fill: INK, fontSize: 13 }, encoding: { text: { field: 'text' } } },
      ],
    }),
    legend: [{ mark: 'box pale', name: 'share of the true class' }],
    numbers: [
      ['true', ...classes, 'right'],
      ...confusion.map((row, k) => [
        classes[k],
        ...Array.from(row, (cell) => significant(cell)),
        sums[k] > 0 ? percent(row[k] / sums[k]) : '–',
      ]),
    ],
  };
}

/** An odds ratio with its interval, as a line of a forest plot. */
export interface Effect {
  readonly name: string;
  /** what a change of one stands for, e.g. " (per 10.2)"; else empty */
  readonly unit: string;
  /** logarithm of the odds ratio */
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Beyond e^±10 an odds ratio is without bound. */
const FAR = 10;
const ODDS = [
  1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.33, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4, 2, 3, 5, 10, 20, 100, 1000, 1e4,
];

export function forestPlot(effects: readonly Effect[], of: number, title: string): Plot {
  const clamp = (value: number) => Math.max(-FAR, Math.min(FAR, value));
  const rows = effects.map(({ value, low, high }, row) => ({
    row,
    value: clamp(value),
    low: clamp(low ?? value),
    high: clamp(high ?? value),
    sure: low !== null && high !== null && (low > 0 || high < 0),
  }));
  const ends = rows.flatMap(({ low, high }) => [low, high]);
  const reach = Math.max(0.05, 1.05 * Math.max(...ends.map(Math.abs)));
  const margin = 0.05 * reach;
  const [from, to] = [Math.min(-2 * margin, ...ends) - margin, Math.max(2 * margin, ...ends) + margin];
  const inside = ODDS.filter((odds) => Math.log(odds) >= from && Math.log(odds) <= to);
  // at most six labels, always 1
  const stride = Math.ceil(inside.length / 6);
  const one = inside.indexOf(1);
  const ticks = inside.filter((_, k) => (k - one) % stride === 0).map(Math.log);
  const x = {
    field: 'value',
    type: 'quantitative',
    title: 'odds ratio',
    scale: { domain: [from, to], nice: false, zero: false },
    axis: { grid: true, values: ticks, labelExpr: "format(exp(datum.value), '.3~g')" },
  };
  const names = effects.map(({ name, unit }) => fitted(name, 28 - unit.length) + unit);
  const y = {
    field: 'row',
    type: 'ordinal',
    title: null,
    axis: { labelExpr: 'names[datum.value]', labelColor: INK, grid: false, labelLimit: 0, minExtent: 0 },
  };
  const intervals = effects.some(({ low }) => low !== null);
  const strongest = effects[0];
  const odds = Math.exp(strongest.value);
  return {
    title,
    finding: `${effects.length < of ? `The ${effects.length} strongest of ${whole(of)} coefficients` : `${whole(of)} coefficients`}, ${
      intervals ? 'by |z|, with 95 % intervals' : 'by size; the model has no standard errors'
    }. The first, ${brief(strongest.name)}${strongest.unit}, ${odds >= 1 ? 'multiplies' : 'divides'} the odds by ${significant(odds >= 1 ? odds : 1 / odds, 3)}. A number counts per standard deviation.`,
    spec: asSpec({
      width: 260,
      height: { step: 22 },
      params: [{ name: 'names', value: names }],
      layer: [
        {
          data: values([{ value: 0 }]),
          mark: { type: 'rule', stroke: MUTED, strokeDash: [4, 4] },
          encoding: { x },
        },
        {
          data: values(rows),
          mark: { type: 'rule', stroke: ACCENT, strokeWidth: 2 },
          encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y },
        },
        {
          data: values(rows),
          mark: { type: 'point', filled: true, size: 55, stroke: ACCENT, opacity: 1 },
          encoding: {
            x,
            y,
            fill: { condition: { test: `datum.sure || ${!intervals}`, value: ACCENT }, value: 'var(--paper)' },
          },
        },
      ],
    }),
    legend: intervals
      ? [
          { mark: 'dot', name: 'interval without 1' },
          { mark: 'dot hollow', name: 'interval with 1' },
        ]
      : [],
    numbers: [
      ['coefficient', 'odds ratio', 'from', 'to'],
      ...effects.map(({ name, unit, value, low, high }) => [
        name + unit,
        ...[value, low, high].map((end) => (end === null ? '–' : significant(Math.exp(end), 4))),
      ]),
    ],
  };
}

/** What vega measures text by; its types leave it out. */
interface TextMetrics {
  width: (item: { readonly text?: unknown; readonly fontSize?: number }, shown?: unknown) => number;
}

/**
 * The drawing of a plot, without a browser: an <svg> with a title and a description, scaled by the page.
 * @param id  of the element; those of its title and description begin with it
 */
export async function draw({ title, finding, spec }: Plot, id: string): Promise<Markup> {
  // loaded here: half a second that only a report waits for
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const { parse, View, Error: ERROR } = vega;
  // layouts need widths of texts, and without a browser vega guesses them too great
  (vega as unknown as { textMetrics: TextMetrics }).textMetrics.width = ({ text, fontSize = 12 }, shown = text) =>
    LETTER * fontSize * lettersOf(String(shown ?? ''));
  const view = new View(parse(compile(spec).spec as Spec), { renderer: 'none', logLevel: ERROR });
  const svg = await view.toSVG();
  view.finalize();
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!;
  // frames of groups: nothing is drawn in them
  const marks = svg
    .slice(svg.indexOf('>') + 1)
    .replace(/<path class="(background|foreground)"[^>]*><\/path>|<path class="(background|foreground)"[^>]*\/>/g, '');
  const head = `<svg id="${id}" role="img" aria-labelledby="${id}-title ${id}-text" viewBox="0 0 ${width} ${height}" style="max-width:${Math.round(1.15 * Number(width))}px">`;
  return new Markup(
    `${head}<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-text">${escapeText(finding)}</desc>${marks}`,
  );
}
