// A registry of ours behind a service, on a port of its own.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { serve } from '@hono/node-server';
import { MemoryStore, Registry } from '@logodds/registry';
import { createService, mlflowRoutes, Tokens } from '@logodds/service';

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
export const file = (name) => new Uint8Array(readFileSync(new URL(`../../${name}.safetensors`, import.meta.url)));
export const FIRST = file('conformance/numeric');
export const SECOND = file('conformance/categorical');

export const KEYS = { key: 'key-of-promoter', reader: 'key-of-reader' };

/** A service whose registry has fraud (1 and 2, champion 1) and another model, and what ends it. */
export async function ourService() {
  const registry = new Registry(new MemoryStore());
  const act = { by: 'ann', why: 'trained on October' };
  for (const [name, bytes] of [
    ['fraud', FIRST],
    ['fraud', SECOND],
    ["fräud's", FIRST],
  ])
    await registry.push({ ...act, name, file: bytes });
  await registry.alias('fraud', 1, 'champion', act);
  const entries = [
    { name: 'promoter', sha256: sha256(KEYS.key), scopes: ['read', 'admin'] },
    { name: 'reader', sha256: sha256(KEYS.reader), scopes: ['read'] },
  ];
  const service = createService({
    access: { tokens: new Tokens(JSON.stringify(entries)) },
    extensions: [mlflowRoutes(registry)],
  });
  const server = await new Promise((resolve) => {
    const made = serve({ fetch: (request) => service.fetch(request), port: 0, hostname: '127.0.0.1' }, () =>
      resolve(made),
    );
  });
  return {
    registry,
    url: `http://127.0.0.1:${server.address().port}`,
    digests: [sha256(FIRST), sha256(SECOND)],
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}
