import type { TopLevelSpec } from 'vega-lite';
import type { ClassFigures, Point } from '../../figures/evaluation.ts';

/** A plot with its contents in words and numbers. */
export interface Plot {
  readonly title: string;
  /** the finding, in a sentence or two */
  readonly finding: string;
  readonly spec: TopLevelSpec;
  /** the legend: the style class of each mark, and its name */
  readonly legend: readonly { readonly mark: string; readonly name: string }[];
  /** the numbers: a heading, then rows */
  readonly numbers: readonly (readonly string[])[];
}

/** Colours are variables of the page, so that one drawing serves light, dark and paper. */
export const INK = 'var(--ink)';
export const MUTED = 'var(--muted)';
const RULE = 'var(--rule)';
export const ACCENT = 'var(--accent)';
/** Number of classes with their own colour; further classes share the last colour. */
const COLOURS = 7;
export const colour = (k: number) => `var(--class-${Math.min(k, COLOURS)})`;
const swatch = (k: number) => `line class-${Math.min(k, COLOURS)}`;

export const WIDTH = 320;
export const HEIGHT = 250;

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
export const share = (title: string, field: string) =>
  ({
    field,
    type: 'quantitative',
    title,
    scale: { domain: [0, 1], nice: false },
    axis: { format: '.0%', values: [0, 0.25, 0.5, 0.75, 1] },
  }) as const;

export const values = (list: readonly object[]) => ({ values: list as object[] });

/** A straight dashed line, for comparison. */
export const guide = (points: readonly Point[]) => ({
  data: values(points),
  mark: { type: 'line', stroke: MUTED, strokeWidth: 1, strokeDash: [4, 4] },
  encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
});

export const size = { width: WIDTH, height: HEIGHT } as const;
export const asSpec = (spec: object): TopLevelSpec => ({ ...spec, config: CONFIG }) as unknown as TopLevelSpec;

export const DIAGONAL: readonly Point[] = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
];

export const classLegend = (classes: readonly ClassFigures[], chance: string) => [
  ...(classes.length > 1 ? classes.slice(0, COLOURS).map(({ name }, k) => ({ mark: swatch(k), name })) : []),
  ...(classes.length > COLOURS ? [{ mark: swatch(COLOURS), name: 'others' }] : []),
  { mark: 'line dashed', name: chance },
];

/** An upright line at a threshold. */
export const rule = (threshold: number) => ({
  // a threshold beyond every probability is drawn at the end
  data: values([{ threshold: Math.min(1, Math.max(0, threshold)) }]),
  mark: { type: 'rule', stroke: INK, strokeWidth: 1.5 },
  encoding: { x: { field: 'threshold', type: 'quantitative' } },
});

export const number = (value: number | null | undefined, digits = 3) => (value == null ? '–' : value.toFixed(digits));
