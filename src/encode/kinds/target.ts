import type { CoderKind, Part, Slot } from '../coder.ts';
import { asCoded } from '../columns.ts';
import { UNKNOWN } from '../encoder.ts';
import type { TargetFeature } from '../schema.ts';
import type { Column } from '../table.ts';
import { defaultError } from '../turn.ts';
import { FeatureCoder } from './featureCoder.ts';
import { LevelTable, recordLabel } from './labels.ts';
import { among, distinctTexts, numbers, positive, validSource } from './valid.ts';

/** Categories, encoded by the mean outcome of their training rows. */
export const target: CoderKind<TargetFeature> = {
  make: (feature) => new TargetCoder(feature),
  valid: validTarget,
};

class TargetCoder extends FeatureCoder<TargetFeature> {
  readonly #codes: Map<string, number>;
  readonly #table: LevelTable<number>;

  constructor(feature: TargetFeature) {
    super(
      feature,
      feature.values.map(() => ({ kind: 'numeric' })),
      feature,
    );
    this.#codes = new Map(feature.levels.map((level, code) => [level, code]));
    this.#table = new LevelTable((level) => (level === undefined ? UNKNOWN : (this.#codes.get(level) ?? UNKNOWN)));
  }

  slots(): readonly Slot[] {
    return this.feature.values.map((): Slot => ['number', null]);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, standardize, defaulted }: Part, at: number): void {
    const column = asCoded(source, rows, firstRow);
    const { codes, levels, missing } = column;
    const read = this.#table.reader(column);
    const { means, scales } = this;
    const { values } = this.feature;
    const outs = values.map((_, k) => batch.numeric(at + k));
    for (let i = 0; i < rows; i++) {
      const gap = missing ? missing[i] !== 0 : false;
      const code = gap ? null : read(i);
      const place = this.#place(code, firstRow + i, gap ? null : levels[codes[i]]);
      for (let k = 0; k < outs.length; k++) {
        outs[k][i] = standardize ? (values[k][place] - means[k]) / scales[k] : values[k][place];
      }
      if (defaulted && place >= this.feature.levels.length) defaulted[i]++;
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    const { values, levels } = this.feature;
    const gap = value === undefined || value === null;
    const code = gap ? null : (this.#codes.get(recordLabel(this.columns[0], value)) ?? UNKNOWN);
    const place = this.#place(code, null, value);
    for (let k = 0; k < values.length; k++) out[at + k] = values[k][place];
    return place >= levels.length ? 1 : 0;
  }

  /**
   * The index in `values` of a cell's value.
   * @param code  null: missing
   */
  #place(code: number | null, row: number | null, value: unknown): number {
    const { levels, missing, unseen } = this.feature;
    if (code === null) {
      if (missing === 'error') throw this.missingError(row);
      return missing === 'slot' ? levels.length : levels.length + 1;
    }
    if (code !== UNKNOWN) return code;
    if (unseen === 'error') throw defaultError(row, this.feature, value);
    return levels.length + 1;
  }
}

function validTarget(feature: TargetFeature): boolean {
  const { levels, counts, values, missing, unseen, means, scales } = feature;
  return (
    validSource(feature) &&
    distinctTexts(levels) &&
    numbers(counts, levels.length + 1) &&
    Array.isArray(values) &&
    values.length > 0 &&
    values.every((of) => numbers(of, levels.length + 2)) &&
    among(missing, 'slot baseline error') &&
    among(unseen, 'baseline error') &&
    numbers(means, values.length) &&
    positive(scales, values.length)
  );
}
