import type { CoderKind, Part, Slot } from '../coder.ts';
import { cellError, MEND } from '../columns.ts';
import { DATE_PARTS } from '../date.ts';
import { binOf } from '../quantile.ts';
import type { BinnedFeature, DatePartFeature } from '../schema.ts';
import { levelSlots } from '../slots.ts';
import type { Column } from '../table.ts';
import { defaultCode, defaultError } from '../turn.ts';
import { FeatureCoder } from './featureCoder.ts';
import { numbersOf, recordNumberOf } from './numbers.ts';
import { among, numbers, rising, validLevels } from './valid.ts';

/** Numbers, encoded by the bin that they fall into. */
export const binned: CoderKind<BinnedFeature> = {
  make: (feature) => new NumberCodeCoder(feature, codeOfBin(feature)),
  valid: (feature) =>
    validLevels(feature) &&
    numbers(feature.edges, feature.levels.length + 1) &&
    rising(feature.edges) &&
    among(feature.range, 'clip baseline slot error'),
};

/** Parts of dates as categories. */
export const datePart: CoderKind<DatePartFeature> = {
  make: (feature) => new NumberCodeCoder(feature, codeOfNumber(feature)),
  valid: (feature) => validLevels(feature) && DATE_PARTS.includes(feature.part),
};

/** The bin of a number: −1 below the edges, −2 above. */
export function codeOfBin({ edges }: Pick<BinnedFeature, 'edges'>): (x: number) => number {
  const least = edges[0];
  const greatest = edges[edges.length - 1];
  return (x) => (x < least ? -1 : x > greatest ? -2 : binOf(x, edges));
}

/** Index of a number among the levels; −1 if it is not a level. */
function codeOfNumber({ levels }: DatePartFeature): (x: number) => number {
  const codes = new Map(levels.map((level, code) => [Number(level), code]));
  return (x) => codes.get(x) ?? -1;
}

/** The coder of numbers that become codes: bins and parts of dates. */
class NumberCodeCoder extends FeatureCoder<BinnedFeature | DatePartFeature> {
  readonly #codeOf: (x: number) => number;
  readonly #gap: number;
  readonly #unseen: number;

  constructor(feature: BinnedFeature | DatePartFeature, codeOf: (x: number) => number) {
    super(feature, [{ kind: 'coded', slots: feature.levels.length + 2 }]);
    this.#codeOf = codeOf;
    this.#gap = defaultCode(feature, 'missing');
    this.#unseen = defaultCode(feature, 'unseen');
  }

  slots(): readonly Slot[] {
    return levelSlots(this.feature);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, defaulted }: Part, at: number): void {
    const out = batch.codes(at);
    const { values, missing } = numbersOf(this.feature, source, rows, firstRow);
    for (let i = 0; i < rows; i++) {
      const code = missing && missing[i] !== 0 ? this.#missing(firstRow + i) : this.#codeOf(values[i]);
      out[i] = code < 0 ? this.#outside(code, firstRow + i, values[i]) : code;
      if (defaulted && (code < 0 || (missing && missing[i] !== 0))) defaulted[i]++;
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    if (value === undefined || value === null) {
      out[at] = this.#missing(null);
      return 1;
    }
    const x = recordNumberOf(this.feature, value);
    const code = this.#codeOf(x);
    out[at] = code < 0 ? this.#outside(code, null, x) : code;
    return code < 0 ? 1 : 0;
  }

  #missing(row: number | null): number {
    if (this.#gap < 0) throw this.missingError(row);
    return this.#gap;
  }

  /** The code of a number outside all bins, or of a part of a date that training did not have. */
  #outside(code: number, row: number | null, x: number): number {
    const { feature } = this;
    const { levels } = feature;
    if (feature.kind === 'binned' && feature.range === 'clip') return code === -1 ? 0 : levels.length - 1;
    if (this.#unseen >= 0) return this.#unseen;
    if (feature.kind !== 'binned') throw defaultError(row, feature, x);
    const { edges } = feature;
    throw cellError(row, this.columns[0], `a number from ${edges[0]} to ${edges[edges.length - 1]}`, x, MEND);
  }
}
