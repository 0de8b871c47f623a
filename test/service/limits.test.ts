import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { JSON_TYPE, serviceWith } from './models.ts';

const RECORD = '{"code":"2","x":0.5}';
const LINES = { 'content-type': 'application/x-ndjson' };
const CSV = { 'content-type': 'text/csv' };

const post = (body: ReadableStream, headers: Record<string, string>) =>
  new Request('http://localhost/models/codes/score', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
const linesOf = async (response: Response) => (await response.text()).trim().split('\n');

describe('deadlines', () => {
  test.each([
    ['0', 504, 'ERR_DEADLINE'],
    ['-1', 504, 'ERR_DEADLINE'],
    ['soon', 400, 'ERR_REQUEST'],
    ['', 400, 'ERR_REQUEST'],
    ['0.5e2', 200, undefined],
  ])('timeout: %s gives %i', async (timeout, status, code) => {
    const { ask } = serviceWith({}, 'codes');
    const response = await ask('/models/codes/score', RECORD, { ...JSON_TYPE, timeout });
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
  });

  /** A body that begins and does not go on. */
  const stalled = (text: string) =>
    new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(text)) });

  test('a body that does not come in time is given up by 504, a stream of lines by a line', async () => {
    const { service } = serviceWith({}, 'codes');
    const whole = await service.fetch(post(stalled(RECORD), { ...JSON_TYPE, timeout: '0.02' }));
    expect([whole.status, (await whole.json()).code]).toEqual([504, 'ERR_DEADLINE']);
    const lines = await linesOf(await service.fetch(post(stalled(`${RECORD}\n`), { ...LINES, timeout: '0.02' })));
    expect(lines.map((line) => JSON.parse(line).code ?? null)).toEqual([null, 'ERR_DEADLINE']);
  });

  test('the time of the service holds for a body that is read whole', async () => {
    const { service } = serviceWith({ limits: { timeMs: 20 } }, 'codes');
    expect((await service.fetch(post(stalled(RECORD), JSON_TYPE))).status).toBe(504);
  });
});

describe('limits', () => {
  const limits = { rows: 3, features: 4, values: 6, depth: 5, line: 40, inflation: 2, bytes: 10_000 };
  const rows = (n: number) => new Array(n).fill(RECORD);
  const tensor = (name: string, shape: number[], data: unknown[]) => ({ name, datatype: 'FP64', shape, data });
  const v2 = (...inputs: object[]) => JSON.stringify({ inputs });
  const split = (columns: unknown[], ...data: unknown[][]) => JSON.stringify({ dataframe_split: { columns, data } });
  const deep = (n: number) => `{"x":1,"code":"2","y":${'['.repeat(n)}${']'.repeat(n)}}`;
  const OWN = '/models/codes/score';
  const V1 = '/v1/models/codes:predict';
  const V2 = '/v2/models/codes/infer';

  test.each<[what: string, path: string, body: string, type: Record<string, string>, status: number]>([
    ['rows of an array', OWN, `[${rows(4)}]`, JSON_TYPE, 413],
    ['as many rows as may be', OWN, `[${rows(3)}]`, JSON_TYPE, 200],
    ['rows of records', OWN, `{"records":[${rows(4)}],"explain":1}`, JSON_TYPE, 413],
    ['rows of records alone', OWN, `{"records":[${rows(4)}]}`, JSON_TYPE, 413],
    ['rows of instances', V1, `{"instances":[${rows(4)}]}`, JSON_TYPE, 413],
    ['rows of columns', V1, '{"inputs":{"code":["1","2","0.1","2"],"x":[1,2,3,4]}}', JSON_TYPE, 413],
    ['rows of dataframe_split', '/invocations', split(['x'], [1], [2], [3], [4]), JSON_TYPE, 413],
    ['columns of dataframe_split', '/invocations', split([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]), JSON_TYPE, 400],
    ['rows of CSV', '/invocations', `code,x\n${'2,1\n'.repeat(4)}`, CSV, 413],
    ['columns of CSV', '/invocations', 'a,"b,b",c,d,e\n1,2,3,4,5\n', CSV, 400],
    ['rows of TorchServe', '/predictions/codes', `[${rows(4)}]`, JSON_TYPE, 413],
    ['keys of a record', OWN, '{"code":"2","x":1,"c":1,"d":1,"e":1}', JSON_TYPE, 400],
    ['a comma in a text is none', OWN, '{"code":"2","x":1,"y":",,,\\",,"}', JSON_TYPE, 200],
    ['depth', OWN, deep(5), JSON_TYPE, 400],
    ['as deep as may be', OWN, deep(4), JSON_TYPE, 200],
    ['tensors', V2, v2(...Array.from('abc', (name) => tensor(name, [1], [1])), {}), JSON_TYPE, 413],
    ['rows of a tensor', V2, v2(tensor('x', [4], [1, 2, 3, 4])), JSON_TYPE, 413],
    ['values of a tensor', V2, v2(tensor('x', [1, 7], [])), JSON_TYPE, 413],
  ])('%s', async (_, path, body, type, status) => {
    const { ask } = serviceWith({ limits }, 'codes');
    const response = await ask(path, body, type);
    const { error } = await response.json();
    expect([response.status, error]).toEqual([
      status,
      status === 200 ? undefined : expect.stringMatching(/expected .*at most \d+.*, got .*; /),
    ]);
  });

  test.each([
    ['whole', [`${RECORD}\n`, `{"code":"2","x":0.5,"y":"${'y'.repeat(40)}"}\n`]],
    ['in pieces', [`${RECORD}\n{"code":"2",`, `"y":"${'y'.repeat(20)}`, `${'y'.repeat(20)}"}\n`]],
  ])('a line that is too long ends its stream, %s', async (_, pieces) => {
    const { service } = serviceWith({ limits }, 'codes');
    const encoder = new TextEncoder();
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(encoder.encode(piece));
        controller.close();
      },
    });
    const lines = await linesOf(await service.fetch(post(body, LINES)));
    expect(lines.map((line) => JSON.parse(line).code ?? null)).toEqual([null, 'ERR_LIMIT']);
  });

  test('a stream has no limit of rows, and the first line of CSV is held to its columns', async () => {
    const { ask } = serviceWith({ limits }, 'codes');
    expect((await linesOf(await ask(OWN, rows(9).join('\n'), LINES))).length).toBe(9);
    expect(await (await ask(OWN, 'a,b,c,d,e\n1,2,3,4,5\n', CSV)).text()).toContain('columns: expected at most 4');
  });

  test('what inflates to too many times its bytes is refused from the first MiB on', async () => {
    const { ask } = serviceWith({ limits: { inflation: 100 } }, 'codes');
    const ask2 = async (n: number) =>
      linesOf(await ask(OWN, gzipSync(`${RECORD}\n`.repeat(n)), { ...LINES, 'content-encoding': 'gzip' }));
    expect((await ask2(1000)).length).toBe(1000);
    const last = JSON.parse((await ask2(200_000)).at(-1)!);
    expect([last.code, last.error]).toEqual(['ERR_LIMIT', expect.stringContaining('at most 100 times')]);
  });
});
