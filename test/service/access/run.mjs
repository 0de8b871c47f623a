// A real issuer of OpenID Connect and a real Open Policy Agent decide who may ask `logodds serve`: starts them, gets tokens as a client does, changes keys
// and policy, stops one after the other.
//   npm run test:service -- access
// oidc-provider comes from npm. The agent is built by Go, which takes minutes, once into a cache folder (LOGODDS_OPA names one that is there).
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { serve } from '../clients/run.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const build = fileURLToPath(new URL('../build/access', import.meta.url));
const OIDC = '9.13.3';
const OPA = 'v1.22.3';
const AUDIENCE = 'https://scores.example';
const RECORD = JSON.stringify({ code: '2', x: 0.5 });

function installIssuer() {
  const folder = join(build, 'node_modules/oidc-provider');
  const has = existsSync(folder) && JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version === OIDC;
  if (!has) {
    console.error('installing oidc-provider ...');
    mkdirSync(build, { recursive: true });
    writeFileSync(join(build, 'package.json'), '{"private": true}');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `oidc-provider@${OIDC}`], {
      cwd: build,
      stdio: ['ignore', 2, 2],
    });
  }
  const { exports: entry, main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = typeof entry === 'string' ? entry : (entry?.['.']?.default ?? entry?.default ?? main);
  return pathToFileURL(join(folder, file)).href;
}

function installAgent() {
  if (process.env.LOGODDS_OPA) return process.env.LOGODDS_OPA;
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'logodds-test', `opa-${OPA.slice(1)}`);
  const file = join(folder, 'opa');
  if (!existsSync(file)) {
    console.error('building the Open Policy Agent, which takes minutes ...');
    mkdirSync(folder, { recursive: true });
    execFileSync('go', ['install', `github.com/open-policy-agent/opa@${OPA}`], {
      env: { ...process.env, GOBIN: folder },
      stdio: ['ignore', 2, 2],
    });
  }
  return file;
}

const firstLine = (stream) => new Promise((resolve) => createInterface(stream).once('line', resolve));
const ended = (child) => new Promise((resolve) => child.once('exit', resolve));

async function startIssuer(entry, port, kid) {
  const child = spawn(process.execPath, [`${here}issuer.mjs`, entry, String(port), kid], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { url } = JSON.parse(await firstLine(child.stdout));
  return { child, url };
}

/** A port that was free a moment ago: the agent does not say which one it took. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startAgent(file) {
  const addr = `127.0.0.1:${await freePort()}`;
  const child = spawn(file, ['run', '--server', '--addr', addr, '--skip-version-check', `${here}policy.rego`], {
    stdio: 'ignore',
  });
  const isUp = () =>
    fetch(`http://${addr}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let i = 0; i < 100 && !(await isUp()); i++) await wait(100);
  return { child, addr };
}

async function tokenOf(issuer, scope, resource = AUDIENCE) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`shop:${encodeURIComponent('a secret of a test')}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource }),
  });
  const { access_token: token } = await response.json();
  if (!token) throw new Error(`the issuer gave no token: ${response.status}`);
  return token;
}

export async function access() {
  const entry = installIssuer();
  const agentFile = installAgent();
  let failed = 0;
  const check = (what, got, expected) => {
    const isSame = JSON.stringify(got) === JSON.stringify(expected);
    console.log(
      `${isSame ? 'ok' : 'FAILED'}: ${what}${isSame ? '' : `: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`}`,
    );
    if (!isSame) failed++;
  };
  const children = [];
  const start = async (making) => {
    const made = await making;
    children.push(made.child);
    return made;
  };
  try {
    let issuer = await start(startIssuer(entry, 0, 'first'));
    const agent = await start(startAgent(agentFile));
    const keys = join(build, 'tokens.json');
    const digest = createHash('sha256').update('key').digest('hex');
    writeFileSync(keys, JSON.stringify([{ name: 'shop', sha256: digest, scopes: ['score', 'read'] }]));
    const models = ['codes', 'numeric'].map((name) => `${name}=test/conformance/${name}.safetensors`);
    const { jwks_uri: jwks } = await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).json();
    const service = await start(
      serve(
        ...models,
        ...['--tokens', keys, '--jwks', jwks, '--issuer', issuer.url, '--audience', AUDIENCE],
        ...['--opa', `http://${agent.addr}/v1/data/logodds/allow`],
      ),
    );
    const ask = async (token, path = '/models/codes/score') => {
      const isGet = path === '/v2/models';
      const response = await fetch(`${service.url}${path}`, {
        method: isGet ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
        body: isGet ? undefined : RECORD,
      });
      const body = await response.json();
      return [response.status, body.code ?? null];
    };
    const token = await tokenOf(issuer.url, 'score:codes score:numeric');
    const [head, payload, signature] = token.split('.');
    check('nobody', await ask(null), [401, 'ERR_TOKEN']);
    check('a token of the issuer', await ask(token), [200, null]);
    check(
      'its payload changed',
      await ask([head, payload.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')), signature].join('.')),
      [401, 'ERR_TOKEN'],
    );
    check('a token for another service', await ask(await tokenOf(issuer.url, 'score:codes', 'https://other.example')), [
      401,
      'ERR_TOKEN',
    ]);
    check('what its scopes allow and the policy does not', await ask(token, '/models/numeric/score'), [
      403,
      'ERR_POLICY',
    ]);
    check('what the policy allows and its scopes do not', await ask(await tokenOf(issuer.url, 'score:numeric')), [
      403,
      'ERR_SCOPE',
    ]);
    check('a list, which the policy does not allow', await ask(token, '/v2/models'), [403, 'ERR_POLICY']);
    check('an API key, which the policy does not allow', await ask('key'), [403, 'ERR_POLICY']);

    /** Asks until it is so, or too long. */
    const until = async (expected, seconds, asking) => {
      let got;
      for (const end = Date.now() + 1000 * seconds; Date.now() < end; await wait(200)) {
        got = await asking();
        if (JSON.stringify(got) === JSON.stringify(expected)) break;
      }
      return got;
    };
    const { result: policies } = await (await fetch(`http://${agent.addr}/v1/policies`)).json();
    await fetch(`http://${agent.addr}/v1/policies/${encodeURIComponent(policies[0].id)}`, {
      method: 'PUT',
      body: 'package logodds\nallow := true',
    }).then((response) => check('the agent takes another policy', response.status, 200));
    check('it holds soon', await until([200, null], 5, () => ask('key')), [200, null]);
    check('for lists too', await until([200, null], 5, () => ask(token, '/v2/models')), [200, null]);

    issuer.child.kill();
    await ended(issuer.child);
    check('the issuer is gone: a token that is known', await ask(token), [200, null]);
    issuer = await start(startIssuer(entry, new URL(issuer.url).port, 'second'));
    const next = await tokenOf(issuer.url, 'score:codes');
    // keys are asked for again 30 s after the last time
    check('a token of its next key', await until([200, null], 45, () => ask(next)), [200, null]);

    agent.child.kill();
    await ended(agent.child);
    check('the agent is gone', await until([503, 'ERR_ACCESS'], 5, () => ask(next)), [503, 'ERR_ACCESS']);
    const live = await fetch(`${service.url}/v2/health/live`);
    check('probes are asked nothing', live.status, 200);
    const exit = ended(service.child);
    service.child.kill('SIGTERM');
    check('the service ends', await exit, 0);
  } finally {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  }
  return failed === 0;
}
