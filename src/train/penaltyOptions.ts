import { refuse as refuseAs } from '../../bindings/errors.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import { show } from '../messages.ts';

/** The strength of a penalty, as C or as lambda. */
export type Strength =
  | {
      /** inverse strength, > 0: C = 1/(λS), as in scikit-learn; 1 when neither is given; Infinity is no penalty */
      readonly C?: number;
      readonly lambda?: undefined;
    }
  | {
      readonly C?: undefined;
      /** strength λ ≥ 0 of the penalty on the mean loss, as in glmnet; 0 is maximum likelihood, whatever else the penalty says */
      readonly lambda: number;
    };

/** The shape of a penalty, whatever its strength. */
export interface PenaltyKind {
  /** α in [0, 1], the share of the penalty on absolute values: 0 (default) is L2, 1 is L1, between them the elastic net */
  readonly l1Ratio?: number;
  /**
   * true (default): the penalty acts on weights of standardised numbers, and on weights of levels, words and tags as they are. false: it acts on
   * raw-scale weights throughout.
   */
  readonly standardize?: boolean;
}

/** Factors and bounds of single features. */
export interface PenaltyByFeature {
  /** factor f ≥ 0 on the penalty of a feature's weights; default 1; 0 means never penalised. Factors are not rescaled. */
  readonly factors?: Readonly<Record<string, number>>;
  /**
   * least and greatest raw-scale weight of a feature, lower ≤ 0 ≤ upper; default none. [0, Infinity] forbids negative weights, [0, 0] holds the weight
   * at 0.
   */
  readonly bounds?: Readonly<Record<string, readonly [number, number]>>;
}

/**
 * How weights are penalised.
 *
 *   λ·Σ fⱼ·((1 − α)/2·wⱼ² + α·|wⱼ|),   lⱼ ≤ wⱼ ≤ uⱼ;   α is l1Ratio, f are factors, l and u bounds
 *
 * `none`: maximum likelihood. `firth`: Firth's penalised likelihood, for two classes: less biased, and finite where classes are separated.
 */
export type PenaltyOption = 'none' | 'firth' | (Strength & PenaltyKind & PenaltyByFeature);

/**
 * The penalty. Its common settings may stand alone: `{ C: 0.1 }` means `{ penalty: { C: 0.1 } }`. The types allow one of the two forms.
 */
export type PenaltyOptions =
  | ({ readonly penalty?: PenaltyOption } & { readonly [setting in 'C' | 'lambda' | keyof PenaltyKind]?: undefined })
  | ({ readonly penalty?: undefined } & Strength & PenaltyKind);

/** A penalty as `fit` goes on with it. */
export interface PenaltySpec extends PenaltyKind, PenaltyByFeature {
  readonly C?: number;
  readonly lambda?: number;
  readonly l1Ratio: number;
  readonly standardize: boolean;
  readonly firth: boolean;
  /** weights are drawn to 0 */
  readonly penalized: boolean;
}

/** The names of these options and their types. */
export const strengthRules = { C: 'a number', lambda: 'a number' } as const satisfies Record<string, OptionRule>;
export const kindRules = { l1Ratio: 'a number', standardize: 'true or false' } as const satisfies Record<
  string,
  OptionRule
>;
const featureRules = { factors: 'an object', bounds: 'an object' } as const satisfies Record<string, OptionRule>;

/** A penalty as it is given, of any verb. */
export interface GivenPenalty extends PenaltyKind {
  readonly penalty?: string | object;
  readonly C?: number;
  readonly lambda?: number;
}

/**
 * Reads the penalty of options: one of two forms.
 * @param rules  of the settings in `penalty`
 * @returns its settings; null: none, or Firth's
 * @throws ERR_RANGE settings beside `penalty`, or that do not exist
 */
export function penaltySettings<T extends object>(
  { penalty, C, lambda, l1Ratio, standardize }: GivenPenalty,
  rules: Readonly<Record<string, OptionRule>>,
): { readonly form: 'none' | 'firth' | 'settings'; readonly settings: T } {
  const beside = Object.entries({ C, lambda, l1Ratio, standardize }).filter(([, value]) => value !== undefined);
  if (penalty === undefined) return { form: 'settings', settings: Object.fromEntries(beside) as T };
  const named = penalty === 'none' || penalty === 'firth';
  if (!named && (typeof penalty !== 'object' || penalty === null)) {
    refuse('penalty', 'none, firth or an object of settings', penalty, 'the strength is C or lambda');
  }
  if (beside.length > 0) {
    const [[name, value]] = beside;
    refuse(
      'penalty',
      named ? `nothing beside ${show(penalty)}` : 'its settings in it',
      `${name} ${plain(value)}${named ? '' : ' beside it'}`,
      named ? 'leave one out' : `write penalty: { ${name}: … }`,
    );
  }
  if (named) return { form: penalty, settings: {} as T };
  refuseUnknown('penalty', penalty as object, rules);
  return { form: 'settings', settings: penalty as T };
}

/** The penalty of `fit`. @throws ERR_RANGE as `penaltySettings`; numbers outside their domain */
export function readPenalty(options: GivenPenalty): PenaltySpec {
  const { form, settings } = penaltySettings<GivenPenalty & PenaltyByFeature>(options, {
    ...strengthRules,
    ...kindRules,
    ...featureRules,
  });
  const spec = { ...settings, ...readStrength(settings, form === 'settings') };
  checkByFeature(settings);
  return { ...spec, firth: form === 'firth' };
}

/** Strength and kind of a penalty, checked. @param penalized  false: there is none */
export function readStrength(
  { C, lambda, l1Ratio = 0, standardize = true }: GivenPenalty,
  penalized: boolean,
): Omit<PenaltySpec, 'firth'> {
  if (C !== undefined && !(C > 0)) refuse('C', 'a number > 0', C, 'smaller values penalise more');
  if (lambda !== undefined && !(lambda >= 0 && lambda < Number.POSITIVE_INFINITY))
    refuse('lambda', 'a finite number >= 0', lambda, '0 is no penalty');
  if (C !== undefined && lambda !== undefined)
    refuse('penalty', 'C or lambda', `both (C ${C}, lambda ${lambda})`, 'leave one out');
  if (!(l1Ratio >= 0 && l1Ratio <= 1))
    refuse('l1Ratio', 'a number from 0 (L2) to 1 (L1)', l1Ratio, '0.5 is half of each');
  return {
    ...(C !== undefined && { C }),
    ...(lambda !== undefined && { lambda }),
    l1Ratio,
    standardize,
    penalized: penalized && lambda !== 0 && C !== Number.POSITIVE_INFINITY,
  };
}

function checkByFeature({ factors = {}, bounds = {} }: PenaltyByFeature): void {
  for (const [name, factor] of Object.entries(factors)) {
    if (!(isNumber(factor) && factor >= 0 && factor < Number.POSITIVE_INFINITY))
      refuse(`factors of ${show(name)}`, 'a finite number >= 0', factor, '0 is no penalty on it');
  }
  for (const [name, pair] of Object.entries(bounds)) {
    const [lower, upper] = Array.isArray(pair) && pair.length === 2 ? pair : [];
    if (isNumber(lower) && lower <= 0 && isNumber(upper) && upper >= 0) continue;
    refuse(
      `bounds of ${show(name)}`,
      '[lower, upper] with lower <= 0 <= upper',
      Array.isArray(pair) ? `[${pair.map(plain).join(', ')}]` : pair,
      'a weight of 0 must be allowed; [0, 0] holds it there',
    );
  }
}

/** Whether absolute values or bounds make the objective one that only coordinate descent minimises. */
export const isSmooth = ({ penalized, l1Ratio, bounds = {} }: PenaltySpec): boolean =>
  !(penalized && l1Ratio > 0) && Object.values(bounds).every(([low, high]) => low === 0 && high === 0);

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** A value in a message: text without quotes, for names of choices. */
export const plain = (value: unknown): string => (typeof value === 'string' ? value : show(value));

/** @throws ERR_RANGE always */
export function refuse(what: string, rule: string, got: unknown, next: string): never {
  return refuseAs('ERR_RANGE', what, rule, plain(got), next);
}
