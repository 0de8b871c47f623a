import type { Slot, SlotName } from './coder.ts';
import type { Encoder } from './encoder.ts';
import type { CategoricalFeature } from './schema.ts';

/**
 * Returns the meaning of each slot of an encoder, in slot order.
 * @example
 * slotNames(model.encoder).map(({ name, level }) => level ?? name); // ['distance', 'ATL', 'LAS', 'MCI', '(missing)', '(unseen)']
 */
export function slotNames({ schema, coders }: Pick<Encoder, 'schema' | 'coders'>): SlotName[] {
  return schema.features.flatMap((feature, index) => {
    const { name } = feature;
    const slots =
      feature.kind === 'numeric'
        ? [NUMBER, ...(feature.indicator ? INDICATOR : [])]
        : feature.kind === 'categorical'
          ? levelSlots(feature)
          : coders[index]!.slots();
    return slots.map(([role, level]): SlotName => ({ feature: index, name, level, role }));
  });
}

const NUMBER: Slot = ['number', null];

/** Slots of a column that says whether a cell is missing. */
export const INDICATOR: readonly Slot[] = [
  ['present', '(present)'],
  ['missing', '(missing)'],
];

/** Slots of a feature of levels. */
export function levelSlots({
  levels,
  reference,
  rare,
}: Pick<CategoricalFeature, 'levels' | 'reference' | 'rare'>): readonly Slot[] {
  return [
    ...levels.map((level, code): Slot => [code === reference ? 'reference' : 'level', level]),
    ['missing', '(missing)'],
    ['unseen', rare ? '(other)' : '(unseen)'],
  ];
}
