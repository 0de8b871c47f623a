import type { Plan } from './plan.ts';

export interface PrintOptions {
  /** a name for what is written: letters, digits and _ */
  readonly name: string;
}

/** A language or format that a model can be written in. */
export interface Target {
  readonly extension: string;
  /** `bits`: the scores are those of logodds; else the greatest difference of a probability */
  readonly exact: 'bits' | number;
  print(plan: Plan, options: PrintOptions): readonly { readonly ending: string; readonly text: string }[];
}
