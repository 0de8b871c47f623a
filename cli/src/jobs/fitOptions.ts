import type {
  DataOptions,
  FitOptions,
  PenaltyByFeature,
  PenaltyKind,
  SolverOptions,
  Strength,
} from '../../../src/index.ts';
import { fitMissing } from '../read/gaps.ts';
import type { Roles } from '../read/training.ts';

/** Options of the command that are passed to the fit unchanged. */
export type FitChoices = Pick<
  DataOptions,
  'positive' | 'multiclass' | 'coding' | 'references' | 'classWeight' | 'weightKind'
> &
  Pick<SolverOptions, 'solver' | 'tol' | 'maxIter'> &
  PenaltyKind & {
    readonly penaltyFactors?: PenaltyByFeature['factors'];
    readonly bounds?: PenaltyByFeature['bounds'];
  };

/** The penalty of a fit, as flags. */
export interface PenaltyChoices {
  readonly C?: number;
  readonly lambda?: number;
  readonly penalty?: 'none';
  readonly firth?: boolean;
}

/** Roles that a fit has options for. */
type FitRoles = Pick<Roles, 'target' | 'weight' | 'offset' | 'trials' | 'schema' | 'missing'>;

/** The options that `fit` and `fitPath` share, without the penalty. @param features  the features that were read */
export function fitOptionsOf(options: FitRoles & FitChoices, features: readonly string[]) {
  const { target, weight, offset, trials, schema, missing, positive, multiclass, weightKind } = options;
  const { coding, references, classWeight, solver, tol, maxIter } = options;
  return {
    ...{ target, weight, weightKind, offset, trials, positive, multiclass, classWeight },
    ...{ schema, features: [...features], coding, references, missing: fitMissing(missing) },
    ...{ solver, tol, maxIter },
  } as const satisfies FitOptions;
}

/** The given settings of a penalty, without its strength. */
export function penaltyKindOf({
  l1Ratio,
  standardize,
  penaltyFactors: factors,
  bounds,
}: FitChoices): PenaltyKind & PenaltyByFeature {
  return given({ l1Ratio, standardize, factors, bounds });
}

/** The penalty of a fit. */
export function penaltyOptionOf(options: FitChoices & PenaltyChoices): FitOptions['penalty'] {
  const { C, lambda, penalty, firth } = options;
  if (firth) return 'firth';
  if (penalty) return options.bounds ? { lambda: 0, bounds: options.bounds } : penalty;
  return { ...penaltyKindOf(options), ...given({ C, lambda }) } as Strength & PenaltyKind & PenaltyByFeature;
}

/** Whether a penalty draws weights to 0, which decides the default coding of categories. */
export const isPenalized = ({ C, lambda, penalty, firth }: PenaltyChoices): boolean =>
  !(firth || penalty === 'none' || lambda === 0 || C === Number.POSITIVE_INFINITY);

const given = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
