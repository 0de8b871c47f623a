import type { JsonValue } from '@openfeature/server-sdk';

/** What a flag may be. */
export type FlagValue = JsonValue;

/** A value for probabilities from `from` on, up to the next band. */
export interface Band {
  /** least probability, 0 to 1 */
  readonly from: number;
  readonly value: FlagValue;
  /** name of the value; default its JSON */
  readonly variant?: string;
}

/**
 * How a score becomes the value of a flag.
 *
 *   threshold   true (variant on) from this probability on, else false (variant off)
 *   bands       the value of the last band whose `from` is at most the probability; none: the default of the caller
 *   labels      the value of the label, as the model itself decides; none: the default of the caller
 *   number      the probability itself
 */
export type FlagRule = {
  /** name of the model in the service */
  readonly model: string;
  /** default: what the service serves under the name, with its rollout */
  readonly version?: string;
} & (
  | { readonly threshold: number }
  | { readonly bands: readonly Band[] }
  | { readonly labels: Readonly<Record<string, FlagValue>> }
  | { readonly number: 'probability' }
);

/** Rules by the key of their flag. */
export type FlagRules = Readonly<Record<string, FlagRule>>;

/** What a rule says of a score; null: nothing, the caller's default holds. */
export interface Decided {
  readonly value: FlagValue;
  readonly variant: string;
}

const KINDS = ['threshold', 'bands', 'labels', 'number'] as const;
const isShare = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;

/** Refuses a rule that could never hold, when the provider is made and not at the first flag. @throws TypeError, RangeError */
export function checkRules(flags: FlagRules): void {
  for (const [key, rule] of Object.entries(flags)) {
    const what = `flag ${JSON.stringify(key)}`;
    if (typeof rule?.model !== 'string' || rule.model === '')
      throw new TypeError(
        `${what}: expected the name of a model, got ${typeof rule?.model}; name one that the service has`,
      );
    const kinds = KINDS.filter((kind) => kind in rule);
    if (kinds.length !== 1)
      throw new TypeError(
        `${what}: expected one of ${KINDS.join(', ')}, got ${kinds.join(' and ') || 'none'}; keep one`,
      );
    if ('threshold' in rule && !isShare(rule.threshold))
      throw new RangeError(`${what}: expected a threshold from 0 to 1, got ${rule.threshold}; correct it`);
    if ('number' in rule && rule.number !== 'probability')
      throw new RangeError(`${what}: expected number probability, got ${rule.number}; correct it`);
    if (!('bands' in rule)) continue;
    if (!Array.isArray(rule.bands) || rule.bands.length === 0)
      throw new TypeError(`${what}: expected bands, got none; give one or more`);
    rule.bands.forEach(({ from }, i) => {
      if (!isShare(from) || (i > 0 && from <= rule.bands[i - 1].from))
        throw new RangeError(`${what}: expected bands from 0 to 1 that rise, got ${from} at ${i}; sort them`);
    });
  }
}

/** Applies a rule. @param probability  a number, but for a rule about labels */
export function decide(rule: FlagRule, label: string, probability: number): Decided | null {
  if ('labels' in rule) return Object.hasOwn(rule.labels, label) ? { value: rule.labels[label], variant: label } : null;
  if ('threshold' in rule) {
    const isOn = probability >= rule.threshold;
    return { value: isOn, variant: isOn ? 'on' : 'off' };
  }
  if ('number' in rule) return { value: probability, variant: 'probability' };
  const band = rule.bands.findLast(({ from }) => from <= probability);
  return band ? { value: band.value, variant: band.variant ?? JSON.stringify(band.value) } : null;
}
