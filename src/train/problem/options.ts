import type { Engine } from '../../../bindings/engine.ts';
import type { OptionRule } from '../../../bindings/names.ts';
import type { Declaration } from '../../encode/declare.ts';
import type { WeightKind } from '../../metrics/check.ts';
import type { PositiveLabel } from './target.ts';

/** The role of each column of a table, and how columns become features. Only `target` is required. */
export interface DataOptions {
  /** the column to predict: two or more classes, as text or numbers; with `trials` the number of successes */
  readonly target: string;
  /**
   * the class whose probability the model gives; default the only label among 1, true and yes, else the second of the two sorted labels
   */
  readonly positive?: PositiveLabel;
  /** column of the number of trials, of which `target` counts the successes; a row of n trials weighs as n rows */
  readonly trials?: string;
  /**
   * for more than two classes: `multinomial` (default) fits one softmax likelihood, `ovr` one binary model for each class against the rest
   */
  readonly multiclass?: 'multinomial' | 'ovr';
  /** how columns become features; default by the cells of each column */
  readonly schema?: Declaration;
  /** the columns that become features; default all but target, trials, weight, offset and `exclude` */
  readonly features?: readonly string[];
  /** columns that do not become features */
  readonly exclude?: readonly string[];
  /** numeric columns to treat as categories */
  readonly categorical?: readonly string[];
  /** column of sample weights, finite and ≥ 0; a row of weight 0 is left out */
  readonly weight?: string;
  /**
   * `sampling` (default): how much of a population a row stands for, at any scale; a row is one observation, whatever its weight. `count`: how many
   * rows a row stands for, as whole numbers; weight 2 is a row seen twice.
   */
  readonly weightKind?: WeightKind;
  /** column of numbers that are added to the logit; for two classes only */
  readonly offset?: string;
  /** how levels become weights; default onehot with a penalty, treatment without */
  readonly coding?: 'onehot' | 'treatment';
  /** reference level by feature, under treatment coding; default the first level */
  readonly references?: Readonly<Record<string, string>>;
  /**
   * factors on the sample weights of each class, 1 where not named; `balanced` means S / (K·S_c). A class with factor 0 is left out: its rows weigh
   * 0, the model never predicts it, and CLASS_LEFT_OUT says so.
   */
  readonly classWeight?: 'balanced' | Readonly<Record<string, number>>;
  /** the engine that computes; default a new one */
  readonly engine?: Engine;
  /** what an unseen category does at scoring: takes a slot of weight 0 (default), or is an error */
  readonly unseen?: 'slot' | 'error';
  /** what a missing cell takes: a slot of its own (default), or the most frequent level or the mean */
  readonly missing?: 'slot' | 'mode';
}

/** The names of these options; the compiler misses one that is not here. */
export const dataOptions = (): Readonly<Record<keyof DataOptions, OptionRule>> => ({
  target: 'a name',
  positive: true,
  trials: 'a name',
  multiclass: true,
  schema: true,
  features: 'a list of names',
  exclude: 'a list of names',
  categorical: 'a list of names',
  weight: 'a name',
  weightKind: true,
  offset: 'a name',
  coding: 'onehot or treatment',
  references: 'an object',
  classWeight: 'balanced or an object',
  engine: true,
  unseen: 'slot or error',
  missing: 'slot or mode',
});

export const WEIGHT_KINDS = ['sampling', 'count'] as const;
export type { WeightKind };
