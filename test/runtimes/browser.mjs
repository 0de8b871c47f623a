// Pages as users make them: the files of the package unbundled behind an import map, in a stock browser that is started,
// loads one page after the other, and posts what came out of each.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { app, browser, build, installed } from './setup.mjs';

const TYPES = {
  '.js': 'text/javascript',
  '.html': 'text/html',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** the entries of the package: specifier and file */
const entries = () => {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  return Object.entries(exports)
    .filter(([, target]) => target.default)
    .map(([name, target]) => [`logodds${name.slice(1)}`, `./package/${target.default.slice(2)}`]);
};
const importMap = () => JSON.stringify({ imports: Object.fromEntries(entries()) });
const policy = (sources) => {
  // an import map is an inline script, so a policy has to name it
  const digest = createHash('sha256').update(importMap()).digest('base64');
  return { 'content-security-policy': `script-src 'self' ${sources}'sha256-${digest}'` };
};

/** Headers of all files of a page, by what they are to show. */
const HEADERS = {
  plain: () => ({}),
  isolated: () => ({ 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }),
  allowed: () => policy(`'wasm-unsafe-eval' `),
  refused: () => policy(''),
};

const page = () => `<!doctype html>
<meta charset="utf-8">
<script type="importmap">${importMap()}</script>
<script type="module" src="start.js"></script>
`;

/** An import map does not reach into workers: there the specifiers are paths, as a user without a bundler writes them. */
const withPaths = (text) => entries().reduce((out, [name, path]) => out.replaceAll(`'${name}'`, `'${path}'`), text);

/** A file of the page: /headers/place/path */
function file(place, path) {
  if (path === 'index.html') return page();
  if (path.startsWith('package/')) return readFileSync(join(installed, path.slice('package/'.length)));
  const text = readFileSync(join(app, path), 'utf8');
  return place === 'worker' && path.endsWith('.js') ? withPaths(text) : text;
}

/**
 * Removes a profile. What a process that is on its way out still holds stays in the build folder, which the next run makes anew; it is said.
 */
function removeProfile(profile) {
  try {
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  } catch (error) {
    console.error(`${profile}: could not be removed (${error.code})`);
  }
}

/** How a browser is started without a window, without network of its own, and with a profile that is thrown away. */
const BROWSERS = {
  chromium: {
    command: 'chromium',
    args: (profile, { flags = [] }) => [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-extensions',
      '--disable-sync',
      `--user-data-dir=${profile}`,
      ...flags,
    ],
  },
  firefox: {
    command: 'firefox-esr',
    args(profile, { prefs = {} }) {
      const all = {
        'app.normandy.enabled': false,
        'app.update.enabled': false,
        'browser.safebrowsing.downloads.enabled': false,
        'browser.shell.checkDefaultBrowser': false,
        'datareporting.policy.dataSubmissionEnabled': false,
        'network.captive-portal-service.enabled': false,
        'network.connectivity-service.enabled': false,
        'toolkit.telemetry.enabled': false,
        ...prefs,
      };
      const lines = Object.entries(all).map(([name, value]) => `user_pref("${name}", ${value});\n`);
      writeFileSync(join(profile, 'user.js'), lines.join(''));
      return ['--headless', '--no-remote', '--profile', profile];
    },
  },
};

export const browserCommand = (name) => browser(BROWSERS[name].command);

/**
 * Does jobs in one browser, each in a page of its own.
 * @param name  key of BROWSERS
 * @param jobs  [{ headers: key of HEADERS, place: 'page' | 'worker', program, … }]; the program's default export gets the rest
 * @param options  flags (Chromium), prefs (Firefox), timeoutMs of a page, `exchange(body, pid)` answers what programs post to /exchange
 * @returns what the program of each job returned, or { error }
 */
export async function browse(name, jobs, options = {}) {
  const { timeoutMs = 90_000, exchange } = options;
  const results = jobs.map(() => ({ error: 'the browser ended before it' }));
  let finish = () => {};
  let awake = () => {};
  const finished = new Promise((done) => {
    finish = done;
  });
  const url = (id) => `/${jobs[id].headers}/${jobs[id].place}/index.html?${id}`;
  const routes = {
    job: ({ id }) => JSON.stringify(jobs[id]),
    done({ id, body }) {
      results[id] = JSON.parse(body);
      awake();
      if (id + 1 < jobs.length) return url(id + 1);
      finish();
      return '';
    },
    exchange: async ({ body }) => JSON.stringify(await exchange(JSON.parse(body), child.pid)),
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const [, first, second, ...rest] = pathname.split('/');
    try {
      request.setEncoding('utf8');
      let body = '';
      for await (const part of request) body += part;
      const content = await (routes[first]?.({ id: Number(second), body }) ?? file(second, rest.join('/')));
      response.writeHead(200, {
        'content-type': TYPES[extname(pathname)] ?? 'text/plain',
        'cache-control': 'no-store',
        ...HEADERS[first]?.(),
      });
      response.end(content);
    } catch (error) {
      response.writeHead(404);
      response.end(String(error));
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const profile = mkdtempSync(join(build, `${name}-`));
  const { args } = BROWSERS[name];
  const home = `http://127.0.0.1:${server.address().port}`;
  const child = spawn(browserCommand(name), [...args(profile, options), home + url(0)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // a group of its own: a browser is many processes, and all of them write to the profile
    detached: true,
    env: { ...process.env, HOME: profile },
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said = (said + data).slice(-4000);
  });
  const kill = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  // when all processes have let go of its output
  const ended = new Promise((done) => child.on('close', done));
  // a page that says nothing for so long never will
  let timer;
  const silent = new Promise((done) => {
    awake = () => {
      clearTimeout(timer);
      timer = setTimeout(done, timeoutMs);
    };
    awake();
  });
  await Promise.race([finished, ended, silent]);
  clearTimeout(timer);
  const missing = results.findIndex(({ error }) => error === 'the browser ended before it');
  if (missing >= 0) results[missing].error = `no answer within ${timeoutMs / 1000} s; the browser said: ${said}`;
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    kill(signal);
    await Promise.race([ended, new Promise((done) => setTimeout(done, 5000).unref())]);
  }
  server.closeAllConnections();
  server.close();
  removeProfile(profile);
  return results;
}
