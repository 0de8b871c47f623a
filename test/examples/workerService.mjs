// The service as a Worker: bundled by wrangler as for a deployment, then served by workerd with R2 and KV emulated.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Miniflare } from 'miniflare';
import { conformance, sameBits } from './contract.mjs';
import { check } from './harness.mjs';

/** what the way into workerd takes */
const toArrayBuffer = (bytes) => Uint8Array.from(bytes).buffer;
const json = { 'content-type': 'application/json' };

/** Where models are put, and taken away. */
const STORES = {
  r2: {
    options: { r2Buckets: ['BUCKET'] },
    async open(miniflare) {
      const bucket = await miniflare.getR2Bucket('BUCKET');
      return {
        put: (name, bytes) => bucket.put(`${name}.safetensors`, toArrayBuffer(bytes)),
        remove: (name) => bucket.delete(`${name}.safetensors`),
      };
    },
  },
  kv: {
    options: { kvNamespaces: ['NAMESPACE'] },
    async open(miniflare) {
      const namespace = await miniflare.getKVNamespace('NAMESPACE');
      const current = {};
      let files = 0;
      const publish = () => namespace.put('models', JSON.stringify(current));
      return {
        async put(name, bytes) {
          const key = `${name}-${++files}`;
          await namespace.put(key, toArrayBuffer(bytes));
          current[name] = key;
          await publish();
        },
        remove(name) {
          delete current[name];
          return publish();
        },
      };
    },
  },
};

export async function workerService({ examples, tools, build, library }) {
  const bundle = (name, ...args) => {
    const out = join(build, 'worker-service', name);
    execFileSync(process.execPath, [tools.wrangler, 'deploy', '--dry-run', '--outdir', out, ...args], {
      cwd: join(examples, 'worker-service'),
      env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: join(build, 'wrangler') },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return out;
  };
  const small = bundle('minified', '-e', 'r2', '--minify');
  const bytes = readdirSync(small)
    .filter((file) => file.endsWith('.js') || file.endsWith('.wasm'))
    .reduce((sum, file) => sum + gzipSync(readFileSync(join(small, file))).length, 0);
  // 1.3 kB of it let `Routing` divide requests by segments, where a program has that; 0.6 kB are the places where a watch is hung in
  await check(`the bundle is at most 178,000 bytes gzipped: ${bytes}`, () => assert.ok(bytes <= 178_000));

  const read = (set) => readFileSync(set.path);
  const [first, second] = conformance;
  const row = first.rows[0];
  const digests = new Map([first, second].map((set) => [set, library.loadModel(read(set)).sha256]));

  for (const [name, { options, open }] of Object.entries(STORES)) {
    const out = bundle(name, '-e', name);
    const start = async (seconds) => {
      const miniflare = new Miniflare({
        modules: true,
        modulesRoot: out,
        scriptPath: join(out, 'index.js'),
        modulesRules: [{ type: 'CompiledWasm', include: ['**/*.wasm'] }],
        compatibilityDate: '2026-01-01',
        handleRuntimeStdio: () => {},
        bindings: { MODEL_CHECK_SECONDS: seconds },
        ...options,
      });
      const store = await open(miniflare);
      const ask = async (path, body, headers = json) => {
        const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers };
        const response = await miniflare.dispatchFetch(`http://worker.test${path}`, init);
        const text = await response.text();
        const isJson = response.headers.get('content-type')?.startsWith('application/json');
        return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
      };
      /** Asks until an answer is as wanted: the store is looked at behind an answer. */
      const until = async (wanted, path, body) => {
        for (let i = 0; i < 200; i++) {
          const answer = await ask(path, body);
          if (wanted(answer)) return answer;
        }
        throw new Error(`${path}: expected another answer within 200 requests`);
      };
      return { miniflare, store, ask, until };
    };

    const { miniflare, store, ask, until } = await start('0.02');
    await check(`${name}: without models it lives, and is not ready`, async () => {
      assert.equal((await ask('/v2/health/live')).status, 200);
      assert.equal((await ask('/v2/health/ready')).status, 503);
      assert.equal((await ask('/models/a/score', row)).status, 404);
    });
    for (const set of conformance) {
      await check(
        `${name}: model "${set.name}" is found by the first request, and gives the bits of the library`,
        async () => {
          await store.put(set.name, read(set));
          // without a body, of which workerd does not read the end when the answer is 404
          await until(({ status }) => status === 200, `/models/${set.name}`);
          const { body } = await ask(`/models/${set.name}/score`, set.rows);
          sameBits(body.scores, set);
        },
      );
    }
    await check(`${name}: every protocol answers, and the pages`, async () => {
      const { probability } = library.loadModel(read(first)).score(row);
      const v1 = await ask(`/v1/models/${first.name}:predict`, { instances: [row] });
      assert.deepEqual(v1.body.predictions, [probability]);
      assert.deepEqual(
        (await ask('/v2/models')).body.models.toSorted(),
        conformance.map(({ name }) => name).toSorted(),
      );
      assert.match((await ask('/')).body, /<title>logodds<\/title>/);
      assert.ok((await ask('/openapi.json')).body.paths[`/models/${first.name}/score`]);
    });
    await check(`${name}: bodies are compressed once, both ways`, async () => {
      // past the client of the emulation, which inflates
      const sent = request(new URL(`/models/${first.name}/score`, await miniflare.ready), {
        method: 'POST',
        headers: { ...json, 'content-encoding': 'gzip', 'accept-encoding': 'gzip' },
      }).end(gzipSync(JSON.stringify(first.rows)));
      const [response] = await once(sent, 'response');
      const body = Buffer.concat(await response.toArray());
      assert.equal(response.headers['content-encoding'], 'gzip');
      sameBits(JSON.parse(gunzipSync(body)).scores, first);
    });
    await check(
      `${name}: twenty changes of a model under way, no request fails, and each answer is of one of the two`,
      async () => {
        await store.put('changing', read(first));
        await until(({ status }) => status === 200, '/models/changing');
        const known = new Set(digests.values());
        let isOver = false;
        let answers = 0;
        const askers = Array.from({ length: 4 }, async () => {
          while (!isOver) {
            const { status, body } = await ask('/models/changing/score', [row]);
            assert.equal(status, 200);
            assert.ok(known.has(body.sha256));
            answers++;
          }
        });
        try {
          for (let i = 1; i <= 20; i++) await store.put('changing', read(i % 2 ? second : first));
        } finally {
          isOver = true;
          await Promise.all(askers);
        }
        assert.ok(answers > 20);
        const { body } = await until(({ body }) => body.sha256 === digests.get(first), '/models/changing');
        assert.equal(body.versions.length, 1);
      },
    );
    await check(
      `${name}: a damaged file leaves the model that is there, and is told; a good one replaces it`,
      async () => {
        const damaged = read(second);
        damaged[damaged.length - 3] ^= 1;
        await store.put('changing', damaged);
        await until(({ body }) => body.includes('lr_models_failed 1'), '/metrics');
        const { status, body } = await ask('/models/changing/score', [row]);
        assert.deepEqual([status, body.sha256], [200, digests.get(first)]);
        await store.put('changing', read(second));
        await until(({ body }) => body.sha256 === digests.get(second), '/models/changing');
        assert.match((await ask('/metrics')).body, /lr_models_failed 0/);
      },
    );
    await check(`${name}: a model that is taken out of the store is gone, and the others stay`, async () => {
      await store.remove('changing');
      await until(({ status }) => status === 404, '/models/changing');
      assert.equal((await ask(`/models/${second.name}`)).status, 200);
    });
    await check(`${name}: nobody takes a model from an isolate`, async () => {
      const { status, body } = await ask(`/v2/repository/models/${first.name}/unload`, {});
      assert.deepEqual([status, body.code], [403, 'ERR_STORE']);
      assert.equal((await ask(`/models/${first.name}`)).status, 200);
    });
    await miniflare.dispose();

    const cold = await start('3600');
    await check(`${name}: requests at once on a cold isolate all get their scores`, async () => {
      await cold.store.put('a', read(first));
      const answers = await Promise.all(Array.from({ length: 20 }, () => cold.ask('/models/a/score', first.rows)));
      for (const { body } of answers) sameBits(body.scores, first);
    });
    await check(`${name}: models in the isolate are not looked for again before their time`, async () => {
      await cold.store.put('a', read(second));
      for (let i = 0; i < 5; i++) assert.equal((await cold.ask('/models/a')).body.sha256, digests.get(first));
    });
    await cold.miniflare.dispose();
  }

  await check('without a store that answers it is 503, and says so', async () => {
    const miniflare = new Miniflare({
      modules: true,
      modulesRoot: join(build, 'worker-service', 'kv'),
      scriptPath: join(build, 'worker-service', 'kv', 'index.js'),
      modulesRules: [{ type: 'CompiledWasm', include: ['**/*.wasm'] }],
      compatibilityDate: '2026-01-01',
      handleRuntimeStdio: () => {},
    });
    const response = await miniflare.dispatchFetch('http://worker.test/models/a');
    assert.deepEqual([response.status, (await response.json()).code], [503, 'ERR_NOT_READY']);
    await miniflare.dispose();
  });
}
