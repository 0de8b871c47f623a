import type { Distribution } from '../../../../src/monitor.ts';
import { type Bar, type Compared, compareDistributions } from '../../figures/distribution.ts';
import { brief, percent } from '../../figures/wording.ts';
import { fitted } from './labels.ts';
import { ACCENT, asSpec, INK, MUTED, type Plot, size, values } from './plot.ts';

/** What is said of two distributions beside their drawing. */
export interface DistributionWords {
  readonly title: string;
  /** the finding, in a sentence or two */
  readonly finding: string;
  /** names of the two sides; default reference and current */
  readonly sides?: readonly [reference: string, current: string];
}

/** Share outside of a drawing from which on it is told. */
const TOLD = 0.001;

/** Two distributions of the same bins: stretches of a number, or bars of levels and of few values. */
export function distributionPlot(
  reference: Distribution,
  current: Distribution,
  { title, finding, sides = ['reference', 'current'] }: DistributionWords,
): Plot {
  const compared = compareDistributions(reference, current);
  const { bars, stretches, outside } = compared;
  const drawn: readonly Bar[] = bars ?? stretches!;
  const beyond = outside
    .filter((bar) => Math.max(bar.reference, bar.current) >= TOLD)
    .map(({ label, reference: was, current: is }) => `${brief(label, 40)}: ${percent(was)} before, ${percent(is)} now`);
  return {
    title: brief(title, 60),
    finding: `${finding}${beyond.length > 0 ? ` Not drawn: ${beyond.join('; ')}.` : ''}`,
    spec: asSpec(bars ? barsSpec(bars) : stretchesSpec(compared)),
    legend: [
      { mark: 'box', name: sides[0] },
      { mark: 'line accent', name: sides[1] },
    ],
    numbers: [
      ['value', ...sides],
      ...[...drawn, ...outside].map((bar) => [bar.label, percent(bar.reference, 2), percent(bar.current, 2)]),
    ],
  };
}

const shareAxis = (most: number) => ({
  type: 'quantitative',
  title: 'share of the rows',
  scale: { domain: [0, most || 1], nice: true },
  axis: { format: '.0~%', tickCount: 4 },
});

function stretchesSpec({ stretches }: Compared): object {
  const list = stretches!;
  const most = Math.max(...list.map((bar) => Math.max(bar.reference, bar.current)));
  // a step needs its end
  const steps = [...list, { ...list[list.length - 1], from: list[list.length - 1].to }];
  const x = {
    field: 'from',
    type: 'quantitative',
    title: null,
    scale: { domain: [list[0].from, list[list.length - 1].to], nice: false, zero: false },
    axis: { format: '~s', tickCount: 4 },
  };
  return {
    ...size,
    height: 150,
    data: values(steps),
    layer: [
      {
        mark: { type: 'area', interpolate: 'step-after', fill: MUTED, opacity: 0.35 },
        encoding: { x, y: { field: 'reference', ...shareAxis(most) } },
      },
      {
        mark: { type: 'line', interpolate: 'step-after', stroke: ACCENT, strokeWidth: 2 },
        encoding: { x, y: { field: 'current', ...shareAxis(most) } },
      },
    ],
  };
}

function barsSpec(bars: readonly Bar[]): object {
  const most = Math.max(...bars.map((bar) => Math.max(bar.reference, bar.current)));
  const names = bars.map(({ label }) => fitted(label, 18));
  const y = {
    field: 'row',
    type: 'ordinal',
    title: null,
    axis: { labelExpr: 'names[datum.value]', labelColor: INK, grid: false, labelLimit: 0, minExtent: 0 },
  };
  const x = (field: string) => ({ field, ...shareAxis(most) });
  return {
    width: 250,
    height: { step: 20 },
    params: [{ name: 'names', value: names }],
    data: values(bars.map((bar, row) => ({ row, reference: bar.reference, current: bar.current }))),
    layer: [
      { mark: { type: 'bar', fill: MUTED, opacity: 0.35, height: 14 }, encoding: { x: x('reference'), y } },
      {
        mark: { type: 'tick', stroke: ACCENT, thickness: 2.5, height: 16, orient: 'vertical' },
        encoding: { x: x('current'), y },
      },
    ],
  };
}
