import type { Evaluation } from '../../figures/evaluation.ts';
import { brief, percent, rowCount, significant } from '../../figures/wording.ts';
import { fitted } from './labels.ts';
import { ACCENT, asSpec, INK, type Plot, size, values } from './plot.ts';

export function confusionPlot({ confusion, metrics, costs }: Evaluation, classes: readonly string[]): Plot {
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
    }${
      costs
        ? ` The least expected cost decides: a row costs ${significant(costs.decided, 4)} on average, and ${significant(costs.mostProbable, 4)} where the most probable class is taken.`
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
        ...Array.from(row, rowCount),
        sums[k] > 0 ? percent(row[k] / sums[k]) : '–',
      ]),
    ],
  };
}
