import type { Model } from 'logodds';
import type { Lineage, Metrics } from '../event.ts';
import type { Changed, SchemaDifference } from './schemas.ts';

/** A model that is compared, with what its registry knows of it. */
export interface Compared {
  readonly model: Model;
  readonly metrics?: Metrics;
  readonly lineage?: Lineage;
}

/** One coefficient of two models. Of one that a model does not have the figures are null. */
export interface CoefficientDifference {
  readonly class: string;
  readonly feature: string;
  readonly level: string | null;
  /** change of the logit per unit of the feature, or for the level */
  readonly a: number | null;
  readonly b: number | null;
  readonly oddsRatioA: number | null;
  readonly oddsRatioB: number | null;
  /** b − a, as the logit has it: a feature or level that a model does not have changes no logit there */
  readonly difference: number;
  /** √(seA² + seB²), as if the fits were independent; null without both errors */
  readonly stdError: number | null;
  /** difference/stdError */
  readonly z: number | null;
  /** the standard deviation in training of A (of B, where A does not have it); null where not known */
  readonly scale: number | null;
  /** a, b and their difference times `scale` */
  readonly standardized: { readonly a: number | null; readonly b: number | null; readonly difference: number } | null;
}

/** How two models differ. */
export interface ModelDifference {
  /** what changed most, in a sentence */
  readonly sentence: string;
  /** true: both score every record alike, up to what training data say of themselves */
  readonly isSame: boolean;
  /** those whose standardised difference is greatest first */
  readonly coefficients: readonly CoefficientDifference[];
  /** what the standard errors of differences take for granted; null where there are none */
  readonly independence: string | null;
  readonly schema: SchemaDifference;
  /** target, classes, offset, weights, penalty, calibration, decision: `field` is a path in the manifest */
  readonly settings: readonly Changed[];
  readonly metrics: readonly {
    readonly metric: string;
    readonly a: number | null;
    readonly b: number | null;
    readonly difference: number | null;
  }[];
}
