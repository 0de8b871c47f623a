// The service as Deno and Bun take it: `fetch`, and the files of its models, which follow on the command line as name=FILE.
import { readFileSync } from 'node:fs';
import { createService } from '@logodds/service';

const files = new Map(process.argv.slice(2).map((given) => given.split('=')));
const source = (name) => ({ name, model: readFileSync(files.get(name)) });
const service = createService({ models: [...files.keys()].map(source), source });
const fetch = (request) => service.fetch(request);
const server = globalThis.Deno
  ? globalThis.Deno.serve({ port: 0, hostname: '127.0.0.1', onListen: () => {} }, fetch)
  : globalThis.Bun.serve({ port: 0, hostname: '127.0.0.1', fetch });
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.port ?? server.addr.port}` }));
