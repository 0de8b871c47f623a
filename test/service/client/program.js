// What a program does with the client, on any host that has fetch. It returns plain data, which must be the same everywhere.
import { InferenceClient, ScoringClient } from '@logodds/client';

const record = { code: '2', x: 0.5 };
const rows = Array.from({ length: 700 }, (_, i) => ({ code: ['2', 'ü', '0.1'][i % 3], x: i / 8 }));

async function* made() {
  for (const row of rows) yield row;
}

async function all(values) {
  const list = [];
  for await (const value of values) list.push(value.error ?? value.logit);
  return list;
}

const failure = async (call) => {
  const { name, code, status, attempts } = await call.catch((error) => error);
  return { name, code, status, attempts };
};

/** @param isDuplex  whether the host sends and receives at once */
export async function run(baseUrl, isDuplex) {
  const client = new ScoringClient({ baseUrl });
  const inference = new InferenceClient({ baseUrl });
  const inputs = [
    { name: 'code', data: rows.map(({ code }) => code) },
    { name: 'x', data: Float64Array.from(rows, ({ x }) => x) },
  ];
  const logits = [];
  for (const binary of [false, true]) {
    const result = await inference.infer('codes', inputs, { binary });
    logits.push(Array.from(result.output('logit').data), result.output('label').data);
  }
  const retried = [];
  const nobody = new ScoringClient({
    baseUrl: 'http://127.0.0.1:9',
    retry: { baseMs: 1 },
    onAttempt: ({ attempt, error }) => retried.push([attempt, error.code]),
  });
  const controller = new AbortController();
  controller.abort();
  return {
    one: (await client.score('codes', record, { explain: 1, whatif: ['x'] })).score,
    many: await all((await client.score('codes', rows)).scores),
    batches: await all(client.stream('codes', made())),
    ...(isDuplex && { duplex: await all(client.stream('codes', made(), { batch: null })) }),
    csv: await new Response(await client.csv('codes', 'code,x\n2,0.5\n2,far\n')).text(),
    logits,
    ready: [await inference.isReady(), await inference.isReady('none')],
    fields: (await client.describe('codes')).fields.map(({ name }) => name),
    refused: await failure(client.score('codes', { code: '2', x: 'far' })),
    unknown: await failure(client.score('none', record)),
    aborted: await failure(client.score('codes', record, { signal: controller.signal })),
    late: await failure(client.score('codes', rows, { timeoutMs: 1e-6 })),
    nobody: await failure(nobody.score('codes', record)),
    retried,
  };
}
