import type { LogoddsError } from 'logodds/score';
import { registryError } from '../errors.ts';

/** Environment variables of MLflow that are heeded. */
export interface MlflowEnvironment {
  readonly MLFLOW_TRACKING_TOKEN?: string;
  readonly MLFLOW_TRACKING_USERNAME?: string;
  readonly MLFLOW_TRACKING_PASSWORD?: string;
  /** seconds; default 120 */
  readonly MLFLOW_HTTP_REQUEST_TIMEOUT?: string;
  /** attempts after the first; default 4 */
  readonly MLFLOW_HTTP_REQUEST_MAX_RETRIES?: string;
}

export interface MlflowOptions {
  /** default that of the process, where there is one */
  readonly environment?: MlflowEnvironment;
  readonly fetch?: typeof fetch;
  /** waits between attempts; default the clock of the host */
  readonly wait?: (ms: number) => Promise<void>;
  readonly now?: () => number;
}

/** What a server said instead of an answer. */
export interface MlflowSaid {
  readonly status: number;
  /** `RESOURCE_DOES_NOT_EXIST` and the like; null: the answer was not MLflow's */
  readonly code: string | null;
}

/** A request. */
export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: object;
  readonly bytes?: Uint8Array;
  /** default true: sending it twice does what sending it once does */
  readonly isRepeatable?: boolean;
}

const API = '/api/2.0/mlflow/';
const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';
/** Longest time between two attempts, whatever `Retry-After` says. */
const LONGEST_WAIT = 60_000;
/** Statuses after which a request is sent again; the first two mean that it was not looked at. */
const UNSEEN = [429, 503];
const AGAIN = [...UNSEEN, 500, 502, 504];

/**
 * MLflow's REST interface, by `fetch` alone. Credentials come from the environment and go into a header; none stands in an address or a message.
 */
export class MlflowRest {
  /** the address of the server, without a slash at its end */
  readonly place: string;
  readonly now: () => number;
  readonly #fetch: typeof fetch;
  readonly #wait: (ms: number) => Promise<void>;
  readonly #authorization: string | null;
  readonly #timeoutMs: number;
  readonly #attempts: number;

  /**
   * @param url  http(s)://HOST[:PORT][/PATH], or the same behind `mlflow+`
   * @throws ERR_STORE for another form, or one with a password
   */
  constructor(url: string, options: MlflowOptions = {}) {
    const { environment = environmentOf(), now = Date.now, wait = sleep } = options;
    this.place = placeOf(url);
    this.now = now;
    this.#wait = wait;
    this.#fetch = options.fetch ?? ((...given) => fetch(...given));
    this.#authorization = authorizationOf(environment);
    this.#timeoutMs = 1000 * numberOf(environment, 'MLFLOW_HTTP_REQUEST_TIMEOUT', 120, 1);
    this.#attempts = 1 + numberOf(environment, 'MLFLOW_HTTP_REQUEST_MAX_RETRIES', 4, 0);
  }

  /** Asks `/api/2.0/mlflow/{path}`. @throws ERR_STORE; `saidOf` tells what the server said */
  async ask<T>(path: string, question: Question = {}): Promise<T> {
    const response = await this.#send(`${API}${path}`, question);
    try {
      return (await response.json()) as T;
    } catch (cause) {
      throw this.#error(`${path}: expected JSON, got ${typeOf(response)}; check that the address is that of MLflow`, {
        ...{ cause, said: { status: response.status, code: null } },
      });
    }
  }

  /** Puts a file among the artifacts. @param path  as `artifactPath` gives it @throws ERR_STORE */
  async upload(path: string, bytes: Uint8Array): Promise<void> {
    await (await this.#send(`${ARTIFACTS}/${encoded(path)}`, { method: 'PUT', bytes })).arrayBuffer();
  }

  /** A file among the artifacts; null: it is not there. @throws ERR_STORE */
  async download(path: string): Promise<Uint8Array | null> {
    try {
      return new Uint8Array(await (await this.#send(`${ARTIFACTS}/${encoded(path)}`, {})).arrayBuffer());
    } catch (error) {
      // a store of files has a folder missing, one of objects the file: both say 404, of MLflow's own
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Where the server has artifacts of an address. @throws ERR_STORE for those that clients fetch without the server */
  artifactPath(uri: string): string {
    const own = `${this.place}${ARTIFACTS}/`;
    if (uri.startsWith(own)) return decodeURI(uri.slice(own.length));
    const path = /^mlflow-artifacts:\/(?:\/\/)?(?!\/)(.+)$/.exec(uri)?.[1];
    if (path !== undefined) return path;
    throw this.#error(
      `artifacts: expected a server that hands them on (mlflow server --artifacts-destination), got ${uri.slice(0, 200)}, which its clients ask themselves; start it so`,
    );
  }

  async #send(path: string, question: Question): Promise<Response> {
    const { isRepeatable = true } = question;
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= this.#attempts;
      let response: Response;
      try {
        response = await this.#once(path, question);
      } catch (cause) {
        const why = reasonOf(cause);
        const mayRepeat = isRepeatable || NOT_SENT.has(why);
        if (isLast || !mayRepeat)
          throw this.#error(
            `expected an MLflow server, got no answer (${why}) in ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}; start it, or correct the address`,
            { cause },
          );
        await this.#wait(250 * 2 ** (attempt - 1));
        continue;
      }
      if (response.ok) return response;
      const mayRepeat = (isRepeatable ? AGAIN : UNSEEN).includes(response.status);
      if (isLast || !mayRepeat) throw await this.#refusal(path, response);
      await response.body?.cancel();
      await this.#wait(Math.min(this.#retryAfter(response) ?? 250 * 2 ** (attempt - 1), LONGEST_WAIT));
    }
  }

  #once(path: string, { method, query = {}, json, bytes }: Question): Promise<Response> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
    const search = given.map(([key, value]) => `${key}=${encodeURIComponent(value!)}`).join('&');
    const type = json ? 'application/json' : bytes ? 'application/octet-stream' : null;
    return this.#fetch(`${this.place}${path}${search && `?${search}`}`, {
      method: method ?? (json ? 'POST' : 'GET'),
      // a token does not follow to another host
      redirect: 'manual',
      signal: AbortSignal.timeout(this.#timeoutMs),
      headers: {
        ...(type && { 'content-type': type }),
        ...(this.#authorization && { authorization: this.#authorization }),
      },
      ...(json && { body: textOf(json) }),
      ...(bytes && { body: bytes as Uint8Array<ArrayBuffer> }),
    });
  }

  async #refusal(path: string, response: Response): Promise<LogoddsError> {
    const { status } = response;
    const text = await response.text().catch(() => '');
    const { error_code: code, message } = parsed(text);
    const said: MlflowSaid = { status, code: typeof code === 'string' ? code : null };
    const what = path.slice(path.startsWith(API) ? API.length : '/api/2.0/'.length);
    if (said.code === null) {
      const next = NEXT[status] ?? 'check that the address is that of MLflow';
      return this.#error(`${what}: expected an answer of MLflow, got ${status} with ${typeOf(response)}; ${next}`, {
        said,
      });
    }
    const words = brief(typeof message === 'string' ? message : '');
    const next = NEXT[status] ?? 'correct what was asked';
    return this.#error(`${what}: expected it to be done, got ${said.code} (${words}); ${next}`, { said });
  }

  /** Milliseconds that the server asks for. */
  #retryAfter({ headers }: Response): number | null {
    const text = headers.get('retry-after') ?? '';
    const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - this.now()) / 1000;
    return Number.isFinite(seconds) ? Math.max(0, 1000 * seconds) : null;
  }

  #error(sentence: string, { cause, said }: { cause?: unknown; said?: MlflowSaid } = {}): LogoddsError {
    return registryError('ERR_STORE', `${this.place}: ${sentence}`, said ?? cause);
  }
}

const NEXT: Readonly<Record<number, string>> = {
  301: 'name the address that it leads to',
  302: 'name the address that it leads to, or log in by MLFLOW_TRACKING_TOKEN',
  307: 'name the address that it leads to',
  308: 'name the address that it leads to',
  401: 'set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD',
  403: 'ask for the right to do it, or for another token',
  413: 'have the server take larger files',
  429: 'try again later',
  500: 'see the log of the server',
  502: 'see whether the server runs behind its proxy',
  503: 'try again later',
  504: 'try again later',
};

/** What the server said, where it did; null for other errors. */
export function saidOf(error: unknown): MlflowSaid | null {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause !== null && typeof cause === 'object' && 'status' in cause && 'code' in cause
    ? (cause as MlflowSaid)
    : null;
}

/** Whether the server said that something is not there. */
export const isMissing = (error: unknown): boolean => saidOf(error)?.code === 'RESOURCE_DOES_NOT_EXIST';

/** Errors of `fetch` before anything was sent. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** Why a request had no answer: a code of the system, without the address. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: unknown; message?: unknown } };
  if (name === 'TimeoutError') return 'it took too long';
  return typeof cause?.code === 'string' ? cause.code : brief(String(cause?.message ?? message));
}

/** The first line of a foreign text, 300 characters at most. */
const brief = (text: string): string => {
  const line = text.split('\n', 1)[0]!;
  return line.length > 300 ? `${line.slice(0, 299)}…` : line.replace(/[.\s]{1,9}$/, '');
};

const typeOf = ({ headers }: Response): string => {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim();
  return type === 'text/html' ? 'a page of HTML' : type ? `a body of ${brief(type)}` : 'no body';
};

function parsed(text: string): { readonly error_code?: unknown; readonly message?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as object;
  } catch {
    return {};
  }
}

/** JSON as protobuf reads it: numbers that JSON does not have are texts. */
const textOf = (value: object): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'number' && !Number.isFinite(one) ? String(one) : one));

const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** @throws ERR_STORE */
function placeOf(url: string): string {
  const next = 'correct it';
  let read: URL;
  try {
    read = new URL(url.replace(/^mlflow\+/, ''));
  } catch {
    // a text that is no address may have a password in it
    throw registryError('ERR_STORE', `MLflow: expected mlflow+http(s)://HOST, got something else; ${next}`);
  }
  if (read.protocol !== 'http:' && read.protocol !== 'https:')
    throw registryError('ERR_STORE', `MLflow: expected mlflow+http(s)://HOST, got ${read.protocol}//; ${next}`);
  if (read.username !== '' || read.password !== '')
    throw registryError(
      'ERR_STORE',
      `${read.protocol}//${read.host}: expected an address without a password, which stands in logs, got one with it; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN`,
    );
  if (read.search !== '' || read.hash !== '')
    throw registryError(
      'ERR_STORE',
      `${read.protocol}//${read.host}: expected an address without ? and #, got one with them; leave them out`,
    );
  return `${read.protocol}//${read.host}${read.pathname.replace(/\/+$/, '')}`;
}

/** @throws ERR_STORE */
function authorizationOf(environment: MlflowEnvironment): string | null {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: password,
  } = environment;
  if (user && password !== undefined) {
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    return `Basic ${btoa(String.fromCharCode(...bytes))}`;
  }
  if (!token) return null;
  if (!/^[\x21-\x7e]+$/.test(token))
    throw registryError('ERR_STORE', 'MLFLOW_TRACKING_TOKEN: expected letters of a header, got others; correct it');
  return `Bearer ${token}`;
}

/** @throws ERR_STORE */
function numberOf(
  environment: MlflowEnvironment,
  name: keyof MlflowEnvironment,
  otherwise: number,
  least: number,
): number {
  const text = environment[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= 86_400) return value;
  throw registryError('ERR_STORE', `${name}: expected a whole number from ${least} on, got ${text}; correct it`);
}

const environmentOf = (): MlflowEnvironment =>
  (globalThis as { process?: { env?: MlflowEnvironment } }).process?.env ?? {};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
