import { counted, rowCount, significant, whole } from '../../figures/wording.ts';
import { asSpec, colour, type Plot, size, values } from './plot.ts';

/** A curve of a run. */
export interface RunCurve {
  /** what the legend calls the run */
  readonly name: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** Most lines of a plot, each with a colour of its own. */
export const MOST_LINES = 7;

/** What the steps of a curve are. */
export const stepWord = (curve: string): string =>
  curve.startsWith('online.') ? 'rows learnt' : /^fit\./.test(curve) ? 'iteration' : 'step';

/** One curve of several runs over its steps. Values above 0 that span more than two powers of ten are drawn by their logarithm. */
export function curvesPlot(curve: string, runs: readonly RunCurve[]): Plot {
  const lines = runs.slice(0, MOST_LINES);
  const points = lines.flatMap(({ steps, values: own }, run) =>
    own.flatMap((y, k) => (Number.isFinite(y) ? [{ run, x: steps[k]!, y }] : [])),
  );
  const [low, high] = [Math.min(...points.map(({ y }) => y)), Math.max(...points.map(({ y }) => y))];
  const isLog = low > 0 && high / low > 100;
  const x = stepWord(curve);
  const ends = lines.map(({ name, steps, values: own }) => {
    const known = own.filter(Number.isFinite);
    return [
      name,
      whole(own.length),
      rowCount(steps.at(-1) ?? 0),
      significant(known[0] ?? null, 4),
      significant(known.length > 0 ? Math.min(...known) : null, 4),
      significant(known.length > 0 ? Math.max(...known) : null, 4),
      significant(known.at(-1) ?? null, 4),
    ];
  });
  const lost = lines.reduce((sum, { values: own }) => sum + own.filter((y) => !Number.isFinite(y)).length, 0);
  return {
    title: curve,
    finding: [
      `${runs.length > lines.length ? `The first ${lines.length} of ${counted(runs.length, 'run')}` : runs.length === 1 ? 'One run' : counted(runs.length, 'run')} by ${x}${isLog ? ', on a logarithmic scale' : ''}.`,
      ...(lost > 0 ? [`Left out: ${counted(lost, 'value that is', 'values that are')} not finite.`] : []),
    ].join(' '),
    spec: asSpec({
      ...size,
      data: values(points),
      mark: { type: 'line', strokeWidth: 1.75, interpolate: 'linear', point: points.length <= 3 * lines.length },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: x, scale: { zero: false, nice: false }, axis: { format: '~s' } },
        y: {
          field: 'y',
          type: 'quantitative',
          title: null,
          scale: isLog ? { type: 'log', nice: false } : { zero: false },
          axis: { format: isLog ? '.0e' : '~g' },
        },
        color: {
          field: 'run',
          type: 'nominal',
          scale: { domain: lines.map((_, k) => k), range: lines.map((_, k) => colour(k)) },
          legend: null,
        },
      },
    }),
    legend: lines.map(({ name }, k) => ({ mark: `line class-${k}`, name })),
    numbers: [['run', 'values', `last ${x}`, 'first', 'least', 'greatest', 'last'], ...ends],
  };
}
