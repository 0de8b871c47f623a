import { LogoddsError } from 'logodds/score';

/** What a client is told when a request cannot be answered. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  /** what is wrong, by field and row */
  readonly problems: readonly { readonly field?: string; readonly row?: number; readonly rule: string }[];
  readonly headers: Readonly<Record<string, string>>;

  /** @param message  what was expected, what was got, what to do next */
  constructor(
    status: number,
    code: string,
    message: string,
    parts: Partial<Pick<Refusal, 'problems' | 'headers'>> = {},
  ) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.problems = parts.problems ?? [];
    this.headers = parts.headers ?? {};
  }
}

export const badRequest = (message: string): Refusal => new Refusal(400, 'ERR_REQUEST', message);

/** An error of any kind as a refusal. What is neither ours nor the library's is a fault of the service, of which nothing is told. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isOfLibrary(error)) {
    const status = CLIENT.has(error.code) ? 400 : 500;
    return new Refusal(status, error.code, error.message, { problems: error.problems as Refusal['problems'] });
  }
  return new Refusal(500, 'ERR_INTERNAL', 'the service failed; its log says why, by the id of the request');
}

/** Errors that a request causes. */
const CLIENT = new Set(['ERR_DATA', 'ERR_RECORD', 'ERR_SCHEMA', 'ERR_SHAPE', 'ERR_RANGE']);

/** A program may have two copies of the library. */
const isOfLibrary = (error: unknown): error is LogoddsError =>
  error instanceof LogoddsError || (error instanceof Error && error.name === 'LogoddsError' && 'code' in error);

/** The JSON of a refusal. Clients of KServe read `error` only where the type is exactly `application/json`. */
export function refusalResponse(
  { status, code, message, problems, headers }: Refusal,
  id: string | null,
  more: Readonly<Record<string, string>> | null = null,
): Response {
  const body = { error: message, code, ...(problems.length > 0 && { problems }), ...(id !== null && { id }) };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...more, ...headers },
  });
}
