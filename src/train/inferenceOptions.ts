import { refuseUnknown } from '../../bindings/names.ts';
import { refuse } from './penaltyOptions.ts';

/** Fits to resampled rows. */
export interface BootstrapOptions {
  /** default 1000, which the ends of a 95 % interval want */
  readonly replicates?: number;
  /** whole; default 1. The same seed gives the same intervals. */
  readonly seed?: number;
}

/** What a fit says of its estimates: by the likelihood, without a penalty or with Firth's; by `bootstrap` with any penalty. */
export interface InferenceOptions {
  /**
   * what standard errors rest on. `model` (default): the likelihood, weights taken as counts of rows; of Firth's the information at the
   * estimate (brglm2, logistf before 1.24). `augmented`: of Firth's the information of the augmented data (logistf 1.24 and later), smaller.
   * `robust`: a sandwich (HC0), valid even if the model's variance is wrong, and under class and sampling weights of any scale; a row of
   * trials is one observation. `{ cluster }`: also where the rows of one value of that column depend on one another; the column is then no
   * feature unless `features` names it.
   */
  readonly covariance?: 'model' | 'augmented' | 'robust' | { readonly cluster: string };
  /** profile-likelihood interval of every coefficient, likelihood-ratio test of every feature. Some ten fits a coefficient. */
  readonly profile?: boolean;
  /** how coefficients vary over fits to resampled rows; alone unless `covariance` or `profile` is given as well */
  readonly bootstrap?: BootstrapOptions;
}

/** Inference as `fit` goes on with it; null: none is asked for. */
export interface InferenceSpec {
  /** standard errors and tests from the likelihood; false: the bootstrap alone */
  readonly likelihood: boolean;
  readonly covariance: NonNullable<InferenceOptions['covariance']>;
  readonly profile: boolean;
  readonly bootstrap: Required<BootstrapOptions> | null;
}

/** @throws ERR_RANGE for what is none, or does not go with the penalty */
export function readInference(
  given: boolean | InferenceOptions | undefined,
  { firth }: { readonly firth: boolean },
): InferenceSpec | null {
  if (given === undefined || given === false) return null;
  const options = given === true ? {} : given;
  refuseUnknown('inference', options, { covariance: true, profile: 'true or false', bootstrap: 'an object' });
  const { covariance = 'model', profile = false, bootstrap } = options;
  const known =
    typeof covariance === 'object' ? typeof covariance?.cluster === 'string' : COVARIANCES.includes(covariance);
  if (!known)
    refuse(
      'covariance',
      'model, augmented, robust or {cluster: column}',
      covariance,
      'leave it out for that of the model',
    );
  if (firth && covariance !== 'model' && covariance !== 'augmented')
    refuse(
      'covariance',
      'model or augmented with the penalty "firth"',
      typeof covariance === 'object' ? 'clusters' : covariance,
      'it has errors of its own',
    );
  if (!firth && covariance === 'augmented')
    refuse(
      'covariance',
      'the penalty "firth" with "augmented"',
      'another penalty',
      'leave it out for that of the model',
    );
  return {
    likelihood: !bootstrap || options.covariance !== undefined || profile,
    covariance,
    profile,
    bootstrap: bootstrap ? checkBootstrap(bootstrap) : null,
  };
}

const COVARIANCES: readonly unknown[] = ['model', 'augmented', 'robust'];

function checkBootstrap(given: BootstrapOptions): Required<BootstrapOptions> {
  refuseUnknown('bootstrap', given, { replicates: true, seed: true });
  const { replicates = 1000, seed = 1 } = given;
  const next = 'leave it out for the default';
  if (!(Number.isInteger(replicates) && replicates >= 2)) refuse('replicates', 'a whole number >= 2', replicates, next);
  if (!Number.isSafeInteger(seed)) refuse('seed', 'a whole number', seed, next);
  return { replicates, seed };
}
