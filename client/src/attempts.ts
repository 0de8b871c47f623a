/** When a request that failed is sent again. */
export interface RetryOptions {
  /** how many times it is sent at most, the first time included; default 3; 1: never again */
  readonly attempts?: number;
  /** bound of the first wait; it doubles with each; default 100 */
  readonly baseMs?: number;
  /** greatest bound of a wait; default 5000. `Retry-After` of a server may be longer. */
  readonly maxMs?: number;
}

/** What became of an attempt. */
export interface Attempt {
  /** from 1 */
  readonly attempt: number;
  readonly requestId: string;
  /** null: there was no answer */
  readonly status: number | null;
  /** null: it was answered */
  readonly error: Error | null;
  /** how long is waited before the next; null: there is none */
  readonly delayMs: number | null;
}

/** Statuses that say: later. */
const LATER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Whether another attempt may be answered. @param status  null: the connection failed */
export const mayPass = (status: number | null): boolean => status === null || LATER.has(status);

/**
 * Milliseconds before the next attempt: full jitter, so that clients that failed together do not return together.
 *
 *     random · min(maxMs, baseMs · 2^(attempt − 1)),   after what the server asks for
 *
 * @param attempt  the one that failed, from 1
 * @param retryAfter  the header of the answer
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function delayMs(attempt: number, retryAfter: string | null, { baseMs, maxMs }: Required<RetryOptions>): number {
  const bound = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return waitOf(retryAfter) + Math.random() * bound;
}

/** Retry-After: seconds, or a date. What is neither asks for nothing. */
function waitOf(retryAfter: string | null): number {
  if (retryAfter === null) return 0;
  const text = retryAfter.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : 0;
}
