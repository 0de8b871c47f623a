/** Parts of a plan. */

import type { Num, Test } from './expression.ts';

/** What a field holds: a number, a text, or a time in milliseconds since 1970-01-01 00:00 UTC. */
export type Held = 'number' | 'text' | 'time';

/** A field of the records. */
export interface Input {
  readonly name: string;
  readonly holds: Held;
  /** false: a row without it is refused */
  readonly mayMiss: boolean;
}

/** A row that is refused where the test holds, and what was expected: "a value", "one of the 7 levels seen in training". */
export interface Check {
  readonly test: Test;
  readonly field: string;
  readonly rule: string;
}

/** A number that gets a name. */
export interface Named {
  readonly name: string;
  readonly value: Num;
}

export type Step = Check | Named;

/** A column of the encoder: a number, or a code, whose slots follow from `slot` on. */
export interface Column {
  readonly kind: 'number' | 'code';
  readonly value: Num;
  readonly slot: number;
  /** of a code */
  readonly slots: number;
}
