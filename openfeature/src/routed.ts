import { type ClientOptions, type ModelInfo, type ScoredRecord, ScoringClient } from '@logodds/client';

/** How one record is scored. */
export interface RoutedOptions {
  readonly version?: string;
  /** by which a rollout chooses the arm; absent: the service chooses */
  readonly key?: string;
}

/** A score, and which arm of a rollout gave it; null: none was named. */
export interface RoutedScore extends ScoredRecord {
  readonly arm: string | null;
}

interface Call {
  readonly key: string | undefined;
  arm: string | null;
}

/** The client with what a rollout needs: a key goes along in a header, and the arm comes back in one. */
export class RoutedClient {
  readonly #client: ScoringClient;
  /** calls under way, by the id of their request, which is a header of each attempt */
  readonly #calls = new Map<string, Call>();

  /** @throws ServiceError for an address that is none */
  constructor(options: ClientOptions) {
    const send = options.fetch ?? ((url, init) => fetch(url, init));
    this.#client = new ScoringClient({
      ...options,
      fetch: async (url, init) => {
        const headers = init.headers as Record<string, string>;
        const call = this.#calls.get(headers['x-request-id']);
        const response = await send(
          url,
          call?.key === undefined ? init : { ...init, headers: { ...headers, 'x-logodds-key': headerOf(call.key) } },
        );
        if (call) call.arm = response.headers.get('x-model-route');
        return response;
      },
    });
  }

  describe(model: string, version?: string): Promise<ModelInfo> {
    return this.#client.describe(model, { version });
  }

  /** @throws ServiceError */
  async score(model: string, record: object, { version, key }: RoutedOptions): Promise<RoutedScore> {
    const requestId = crypto.randomUUID();
    const call: Call = { key: key === '' ? undefined : key, arm: null };
    this.#calls.set(requestId, call);
    try {
      return { ...(await this.#client.score(model, record, { version, requestId })), arm: call.arm };
    } finally {
      this.#calls.delete(requestId);
    }
  }
}

/** A header takes printable ASCII alone; what is not is percent-encoded, and the sign itself with it, so that keys stay distinct. */
const headerOf = (key: string): string => (/^[!-$&-~]+$/.test(key) ? key : encodeURIComponent(key));
