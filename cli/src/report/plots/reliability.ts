import { Z95 } from '../../../../src/internal.ts';
import type { Evaluation } from '../../figures/evaluation.ts';
import { counted, percent, rowCount } from '../../figures/wording.ts';
import {
  ACCENT,
  asSpec,
  classLegend,
  colour,
  DIAGONAL,
  guide,
  HEIGHT,
  MUTED,
  number,
  type Plot,
  share,
  values,
  WIDTH,
} from './plot.ts';

/** 95 % interval of a share of n rows. @see Wilson, Journal of the American Statistical Association 22, 1927 */
function wilson(observed: number, weight: number): readonly [number, number] {
  const z2 = Z95 ** 2;
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
        ? `Where it weighs most, around a probability of ${percent(worst.predicted, 0)}, it happened in ${percent(worst.observed, 0)} of ${counted(Math.round(worst.weight), 'row')}.`
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
            rowCount(weight),
            percent(predicted),
            percent(observed),
          ]),
      ),
    ],
  };
}
