import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { checkContract, conformance, post, sameBits } from './contract.mjs';
import { check, startServer } from './harness.mjs';

const AIRPORTS = ['ATL', 'ORD', 'DFW', 'LAX', 'PHX', 'DEN', 'SEA', 'XXX'];
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const flights = (length, seed = 0) =>
  Array.from({ length }, (_, i) => ({
    hour: 5 + ((i + seed) % 19),
    weekday: DAYS[i % 7],
    origin: AIRPORTS[(i * 3 + seed) % 8],
    destination: AIRPORTS[(i * 5 + 1) % 8],
    distance: 100 + ((i * 37 + seed) % 2500),
  }));

/** One POST over a connection that stands. */
async function sendOn(socket, records) {
  const sent = request({ method: 'POST', path: '/', createConnection: () => socket }).end(JSON.stringify(records));
  const [response] = await once(sent, 'response');
  const chunks = await response.toArray();
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(Buffer.concat(chunks)) };
}

export async function pool({ examples, model }) {
  const folder = join(examples, 'node-pool');
  const start = (env) => startServer(process.execPath, ['server.mjs'], { cwd: folder, env: { THREADS: '2', ...env } });
  const scored = (records) => records.map((record) => model.score(record));
  const big = flights(60_000);
  const bigScores = scored(big);

  const bounded = await start({});
  await checkContract({ fetch, url: bounded.url }, model, { maxBytes: 1 << 20, wrongMethod: 'PUT' });
  await check('it listens on this machine alone', () => assert.match(bounded.url, /127\.0\.0\.1/));
  await bounded.stop();
  const server = await start({ MAX_BYTES: String(32 << 20) });
  await check('GET says engine, threads, queue and model', async () => {
    const state = await (await fetch(server.url)).json();
    assert.deepEqual(state, {
      engine: 'wasm',
      why: 'WebAssembly SIMD on 2 threads',
      threads: 2,
      waiting: 0,
      model: model.sha256,
    });
  });
  await check('60,000 records in one request, on two threads: the bits of model.score', async () => {
    assert.deepEqual((await post(fetch, server.url, big)).body, bigScores);
  });
  await check('60 requests at once, a bad one among them: only that one is refused', async () => {
    const requests = Array.from({ length: 60 }, (_, i) => flights(1 + 7 * i, i));
    const bad = { ...requests[30][3], distance: 'far' };
    const sent = requests.map((records, i) => (i === 30 ? records.with(3, bad) : records));
    const answers = await Promise.all(sent.map((records) => post(fetch, server.url, records)));
    answers.forEach(({ status, body }, i) => {
      if (i !== 30) {
        assert.deepEqual(body, scored(requests[i]));
        return;
      }
      assert.deepEqual([status, body.error.code], [422, 'ERR_RECORD']);
      assert.match(body.error.message, /3 \(from 0\).*"distance"/);
    });
  });
  await check('more records than a batch takes are refused: 413', async () => {
    const { status, body } = await post(fetch, server.url, `[${'{},'.repeat(1 << 16)}{}]`);
    assert.deepEqual([status, body.error.code], [413, 'ERR_RANGE']);
  });
  await check('SIGTERM while a request is on its way: it is answered, then the service ends with code 0', async () => {
    const answer = post(fetch, server.url, big);
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.child.kill('SIGTERM');
    assert.deepEqual((await answer).body, bigScores);
    assert.equal(await server.stop(), 0);
    await assert.rejects(fetch(server.url));
  });
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

  // in this process, where its threads are within reach
  const { createService } = await import(pathToFileURL(join(folder, 'service.mjs')));
  const threads = [];
  const spawn = (source, onUp, onEnd) => {
    const thread = new Worker(source, { eval: true, execArgv: [] });
    thread.on('message', onUp);
    thread.on('error', (error) => onEnd(String(error)));
    thread.on('exit', (code) => onEnd(`exit code ${code}`));
    threads.push(thread);
    return thread;
  };
  const service = createService({ model, threads: 2, batchRows: 500, maxWaiting: 1000, spawn });
  await service.ready();
  service.server.listen(0);
  await once(service.server, 'listening');
  const url = `http://127.0.0.1:${service.server.address().port}/`;

  await check(
    'a full queue refuses with 429 and Retry-After, keeps what waits, and is empty again afterwards',
    async () => {
      const requests = Array.from({ length: 12 }, (_, i) => flights(300, i));
      // connected first and sent in one go, so that all of them are there when the service looks
      const sockets = requests.map(() => connect(service.server.address().port, '127.0.0.1'));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      await new Promise((resolve) => setTimeout(resolve, 50));
      const sent = requests.map((records, i) => sendOn(sockets[i], records));
      const answers = (await Promise.all(sent)).map((answer, i) => ({ i, ...answer }));
      const taken = answers.filter(({ status }) => status === 200);
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(
        taken.length > 0 && refused.length > 0 && taken.length + refused.length === 12,
        `${taken.length} taken`,
      );
      taken.forEach(({ i, body }) => {
        assert.deepEqual(body, scored(requests[i]));
      });
      for (const { headers, body } of refused) {
        assert.equal(headers['retry-after'], '1');
        assert.match(body.error.message, /^queue: expected at most 1000 waiting records, got \d+ .*; wait a second$/);
      }
      assert.equal((await (await fetch(url)).json()).waiting, 0);
      assert.deepEqual((await post(fetch, url, requests[0])).body, scored(requests[0]));
    },
  );
  await service.close();

  await check('a thread that died is told with 503 ERR_ENGINE, and the next request finds a new pool', async () => {
    threads.length = 0;
    const mortal = createService({ model, threads: 2, spawn, maxBytes: 32 << 20 });
    await mortal.ready();
    mortal.server.listen(0);
    await once(mortal.server, 'listening');
    const address = `http://127.0.0.1:${mortal.server.address().port}/`;
    assert.deepEqual((await post(fetch, address, big)).body, bigScores);
    await threads[0].terminate();
    const { status, headers, body } = await post(fetch, address, big);
    assert.deepEqual([status, body.error.code, headers.get('retry-after')], [503, 'ERR_ENGINE', '1']);
    assert.match(body.error.message, /^threads: expected 2, got fewer: worker 1 has ended \(exit code 1\); /);
    assert.deepEqual((await post(fetch, address, big)).body, bigScores);
    assert.equal(threads.length, 2);
    assert.equal((await (await fetch(address)).json()).threads, 2);
    await mortal.close();
  });
}
