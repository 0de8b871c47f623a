import type { Result } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { expect, test } from 'vitest';
import { RouterByBegin } from '../../service/src/router.ts';

const ROUTES: readonly (readonly [method: string, path: string])[] = [
  ['ALL', '*'],
  ['GET', '/'],
  ['GET', '/metrics'],
  ['GET', '/v2'],
  ['GET', '/v2/models'],
  ['GET', '/v2/models/stats'],
  ['GET', '/v2/models/:model'],
  ['GET', '/v2/models/:model/versions/:version'],
  ['POST', '/v2/models/:model/infer'],
  ['GET', '/v1/models/:model{[^/:]+}'],
  ['POST', '/v1/models/:model{[^/]+:predict}'],
  ['POST', '/v1/models/:model/versions/:version{[^/]+:predict}'],
  ['POST', '/models/:model/score'],
  ['ALL', '/:rest{.*}'],
];
const PATHS = [
  ...['/', '/metrics', '/v2', '/v2/', '/v2/models', '/v2/models/stats', '/v2/models/a', '/v2/models/a/versions/1'],
  ...[
    '/v2/models/a/infer',
    '/v1/models/a',
    '/v1/models/a:predict',
    '/v1/models/a/versions/1:predict',
    '/models/a/score',
  ],
  ...['/models', '/nothing', '/nothing/here', '//', '/models//score', '/v2models'],
];

/** The routes that were found, with what stands in the place of their names. */
const told = <T>([found, stash]: Result<T>) =>
  found.map(([route, params]) => [
    route,
    Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, typeof value === 'number' ? stash?.[value] : value]),
    ),
  ]);

test('finds what hono finds by its plain router, whatever is asked first', () => {
  for (const paths of [PATHS, PATHS.toReversed()]) {
    const plain = new TrieRouter<string>();
    const router = new RouterByBegin<string>();
    for (const [method, path] of ROUTES) for (const one of [plain, router]) one.add(method, path, `${method} ${path}`);
    for (const path of paths)
      for (const method of ['GET', 'POST', 'PUT', 'BREW'])
        expect([method, path, told(router.match(method, path))]).toEqual([
          method,
          path,
          told(plain.match(method, path)),
        ]);
  }
});
