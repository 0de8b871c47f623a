import { METHOD_NAME_ALL, type Result, type Router } from 'hono/router';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';

/** Of a path its begin, up to the second slash. */
function beginOf(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 ? path : path.slice(0, end);
}

/** A begin that has no name or star in it. */
const isFixed = (begin: string): boolean => !/[:*]/.test(begin);

/**
 * Finds what answers a path among those of its method that begin alike. hono's fast router is one regular expression, which takes no fixed path beside one
 * with a name in its place (`/v2/models/stats`, `/v2/models/:model`); one such pair would take it from all paths.
 */
export class RouterByBegin<T> implements Router<T> {
  readonly name = 'RouterByBegin';
  readonly #routes: (readonly [method: string, path: string, handler: T])[] = [];
  readonly #begins = new Set<string>();
  readonly #methods = new Set<string>();
  readonly #routers = new Map<string, Map<string, Router<T>>>();

  add(method: string, path: string, handler: T): void {
    this.#routes.push([method, path, handler]);
    this.#methods.add(method);
    const begin = beginOf(path);
    if (isFixed(begin)) this.#begins.add(begin);
  }

  match(method: string, path: string): Result<T> {
    const known = this.#routers.get(method)?.get(beginOf(path));
    return (known ?? this.#routerOf(method, path)).match(method, path);
  }

  /** A path that begins as none does has the routes of all paths. */
  #routerOf(asked: string, path: string): Router<T> {
    const method = this.#methods.has(asked) ? asked : METHOD_NAME_ALL;
    const begin = this.#begins.has(beginOf(path)) ? beginOf(path) : '';
    const ofMethod = this.#routers.get(method) ?? new Map<string, Router<T>>();
    this.#routers.set(method, ofMethod);
    let router = ofMethod.get(begin);
    if (!router) {
      router = new SmartRouter<T>({ routers: [new RegExpRouter<T>(), new TrieRouter<T>()] });
      for (const [given, route, handler] of this.#routes) {
        const isOfMethod = given === method || given === METHOD_NAME_ALL;
        if (isOfMethod && (beginOf(route) === begin || !isFixed(beginOf(route)))) router.add(given, route, handler);
      }
      ofMethod.set(begin, router);
    }
    return router;
  }
}
