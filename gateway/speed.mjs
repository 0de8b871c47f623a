/* Requests per second through Envoy, and CPU time of it per request, with the filter and without: a short run on loopback. */
import { readFileSync, statSync } from 'node:fs';
import { FILTER, installEnvoy, listener, startEnvoy, type } from './envoy.mjs';
import { cpuSeconds, load } from './load.mjs';
import { pack } from './pack.mjs';
import { bodyOf, fromBody, fromHeaders, headersOf, SETS } from './test/models.mjs';

const TOTAL = 20_000;
const ROUNDS = 3;

export async function measure() {
  const [numeric, , , , wide] = SETS;
  const routes = [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } }];
  const withHeaders = numeric.rows.map((row) => {
    const lines = headersOf(row).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET / HTTP/1.1\r\nhost: test\r\n${lines.join('')}\r\n`;
  });
  const withBody = wide.rows.map((row) => {
    const body = bodyOf(row);
    return `POST / HTTP/1.1\r\nhost: test\r\ncontent-length: ${body.length}\r\n\r\n${body.toString('latin1')}`;
  });
  const cases = [
    { name: 'none: 5 headers', listener: 'none', requests: withHeaders },
    { name: 'filter: 5 numbers from headers', listener: 'headers', requests: withHeaders },
    { name: "none, Envoy's buffer filter: JSON of 5.7 kB", listener: 'buffer', requests: withBody },
    { name: 'filter: 200 numbers from the JSON', listener: 'body', requests: withBody },
  ];
  // a body is held in both cases
  const buffer = {
    name: 'buffer',
    typed_config: type('envoy.extensions.filters.http.buffer.v3.Buffer', { max_request_bytes: 65536 }),
  };
  const envoy = await startEnvoy(
    installEnvoy(),
    {
      listeners: [
        listener('none', { routes }),
        listener('buffer', { filters: [buffer], routes }),
        listener('headers', { plugin: pack(numeric.model, fromHeaders(numeric.model)), routes }),
        listener('body', { plugin: pack(wide.model, fromBody(wide.model)), routes }),
      ],
      clusters: [],
    },
    'envoy-speed',
  );
  const best = cases.map(() => ({ rate: 0, cpu: Number.POSITIVE_INFINITY }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { listener: name, requests }] of cases.entries()) {
      const before = cpuSeconds(envoy.pid);
      const { seconds, statuses } = await load(envoy.ports[name], requests, { total: TOTAL, end: 'ok' });
      if (statuses.get('200') !== TOTAL)
        throw new Error(`${name}: expected ${TOTAL} times 200, got ${JSON.stringify([...statuses])}`);
      best[i].rate = Math.max(best[i].rate, TOTAL / seconds);
      best[i].cpu = Math.min(best[i].cpu, ((cpuSeconds(envoy.pid) - before) / TOTAL) * 1e6);
    }
  }
  await envoy.stop();
  const cpuName = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';
  console.log(`\n| filter | requests/s | CPU of Envoy per request |\n|---|---:|---:|`);
  for (const [i, { name }] of cases.entries()) {
    console.log(`| ${name} | ${Math.round(best[i].rate)} | ${best[i].cpu.toFixed(1)} µs |`);
  }
  console.log(
    `\nfilter.wasm: ${statSync(FILTER).size} bytes; ${cpuName}; one worker thread, 16 connections, best of ${ROUNDS}\n`,
  );
}
