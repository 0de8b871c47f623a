import type { SlotName } from '../../encode/encoder.ts';

/** What the slots of a fit stand for. Names of a million columns are made when somebody asks for one. */
export interface Slots {
  readonly count: number;
  at(slot: number): SlotName;
}

export const slotsOf = (names: readonly SlotName[]): Slots => ({ count: names.length, at: (slot) => names[slot] });

/** The slots of a matrix, each a feature of its own. @param names  null: x0, x1, … */
export const columnSlots = (count: number, names: readonly string[] | null = null): Slots => ({
  count,
  at: (slot) => ({ feature: slot, name: names ? names[slot] : `x${slot}`, level: null, role: 'number' }),
});
