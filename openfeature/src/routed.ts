import { type ClientOptions, type ModelInfo, type ScoredRecord, ScoringClient } from '@logodds/client';

/** How one record is scored. */
export interface RoutedOptions {
  readonly version?: string;
  /** by which a rollout chooses the arm; absent: the service chooses */
  readonly key?: string;
}

/** Which arm of a rollout gave a score; null: none was named. */
interface Arm {
  arm: string | null;
  /** the segment of the record, by which its model was chosen; null: there are none */
  segment: string | null;
  /** the rollout assigns by a key that the request did not have: the champion answered whoever asked */
  isUnkeyed: boolean;
}

/** A score, and which arm gave it. */
export type RoutedScore = ScoredRecord & Readonly<Arm>;

interface Call extends Arm {
  readonly key: string | undefined;
}

/** The header that has the key where a rollout names no other. */
export const KEY_HEADER = 'x-logodds-key';

/** The client with what a rollout needs: a key goes along in a header, and the arm comes back in one. */
export class RoutedClient {
  readonly #client: ScoringClient;
  /** calls under way, by the id of their request, which is a header of each attempt */
  readonly #calls = new Map<string, Call>();

  /** @param keyHeader  by which the key goes along @throws ServiceError for an address that is none */
  constructor(options: ClientOptions, keyHeader: string = KEY_HEADER) {
    const send = options.fetch ?? ((url, init) => fetch(url, init));
    this.#client = new ScoringClient({
      ...options,
      fetch: async (url, init) => {
        const headers = init.headers as Record<string, string>;
        const call = this.#calls.get(headers['x-request-id']);
        const response = await send(
          url,
          call?.key === undefined ? init : { ...init, headers: { ...headers, [keyHeader]: headerOf(call.key) } },
        );
        if (call) {
          call.arm = response.headers.get('x-model-route');
          call.segment = response.headers.get('x-model-segment');
          call.isUnkeyed = response.headers.get('x-model-route-reason') === 'no-key';
        }
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
    const call: Call = { key: key === '' ? undefined : key, arm: null, segment: null, isUnkeyed: false };
    this.#calls.set(requestId, call);
    try {
      const scored = await this.#client.score(model, record, { version, requestId });
      return { ...scored, arm: call.arm, segment: call.segment, isUnkeyed: call.isUnkeyed };
    } finally {
      this.#calls.delete(requestId);
    }
  }
}

/** A header takes printable ASCII alone; what is not is percent-encoded, and the sign itself with it, so that keys stay distinct. */
const headerOf = (key: string): string => (/^[!-$&-~]+$/.test(key) ? key : encodeURIComponent(key));
