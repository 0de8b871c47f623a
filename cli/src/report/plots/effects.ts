import { brief, counted, significant } from '../../figures/wording.ts';
import { fitted } from './labels.ts';
import { ACCENT, asSpec, INK, MUTED, type Plot, values } from './plot.ts';

/** An odds ratio with its interval, as a line of a forest plot. */
export interface Effect {
  readonly name: string;
  /** size of a unit change, e.g. " (per 10.2)"; else empty */
  readonly unit: string;
  /** logarithm of the odds ratio */
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Odds ratios beyond e^±10 are drawn as unbounded. */
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
    finding: `${effects.length < of ? `The ${effects.length} strongest of ${counted(of, 'coefficient')}` : counted(of, 'coefficient')}, ${
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
