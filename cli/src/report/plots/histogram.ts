import type { Evaluation } from '../../figures/evaluation.ts';
import { brief, percent } from '../../figures/wording.ts';
import { ACCENT, asSpec, MUTED, type Plot, rule, share, size, values } from './plot.ts';

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
