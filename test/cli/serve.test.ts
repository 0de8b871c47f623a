import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { loadModel } from 'logodds';
import { afterEach, expect, test, vi } from 'vitest';
import { ask, MODEL, metric, RECORD, score, services } from './serve.ts';

const { serve, start, path, write, folder } = services();
const { probability } = loadModel(readFileSync(MODEL)).score(JSON.parse(RECORD));

/** Runs to its end. */
const run = (args: readonly string[], env = {}) => {
  const child = start(['serve', ...args], env);
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return new Promise<{ code: number | null; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, stderr })),
  );
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
/** Listens as another program does. */
const occupy = (at: object) =>
  new Promise<Server>((resolve) => {
    const server: Server = createServer().listen(at, () => resolve(server));
    servers.push(server);
  });

test('a model is served at once, by the name of its file', async () => {
  const { url, ready } = await serve([MODEL]);
  expect(ready).toMatchObject({ event: 'ready', models: [{ name: 'codes' }] });
  expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(ready.grpc).toMatch(/^127\.0\.0\.1:\d+$/);
  const { status, body } = await score(url);
  expect([status, JSON.parse(body).scores[0].probability]).toEqual([200, probability]);
});

test('a port in use says so, with the next step', async () => {
  const { port } = (await occupy({ port: 0, host: '127.0.0.1' })).address() as { port: number };
  const http = await run([MODEL, '--port', String(port), '--no-grpc']);
  expect(http.code).toBe(1);
  expect(http.stderr).toContain(`ERR_DATA --port ${port}: expected a free port of 127.0.0.1`);
  expect(http.stderr).toContain('choose another, or 0');
  const grpc = await run([MODEL, '--port', '0', '--grpc-port', String(port)]);
  expect([grpc.code, grpc.stderr.includes(`--grpc-port ${port}`)]).toEqual([1, true]);
  // by the first of several processes, once
  const several = await run([MODEL, '--port', String(port), '--no-grpc', '--workers', '2']);
  expect(several.code).toBe(1);
  expect(several.stderr.match(/ERR_DATA --port/g)).toHaveLength(1);
});

test('a file that is not there ends the command; one that is broken is told, and asked for in vain', async () => {
  const none = await run(['none.safetensors', '--port', '0', '--no-grpc']);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('none.safetensors: expected a model file')]);
  const noModel = await run(['--port', '0']);
  expect([noModel.code, noModel.stderr]).toEqual([1, expect.stringContaining('expected a model, got none')]);
  write('broken.safetensors', 'no model');
  const { url, log } = await serve([path('broken.safetensors'), MODEL, '--no-grpc']);
  // the log is written behind the answer of the command
  await vi.waitFor(() => expect(log()).toMatch(/"level":"error","event":"failed","model":"broken"/));
  expect((await ask(`${url}/v2/health/ready`)).status).toBe(503);
  expect((await ask(`${url}/models/broken/score`, { body: '{}' })).status).toBe(503);
  expect((await score(url)).status).toBe(200);
  expect(await metric(url, 'lr_models_failed')).toBe(1);
});

test('a folder may be empty; what comes into it is served', async () => {
  const empty = path('models');
  await import('node:fs').then(({ mkdirSync }) => mkdirSync(empty));
  const { url, ready } = await serve([empty, '--no-grpc']);
  expect(ready.models).toEqual([]);
  expect((await ask(`${url}/v2/health/ready`)).status).toBe(503);
  expect((await score(url)).status).toBe(404);
  copyFileSync(MODEL, `${empty}/codes.safetensors`);
  await vi.waitFor(async () => expect((await score(url)).status).toBe(200), { timeout: 20_000, interval: 50 });
  expect((await ask(`${url}/v2/health/ready`)).status).toBe(200);
});

test('Vertex AI says the port and the paths; without its variables there are none', async () => {
  const { port } = (await occupy({ port: 0, host: '127.0.0.1' })).address() as { port: number };
  servers.pop()!.close();
  const env = {
    AIP_HTTP_PORT: String(port),
    AIP_HEALTH_ROUTE: '/v1/endpoints/1/deployedModels/2',
    AIP_PREDICT_ROUTE: '/v1/endpoints/1/deployedModels/2:predict',
  };
  const { url } = await serve([MODEL, '--no-grpc'], env);
  expect(url).toBe(`http://127.0.0.1:${port}`);
  expect((await ask(`${url}${env.AIP_HEALTH_ROUTE}`)).status).toBe(200);
  const { status, body } = await ask(`${url}${env.AIP_PREDICT_ROUTE}`, { body: `{"instances":[${RECORD}]}` });
  expect([status, JSON.parse(body)]).toEqual([200, { predictions: [probability] }]);
  const wrong = await run([MODEL], { AIP_HTTP_PORT: 'http', AIP_PREDICT_ROUTE: 'predict' });
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/^AIP_HTTP_PORT: expected a port/m);
  expect(wrong.stderr).toMatch(/^AIP_PREDICT_ROUTE: expected a path/m);
  const plain = await serve([MODEL, '--no-grpc']);
  expect((await ask(`${plain.url}${env.AIP_HEALTH_ROUTE}`)).status).toBe(404);
});

test('SageMaker asks /ping and /invocations', async () => {
  const { url } = await serve([MODEL, '--no-grpc']);
  expect((await ask(`${url}/ping`)).status).toBe(200);
  const { body } = await ask(`${url}/invocations`, { body: 'code,x\n2,0.5\n', type: 'text/csv' });
  expect(JSON.parse(body)).toEqual({ predictions: [probability] });
});

const overSocket = (socketPath: string) =>
  new Promise<number>((resolve, reject) =>
    request({ socketPath, path: '/ping', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end(),
  );

test.each([1, 2])('a socket in the file system, with its mode, by %i processes', async (workers) => {
  const at = path(`at${workers}.sock`);
  // left by a process that was killed
  const dead = await serve([MODEL, '--no-grpc', '--socket', at]);
  dead.child.kill('SIGKILL');
  await dead.ended;
  expect(existsSync(at)).toBe(true);
  const args = [MODEL, '--no-grpc', '--socket', at, '--socket-mode', '600', '--workers', String(workers)];
  const { ready, log, child, ended } = await serve(args);
  expect(ready).toMatchObject({ url: `unix:${at}`, mode: '600' });
  expect(log()).toContain('stale socket removed');
  expect(statSync(at).mode & 0o777).toBe(0o600);
  expect(await overSocket(at)).toBe(200);
  // by another service it is left alone
  const other = await run(args);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('got one that answers')]);
  expect(await overSocket(at)).toBe(200);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
  expect(existsSync(at)).toBe(false);
  writeFileSync(at, 'mine');
  expect((await run(args)).stderr).toContain('expected a socket or nothing, got a file');
  expect(readFileSync(at, 'utf8')).toBe('mine');
  expect(folder).toBeTruthy();
});

test('the log names the address of who is refused for want of a key', async () => {
  const tokens = path(write('keys.json', JSON.stringify([{ name: 'a', sha256: '0'.repeat(64), scopes: ['score'] }])));
  const { url, log, child, ended } = await serve([MODEL, '--no-grpc', '--tokens', tokens]);
  expect((await score(url)).status).toBe(401);
  child.kill('SIGTERM');
  await ended;
  expect(log()).toContain('"address":"127.0.0.1"');
});

test.each([1, 2])(
  'one service writes an audit log at a time; after kill -9 the next one takes it over (%i processes)',
  async (workers) => {
    const audit = path(`audit${workers}.jsonl`);
    const args = [MODEL, '--no-grpc', '--audit', audit, '--workers', String(workers)];
    const first = await serve(args);
    await score(first.url);
    const other = await run([...args, '--port', '0']);
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^ERR_DATA --audit \S+: expected a file that nobody else writes, got one of process \d+, since \S+; stop it, or choose another file\n$/,
      ),
    ]);
    await score(first.url);
    first.child.kill('SIGKILL');
    await first.ended;
    const files = workers === 1 ? [audit] : [1, 2].map((slot) => audit.replace('.jsonl', `-${slot}.jsonl`));
    // workers end with the process that supervises them
    const next = await vi.waitFor(() => serve(args), { timeout: 20_000, interval: 50 });
    await vi.waitFor(() => expect(next.log()).toMatch(/"event":"audit lock taken over","reason":"left by process \d+/));
    await score(next.url);
    next.child.kill('SIGTERM');
    expect(await next.ended).toMatchObject({ code: 0 });
    for (const file of files) {
      expect(existsSync(`${file}.lock`)).toBe(false);
      const verify = start(['audit', 'verify', file]);
      expect(await new Promise((resolve) => verify.once('exit', resolve)), file).toBe(0);
    }
  },
);
