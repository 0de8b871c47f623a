// How requests of the table are asked, and what of their answers must be the same on every host.
import { request as ask } from 'node:http';
import { gunzipSync, inflateSync } from 'node:zlib';

const INFLATE = { gzip: gunzipSync, deflate: inflateSync };

/** Headers of a connection or of its host, and times. */
const OF_THE_HOST = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'server',
  'server-timing',
  'transfer-encoding',
]);

/** Times and ids that are random are another each time. */
const VARYING = [
  [/"ns":\d+/g, '"ns":0'],
  [/"(median|p99)":[^,}]+/g, '"$1":0'],
  [/"(decode|queue|score|encode|whole)":\[[\d,]*\]/g, '"$1":[]'],
  // a batch is what a chunk of the network brings, and some hosts have a queue
  [/"(execution_count|count)":\d+/g, '"$1":0'],
  [/^(# (HELP|TYPE) )?(lr_(stage|request)_duration|lr_model_load|lr_scorer_memory|lr_batch_rows).*\n/gm, ''],
  // numbers of the host
  [
    /^(# (HELP|TYPE) )?(lr_(queue|shed|connections|requests_malformed|tls|workers|rate|certificate|stale_files)|process_|nodejs_)\w*.*\n/gm,
    '',
  ],
  [/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, 'a random id'],
];
const steady = (text) => VARYING.reduce((all, [pattern, by]) => all.replace(pattern, by), text);

/** What of an answer must be the same. @param headers  pairs @param bytes  as they came */
function answerOf(status, headers, bytes) {
  const kept = Object.fromEntries(headers.filter(([name]) => !OF_THE_HOST.has(name)).sort());
  // hosts compress in their own way
  const inflate = INFLATE[kept['content-encoding']] ?? ((same) => same);
  const text = steady(inflate(bytes).toString('latin1'));
  return { status, headers: JSON.parse(steady(JSON.stringify(kept))), text };
}

/** The answer of `fetch`. */
export async function direct(service, { method, path, headers, body }) {
  const stream = Array.isArray(body)
    ? new ReadableStream({
        start(controller) {
          for (const chunk of body) controller.enqueue(new Uint8Array(Buffer.from(chunk)));
          controller.close();
        },
      })
    : body;
  // hosts say how long a body is
  const length = body === null || Array.isArray(body) ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
  const request = new Request(`http://localhost${path}`, {
    method,
    headers: { ...headers, ...length },
    ...(stream !== null && { body: stream }),
    duplex: 'half',
  });
  // a body that is text has a type of its own
  if (!('content-type' in headers)) request.headers.delete('content-type');
  const response = await service.fetch(request);
  return answerOf(response.status, [...response.headers], Buffer.from(await response.arrayBuffer()));
}

const LONG = 2 ** 20;

/** The answer of a host, by its bytes. */
export function remote(url, agent, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length = body === null || Array.isArray(body) ? {} : { 'content-length': Buffer.byteLength(body) };
    // what is too long by its head is refused by it: none of its body is sent, since a host may close while it comes
    const isLong = body !== null && body.length > LONG;
    const options = { hostname, port, agent: isLong ? false : agent, method, path, headers: { ...headers, ...length } };
    const sent = ask(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (isLong) sent.destroy();
        const pairs = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        resolve(answerOf(response.statusCode, pairs, Buffer.concat(chunks)));
      });
    });
    sent.setTimeout(20_000, () => sent.destroy(new Error('no answer in 20 s')));
    sent.on('error', reject);
    if (isLong) sent.flushHeaders();
    else {
      for (const chunk of Array.isArray(body) ? body : []) sent.write(chunk);
      sent.end(Array.isArray(body) || body === null ? undefined : body);
    }
  });
}
