import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { SlotName } from '../../encode/encoder.ts';
import type { Schema } from '../../encode/schema.ts';
import { list } from '../../messages.ts';
import type { Warning } from '../../model/manifest.ts';
import { rawMeans, slotMeans } from './baseline.ts';
import type { Chunks } from './chunks.ts';
import type { WeightKind } from './options.ts';
import { classShare, type RowVectors } from './rows.ts';
import { type Slots, slotsOf } from './slots.ts';
import type { Standardisation } from './standardise.ts';

/** The data that a model needs besides the fit, without memory of an engine and without rows. */
export interface ProblemSummary {
  readonly kind: RowVectors['kind'];
  readonly classes: readonly string[];
  /** null with more than two classes */
  readonly positive: string | null;
  readonly schema: Schema;
  readonly slots: Slots;
  readonly standard: Standardisation;
  readonly rows: number;
  /** S */
  readonly totalWeight: number;
  readonly weightKind: WeightKind;
  /** `slotMeans` of all rows by their sample weights */
  readonly baseline: Float64Array;
  /** CLASS_LEFT_OUT, RARE_CLASS */
  readonly warnings: readonly Warning[];
}

/** The encoded rows that are summarised; see `Problem`. */
interface Encoded {
  readonly rows: RowVectors;
  readonly schema: Schema;
  readonly slots: readonly SlotName[];
  readonly standard: Standardisation;
  readonly batch: ColumnsBatch;
  readonly chunks: Chunks | null;
}

/** @param means  of the standardised slots by sample weights, if they are known */
export function summarise(
  { rows, schema, slots, standard, batch, chunks }: Encoded,
  means?: Float64Array,
): ProblemSummary {
  const { target, kind, y, totalWeight, weightKind, sampleWeight } = rows;
  return {
    kind,
    classes: target.classes,
    positive: target.positive,
    schema,
    slots: slotsOf(slots),
    standard,
    rows: y.length,
    totalWeight,
    weightKind,
    baseline: means ? rawMeans(means, standard) : slotMeans(batch, chunks, standard, sampleWeight),
    warnings: [...leftOutClasses(rows), ...rareClasses(target.classes, classShare(target, rows.counts))],
  };
}

/** Classes of weight 0 are not classes of the model. */
function leftOutClasses({ target: { leftOut } }: RowVectors): Warning[] {
  if (!leftOut) return [];
  const rows = leftOut.rows.reduce((sum, gone) => sum + gone, 0);
  return [
    {
      code: 'CLASS_LEFT_OUT',
      message: `${list(leftOut.classes)}: class weight 0, so ${rows} ${rows === 1 ? 'row is' : 'rows are'} left out and the model never predicts ${leftOut.classes.length === 1 ? 'this class' : 'these classes'}; give a weight above 0 to keep ${leftOut.classes.length === 1 ? 'it' : 'them'}`,
      features: [],
    },
  ];
}

/** A class with one row has no frequency to learn. @param share  observations of each class */
export function rareClasses(classes: readonly string[], share: Float64Array): Warning[] {
  const rare = classes.filter((_, k) => share[k] <= 1);
  if (rare.length === 0) return [];
  return [
    {
      code: 'RARE_CLASS',
      message: `${list(rare)}: only one row has this class, so its probabilities rest on that row; add rows of it, or merge it with another class`,
      features: [],
    },
  ];
}
