import { randomUUID } from 'node:crypto';
import type { ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogger,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import {
  KEY_HEADER,
  type LogLine,
  type Peer,
  ROUTE_HEADER,
  type Service,
  sayableFault,
} from '../../../service/src/index.ts';
import { peerOfCertificate } from './certificates.ts';
import { blobOf, type Contents } from './grpcContents.ts';

/*
 * Open Inference V2 over gRPC. Each call becomes a request of the same protocol over REST, with its tensors as bytes: what is refused, counted and
 * answered has one author.
 */

/** It stands beside the folder of the command; tests run the command from its sources. */
const PROTO = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../proto/inference.proto' : '../proto/inference.proto',
    import.meta.url,
  ),
);
const SERVICE = 'inference.GRPCInferenceService';
const HEADER_LENGTH = 'inference-header-content-length';
/** Bytes of a message. */
const MOST = 2 ** 26;

/** gRPC's codes of refusals. */
const CODES: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  413: status.RESOURCE_EXHAUSTED,
  415: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

interface InferRequest {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly string[];
    readonly contents: Contents | null;
  }[];
  readonly outputs: readonly { readonly name: string }[];
  readonly raw_input_contents: readonly Uint8Array[];
}

type Named = { readonly name: string; readonly version: string };

/** What answers an inference: JSON of its head, and the blobs behind it. */
interface Head {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly {
    name: string;
    datatype: string;
    shape: number[];
    parameters: { binary_data_size: number };
  }[];
}

/** What the service says of a refusal. */
interface Fault {
  readonly error: string;
  readonly id?: string;
}

class Refused extends Error {
  readonly code: status;
  constructor(httpStatus: number, message: string) {
    super(message);
    this.code = CODES[httpStatus] ?? status.INTERNAL;
  }
}

/** A gRPC server that is handed its connections: what listens for them needs none of this until the first comes. */
export interface Calls {
  take(connection: Duplex): void;
  /** Health is "not serving" from now on. */
  drain(): void;
  /** Resolves when all calls are answered. */
  close(): Promise<void>;
  cut(): void;
}

/** What calls need of their host. */
export interface CallOptions {
  readonly log: (line: LogLine) => void;
  /** milliseconds after which a connection without a call is closed; 0: never */
  readonly idleMs: number;
}

/** A connection of which the other end is gone is found out and closed in this time. */
const KEEP_ALIVE = { 'grpc.keepalive_time_ms': 60_000, 'grpc.keepalive_timeout_ms': 20_000 };

type OnStream = (interceptors: unknown, stream: ServerHttp2Stream, headers: unknown) => void;

/**
 * A stream may be gone before it is handed over, where its connection breaks meanwhile. To refuse it, as one of another content type or of an unknown
 * method, throws in gRPC's library, and would end the process.
 * @internal
 */
export function ignoreGone(server: Server): void {
  const handlers = server as unknown as { _streamHandler: OnStream };
  const handle = handlers._streamHandler;
  handlers._streamHandler = (interceptors, stream, headers) => {
    if (!stream.destroyed) handle.call(server, interceptors, stream, headers);
  };
}

export function answerCalls(service: Service, { log, idleMs }: CallOptions): Calls {
  setLogger(withoutValues(log));
  const definition = loadSync(PROTO, { keepCase: true, longs: String, defaults: true, oneofs: true });
  const server = new Server({
    'grpc.max_receive_message_length': MOST,
    'grpc.max_send_message_length': MOST,
    ...KEEP_ALIVE,
    // a client that goes on makes another connection by itself
    ...(idleMs > 0 && { 'grpc.max_connection_idle_ms': idleMs }),
    // what nobody reads need not be counted
    'grpc.enable_channelz': 0,
  });
  ignoreGone(server);
  const { inference } = loadPackageDefinition(definition) as unknown as {
    inference: { GRPCInferenceService: { service: never } };
  };
  server.addService(inference.GRPCInferenceService.service, callsOf(service, log) as never);
  const health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });
  health.addToServer(server);
  new ReflectionService(definition).addToServer(server);
  // TLS is done where connections are taken
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    take: (connection) => injector.injectConnection(connection),
    drain() {
      for (const name of ['', SERVICE]) health.setStatus(name, 'NOT_SERVING');
    },
    close: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    cut: () => server.forceShutdown(),
  };
}

/** The same is said once in this time. */
const AGAIN_MS = 1000;

/** What the library says of metadata that no header can hold has their value in it, which may be a key: it stands behind a colon. */
function withoutValues(log: CallOptions['log']): Partial<Console> {
  let at = Number.NEGATIVE_INFINITY;
  let others = 0;
  return {
    error(text: string) {
      const now = performance.now();
      if (now - at < AGAIN_MS) {
        others++;
        return;
      }
      log({ level: 'warn', event: 'grpc', reason: text.split(': ')[0], others });
      at = now;
      others = 0;
    },
  };
}

const model = ({ name, version }: Named): string =>
  `/v2/models/${encodeURIComponent(name)}${version ? `/versions/${encodeURIComponent(version)}` : ''}`;

/** Asks the service in the name of who calls. */
type Ask = (
  path: string,
  init?: {
    readonly method?: string;
    readonly body?: string | Uint8Array<ArrayBuffer>;
    readonly headers?: Readonly<Record<string, string>>;
  },
) => Promise<Response>;

/** What says who calls, to which trace the call belongs, and which arm of a rollout answers it; what comes twice has a comma between, as in HTTP. */
const CARRIED = [
  ...['authorization', 'x-api-key', 'traceparent', 'tracestate', 'x-request-id'],
  ...[KEY_HEADER, ROUTE_HEADER],
];
const ID = 'x-request-id';

/** Headers of a request that metadata say. @throws Refused 400 for what no header can hold */
function carriedOf(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const name of CARRIED) {
    const value = metadata.get(name).join(', ');
    if (value === '') continue;
    try {
      headers.set(name, value);
    } catch {
      throw new Refused(400, `metadata ${name}: expected what a header can hold, got something else; correct it`);
    }
  }
  // who calls is told of an id, whatever becomes of the call
  if (!headers.has(ID)) headers.set(ID, randomUUID());
  return headers;
}

/** A call without a deadline has an endless one. */
function timeoutOf(call: ServerUnaryCall<unknown, object>): Record<string, string> {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? { timeout: String((deadline - Date.now()) / 1000) } : {};
}

const STRANGERS = [status.UNAUTHENTICATED, status.PERMISSION_DENIED];

/** Who asks: the address, and the certificate that was shown. */
function peerOf(call: ServerUnaryCall<unknown, object>): Peer {
  const { sslPeerCertificate: certificate } = call.getAuthContext();
  return { ...(certificate && peerOfCertificate(certificate)), address: call.getPeer().replace(/:\d+$/, '') };
}

function callsOf(service: Service, log: CallOptions['log']) {
  const asker =
    (call: ServerUnaryCall<unknown, object>, carried: Headers): Ask =>
    async (path, init = {}) => {
      const headers = new Headers(carried);
      for (const [name, value] of Object.entries({ ...timeoutOf(call), ...init.headers })) headers.set(name, value);
      const response = await service.fetch(new Request(`http://grpc${path}`, { ...init, headers }), peerOf(call));
      // one that cannot stand in a log was not taken
      carried.set(ID, response.headers.get(ID) ?? carried.get(ID)!);
      if (response.ok) return response;
      const { error, id } = (await response.json().catch(() => ({ error: response.statusText }))) as Fault;
      if (id !== undefined) carried.set(ID, id);
      throw new Refused(response.status, error);
    };
  /** What a client is told of an error. One that nobody expected is told to the log alone. */
  const told = (error: unknown, request: unknown, id: string) => {
    const metadata = new Metadata();
    metadata.set(ID, id);
    if (error instanceof Refused) return { code: error.code, message: error.message, metadata };
    const { model_name: name } = request as { readonly model_name?: string };
    const fields = service.models.all((other) => other === name).flatMap((served) => served.fields);
    log({ level: 'error', event: 'failed', id, protocol: 'grpc', reason: sayableFault(error, fields) });
    return {
      code: status.INTERNAL,
      message: 'the service failed; its log says why, by the id of the request',
      metadata,
    };
  };
  const unary =
    <T>(answer: (ask: Ask, request: T) => Promise<object>) =>
    (call: ServerUnaryCall<T, object>, done: sendUnaryData<object>): void => {
      let carried: Headers;
      try {
        carried = carriedOf(call.metadata);
      } catch (error) {
        done(told(error, call.request, randomUUID()));
        return;
      }
      answer(asker(call, carried), call.request).then(
        (response) => done(null, response),
        (error) => done(told(error, call.request, carried.get(ID)!)),
      );
    };
  const json = async (ask: Ask, path: string) => (await ask(path)).json();
  const post = async (ask: Ask, path: string, body: object = {}) =>
    (await ask(path, { method: 'POST', body: JSON.stringify(body) })).json();
  const isReady = async (ask: Ask, path: string) => {
    try {
      await ask(path);
      return { ready: true };
    } catch (error) {
      if (error instanceof Refused && STRANGERS.includes(error.code)) throw error;
      return { ready: false };
    }
  };
  return {
    ServerLive: unary(async () => ({ live: true })),
    ServerReady: unary((ask) => isReady(ask, '/v2/health/ready')),
    ModelReady: unary((ask, request: Named) => isReady(ask, `${model(request)}/ready`)),
    ServerMetadata: unary((ask) => json(ask, '/v2')),
    ModelMetadata: unary((ask, request: Named) => json(ask, model(request))),
    ModelStatistics: unary((ask, request: Named) => json(ask, `${request.name ? model(request) : '/v2/models'}/stats`)),
    ModelInfer: unary((ask, request: InferRequest) => infer(request, ask)),
    RepositoryIndex: unary(async (ask, { ready }: { ready: boolean }) => ({
      models: await post(ask, '/v2/repository/index', { ready }),
    })),
    RepositoryModelLoad: unary((ask, { model_name: name }: { model_name: string }) =>
      post(ask, `/v2/repository/models/${encodeURIComponent(name)}/load`),
    ),
    RepositoryModelUnload: unary((ask, { model_name: name }: { model_name: string }) =>
      post(ask, `/v2/repository/models/${encodeURIComponent(name)}/unload`),
    ),
  };
}

async function infer(request: InferRequest, ask: Ask): Promise<object> {
  const { model_name: name, model_version: version, id, inputs, outputs, raw_input_contents: raw } = request;
  if (raw.length > 0 && raw.length !== inputs.length)
    throw new Refused(
      400,
      `raw_input_contents: expected one for each of ${inputs.length} inputs, got ${raw.length}; send all of them so, or none`,
    );
  const tensors = raw.length > 0 ? raw : inputs.map(({ datatype, contents }) => blobOf(datatype, contents));
  const head = {
    ...(id && { id }),
    parameters: { binary_data_output: true },
    inputs: inputs.map(({ name, datatype, shape }, i) => ({
      name,
      datatype,
      shape: shape.map(Number),
      parameters: { binary_data_size: tensors[i].length },
    })),
    ...(outputs.length > 0 && { outputs: outputs.map(({ name }) => ({ name })) }),
  };
  const text = Buffer.from(JSON.stringify(head));
  const response = await ask(`${model({ name, version })}/infer`, {
    method: 'POST',
    body: Buffer.concat([text, ...tensors]),
    headers: { [HEADER_LENGTH]: String(text.length) },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  let at = Number(response.headers.get(HEADER_LENGTH));
  const told = JSON.parse(new TextDecoder().decode(bytes.subarray(0, at))) as Head;
  const blobs = told.outputs.map(({ parameters: { binary_data_size: size } }) => {
    const blob = bytes.subarray(at, at + size);
    at += size;
    return blob;
  });
  return {
    model_name: told.model_name,
    model_version: told.model_version,
    id: told.id,
    outputs: told.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_output_contents: blobs,
  };
}
