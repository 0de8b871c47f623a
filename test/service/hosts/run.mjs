// One table of requests, asked of `fetch` and of every host: Node (`logodds serve`), Deno, Bun, workerd. The answers must be the same, byte for byte.
//   npm run test:service -- hosts
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { createService } from '@logodds/service';
import { direct, remote } from './answers.mjs';
import { HOSTS, prepareHosts } from './hosts.mjs';
import { RAW, raw } from './raw.mjs';
import { file, MANY_MODELS, MODELS, ONE_MODEL } from './requests.mjs';

const TABLES = [
  [MODELS, MANY_MODELS],
  [{ codes: MODELS.codes }, ONE_MODEL],
];

/** The answers of `fetch` to a table. */
async function expected(models, table) {
  const source = (name) => ({ name, model: file(models[name]) });
  const service = createService({ models: Object.keys(models).map(source), source });
  const answers = [];
  for (const request of table) answers.push(await direct(service, request));
  return answers;
}

export async function hosts() {
  prepareHosts();
  let failed = 0;
  const tables = [];
  for (const [models, table] of TABLES) tables.push([models, table, await expected(models, table)]);
  for (const [name, start] of Object.entries(HOSTS)) {
    let equal = 0;
    const fail = (request, reason) => {
      failed++;
      console.log(`${name}, ${request}: ${reason}`);
    };
    for (const [models, table, answers] of tables) {
      const host = await start(models);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        for (const [i, request] of table.entries()) {
          try {
            const found = await remote(host.url, agent, request);
            if (request.method === 'HEAD') found.text = answers[i].text;
            assert.deepStrictEqual(found, answers[i]);
            equal++;
          } catch (error) {
            fail(request.name, differences(error));
          }
        }
        for (const [request, bytes] of RAW) {
          const said = await raw(host.url, bytes);
          if (/^(HTTP\/1\.1 4\d\d |$)/.test(said)) equal++;
          else
            fail(
              request,
              `expected a status of 400 to 499 or the end of the connection, got ${JSON.stringify(said.slice(0, 60))}`,
            );
        }
        // what was refused has harmed nobody
        const { status } = await remote(host.url, agent, {
          method: 'GET',
          path: '/v2/health/live',
          headers: {},
          body: null,
        });
        assert.equal(status, 200);
      } finally {
        agent.destroy();
        await host.stop();
      }
    }
    console.log(`${name}: ${equal} answers as they are to be`);
  }
  console.log(failed === 0 ? 'every host answers alike' : `${failed} answers differ`);
  return failed === 0;
}

/** What differs, in a few lines: of texts the part where they begin to. */
function differences({ actual, expected, message }) {
  if (!actual || !expected) return message;
  const at = [...expected.text].findIndex((character, i) => character !== actual.text[i]);
  const of = ({ status, headers, text }) =>
    `${status} ${JSON.stringify(headers)} ${text.length} bytes, from ${at}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 120))}`;
  return `\n  expected ${of(expected)}\n  got      ${of(actual)}`;
}
