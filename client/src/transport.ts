import { type Attempt, delayMs, mayPass, type RetryOptions } from './attempts.ts';
import { Deadline } from './deadline.ts';
import { ServiceError, unsendable } from './error.ts';

/** Headers, or what gives them before each attempt. */
type HeaderSource = Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);

/** Where a service is, and how it is asked. */
export interface ClientOptions {
  /** address below which the paths of the protocol lie, as `https://scores.example/v3` */
  readonly baseUrl: string | URL;
  /** goes as `Authorization: Bearer`; a function is asked before each attempt, so that tokens may rotate */
  readonly token?: string | (() => string | Promise<string>);
  /** further headers of each attempt */
  readonly headers?: HeaderSource;
  /** how long a call may take, attempts and waits together; default 30000; Infinity: as long as it takes. Streams have none of their own. */
  readonly timeoutMs?: number;
  /** when a request is sent again; false: never */
  readonly retry?: RetryOptions | false;
  /** default: that of the host */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response> | Response;
  /** told of each attempt, for logs and metrics */
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** What may be said of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** in the place of that of the client */
  readonly timeoutMs?: number;
  /** goes as `x-request-id`, the same in every attempt; default: a random one */
  readonly requestId?: string;
  /** W3C trace context, passed on */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** A request of a protocol. */
export interface Sent {
  readonly method: 'GET' | 'POST';
  /** below the base, without a slash before it */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** whether it may be sent again: doing it twice is doing it once */
  readonly isRepeatable: boolean;
}

/** A whole answer. */
export interface Answer {
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly requestId: string;
}

/** What is known of a call. */
interface Call {
  readonly requestId: string;
  readonly attempts: number;
  readonly deadline: Deadline;
}

/** Takes what is wanted of a response. */
type Take<T> = (response: Response, call: Call) => T | Promise<T>;

const TIMEOUT_MS = 30_000;
const RETRY: Required<RetryOptions> = { attempts: 3, baseMs: 100, maxMs: 5000 };

/** Sends requests: headers, deadlines, attempts, errors, whatever the protocol. */
export class Transport {
  readonly #base: string;
  readonly #options: ClientOptions;
  readonly #retry: Required<RetryOptions>;
  readonly #fetch: NonNullable<ClientOptions['fetch']>;

  /** @throws ERR_REQUEST for an address that is none */
  constructor(options: ClientOptions) {
    this.#base = baseOf(options.baseUrl);
    this.#options = options;
    this.#retry = { ...RETRY, ...(options.retry === false ? { attempts: 1 } : options.retry) };
    // called without `this`, as hosts demand it
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  /**
   * Sends a request, again where that may help, and reads its answer within the deadline.
   * @param read  of the answer what is wanted
   * @throws ServiceError
   */
  async send<T>(sent: Sent, options: CallOptions, read: (answer: Answer) => T): Promise<T> {
    const deadline = this.#deadline(options, this.#options.timeoutMs ?? TIMEOUT_MS);
    const take: Take<readonly [Response, Uint8Array, Call]> = async (response, call) => [
      response,
      new Uint8Array(await response.arrayBuffer()),
      call,
    ];
    try {
      const [{ headers, status }, bytes, call] = await this.#attempts(sent, options, deadline, take);
      try {
        return read({ headers, bytes, requestId: call.requestId });
      } catch (error) {
        throw error instanceof ServiceError ? known(error, status, call) : error;
      }
    } finally {
      deadline.end();
    }
  }

  /**
   * Sends a request of which the answer is a stream. It is sent again only as long as none has begun, and has no deadline but that of the call.
   * Who cancels the stream ends the request.
   * @throws ServiceError
   */
  async open(sent: Sent, options: CallOptions): Promise<ReadableStream<Uint8Array>> {
    const deadline = this.#deadline(options, Infinity);
    try {
      return await this.#attempts(sent, options, deadline, (response, call) => this.#body(response, call));
    } catch (error) {
      deadline.abort();
      throw error;
    }
  }

  /** @throws ERR_REQUEST */
  #deadline({ timeoutMs, signal }: CallOptions, usual: number): Deadline {
    const given = timeoutMs ?? usual;
    if (given > 0) return new Deadline(given, signal);
    throw unsendable(`timeoutMs: expected a number above 0, got ${given}; leave it out`);
  }

  /** The body of an answer; its errors are those of the client. */
  #body({ body, status }: Response, call: Call): ReadableStream<Uint8Array> {
    const { deadline } = call;
    const reader = body?.getReader();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const { value } = (await reader?.read()) ?? {};
            if (value) controller.enqueue(value);
            else {
              controller.close();
              deadline.abort();
            }
          } catch (error) {
            controller.error(this.#failure(error, status, call));
            deadline.abort();
          }
        },
        cancel: () => deadline.abort(),
      },
      { highWaterMark: 0 },
    );
  }

  async #attempts<T>(sent: Sent, options: CallOptions, deadline: Deadline, take: Take<T>): Promise<T> {
    const { requestId = randomId() } = options;
    for (let attempts = 1; ; attempts++) {
      const call = { requestId, attempts, deadline };
      const tried = await this.#try(sent, options, call, take);
      const { status, error } = tried;
      const delay = this.#delay(sent, tried, call);
      this.#options.onAttempt?.({ attempt: attempts, requestId, status, error, delayMs: delay });
      if (!tried.error) return tried.value;
      if (delay === null) throw tried.error;
      await deadline.wait(delay);
      if (deadline.signal.aborted) throw ended(call);
    }
  }

  /** How long to wait before another attempt; null: there is none. */
  #delay({ isRepeatable }: Sent, tried: Tried<unknown>, { attempts, deadline }: Call): number | null {
    if (!tried.error || !tried.mayPass || !isRepeatable || attempts >= this.#retry.attempts) return null;
    const delay = delayMs(attempts, tried.retryAfter, this.#retry);
    // an error now says more than one at the deadline
    return delay < deadline.remainingMs ? delay : null;
  }

  async #try<T>(sent: Sent, options: CallOptions, call: Call, take: Take<T>): Promise<Tried<T>> {
    const { signal } = call.deadline;
    const { method, path, body } = sent;
    // what the caller's own functions throw is the caller's
    const headers = await this.#headers(sent, options, call);
    let status: number | null = null;
    try {
      // hosts differ in what they send where the signal was raised before
      if (signal.aborted) throw ended({ ...call, attempts: call.attempts - 1 });
      const response = await this.#fetch(`${this.#base}${path}`, {
        method,
        headers,
        signal,
        ...(body instanceof ReadableStream
          ? { body: bounded(body, signal), duplex: 'half' }
          : body !== undefined && { body: body as BodyInit }),
      });
      ({ status } = response);
      if (response.ok) return { status, error: null, value: await take(response, call) };
      const error = refused(status, await response.text(), call);
      return { status, error, mayPass: mayPass(status), retryAfter: response.headers.get('retry-after') };
    } catch (thrown) {
      const error = this.#failure(thrown, status, call);
      return { status, error, mayPass: error.code === 'ERR_CONNECTION', retryAfter: null };
    }
  }

  #failure(thrown: unknown, status: number | null, call: Call): ServiceError {
    if (thrown instanceof ServiceError) return thrown;
    return call.deadline.signal.aborted ? ended(call) : broken(this.#base, thrown, status, call);
  }

  async #headers(sent: Sent, options: CallOptions, { requestId, deadline }: Call) {
    const { token, headers } = this.#options;
    const { traceparent, tracestate } = options;
    const { remainingMs } = deadline;
    const bearer = typeof token === 'function' ? await token() : token;
    return {
      ...(typeof headers === 'function' ? headers() : headers),
      ...sent.headers,
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      'x-request-id': requestId,
      // seconds: a server that is late need not begin
      ...(remainingMs < Infinity && { timeout: `${Math.max(1, Math.ceil(remainingMs)) / 1000}` }),
      ...(traceparent !== undefined && { traceparent }),
      ...(tracestate !== undefined && { tracestate }),
    };
  }
}

/** A body that ends with its call: hosts take what is sent to its end, also when nobody waits for it. */
const bounded = (body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> =>
  body.pipeThrough(new TransformStream(), { signal });

/** What became of an attempt. */
type Tried<T> =
  | { readonly status: number; readonly error: null; readonly value: T }
  | {
      readonly status: number | null;
      readonly error: Error;
      readonly mayPass: boolean;
      readonly retryAfter: string | null;
    };

/** @throws ERR_REQUEST */
function baseOf(given: string | URL): string {
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw unsendable(`baseUrl: expected an address as https://scores.example, got ${JSON.stringify(given)}`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw unsendable('baseUrl: expected no user, query or fragment, got one; give a token or headers');
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

/** 128 random bits. `crypto.randomUUID` is missing on pages without TLS. */
const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** An error of reading an answer, with what it could not know. */
const known = (
  { code, message, status: own, problems, cause }: ServiceError,
  status: number,
  { requestId, attempts }: Call,
): ServiceError => new ServiceError(code, message, { status: own ?? status, problems, requestId, attempts, cause });

function ended({ deadline, requestId, attempts }: Call): ServiceError {
  if (deadline.isOver)
    return new ServiceError(
      'ERR_TIMEOUT',
      `answer: expected within ${deadline.timeoutMs} ms, got none in ${attempts} attempts; give more timeoutMs, or ask for less`,
      { requestId, attempts },
    );
  return new ServiceError('ERR_ABORTED', 'call: expected to end with its answer, got the signal of the caller', {
    requestId,
    attempts,
    cause: deadline.signal.reason,
  });
}

function broken(base: string, cause: unknown, status: number | null, { requestId, attempts }: Call): ServiceError {
  const got = status === null ? 'none' : 'a part';
  return new ServiceError(
    'ERR_CONNECTION',
    `connection to ${base}: expected an answer, got ${got} in ${attempts} attempts (${reasonOf(cause)}); is the service there?`,
    { status, requestId, attempts, cause },
  );
}

/** Hosts say "fetch failed", and what failed by its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.code ?? (cause?.message || message) ?? String(error);
}

interface Refused {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly detail?: unknown;
  readonly code?: unknown;
  readonly error_code?: unknown;
  readonly problems?: unknown;
}

/** The error of an answer, in the words of the server: `error` of Open Inference V2, `message` of MLflow, `detail` of FastAPI. */
function refused(status: number, text: string, { requestId, attempts }: Call): ServiceError {
  let body: Refused = {};
  try {
    body = (JSON.parse(text) as Refused | null) ?? {};
  } catch {
    // a proxy answers with a page
  }
  const said = body.error ?? body.message ?? body.detail ?? text.slice(0, 200);
  const code = body.code ?? body.error_code;
  return new ServiceError(
    typeof code === 'string' ? code : 'ERR_STATUS',
    said === ''
      ? `answer: expected a status below 400, got ${status}`
      : typeof said === 'string'
        ? said
        : JSON.stringify(said),
    { status, problems: Array.isArray(body.problems) ? body.problems : [], requestId, attempts },
  );
}
