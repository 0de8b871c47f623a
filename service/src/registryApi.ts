import type { Extension } from './core.ts';
import { text } from './pages/pages.ts';
import { describeRegistry } from './pages/registry/openapi.ts';
import { registryHtml } from './pages/registry/page.ts';
import { registryScript } from './pages/registry/script.ts';
import { REGISTRY_STYLE } from './pages/registry/style.ts';
import { addRegistry } from './protocols/registry.ts';

/**
 * The registry over HTTP, with its page: `createService({ registry, extensions: [registryApi] })`.
 *
 * It answers below `/registry`; `/openapi.json` describes it, and the console leads to its page. Scopes `read`, `push` and `promote` decide who may do what.
 */
export const registryApi: Extension = {
  add(app, core) {
    addRegistry(app, core);
    app.get('/registry', () => text('text/html', registryHtml()));
    app.get('/registry.css', () => text('text/css', REGISTRY_STYLE));
    app.get('/registry.js', () => text('text/javascript', registryScript()));
  },
  describe: describeRegistry,
  page: { path: 'registry', name: 'Registry' },
};
