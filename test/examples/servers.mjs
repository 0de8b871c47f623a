import assert from 'node:assert/strict';
import { join } from 'node:path';
import { checkContract, conformance, post, sameBits } from './contract.mjs';
import { check, startServer } from './harness.mjs';

const HTTP = { maxBytes: 1 << 20 };

/** Deno and Bun: the same program of checks, each server started once for every model. */
async function checkServer({ start, model }) {
  const server = await start({});
  await checkContract({ fetch, url: server.url }, model, HTTP);
  await check('the answer names the model', async () => {
    const { headers } = await post(fetch, server.url, []);
    assert.equal(headers.get('model-sha256'), model.sha256);
  });
  await check('SIGTERM ends it with code 0', async () => assert.equal(await server.stop(), 0));
  for (const expected of conformance) {
    await check(`model "${expected.name}": the bits of the library for ${expected.rows.length} rows`, async () => {
      const other = await start({ MODEL: expected.path });
      try {
        sameBits((await post(fetch, other.url, expected.rows)).body, expected);
      } finally {
        await other.stop();
      }
    });
  }
}

export const deno = ({ examples, tools, build, model }) => {
  const flags = [
    '--allow-net=127.0.0.1',
    '--allow-read',
    '--allow-env=MODEL,PORT,HOST',
    '--no-remote',
    '--node-modules-dir=manual',
  ];
  const env = { DENO_DIR: join(build, 'deno'), DENO_NO_UPDATE_CHECK: '1' };
  const start = (more) =>
    startServer(tools.deno, ['run', ...flags, 'server.ts'], { cwd: join(examples, 'deno'), env: { ...env, ...more } });
  return checkServer({ start, model });
};

export const bun = ({ examples, tools, model }) => {
  const start = (env) => startServer(tools.bun, ['--no-install', 'server.ts'], { cwd: join(examples, 'bun'), env });
  return checkServer({ start, model });
};
