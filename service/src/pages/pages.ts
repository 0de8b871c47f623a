import type { Context, Hono } from 'hono';
import type { Core, Description, Extension } from '../core.ts';
import { sightOf } from '../requests/caller.ts';
import { queryOf } from '../requests/query.ts';
import { jsonResponse } from '../responses/json.ts';
import { CONSOLE_SCRIPT, consoleHtml } from './consolePage.ts';
import { DOCS_SCRIPT, docsHtml } from './docsPage.ts';
import { DOM } from './dom.ts';
import { openApi } from './openapi.ts';
import { overview } from './overview.ts';
import { CONSOLE_STYLE, DOCS_STYLE, STYLE } from './style.ts';

/*
 * Pages for people, and the description of the API.
 *
 *   GET /                                   models, traffic, a form to try a record
 *   GET /docs[?model=m]                     a page to read the description
 *   GET /openapi.json                       the API in OpenAPI 3.1
 *   GET /v2/docs, /v2/docs/dataplane.json   both, where MLServer has them; /v2/models/{m}/docs/dataplane.json of one model
 */

/** Nothing but the page's own files is loaded or asked. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** The files of the pages: type and text. */
const FILES = {
  'style.css': ['text/css', STYLE],
  'console.css': ['text/css', CONSOLE_STYLE],
  'docs.css': ['text/css', DOCS_STYLE],
  'dom.js': ['text/javascript', DOM],
  'console.js': ['text/javascript', CONSOLE_SCRIPT],
  'docs.js': ['text/javascript', DOCS_SCRIPT],
} as const;

/** A file of a page. */
export const text = (type: string, body: string): Response =>
  new Response(body, { headers: { ...HEADERS, 'content-type': `${type}; charset=utf-8` } });

const API = '/openapi.json';

export function addPages(app: Hono, core: Core, extensions: readonly Extension[] = []): void {
  const pages = extensions.flatMap(({ page }) => page ?? []);
  const described = (request: Request): Promise<Description[]> =>
    Promise.all(extensions.map((extension) => extension.describe(core, request)));
  app.get('/', (c) => text('text/html', consoleHtml(besideOf(c), pages)));
  app.get('/docs', (c) => text('text/html', docsHtml(consoleOf(c))));
  // segments may come later
  const further = () => [core.chooser?.script, ...extensions.map(({ script }) => script)].join('');
  for (const [name, [type, body]] of Object.entries(FILES))
    app.get(`/${name}`, () => text(type, body + (name === 'console.js' ? further() : '')));
  app.get('/console.json', async (c) => jsonResponse(await overview(core, queryOf(c.req.raw), sightOf(c.req.raw))));
  app.get(API, async ({ req }) => {
    // below another app its path is known; a program around the service may have cut it off, and then the description is beside it
    const below = req.path.slice(0, -API.length);
    return jsonResponse(openApi(core.shelf.all(sightOf(req.raw)), below || './', await described(req.raw)));
  });
  app.get('/v2/docs', (c) => c.redirect('../docs'));
  app.get('/v2/docs/dataplane.json', async ({ req: { raw } }) =>
    jsonResponse(openApi(core.shelf.all(sightOf(raw)), '../../', await described(raw))),
  );
  app.get('/v2/models/:model/docs/dataplane.json', (c) =>
    jsonResponse(openApi([core.shelf.find(c.req.param('model'), null, sightOf(c.req.raw))], '../../../../')),
  );
}

/** The parts of the path that was asked: below another app there are more than those of the route. */
const partsOf = (c: Context): string[] => new URL(c.req.url).pathname.split('/');

/** The way from the console to its files: below another app it is asked without the slash at its end. */
function besideOf(c: Context): string {
  const last = partsOf(c).at(-1);
  return last === '' ? './' : `./${last}/`;
}

/** The way from the page of the API to the console. */
function consoleOf(c: Context): string {
  const above = partsOf(c).at(-2);
  return above === '' ? './' : `../${above}`;
}
