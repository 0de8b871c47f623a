import { brief, counted, signed } from '../../figures/wording.ts';
import { fitted } from './labels.ts';
import { asSpec, colour, INK, MUTED, type Plot, values } from './plot.ts';

/** What one feature adds to the shift of the mean logit. */
export interface RankedShift {
  readonly feature: string;
  /** logits; positive: towards the positive class */
  readonly shift: number;
}

/** Features that are drawn. */
const MOST = 16;

/**
 * The shift of the mean logit, feature by feature, the greatest first.
 * @param labels  what a positive and a negative shift move decisions to
 */
export function shiftPlot(
  shifts: readonly RankedShift[],
  total: number,
  [towards, other]: readonly [positive: string, negative: string],
): Plot {
  const ranked = shifts.filter(({ shift }) => shift !== 0).sort((a, b) => Math.abs(b.shift) - Math.abs(a.shift));
  const rest = ranked.slice(MOST);
  const bars = [
    ...ranked.slice(0, MOST),
    ...(rest.length > 0
      ? [{ feature: counted(rest.length, 'other'), shift: rest.reduce((sum, one) => sum + one.shift, 0) }]
      : []),
    { feature: 'all together', shift: total },
  ];
  const reach = 1.08 * Math.max(1e-9, ...bars.map(({ shift }) => Math.abs(shift)));
  const names = bars.map(({ feature }) => fitted(feature, 22));
  const y = {
    field: 'row',
    type: 'ordinal',
    title: null,
    axis: { labelExpr: 'names[datum.value]', labelColor: INK, grid: false, labelLimit: 0, minExtent: 0 },
  };
  const [first] = ranked;
  const side = (shift: number): string => (shift > 0 ? towards : other);
  return {
    title: 'What moved the mean logit',
    finding: first
      ? `The mean logit moved by ${signed(total)} towards ${brief(side(total), 30)}. ${brief(first.feature, 40)} moved it most, by ${signed(first.shift)} towards ${brief(side(first.shift), 30)}. The bars add up to the whole.`
      : 'No feature moved the mean logit.',
    spec: asSpec({
      width: 250,
      height: { step: 22 },
      params: [{ name: 'names', value: names }],
      layer: [
        {
          data: values(
            bars.map(({ shift }, row) => ({
              row,
              shift,
              colour: row === bars.length - 1 ? MUTED : colour(shift > 0 ? 0 : 1),
            })),
          ),
          mark: { type: 'bar', height: 13 },
          encoding: {
            x: {
              field: 'shift',
              type: 'quantitative',
              title: 'shift, in logits',
              scale: { domain: [-reach, reach], nice: false },
              axis: { format: '~g', grid: true, tickCount: 5 },
            },
            y,
            fill: { field: 'colour', type: 'nominal', scale: null },
          },
        },
        {
          data: values([{ zero: 0 }]),
          mark: { type: 'rule', stroke: MUTED },
          encoding: { x: { field: 'zero', type: 'quantitative' } },
        },
      ],
    }),
    legend: [
      { mark: 'line class-0', name: `towards ${towards}` },
      { mark: 'line class-1', name: `towards ${other}` },
      { mark: 'box', name: 'all together' },
    ],
    numbers: [
      ['feature', 'shift, in logits', 'towards'],
      ...[...ranked, { feature: 'all together', shift: total }].map(({ feature, shift }) => [
        feature,
        signed(shift),
        shift === 0 ? '–' : side(shift),
      ]),
    ],
  };
}
