// A registry of schemas as far as streams ask it, written from its documentation; the official client of Confluent in avro.py speaks to it too.
// https://docs.confluent.io/platform/current/schema-registry/develop/api.html
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Starts one on a free port of loopback. Ids begin at 1, and the same schema has the same id. */
export async function registryOfSchemas() {
  const schemas = [];
  const subjects = new Map();
  const answer = (response, status, body) => {
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
    response.end(JSON.stringify(body));
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const text of request.setEncoding('utf8')) body += text;
    const { pathname } = new URL(request.url, 'http://registry');
    const [, id] = /^\/schemas\/ids\/(\d+)$/.exec(pathname) ?? [];
    const [, subject, versions] = /^\/subjects\/([^/]+)(\/versions)?$/.exec(pathname) ?? [];
    if (id !== undefined) {
      const schema = schemas[Number(id) - 1];
      if (schema === undefined) answer(response, 404, { error_code: 40403, message: 'Schema not found' });
      else answer(response, 200, { schema });
    } else if (subject !== undefined && request.method === 'POST') {
      const { schema } = JSON.parse(body);
      if (!schemas.includes(schema)) {
        // a lookup registers nothing
        if (!versions) return answer(response, 404, { error_code: 40403, message: 'Schema not found' });
        schemas.push(schema);
      }
      const all = subjects.get(subject) ?? [];
      subjects.set(subject, all.includes(schema) ? all : [...all, schema]);
      const own = schemas.indexOf(schema) + 1;
      answer(response, 200, { subject, id: own, version: subjects.get(subject).indexOf(schema) + 1, schema });
    } else answer(response, 404, { error_code: 40401, message: 'Subject not found.' });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
