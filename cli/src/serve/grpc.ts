import type { ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { Peer, Service } from '../../../service/src/index.ts';
import { peerOfCertificate } from './certificates.ts';
import { blobOf, type Contents } from './grpcContents.ts';

/*
 * Open Inference V2 over gRPC. Each call becomes a request of the same protocol over REST, with its tensors as bytes: what is refused, counted and
 * answered has one author.
 */

const PROTO = fileURLToPath(new URL('../proto/inference.proto', import.meta.url));
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

/** @param fail  takes what went wrong beside what a client is told */
export function answerCalls(service: Service, fail: (error: unknown) => void): Calls {
  const definition = loadSync(PROTO, { keepCase: true, longs: String, defaults: true, oneofs: true });
  const server = new Server({
    'grpc.max_receive_message_length': MOST,
    'grpc.max_send_message_length': MOST,
    ...KEEP_ALIVE,
    // what nobody reads need not be counted
    'grpc.enable_channelz': 0,
  });
  ignoreGone(server);
  const { inference } = loadPackageDefinition(definition) as unknown as {
    inference: { GRPCInferenceService: { service: never } };
  };
  server.addService(inference.GRPCInferenceService.service, callsOf(service, fail) as never);
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

const model = ({ name, version }: Named): string =>
  `/v2/models/${encodeURIComponent(name)}${version ? `/versions/${encodeURIComponent(version)}` : ''}`;

/** Asks the service in the name of who calls. */
type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** What says who calls, and to which trace the call belongs; what comes twice has a comma between, as in HTTP. */
const CARRIED = ['authorization', 'x-api-key', 'traceparent', 'tracestate', 'x-request-id'];

function carriedOf(metadata: Metadata): Record<string, string> {
  const given = CARRIED.map((name) => [name, metadata.get(name).join(', ')] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
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

function callsOf(service: Service, fail: (error: unknown) => void) {
  const asker =
    (call: ServerUnaryCall<unknown, object>): Ask =>
    async (path, init = {}) => {
      const headers = { ...carriedOf(call.metadata), ...timeoutOf(call), ...init.headers };
      const response = await service.fetch(new Request(`http://grpc${path}`, { ...init, headers }), peerOf(call));
      if (response.ok) return response;
      const { error } = (await response.json().catch(() => ({ error: response.statusText }))) as { error: string };
      throw new Refused(response.status, error);
    };
  const unary =
    <T>(answer: (ask: Ask, request: T) => Promise<object>) =>
    (call: ServerUnaryCall<T, object>, done: sendUnaryData<object>): void => {
      answer(asker(call), call.request).then(
        (response) => done(null, response),
        (error: Error) => {
          if (error instanceof Refused) return done({ code: error.code, message: error.message });
          fail(error);
          return done({ code: status.INTERNAL, message: 'the service failed; its log says why' });
        },
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
