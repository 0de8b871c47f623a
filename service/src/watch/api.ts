import type { Extension } from '../core.ts';
import { text } from '../pages/pages.ts';
import { Refusal } from '../refusal.ts';
import { sightOf } from '../requests/caller.ts';
import { jsonResponse } from '../responses/json.ts';
import { describeWatch } from './openapi.ts';
import { watchHtml } from './page.ts';
import { watchScript } from './script.ts';
import { WATCH_STYLE } from './style.ts';

/**
 * What a watch has seen, over HTTP, with its page: `createService({ watch, extensions: [watchApi] })`.
 *
 * `GET /models/{m}/watch` has the report of a model, for who may `read` it; `/openapi.json` describes it, and the console leads to the page.
 */
export const watchApi: Extension = {
  add(app, core) {
    const { watch, shelf } = core;
    if (!watch) throw new Error('watchApi: expected a service that watches, got another; give it watch: watchScores()');
    app.get('/models/:model/watch', async ({ req }) => {
      const name = req.param('model');
      const report = await watch.report(name);
      if (report) return jsonResponse(report);
      // a model that is not there is refused as everywhere
      shelf.find(name, null, sightOf(req.raw));
      throw new Refusal(
        404,
        'ERR_WATCH',
        `model ${JSON.stringify(name)}: expected one that was watched, got none; it needs a baseline and a scored row, or --watch`,
      );
    });
    app.get('/watch', () => text('text/html', watchHtml()));
    app.get('/watch.css', () => text('text/css', WATCH_STYLE));
    app.get('/watch.js', () => text('text/javascript', watchScript()));
  },
  describe: describeWatch,
  page: { path: 'watch', name: 'Watch' },
};
