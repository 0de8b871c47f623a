import type { RateOptions, ServiceOptions } from '../../../service/src/index.ts';

/** Options of limits and load. */
export interface AdmissionFlags {
  readonly bodyLimit: number;
  readonly rowLimit: number;
  readonly featureLimit: number;
  readonly timeout?: number;
  readonly maxDelay: number;
  readonly rateLimit?: number;
  readonly rateOf: RateOptions['of'];
  readonly rateBurst?: number;
}

/** What options say of limits and load. */
export function admissionOf(options: AdmissionFlags): Pick<ServiceOptions, 'limits' | 'admission'> {
  const { bodyLimit, rowLimit, featureLimit, timeout, maxDelay, rateLimit, rateOf, rateBurst } = options;
  const limits = {
    bytes: bodyLimit,
    rows: rowLimit,
    features: featureLimit,
    ...(timeout !== undefined && { timeMs: 1000 * timeout }),
  };
  const rate: RateOptions | null =
    rateLimit === undefined
      ? null
      : { of: rateOf, perSecond: rateLimit, ...(rateBurst !== undefined && { burst: rateBurst }) };
  return { limits, admission: { ...(maxDelay > 0 && { maxDelayMs: maxDelay }), ...(rate && { rate }) } };
}
