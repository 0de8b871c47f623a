import type { ColumnSpec } from '../../../bindings/columnsBatch.ts';
import { type CoderKind, OUTSIDE, type Part, type Slot } from '../coder.ts';
import { cellError, MEND } from '../columns.ts';
import { applyTransform } from '../power.ts';
import type { CurveFeature } from '../schema.ts';
import { INDICATOR } from '../slots.ts';
import { type Spline, splineBasis, splineOf } from '../spline.ts';
import type { Column } from '../table.ts';
import { FeatureCoder } from './featureCoder.ts';
import { numbersOf, recordNumberOf } from './numbers.ts';
import { among, isNumber, numbers, positive, rising, validSource } from './valid.ts';

/** Numbers that are clipped, transformed, and put on a spline. */
export const curve: CoderKind<CurveFeature> = {
  make: (feature) => new CurveCoder(feature, new Curve(feature)),
  valid: validCurve,
};

/** number → transform → spline, of one feature */
export class Curve {
  /** slots */
  readonly width: number;
  readonly #feature: Pick<CurveFeature, 'name' | 'column' | 'transform' | 'knots'>;
  readonly #spline: Spline | null;

  constructor(feature: Pick<CurveFeature, 'name' | 'column' | 'transform' | 'knots'>) {
    this.#feature = feature;
    this.#spline = feature.knots && splineOf(feature.knots);
    this.width = feature.knots === null ? 1 : feature.knots.length - 1;
  }

  /** @throws ERR_RECORD for a number outside the domain of the transform or the spline */
  put(x: number, row: number | null, out: Float64Array, at: number): void {
    if (this.takes(x, out, at)) return;
    const { transform, knots, name, column = name } = this.#feature;
    const rule = `a ${Number.isFinite(x) ? '' : 'finite '}number that ${transform?.name ?? (knots ? 'the spline' : 'the schema')} takes`;
    throw cellError(row, column, rule, x, 'correct it, or set "low" and "high" in the schema');
  }

  /** As `put`, but returns false if an intermediate number is not finite. */
  takes(x: number, out: Float64Array, at: number): boolean {
    const { transform } = this.#feature;
    const t = transform === null ? x : applyTransform(transform, x);
    if (this.#spline === null) out[at] = t;
    else splineBasis(this.#spline, t, out, at);
    for (let j = 0; j < this.width; j++) if (!Number.isFinite(out[at + j])) return false;
    return true;
  }
}

class CurveCoder extends FeatureCoder<CurveFeature> {
  readonly #curve: Curve;
  readonly #indicator: boolean;
  readonly #cell: Float64Array;
  /** value of a missing cell */
  readonly #gap: Float64Array;

  constructor(feature: CurveFeature, curve: Curve) {
    const { width } = curve;
    const indicator = feature.missing === 'slot' || feature.range === 'slot';
    const numbers = Array.from({ length: width }, (): ColumnSpec => ({ kind: 'numeric' }));
    super(feature, indicator ? [...numbers, { kind: 'coded', slots: 2 }] : numbers, feature);
    this.#curve = curve;
    this.#indicator = indicator;
    this.#cell = new Float64Array(width);
    this.#gap = new Float64Array(width);
    curve.put(feature.fill, null, this.#gap, 0);
  }

  slots(): readonly Slot[] {
    const { width } = this.#curve;
    const numbers = Array.from({ length: width }, (_, j): Slot => ['number', j > 0 ? `spline ${j}` : null]);
    return [...numbers, ...(this.#indicator ? INDICATOR : [])];
  }

  write(
    [source]: readonly Column[],
    { rows, firstRow, batch, standardize, defaulted, outOfRange }: Part,
    at: number,
  ): void {
    const { width } = this.#curve;
    const { values, missing } = numbersOf(this.feature, source, rows, firstRow);
    const cell = this.#cell;
    const outs = Array.from({ length: width }, (_, j) => batch.numeric(at + j));
    const flags = this.#indicator ? batch.codes(at + width) : null;
    const { means, scales } = this;
    for (let i = 0; i < rows; i++) {
      const took = this.#place(missing && missing[i] !== 0 ? null : values[i], firstRow + i, cell, 0);
      for (let j = 0; j < width; j++) {
        outs[j][i] = standardize ? (cell[j] - means[j]) / scales[j] : cell[j];
        if (!Number.isFinite(outs[j][i]))
          throw cellError(firstRow + i, this.columns[0], 'a finite number within f32', values[i], MEND);
      }
      if (flags) flags[i] = took & 1;
      if (took !== 0) {
        if (defaulted) defaulted[i]++;
      } else if (outOfRange && this.#isOutside(values[i])) outOfRange[i]++;
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    const x = value === undefined || value === null ? null : recordNumberOf(this.feature, value);
    const took = this.#place(x, null, out, at);
    if (this.#indicator) out[at + this.#curve.width] = took & 1;
    if (took !== 0) return 1;
    return this.#isOutside(x!) ? OUTSIDE : 0;
  }

  /** Whether a number is outside the range of training. */
  #isOutside(x: number): boolean {
    return x < this.feature.min || x > this.feature.max;
  }

  /** @returns 0: used unchanged; 2: a default; 3: a default with the slot of missing cells */
  #place(x: number | null, row: number | null, out: Float64Array, at: number): number {
    const { low, high, range, missing, transform } = this.feature;
    // clipped or not, what is no probability is another column
    if (x !== null && transform?.name === 'logit' && !(x >= 0 && x <= 1))
      throw cellError(row, this.columns[0], 'a probability from 0 to 1', x, MEND);
    const below = x !== null && low !== null && x < low;
    if (x !== null && !below && (high === null || x <= high)) {
      this.#curve.put(x, row, out, at);
      return 0;
    }
    if (x !== null && range === 'clip') {
      this.#curve.put(below ? low : high!, row, out, at);
      return 2;
    }
    const policy = x === null ? missing : range;
    if (policy === 'error') {
      if (x === null) throw this.missingError(row, 'give one');
      const rule = `a number from ${low ?? '-Infinity'} to ${high ?? 'Infinity'}`;
      throw cellError(row, this.columns[0], rule, x, MEND);
    }
    out.set(this.#gap, at);
    return policy === 'slot' ? 3 : 2;
  }
}

function validCurve(feature: CurveFeature): boolean {
  const { transform, knots, low, high, range, missing, fill, min, max, means, scales, units } = feature;
  const width = knots === null ? 1 : (knots?.length ?? 0) - 1;
  const end = (value: unknown): boolean => value === null || isNumber(value);
  return (
    validSource(feature) &&
    (transform === null ||
      among(transform?.name, 'log log1p sqrt logit') ||
      (among(transform?.name, 'box-cox yeo-johnson') && isNumber((transform as { lambda?: unknown }).lambda))) &&
    (knots === null || (knots?.length >= 3 && numbers(knots, knots.length) && rising(knots))) &&
    end(low) &&
    end(high) &&
    (low === null || high === null || low < high) &&
    among(range, 'clip baseline slot error') &&
    among(missing, 'slot baseline error') &&
    numbers([fill, min, max], 3) &&
    numbers(means, width) &&
    new Curve(feature).takes(fill, new Float64Array(width), 0) &&
    positive(scales, width) &&
    positive(units, width)
  );
}
