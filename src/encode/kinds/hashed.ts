import type { CoderKind, Part, Slot } from '../coder.ts';
import { asCoded, cellError, MEND } from '../columns.ts';
import { countMissing, UNKNOWN } from '../encoder.ts';
import { bucketOf } from '../hash.ts';
import type { HashedFeature, Schema } from '../schema.ts';
import type { Column } from '../table.ts';
import { defaultCode } from '../turn.ts';
import { type Cells, CrossCoder, validParts } from './cross.ts';
import { FeatureCoder } from './featureCoder.ts';
import { LevelTable, recordLabel } from './labels.ts';
import { among, numbers, validSource } from './valid.ts';

/** Categories and crosses, encoded by the bucket of their hash. */
export const hashed: CoderKind<HashedFeature> = {
  make: (feature, schema, columns) =>
    feature.of
      ? new CrossCoder(feature.name, feature.of, hashedCells(feature), schema, columns)
      : new HashedCoder(feature),
  valid: validHashed,
};

/** The slots of a hashed feature: buckets for texts with a positive hash, buckets for a negative hash, *missing*, *unseen*. */
const slotCount = ({ buckets }: HashedFeature): number => 2 * buckets + 2;

function slotOf(text: string, buckets: number): number {
  const { index, sign } = bucketOf(text, buckets);
  return sign < 0 ? buckets + index : index;
}

function slotNames({ buckets }: HashedFeature): readonly Slot[] {
  const level = (sign: string) => (_: unknown, bucket: number) => ['level', `${sign}${bucket}`] as const;
  return [
    ...Array.from({ length: buckets }, level('#')),
    ...Array.from({ length: buckets }, level('#-')),
    ['missing', '(missing)'],
    ['unseen', '(unseen)'],
  ];
}

/** The slot of a missing cell; −1: an error. */
const missingSlot = ({ buckets, counts, missing }: HashedFeature): number =>
  defaultCode({ counts, missing, unseen: 'slot', levels: { length: 2 * buckets }, reference: null }, 'missing');

function hashedCells(feature: HashedFeature): Cells {
  const { buckets } = feature;
  return {
    count: slotCount(feature),
    names: () => slotNames(feature),
    slotOf: (name) => slotOf(name, buckets),
    defaults: [missingSlot(feature), 2 * buckets + 1],
  };
}

class HashedCoder extends FeatureCoder<HashedFeature> {
  readonly #gap: number;
  readonly #table: LevelTable<number>;

  constructor(feature: HashedFeature) {
    super(feature, [{ kind: 'coded', slots: slotCount(feature) }]);
    this.#gap = missingSlot(feature);
    this.#table = new LevelTable((level) => (level === undefined ? UNKNOWN : slotOf(level, feature.buckets)));
  }

  slots(): readonly Slot[] {
    return slotNames(this.feature);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, defaulted }: Part, at: number): void {
    const out = batch.codes(at);
    const column = asCoded(source, rows, firstRow);
    const { missing } = column;
    const read = this.#table.reader(column);
    const gap = this.#gap;
    for (let i = 0; i < rows; i++) {
      const slot = missing && missing[i] !== 0 ? gap : read(i);
      if (slot < 0) throw this.missingError(firstRow + i);
      if (slot === UNKNOWN) throw cellError(firstRow + i, this.columns[0], 'a level with a name', null, MEND);
      out[i] = slot;
    }
    countMissing(column, rows, defaulted);
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    if (value === undefined || value === null) {
      if (this.#gap < 0) throw this.missingError(null, 'give one');
      out[at] = this.#gap;
      return 1;
    }
    out[at] = slotOf(recordLabel(this.columns[0], value), this.feature.buckets);
    return 0;
  }
}

function validHashed(feature: HashedFeature, schema: Schema): boolean {
  const { of, buckets, counts, missing } = feature;
  return (
    validSource(feature) &&
    (of === null || validParts(of, schema)) &&
    Number.isSafeInteger(buckets) &&
    buckets > 0 &&
    numbers(counts, 2 * buckets + 1) &&
    among(missing, 'slot baseline mode error')
  );
}
