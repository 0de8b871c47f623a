/** Requests that are tried again: the SDKs try until an answer begins, this until it has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal, type ObjectStore } from './store.ts';

const TRIES = 5;
/** A request that reads may take this many times the silence: 8 MB in two minutes, unless it is set otherwise. */
const SLOWEST = 4;
const FIRST_WAIT_MS = 200;

/** How long a store may be silent: LOGODDS_STORE_TIMEOUT in seconds, else half a minute. */
export function timeoutMs(): number {
  const seconds = Number(process.env['LOGODDS_STORE_TIMEOUT']);
  return seconds > 0 && seconds <= 3600 ? seconds * 1000 : 30_000;
}

/** Tries up to five times, with waits of 0.2 s, 0.4 s, 0.8 s and 1.6 s; what trying does not change is thrown at once. */
export async function trying<T>(store: ObjectStore, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(AbortSignal.timeout(SLOWEST * timeoutMs()));
    } catch (error) {
      if (attempt === TRIES || isFinal(store.kindOf(error))) throw error;
      await sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}
