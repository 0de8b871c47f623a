import type { Model } from '../../../../src/index.ts';
import type { Plan } from './plan.ts';
import type { DialectName } from './sql/dialects.ts';

export interface PrintOptions {
  readonly model: Model;
  /** for what is written: letters, digits and _ */
  readonly name: string;
  /** of a query: its database, the table that it reads, the view that it makes (null: none), columns that it passes on, what is before those it adds */
  readonly dialect?: DialectName;
  readonly table: string;
  readonly view: string | null;
  readonly keep?: readonly string[];
  readonly prefix?: string;
}

/** A language that a model can be written in. */
export interface Target {
  /** `bits`: the scores are those of logodds; else the greatest difference of a probability */
  readonly exact: 'bits' | number;
  /** @param plan  makes the plan of the model, or refuses it */
  print(
    plan: () => Plan,
    options: PrintOptions,
  ): readonly { readonly ending: string; readonly text: string | Uint8Array }[];
}
