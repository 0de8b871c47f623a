import { LogoddsError } from '../../../../bindings/errors.ts';
import type { DeclaredNumber } from '../../../encode/declare.ts';
import { type Moments, spreadOf } from '../../../encode/infer.ts';
import { Curve } from '../../../encode/kinds/curve.ts';
import { applyTransform, fitPower } from '../../../encode/power.ts';
import { weightedQuantile } from '../../../encode/quantile.ts';
import type { CurveFeature, Transform } from '../../../encode/schema.ts';
import { splineKnots } from '../../../encode/spline.ts';
import type { NumericColumn } from '../../../encode/table.ts';
import { show } from '../../../messages.ts';
import type { Ranged, Sample, TrainingRows } from './trainingRows.ts';

/** @throws ERR_SCHEMA when no training value is in range; as of `fitPower`, `splineKnots` and `Curve.put` */
export function resolveCurve(
  rows: TrainingRows,
  declared: Ranged<DeclaredNumber>,
  numbers: NumericColumn,
  found: Moments,
): CurveFeature {
  const { name, column, reason, low = null, high = null, range = 'clip', scaling = 'standard' } = declared;
  const { missing = rows.gaps } = declared;
  const sample = inRange(rows.present(numbers), declared);
  const transform = transformOf(declared, sample);
  const fill = fillOf(declared, sample);
  const knots = knotsOf(declared, transform, sample);
  const planes = planesOf(new Curve({ name, column, transform, knots }), sample, numbers);
  const moments = planes.map((plane) => spreadOf(name, plane, sample.weights));
  return {
    name,
    ...(reason !== undefined && { reason }),
    kind: 'curve',
    ...(column !== undefined && { column }),
    ...rows.dated(declared),
    transform,
    knots,
    low,
    high,
    range,
    missing: missing === 'slot' && !found.gaps ? 'baseline' : missing,
    fill,
    min: found.min,
    max: found.max,
    means: moments.map(({ mean }) => mean),
    scales: moments.map(({ scale }) => scale),
    units: planes.map((plane, j) => UNITS[scaling](plane, sample.weights, moments[j].scale)),
  };
}

/** The unit of the penalty, in units of the standard deviation. */
const UNITS: Readonly<
  Record<
    NonNullable<DeclaredNumber['scaling']>,
    (values: Float64Array, weights: Float64Array | null, scale: number) => number
  >
> = {
  standard: () => 1,
  robust: (values, weights, scale) => {
    const [first, third] = weightedQuantile(values, weights, [0.25, 0.75]);
    return (third - first) / scale || 1;
  },
  none: (_values, _weights, scale) => 1 / scale,
};

/** If the policy is `clip`, sets values outside to the nearest end; otherwise removes them. */
function inRange({ values, weights }: Sample, { name, low, high, range = 'clip' }: DeclaredNumber): Sample {
  const clip = (x: number): number =>
    Math.min(Math.max(x, low ?? Number.NEGATIVE_INFINITY), high ?? Number.POSITIVE_INFINITY);
  if (range === 'clip') return { values: values.map(clip), weights };
  const inside = (x: number): boolean => clip(x) === x;
  const kept = values.filter(inside);
  if (kept.length > 0) return { values: kept, weights: weights?.filter((_, i) => inside(values[i])) ?? null };
  throw new LogoddsError(
    'ERR_SCHEMA',
    `schema, feature ${show(name)}: expected training values from ${low ?? '-Infinity'} to ${high ?? 'Infinity'}, got none; correct "low" and "high"`,
  );
}

function transformOf({ transform }: DeclaredNumber, { values, weights }: Sample): Transform | null {
  if (transform === undefined) return null;
  if (typeof transform === 'object') return transform;
  if (transform !== 'box-cox' && transform !== 'yeo-johnson') return { name: transform };
  return { name: transform, lambda: fitPower(transform, values, weights) };
}

function fillOf({ impute = 'mean' }: DeclaredNumber, { values, weights }: Sample): number {
  if (typeof impute === 'number') return impute;
  return impute === 'median' ? weightedQuantile(values, weights, [0.5])[0] : spreadOf('', values, weights).mean;
}

function knotsOf(
  { spline }: DeclaredNumber,
  transform: Transform | null,
  { values, weights }: Sample,
): readonly number[] | null {
  if (spline === undefined) return null;
  if (typeof spline === 'object') return spline;
  return splineKnots(transform ? values.map((x) => applyTransform(transform, x)) : values, weights, spline);
}

/** The values of each slot. */
function planesOf(curve: Curve, { values }: Sample, { values: cells, missing }: NumericColumn): Float64Array[] {
  const planes = Array.from({ length: curve.width }, () => new Float64Array(values.length));
  const cell = new Float64Array(curve.width);
  for (let i = 0; i < values.length; i++) {
    if (!curve.takes(values[i], cell, 0)) {
      const row = cells.findIndex((x, at) => x === values[i] && !missing?.[at]);
      // −1: an end that the schema sets
      curve.put(values[i], row < 0 ? null : row, cell, 0);
    }
    for (let j = 0; j < cell.length; j++) planes[j][i] = cell[j];
  }
  return planes;
}
