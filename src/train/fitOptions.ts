import { LogoddsError } from '../../bindings/errors.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import { list, show } from '../encode/label.ts';
import type { Model } from '../model/model.ts';
import { besideData } from './optionNames.ts';
import { type DataOptions, dataOptions } from './problem/options.ts';
import type { Progress } from './solve/objective.ts';
import { SOLVERS, type SolverChoice } from './solve/types.ts';

/** How weights are penalised and bounded. */
export interface PenaltyOptions {
  /** inverse strength of the penalty, > 0: C = 1/(λS); 1 unless `lambda` or `penalty` is given; Infinity is no penalty */
  readonly C?: number;
  /** strength λ ≥ 0 of the penalty on the mean loss; 0 is maximum likelihood, whatever `l1Ratio` and `penaltyFactors` say */
  readonly lambda?: number;
  readonly penalty?: 'none';
  /** α in [0, 1]: the share of the penalty on absolute values; 0 (default) is L2, 1 is L1, between them the elastic net */
  readonly l1Ratio?: number;
  /**
   * true (default): the penalty acts on weights of standardised numeric features, and on those of levels, words and tags as they are;
   * false: on raw-scale weights throughout
   */
  readonly standardize?: boolean;
  /** factor f ≥ 0 on the penalty of a feature's weights, 1 where not named; 0: never penalised. They are not rescaled. */
  readonly penaltyFactors?: Readonly<Record<string, number>>;
  /** least and greatest raw-scale weight of a feature, lower ≤ 0 ≤ upper; [0, Infinity] is a weight that is not negative, [0, 0] one that is held at 0 */
  readonly bounds?: Readonly<Record<string, readonly [number, number]>>;
}

/** How the minimum is found. */
export interface SolverOptions {
  /**
   * auto (default) chooses from the shape of the data and the penalty, and the report says which and why: coordinate descent (`cd`) for absolute
   * values and bounds, Newton where its matrix is small, else L-BFGS. `newton-cg` needs no matrix.
   */
  readonly solver?: SolverChoice;
  /** converged when max |∂f/∂wⱼ| on standardised features, or the largest violation of the optimality conditions, is at most this; default 1e-8 */
  readonly tol?: number;
  /** default 100 for Newton, 200 for its variant without a matrix, 300 for coordinate descent, 1000 for L-BFGS */
  readonly maxIter?: number;
  /** where to start: a model of the same features and classes, as of yesterday; default the model of intercepts alone */
  readonly start?: Model;
  /** called after every iteration of the solver, for a progress display */
  readonly onIteration?: (progress: Progress) => void;
}

/** What `fit` is told; everything but `target` may be absent. */
export interface FitOptions extends DataOptions, PenaltyOptions, SolverOptions {
  /** standard errors, deviance, information criteria and tests (`model.manifest.inference`); only without penalty, or with `firth` */
  readonly inference?: boolean;
  /**
   * what the standard errors rest on; asks for inference. `model` (default): the likelihood, weights taken as counts of rows. `robust`: a
   * sandwich (HC0), valid even if the model's variance is wrong, and under class and sampling weights of any scale; a row of trials is one
   * observation. `{cluster}`: also where the rows of one value of that column depend on one another; the column is then no feature unless
   * `features` names it.
   */
  readonly covariance?: 'model' | 'robust' | { readonly cluster: string };
  /** profile-likelihood interval of every coefficient, likelihood-ratio test of every feature; asks for inference. Some ten fits a coefficient. */
  readonly profile?: boolean;
  /**
   * Firth's penalised likelihood in place of any other penalty: less biased, and finite where classes are separated; two classes. Its standard
   * errors are those of the information at the estimate (true, or covariance `information`: brglm2, logistf before 1.24), or of the
   * information of the augmented data (`augmented`: logistf 1.24 and later), which are smaller. Profiles and tests are the same.
   */
  readonly firth?: boolean | FirthOptions;
  /** adds the findings of `diagnose` to the warnings; false when absent, since they may take as long as the fit */
  readonly diagnose?: boolean;
}

/** The names of these options; the compiler misses one that is not here. */
export const fitOptions = (): Readonly<Record<keyof FitOptions, OptionRule>> => ({
  ...dataOptions(),
  ...besideData(),
});

/** Which standard errors belong to Firth's estimates. */
export interface FirthOptions {
  readonly covariance?: 'information' | 'augmented';
}

const DEFAULT_TOL = 1e-8;

export const isAugmented = ({ firth }: Pick<FitOptions, 'firth'>): boolean =>
  typeof firth === 'object' && firth.covariance === 'augmented';

export function settingsOf({
  solver = 'auto',
  tol = DEFAULT_TOL,
  maxIter,
  inference = false,
  covariance,
  profile = false,
  firth,
  onIteration,
}: Omit<FitOptions, 'target'>) {
  return {
    solver,
    tol,
    maxIter,
    inference: inference || profile || covariance !== undefined,
    firth: Boolean(firth),
    firthErrors: isAugmented({ firth }) ? ('augmented' as const) : ('information' as const),
    onIteration,
  };
}

/** What `firth` and a cluster column mean for the other options. */
export function settle(options: FitOptions): FitOptions {
  const { covariance, features, exclude = [], firth } = options;
  const cluster = typeof covariance === 'object' && !features ? [covariance.cluster] : [];
  return { ...options, exclude: [...exclude, ...cluster], ...(firth && { penalty: 'none' }) };
}

/** How categories are coded where the options leave it open. */
export function codingOf(options: PenaltyOptions & Pick<FitOptions, 'firth'>): 'onehot' | 'treatment' {
  return isPenalized(options) && !options.firth ? 'onehot' : 'treatment';
}

export function isPenalized({ C, lambda, penalty }: PenaltyOptions): boolean {
  return !(penalty === 'none' || lambda === 0 || C === Number.POSITIVE_INFINITY);
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** A value in a message: text without quotes, for names of choices. */
const plain = (value: unknown): string => (typeof value === 'string' ? value : show(value));

/** @throws ERR_RANGE */
export function checkOptions({
  C,
  lambda,
  penalty,
  l1Ratio,
  penaltyFactors = {},
  bounds = {},
  tol,
  maxIter,
  solver = 'auto',
  covariance = 'model',
  firth = false,
}: PenaltyOptions & SolverOptions & Pick<FitOptions, 'covariance' | 'firth'>): void {
  const refuse = (what: string, rule: string, got: unknown, next: string): never => {
    throw new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${plain(got)}; ${next}`);
  };
  if (C !== undefined && !(C > 0)) refuse('C', 'a number > 0', C, 'smaller values penalise more');
  if (lambda !== undefined && !(lambda >= 0 && lambda < Number.POSITIVE_INFINITY))
    refuse('lambda', 'a finite number >= 0', lambda, '0 is no penalty');
  if (C !== undefined && lambda !== undefined)
    refuse('penalty', 'C or lambda', `both (C ${C}, lambda ${lambda})`, 'leave one out');
  if (penalty !== undefined && penalty !== 'none')
    refuse('penalty', '"none" or nothing', penalty, 'use C or lambda for its strength');
  if (penalty === 'none' && (C !== undefined || lambda !== undefined)) {
    refuse(
      'penalty',
      'no C and no lambda beside "none"',
      C !== undefined ? `C ${C}` : `lambda ${lambda}`,
      'leave one out',
    );
  }
  if (l1Ratio !== undefined && !(l1Ratio >= 0 && l1Ratio <= 1))
    refuse('l1Ratio', 'a number from 0 (L2) to 1 (L1)', l1Ratio, '0.5 is half of each');
  if (l1Ratio && penalty === 'none')
    refuse('l1Ratio', '0 beside penalty "none"', l1Ratio, 'give a strength (C or lambda), or leave it out');
  const factors = Object.entries(penaltyFactors);
  for (const [name, factor] of factors) {
    if (!(isNumber(factor) && factor >= 0 && factor < Number.POSITIVE_INFINITY))
      refuse(`penaltyFactors of ${show(name)}`, 'a finite number >= 0', factor, '0 is no penalty on it');
  }
  if (factors.length > 0 && penalty === 'none')
    refuse('penaltyFactors', 'a penalty beside them', '"none"', 'give a strength (C or lambda), or leave them out');
  for (const [name, pair] of Object.entries(bounds)) {
    if (
      !(
        Array.isArray(pair) &&
        pair.length === 2 &&
        isNumber(pair[0]) &&
        pair[0] <= 0 &&
        isNumber(pair[1]) &&
        pair[1] >= 0
      )
    )
      refuse(
        `bounds of ${show(name)}`,
        '[lower, upper] with lower <= 0 <= upper',
        Array.isArray(pair) ? `[${pair.map(plain).join(', ')}]` : pair,
        'a weight of 0 must be allowed; [0, 0] holds it there',
      );
  }
  if (
    typeof covariance === 'object' ? typeof covariance?.cluster !== 'string' : !['model', 'robust'].includes(covariance)
  )
    refuse('covariance', 'model, robust or {cluster: column}', covariance, 'leave it out for that of the model');
  if (typeof firth === 'object') {
    refuseUnknown('firth', firth, { covariance: true });
    const { covariance: errors = 'information' } = firth;
    if (errors !== 'information' && errors !== 'augmented')
      refuse(
        'covariance of firth',
        'information or augmented',
        errors,
        'leave it out for the information at the estimate',
      );
  }
  if (firth) {
    const beside: readonly (readonly [string, unknown, boolean])[] = [
      ['C', C, C !== undefined && C !== Number.POSITIVE_INFINITY],
      ['lambda', lambda, lambda !== undefined && lambda !== 0],
      ['l1Ratio', l1Ratio, Boolean(l1Ratio)],
      ['bounds', 'some', Object.keys(bounds).length > 0],
      ['solver', solver, solver !== 'auto' && solver !== 'lbfgs'],
      ['covariance', 'one of another kind', covariance !== 'model'],
    ];
    const found = beside.find(([, , set]) => set);
    if (found)
      refuse('firth', `no ${found[0]} beside it`, found[1], 'it has a penalty, a solver and errors of its own');
  }
  if (!SOLVERS.includes(solver)) refuse('solver', list(SOLVERS), solver, 'leave it out for auto');
  const absolute = l1Ratio && isPenalized({ C, lambda, penalty });
  const smooth = !absolute && Object.values(bounds).every(([low, high]) => low === 0 && high === 0);
  if (!smooth && solver !== 'auto' && solver !== 'cd')
    refuse(
      'solver',
      'auto or cd with bounds or an l1Ratio above 0',
      solver,
      'the others need a smooth objective; leave it out',
    );
  if (tol !== undefined && !(tol > 0 && tol < Number.POSITIVE_INFINITY))
    refuse('tol', 'a finite number > 0', tol, `the default is ${DEFAULT_TOL}`);
  if (maxIter !== undefined && !(Number.isInteger(maxIter) && maxIter > 0))
    refuse('maxIter', 'a whole number > 0', maxIter, 'leave it out for the default');
}
