import { refuseUnknown } from '../../bindings/names.ts';
import { refuse } from './penaltyOptions.ts';

/** How many fits to resampled rows the bootstrap makes, and from which seed. */
export interface BootstrapOptions {
  /** number of fits; default 1000, enough for the ends of a 95 % interval */
  readonly replicates?: number;
  /** a whole number; default 1; the same seed gives the same intervals */
  readonly seed?: number;
}

/**
 * Which inference a fit makes. Likelihood inference needs a fit without a penalty, or Firth's; `bootstrap` works with any penalty.
 */
export interface InferenceOptions {
  /**
   * what standard errors are computed from. `model` (default): the information at the estimate (for Firth's fits as brglm2, and logistf before 1.24);
   * weights count rows. `augmented`: for Firth's fits the information of the augmented data (logistf 1.24 and later), which gives smaller errors.
   * `robust`: a sandwich (HC0), valid even if the model's variance is wrong, and under class weights and sampling weights of any scale; a row of
   * trials is one observation. `{ cluster }`: a sandwich that is also valid where rows with the same value of that column depend on one another. That
   * column is no feature unless `features` names it.
   */
  readonly covariance?: 'model' | 'augmented' | 'robust' | { readonly cluster: string };
  /**
   * true adds the profile-likelihood interval of every coefficient and the likelihood-ratio test of every feature; about ten fits a coefficient
   */
  readonly profile?: boolean;
  /**
   * adds intervals from fits to resampled rows; replaces likelihood inference unless `covariance` or `profile` is given as well
   */
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
