import { ServiceError, unreadable } from '../error.ts';
import { parsedJson } from '../json.ts';
import { type CallOptions, type ClientOptions, Transport } from '../transport.ts';
import { HEADER_LENGTH, type InferOptions, type InputTensor, messageOf } from './inference.ts';
import { type InferenceResult, resultOf } from './inferenceResult.ts';
import type { ModelMetadata, ModelState, ModelStatistics, ServerMetadata } from './messages.ts';

/** A version of a model; default: as the server chooses. */
interface VersionOptions extends CallOptions {
  readonly version?: string;
}

/** Statuses by which servers say that something is not ready: MLServer has 400. */
const NOT_READY: ReadonlySet<number | null> = new Set([400, 404, 503]);

/**
 * Asks any server of Open Inference V2 over REST: Triton, KServe, MLServer, `logodds serve`. Metadata, the repository and statistics come as the
 * protocol has them.
 * @example
 * const inference = new InferenceClient({ baseUrl });
 * await inference.isReady('flights'); // true
 * const result = await inference.infer('flights', [
 *   { name: 'distance', data: Float64Array.of(1200, 600) },
 *   { name: 'origin', data: ['LAS', 'ATL'] },
 * ]);
 * result.output('label').data; // ['yes', 'no']
 */
export class InferenceClient {
  readonly #transport: Transport;

  /** @throws ERR_REQUEST for an address that is none */
  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  /**
   * What the server is, or one of its models.
   * @throws ServiceError
   * @example
   * const { inputs: fields } = await inference.metadata('flights');
   * fields[0]; // { name: 'distance', datatype: 'FP64', shape: [-1] }
   * const { name } = await inference.metadata();
   * name; // 'logodds'
   */
  metadata(): Promise<ServerMetadata>;
  metadata(model: string, options?: VersionOptions): Promise<ModelMetadata>;
  metadata(model: null, options?: CallOptions): Promise<ServerMetadata>;
  metadata(model: string | null = null, options: VersionOptions = {}): Promise<ServerMetadata | ModelMetadata> {
    return this.#get(model === null ? '' : modelPath(model, options.version), options);
  }

  /**
   * Whether the server lives. It is asked once.
   * @throws ServiceError where it does not answer
   */
  isLive(options: CallOptions = {}): Promise<boolean> {
    return this.#is('/health/live', 'live', options);
  }

  /**
   * Whether the server takes requests, or one of its models does. It is asked once.
   * @throws ServiceError where the server does not answer
   * @example
   * await inference.isReady(); // true
   * await inference.isReady('none'); // false
   */
  isReady(model: string | null = null, options: VersionOptions = {}): Promise<boolean> {
    return this.#is(model === null ? '/health/ready' : `${modelPath(model, options.version)}/ready`, 'ready', options);
  }

  /**
   * Asks a model. The inputs are one tensor for each of its fields, or as its metadata say.
   * @throws ServiceError
   * @example
   * const { model, outputs } = await inference.infer('flights', inputs, { binary: true, outputs: ['logit'] });
   * model; // 'flights'
   * outputs[0].data; // [2.3303, -2.134]
   */
  infer(
    model: string,
    inputs: readonly InputTensor[],
    options: InferOptions & { readonly texts: false },
  ): Promise<InferenceResult<Uint8Array>>;
  infer(model: string, inputs: readonly InputTensor[], options?: InferOptions): Promise<InferenceResult>;
  async infer(
    model: string,
    inputs: readonly InputTensor[],
    options: InferOptions = {},
  ): Promise<InferenceResult<never>> {
    const { headers, body } = messageOf(inputs, options);
    const path = `v2${modelPath(model, options.version)}/infer`;
    return this.#transport.send({ method: 'POST', path, headers, body, isRepeatable: true }, options, (answer) => {
      const said = answer.headers.get(HEADER_LENGTH);
      return resultOf<never>(answer.bytes, said === null ? null : Number(said), options.texts !== false);
    });
  }

  /**
   * The models of the server, those that could not be loaded too.
   * @param options.ready  only those that are ready
   * @throws ServiceError
   * @example
   * const [{ name, state }] = await inference.repository();
   * [name, state]; // ['flights', 'READY']
   */
  async repository(options: CallOptions & { readonly ready?: boolean } = {}): Promise<readonly ModelState[]> {
    const { ready } = options;
    return (await this.#post('/repository/index', { ready }, true, options)) as readonly ModelState[];
  }

  /**
   * Loads a model, or loads it again. **It changes the server**, and is sent once.
   * @throws ServiceError
   */
  async load(model: string, options: CallOptions & { readonly parameters?: Readonly<Record<string, unknown>> } = {}) {
    const { parameters } = options;
    await this.#post(`/repository${modelPath(model)}/load`, { parameters }, false, options);
  }

  /**
   * Takes a model off the server. **It changes the server**, and is sent once.
   * @throws ServiceError
   */
  async unload(model: string, options: CallOptions = {}): Promise<void> {
    await this.#post(`/repository${modelPath(model)}/unload`, {}, false, options);
  }

  /**
   * Counts of all models, or of one.
   * @throws ServiceError
   * @example
   * await inference.infer('flights', inputs);
   * const [{ inference_count }] = await inference.statistics('flights');
   * inference_count > 0; // true
   */
  async statistics(model: string | null = null, options: VersionOptions = {}): Promise<readonly ModelStatistics[]> {
    const path = model === null ? '/models' : modelPath(model, options.version);
    const found = await this.#get<{ readonly model_stats?: readonly ModelStatistics[] } | null>(
      `${path}/stats`,
      options,
    );
    if (found?.model_stats) return found.model_stats;
    throw unreadable('answer: expected model_stats, got none; does the server have statistics?');
  }

  #get<T>(path: string, options: CallOptions): Promise<T> {
    return this.#transport.send(
      { method: 'GET', path: `v2${path}`, isRepeatable: true },
      options,
      ({ bytes }) => parsedJson(bytes) as T,
    );
  }

  #post(path: string, body: object, isRepeatable: boolean, options: CallOptions): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const sent = { method: 'POST', path: `v2${path}`, headers, body: JSON.stringify(body), isRepeatable } as const;
    // Triton answers a load with nothing
    return this.#transport.send(sent, options, ({ bytes }) => (bytes.length === 0 ? null : parsedJson(bytes)));
  }

  /** By the status, and where the answer says more by that. */
  async #is(path: string, member: string, options: CallOptions): Promise<boolean> {
    try {
      return await this.#transport.send(
        { method: 'GET', path: `v2${path}`, isRepeatable: false },
        options,
        ({ bytes }) => bytes.length === 0 || (parsedJson(bytes) as Record<string, unknown> | null)?.[member] !== false,
      );
    } catch (error) {
      if (error instanceof ServiceError && NOT_READY.has(error.status)) return false;
      throw error;
    }
  }
}

function modelPath(model: string, version?: string): string {
  const path = `/models/${encodeURIComponent(model)}`;
  return version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
}
