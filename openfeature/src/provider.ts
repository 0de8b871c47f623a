import { type ClientOptions, ServiceError } from '@logodds/client';
import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import { checkRules, decide, type FlagRule, type FlagRules } from './flags.ts';
import { KEY_HEADER, RoutedClient } from './routed.ts';

/** A service in this process: what `createService()` of `@logodds/service` returns. */
export interface ScoringService {
  fetch(request: Request): Response | Promise<Response>;
}

/** Which flags there are, and who scores: a service at an address, or one in this process. */
export type LogoddsProviderOptions = {
  readonly flags: FlagRules;
  /** the record of a context; default: all its attributes but `targetingKey`, dates as ISO 8601 */
  readonly record?: (context: EvaluationContext) => object;
  /** header by which `targetingKey` goes along: that of a rollout with `--key header:NAME`; default x-logodds-key */
  readonly keyHeader?: string;
} & (
  | { readonly client: ClientOptions; readonly service?: undefined }
  | { readonly service: ScoringService; readonly client?: undefined }
);

/** The arm that answers where no other one does. */
const CHAMPION = 'champion';

type Kind = 'boolean' | 'string' | 'number' | 'object';
type State = 'ready' | 'stale' | 'error';
const EVENTS = { ready: ProviderEvents.Ready, stale: ProviderEvents.Stale, error: ProviderEvents.Error } as const;

/**
 * Decides flags by scores. The context is the record that is scored; its `targetingKey` goes along as `x-logodds-key` (or `keyHeader`), by which a rollout assigns one key always to
 * one arm.
 *
 * Reasons: SPLIT when the answer names the arm of a rollout, STATIC when the rollout assigns by a key that the request did not have, so that its champion answers
 * everybody (`flagMetadata.message` says which), TARGETING_MATCH when it names no arm, or when a segment of the record
 * chose the model and its champion answered, DEFAULT when the rule has no value for the score, ERROR otherwise
 * (the caller's default holds). `flagMetadata` has `model`, `version`, `sha256`, `arm`, `segment`, `probability`, `label` and `requestId`.
 *
 * Events: READY or ERROR after `initialize`, which asks for every model of the rules. Later STALE when the service answers that it cannot answer now (too many requests,
 * not ready, too late), ERROR when it cannot be reached, READY with the next score, CONFIGURATION_CHANGED when another file answers.
 * @example
 * await OpenFeature.setProviderAndWait(new LogoddsProvider({
 *   client: { baseUrl: 'http://localhost:8080' },
 *   flags: { 'warn-of-delay': { model: 'flights', threshold: 0.8 } },
 * }));
 * const warn = await OpenFeature.getClient().getBooleanValue('warn-of-delay', false, { targetingKey: 'user-7', distance: 1200, origin: 'LAS' });
 */
export class LogoddsProvider implements Provider {
  readonly metadata = { name: 'logodds' } as const;
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  readonly #flags: FlagRules;
  readonly #record: (context: EvaluationContext) => object;
  readonly #client: RoutedClient;
  readonly #keyHeader: string;
  /** of each rollout arm of a model, the file that answered last */
  readonly #digests = new Map<string, string>();
  #state: State = 'ready';

  /** @throws TypeError, RangeError for rules that cannot hold; ServiceError for an address that is none */
  constructor({ flags, record = recordOf, keyHeader = KEY_HEADER, client, service }: LogoddsProviderOptions) {
    if ((client === undefined) === (service === undefined))
      throw new TypeError('provider: expected client or service, got both or neither; give one of them');
    checkRules(flags);
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(keyHeader))
      throw new TypeError(
        `keyHeader: expected a name that a header can have, got ${JSON.stringify(keyHeader)}; name that of the rollout`,
      );
    this.#keyHeader = keyHeader;
    this.#flags = flags;
    this.#record = record;
    this.#client = new RoutedClient(
      client ?? { baseUrl: 'http://localhost', fetch: (url, init) => service!.fetch(new Request(url, init)) },
      keyHeader,
    );
  }

  /** Asks what every model of the rules is. @throws ServiceError when one is not there or the service is not reached */
  async initialize(): Promise<void> {
    const models = new Map(
      Object.values(this.#flags).map(({ model, version }) => [`${model} ${version}`, { model, version }]),
    );
    for (const { model, version } of models.values()) await this.#client.describe(model, version);
  }

  resolveBooleanEvaluation(
    flag: string,
    value: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return this.#resolve(flag, value, context, 'boolean');
  }

  resolveStringEvaluation(flag: string, value: string, context: EvaluationContext): Promise<ResolutionDetails<string>> {
    return this.#resolve(flag, value, context, 'string');
  }

  resolveNumberEvaluation(flag: string, value: number, context: EvaluationContext): Promise<ResolutionDetails<number>> {
    return this.#resolve(flag, value, context, 'number');
  }

  resolveObjectEvaluation<T extends JsonValue>(
    flag: string,
    value: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return this.#resolve(flag, value, context, 'object');
  }

  async #resolve<T extends JsonValue>(
    flag: string,
    fallback: T,
    context: EvaluationContext,
    kind: Kind,
  ): Promise<ResolutionDetails<T>> {
    const failed = (errorCode: ErrorCode, errorMessage: string, flagMetadata = {}): ResolutionDetails<T> => ({
      value: fallback,
      reason: StandardResolutionReasons.ERROR,
      errorCode,
      errorMessage,
      flagMetadata,
    });
    if (!Object.hasOwn(this.#flags, flag)) {
      const message = `flag ${JSON.stringify(flag)}: expected one of the provider's rules, got another; add a rule for it`;
      return failed(ErrorCode.FLAG_NOT_FOUND, message);
    }
    const rule = this.#flags[flag];
    let record: object;
    try {
      record = this.#record(context);
    } catch (error) {
      return failed(ErrorCode.INVALID_CONTEXT, messageOf(error));
    }
    try {
      const { score, model, requestId, arm, segment, isUnkeyed } = await this.#client.score(rule.model, record, {
        version: rule.version,
        key: context.targetingKey,
      });
      this.#answered(rule, arm, model.sha256);
      const { probability, label } = score;
      const flagMetadata = {
        model: model.name,
        version: model.version,
        sha256: model.sha256,
        requestId,
        label,
        ...(arm !== null && { arm }),
        ...(segment !== null && { segment }),
        ...(probability !== null && { probability }),
        ...(isUnkeyed && { message: this.#noKey(context.targetingKey) }),
      };
      if (!('labels' in rule) && probability === null) {
        const message = 'probability: expected a number, got none, because the logit is no number; look at the record';
        return failed(ErrorCode.GENERAL, message, flagMetadata);
      }
      const decided = decide(rule, label, probability ?? Number.NaN);
      if (!decided) return { value: fallback, reason: StandardResolutionReasons.DEFAULT, flagMetadata };
      if (kindOf(decided.value) !== kind) {
        const message = `flag ${JSON.stringify(flag)}: expected a ${kind}, got a ${kindOf(decided.value)} by its rule; ask for that type, or correct the rule`;
        return failed(ErrorCode.TYPE_MISMATCH, message, flagMetadata);
      }
      const { SPLIT, STATIC, TARGETING_MATCH } = StandardResolutionReasons;
      const isTargeted = arm === null || (segment !== null && arm === CHAMPION);
      const reason = isUnkeyed ? STATIC : isTargeted ? TARGETING_MATCH : SPLIT;
      return { value: decided.value as T, variant: decided.variant, reason, flagMetadata };
    } catch (error) {
      this.#failed(error);
      const isRecord = error instanceof ServiceError && (error.status === 400 || error.status === 422);
      return failed(isRecord ? ErrorCode.INVALID_CONTEXT : ErrorCode.GENERAL, messageOf(error));
    }
  }

  #noKey(key: string | undefined): string {
    const got = key ? `targetingKey in ${this.#keyHeader}` : 'a context without targetingKey';
    return `rollout: expected the key that it assigns by, got ${got}, so the champion answered; give targetingKey, and the header of the rollout as keyHeader, or the field of the rollout in the record`;
  }

  #answered({ model, version }: FlagRule, arm: string | null, sha256: string): void {
    this.#become('ready', 'the service answers again');
    const key = JSON.stringify([model, version, arm]);
    const before = this.#digests.get(key);
    this.#digests.set(key, sha256);
    if (before === undefined || before === sha256) return;
    const flagsChanged = Object.keys(this.#flags).filter(
      (flag) => this.#flags[flag].model === model && this.#flags[flag].version === version,
    );
    this.events.emit(ProviderEvents.ConfigurationChanged, {
      flagsChanged,
      message: `model ${model}: another file answers`,
    });
  }

  #failed(error: unknown): void {
    if (!(error instanceof ServiceError)) return;
    const { code, status } = error;
    if (status === null && code === 'ERR_CONNECTION') this.#become('error', messageOf(error));
    else if (code === 'ERR_TIMEOUT' || (status !== null && (status === 429 || status >= 500)))
      this.#become('stale', messageOf(error));
  }

  #become(state: State, message: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.events.emit(EVENTS[state], { message });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function kindOf(value: JsonValue): Kind {
  const type = typeof value;
  return type === 'boolean' || type === 'string' || type === 'number' ? type : 'object';
}

function recordOf({ targetingKey: _, ...attributes }: EvaluationContext): object {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  );
}
