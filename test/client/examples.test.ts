// Runs the examples of the docstrings and of the README against a service in the same process. They see
//
//   baseUrl, client, inference   the service, asked by the client of each protocol
//   inputs                       two flights as tensors
//   flights                      three flights as records
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { InferenceClient, ScoringClient, ServiceError } from '../../client/src/index.ts';
import { createService } from '../../service/src/index.ts';
import { fit, saveModel } from '../../src/index.ts';
import { examplesOf, runExample } from '../package/example.ts';

const origins = ['ATL', 'LAS', 'MCI'];
const records = Array.from({ length: 30 }, (_, i) => {
  const distance = 200 + ((i * 379) % 2000);
  const origin = origins[i % 3];
  const late = distance + (origin === 'LAS' ? 600 : 0) + ((i * 577) % 1900) > 2200 ? 'yes' : 'no';
  return { distance, origin, late };
});
const { model } = fit(records, { target: 'late', penalty: 'none', inference: true });
const service = createService({ models: [{ name: 'flights', model: saveModel(model) }] });
const options = {
  baseUrl: 'http://localhost',
  fetch: (url: string, init: RequestInit) => service.fetch(new Request(url, init)),
};

function scope() {
  return {
    // an example makes a client as a program does, without the fetch of this test
    ScoringClient: class extends ScoringClient {
      constructor(given: object) {
        super({ ...options, ...given });
      }
    },
    InferenceClient: class extends InferenceClient {
      constructor(given: object) {
        super({ ...options, ...given });
      }
    },
    ServiceError,
    baseUrl: options.baseUrl,
    client: new ScoringClient(options),
    inference: new InferenceClient(options),
    inputs: [
      { name: 'distance', data: Float64Array.of(1200, 600) },
      { name: 'origin', data: ['LAS', 'ATL'] },
    ],
    flights: [
      { distance: 1200, origin: 'LAS' },
      { distance: 600, origin: 'ATL' },
      { distance: 900, origin: 'MCI' },
    ],
    readFileSync: () => 'token',
  };
}

const sources = readdirSync('client/src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const examples = sources.flatMap((name) => {
  const found: [string, string][] = [];
  const visit = (node: ts.Node): void => {
    for (const code of examplesOf(node)) found.push([`${name}, ${found.length + 1}`, code]);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, readFileSync(`client/src/${name}`, 'utf8'), ts.ScriptTarget.Latest, true));
  return found;
});

test('the docstrings have examples', () => {
  expect(examples.length).toBeGreaterThan(8);
});

test.each(examples)('%s', async (_, code) => {
  const own = Object.fromEntries(Object.entries(scope()).filter(([name]) => !new RegExp(`const ${name} =`).test(code)));
  await runExample(code, own);
});

const blocks = [...readFileSync('client/README.md', 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);

test('the README has examples', () => {
  expect(blocks.length).toBeGreaterThan(2);
});

test.each(blocks.map((code, i) => [i + 1, code] as const))('README, block %i', async (_, code) => {
  await runExample(code.replace(/^import .*\n+/gm, '').trimEnd(), scope());
});
