import type { ThresholdCurve } from '../../figures/evaluation.ts';
import { significant } from '../../figures/wording.ts';
import { ACCENT, asSpec, number, type Plot, rule, share, size, values } from './plot.ts';

export function thresholdPlot(curve: ThresholdCurve, threshold: number): Plot {
  const [least, most] = curve.bounds;
  const points = curve.points.map(({ threshold: x, value, stdError }) => ({
    x,
    y: value,
    low: Math.max(least, value - 1.96 * (stdError ?? 0)),
    high: Math.min(most, value + 1.96 * (stdError ?? 0)),
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
