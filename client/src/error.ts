/** What is wrong with a field of a row. */
export interface Problem {
  readonly field?: string;
  /** from 0 */
  readonly row?: number;
  readonly rule: string;
}

/** What is known of a call that failed. */
interface Circumstances {
  readonly status?: number | null;
  readonly problems?: readonly Problem[];
  readonly requestId?: string | null;
  readonly attempts?: number;
  readonly cause?: unknown;
}

/**
 * The one error of the client. Its message is a sentence: what was expected, what was got, what to do next.
 *
 * Codes of the service are passed on (`ERR_RECORD`, `ERR_MODEL`, …); those of the client are
 *
 *     ERR_CONNECTION   no answer, or only a part of it
 *     ERR_TIMEOUT      the deadline has passed
 *     ERR_ABORTED      the signal of the caller was raised; it is the cause
 *     ERR_REQUEST      what was to be sent cannot be
 *     ERR_RESPONSE     the answer is none of the protocol
 *     ERR_STATUS       a server of other kind refused without a code
 */
export class ServiceError extends Error {
  /** the HTTP status; null: there was no answer */
  readonly status: number | null;
  readonly code: string;
  /** by field and row, where the service says them */
  readonly problems: readonly Problem[];
  /** the id by which logs of the service know the request; null: nothing was sent */
  readonly requestId: string | null;
  /** how many times it was sent */
  readonly attempts: number;

  constructor(code: string, message: string, circumstances: Circumstances = {}) {
    const { status = null, problems = [], requestId = null, attempts = 0, cause } = circumstances;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ServiceError';
    this.code = code;
    this.status = status;
    this.problems = problems;
    this.requestId = requestId;
    this.attempts = attempts;
  }
}

/** What cannot be sent. */
export const unsendable = (message: string): ServiceError => new ServiceError('ERR_REQUEST', message);

/** An answer that is none of the protocol. */
export const unreadable = (message: string, cause?: unknown): ServiceError =>
  new ServiceError('ERR_RESPONSE', message, { cause });
