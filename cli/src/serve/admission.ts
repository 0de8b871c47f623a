import type { RateOptions, ServiceOptions } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';

/** Options of limits and load. */
export interface AdmissionFlags {
  readonly bodyLimit: string;
  readonly rowLimit: string;
  readonly featureLimit: string;
  readonly timeout?: string;
  readonly maxDelay: string;
  readonly rateLimit?: string;
  readonly rateOf: RateOptions['of'];
  readonly rateBurst?: string;
}

/** What options say of limits and load. @throws ERR_RANGE */
export function admissionOf(options: AdmissionFlags): Pick<ServiceOptions, 'limits' | 'admission'> {
  const { bodyLimit, rowLimit, featureLimit, timeout, maxDelay, rateLimit, rateOf, rateBurst } = options;
  const delay = numberOf('--max-delay', maxDelay, 0);
  const limits = {
    bytes: countOf('--body-limit', bodyLimit),
    rows: countOf('--row-limit', rowLimit),
    features: countOf('--feature-limit', featureLimit),
    ...(timeout !== undefined && { timeMs: 1000 * numberOf('--timeout', timeout, 0.001) }),
  };
  if (rateLimit === undefined) return { limits, admission: { ...(delay > 0 && { maxDelayMs: delay }) } };
  const rate: RateOptions = {
    of: rateOf,
    perSecond: numberOf('--rate-limit', rateLimit, 0.001),
    ...(rateBurst !== undefined && { burst: countOf('--rate-burst', rateBurst) }),
  };
  return { limits, admission: { ...(delay > 0 && { maxDelayMs: delay }), rate } };
}

const countOf = (option: string, given: string): number => {
  const count = Number(given);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new LogoddsError('ERR_RANGE', `${option}: expected a whole number from 1 on, got ${given}; correct it`);
};

const numberOf = (option: string, given: string, least: number): number => {
  const value = Number(given);
  if (Number.isFinite(value) && value >= least) return value;
  throw new LogoddsError('ERR_RANGE', `${option}: expected a number from ${least} on, got ${given}; correct it`);
};
