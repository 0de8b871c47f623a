import type { Result, Router } from 'hono/router';
import { RegExpRouter } from 'hono/router/reg-exp-router';

/**
 * Finds what answers a path by one regular expression, which takes no fixed path beside one with a name in its place (`/v2/models/stats`,
 * `/v2/models/:model`). So fixed paths are apart, and come first.
 */
export class FixedFirst<T> implements Router<T> {
  readonly name = 'FixedFirst';
  readonly #paths = new Set<string>();
  readonly #fixed = new RegExpRouter<T>();
  readonly #named = new RegExpRouter<T>();

  add(method: string, path: string, handler: T): void {
    const isNamed = path.includes(':');
    if (!isNamed) this.#fixed.add(method, path, handler);
    if (isNamed || path.includes('*')) this.#named.add(method, path, handler);
    else this.#paths.add(path);
  }

  match(method: string, path: string): Result<T> {
    return (this.#paths.has(path) ? this.#fixed : this.#named).match(method, path);
  }
}
