// A server that does nothing but read a body and answer, on the stack of `logodds serve`.
// arguments: for each path a file with its answer, as path=type=file
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
for (const argument of process.argv.slice(2)) {
  const [path, type, file] = argument.split('=');
  const bytes = readFileSync(file);
  const body = type === 'application/json' ? bytes.toString() : new Uint8Array(bytes);
  const headers = { 'content-type': type };
  app.post(path, async (c) => {
    await c.req.raw.arrayBuffer();
    return new Response(body, { headers });
  });
}
const server = createServer({ keepAliveTimeout: 66_000 }, getRequestListener(app.fetch));
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
