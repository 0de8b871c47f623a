import type { FitOptions } from '../../../src/index.ts';
import { fitMissing } from '../read/gaps.ts';
import type { Roles } from '../read/training.ts';

/** Options of the command that a fit takes as they are. */
export type FitChoices = Pick<
  FitOptions,
  | 'positive'
  | 'multiclass'
  | 'l1Ratio'
  | 'standardize'
  | 'penaltyFactors'
  | 'bounds'
  | 'coding'
  | 'references'
  | 'classWeight'
  | 'weightKind'
  | 'solver'
  | 'tol'
  | 'maxIter'
>;

/** Roles that a fit knows of. */
type FitRoles = Pick<Roles, 'target' | 'weight' | 'offset' | 'trials' | 'schema' | 'missing'>;

/** What `fit` and `fitPath` are told alike. @param features  those that were read */
export function fitOptionsOf(options: FitRoles & FitChoices, features: readonly string[]) {
  const { target, weight, offset, trials, schema, missing, positive, multiclass, weightKind } = options;
  const { l1Ratio, standardize, penaltyFactors, bounds, coding, references, classWeight, solver, tol, maxIter } =
    options;
  return {
    ...{ target, weight, weightKind, offset, trials, positive, multiclass, classWeight },
    ...{ schema, features: [...features], coding, references, missing: fitMissing(missing) },
    ...{ l1Ratio, standardize, penaltyFactors, bounds, solver, tol, maxIter },
  } as const satisfies FitOptions;
}
