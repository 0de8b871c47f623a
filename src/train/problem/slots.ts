import type { SlotName } from '../../encode/encoder.ts';

/** Names of the slots of a fit. A name is made only when it is asked for, because there may be a million columns. */
export interface Slots {
  readonly count: number;
  at(slot: number): SlotName;
}

export const slotsOf = (names: readonly SlotName[]): Slots => ({ count: names.length, at: (slot) => names[slot] });

/** The slots of a matrix; each is its own feature. @param names  null: x0, x1, … */
export const columnSlots = (count: number, names: readonly string[] | null = null): Slots => ({
  count,
  at: (slot) => ({ feature: slot, name: names ? names[slot] : `x${slot}`, level: null, role: 'number' }),
});
