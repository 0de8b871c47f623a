// The Worker: bundled by wrangler as for a deployment, then served by workerd with KV and R2 emulated.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Miniflare } from 'miniflare';
import { checkContract, conformance, post, sameBits } from './contract.mjs';
import { check } from './harness.mjs';

const URL_ = 'http://worker.test/';

/** what the way into workerd takes */
const toArrayBuffer = (bytes) => Uint8Array.from(bytes).buffer;

export async function worker({ examples, tools, build, library, model }) {
  const bundle = (name, ...args) => {
    const out = join(build, 'worker', name);
    execFileSync(process.execPath, [tools.wrangler, 'deploy', '--dry-run', '--outdir', out, ...args], {
      cwd: join(examples, 'worker'),
      env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: join(build, 'wrangler') },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return out;
  };
  const serve = (out, script, options) =>
    new Miniflare({
      modules: true,
      modulesRoot: out,
      scriptPath: join(out, `${script}.js`),
      modulesRules: [
        { type: 'CompiledWasm', include: ['**/*.wasm'] },
        { type: 'Data', include: ['**/*.safetensors'] },
      ],
      compatibilityDate: '2026-01-01',
      handleRuntimeStdio: () => {},
      ...options,
    });
  const on = (miniflare) => (url, init) => miniflare.dispatchFetch(url, init);

  {
    const out = bundle('bundled', '--env=');
    const bytes = readdirSync(out)
      .filter((file) => file.endsWith('.js') || file.endsWith('.wasm'))
      .reduce((sum, file) => sum + gzipSync(readFileSync(join(out, file))).length, 0);
    console.log(`  (model bundled: ${bytes} bytes gzipped without the model, not minified)`);
    const miniflare = serve(out, 'bundled');
    await checkContract({ fetch: on(miniflare), url: URL_ }, model, { maxBytes: 1 << 20 });
    await check('the answer names the model', async () => {
      assert.equal((await post(on(miniflare), URL_, [])).headers.get('model-sha256'), model.sha256);
    });
    await miniflare.dispose();
  }

  {
    const out = bundle('explained', '-e', 'explained');
    const miniflare = serve(out, 'explained');
    const late = library.loadModel(readFileSync(join(examples, 'worker', 'late.safetensors')));
    const flight = { date: '2001-03-30T19:45', distance: 1846, origin: 'ORD', destination: 'SFO' };
    const odd = { date: null, distance: null, origin: 'an airport nobody has seen', destination: 'LAX' };
    await check('explained: calibrated probability, decision and reasons have the bits of the library', async () => {
      const { status, body } = await post(on(miniflare), URL_, [flight, odd]);
      assert.equal(status, 200);
      assert.deepEqual(
        body,
        [flight, odd].map((record) => ({ ...late.score(record), reasons: library.reasons(late, record, { k: 2 }) })),
      );
      assert.equal(body[0].label, 'late');
      assert.equal(body[0].reasons[0].text, 'it leaves at 2001-03-30T19:45');
      assert.ok(body[1].defaulted > 0);
    });
    await check('explained: a date that is none is 422 and named', async () => {
      const { status, body } = await post(on(miniflare), URL_, { ...flight, date: 'yesterday' });
      assert.deepEqual([status, body.error.code], [422, 'ERR_RECORD']);
      assert.match(body.error.message, /field "date": expected an ISO 8601 date/);
    });
    await miniflare.dispose();
  }

  // KV and R2 behave alike but for how a model becomes the current one
  const stores = [
    {
      name: 'kv',
      options: { kvNamespaces: ['MODELS'] },
      absent: /KV key "current": expected the name/,
      async open(miniflare) {
        const store = await miniflare.getKVNamespace('MODELS');
        return async (name, bytes) => {
          await store.put(name, toArrayBuffer(bytes));
          await store.put('current', name);
        };
      },
      bindings: {},
    },
    {
      name: 'r2',
      options: { r2Buckets: ['MODELS'] },
      absent: /R2 object "current\.safetensors": expected a model/,
      async open(miniflare) {
        const store = await miniflare.getR2Bucket('MODELS');
        return (_, bytes) => store.put('current.safetensors', toArrayBuffer(bytes));
      },
      bindings: { MODEL_KEY: 'current.safetensors' },
    },
  ];
  for (const { name, options, absent, open, bindings } of stores) {
    const out = bundle(name, '-e', name);
    const start = (seconds) =>
      serve(out, name, { ...options, bindings: { ...bindings, MODEL_CHECK_SECONDS: seconds } });

    let miniflare = start('0');
    let write = await open(miniflare);
    let ask = (body) => post(on(miniflare), URL_, body);
    await check(`${name}: without a model the answer is 500 and says what to upload`, async () => {
      const { status, body } = await ask({});
      assert.deepEqual([status, body.error.code], [500, 'ERR_DATA']);
      assert.match(body.error.message, absent);
    });
    await check(`${name}: a file that is no model is 500 ERR_FORMAT`, async () => {
      await write('first', new TextEncoder().encode('not a model, whatever it is called'));
      const { status, body } = await ask({});
      assert.deepEqual([status, body.error.code], [500, 'ERR_FORMAT']);
    });
    for (const expected of conformance) {
      await check(`${name}: model "${expected.name}" is read anew and gives the bits of the library`, async () => {
        await write(expected.name, readFileSync(expected.path));
        const { headers, body } = await ask(expected.rows);
        sameBits(body, expected);
        assert.match(headers.get('model-sha256'), /^[0-9a-f]{64}$/);
      });
    }
    const last = conformance.at(-1);
    await check(`${name}: a damaged new model leaves the old one in place, and a good one replaces it`, async () => {
      const damaged = readFileSync(conformance[0].path);
      damaged[damaged.length - 3] ^= 1;
      await write('damaged', damaged);
      sameBits((await ask(last.rows)).body, last);
      await write('repaired', readFileSync(conformance[0].path));
      sameBits((await ask(conformance[0].rows)).body, conformance[0]);
    });
    await check(`${name}: requests at once on a cold isolate all get their scores`, async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(conformance[0].rows)));
      for (const { body } of answers) sameBits(body, conformance[0]);
    });
    await miniflare.dispose();

    await check(`${name}: the model in the isolate is not asked for again before its time`, async () => {
      miniflare = start('3600');
      write = await open(miniflare);
      ask = (body) => post(on(miniflare), URL_, body);
      await write('first', readFileSync(conformance[0].path));
      sameBits((await ask(conformance[0].rows)).body, conformance[0]);
      await write('second', readFileSync(last.path));
      sameBits((await ask(conformance[0].rows)).body, conformance[0]);
      await miniflare.dispose();
    });
  }
}
