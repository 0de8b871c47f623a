import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Attempt, type ClientOptions, ScoringClient, ServiceError } from '../../client/src/index.ts';

const MODEL = {
  name: 'm',
  sha256: 'a',
  versions: ['1'],
  version: '1',
  classes: ['no', 'yes'],
  positive: 'yes',
  fields: [],
};
const ok = () => Response.json(MODEL);
const refused = (
  status: number,
  headers: Record<string, string> = {},
  body: unknown = { error: 'later', code: 'ERR_BUSY' },
) => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
const lost = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }));

type Reply = () => Response | Promise<Response>;

/** A client of a server that answers so, one reply after another; the last one again. */
function clientOf(replies: Reply[], options: Partial<ClientOptions> = {}) {
  const asked: { url: string; headers: Headers; body: unknown }[] = [];
  const attempts: Attempt[] = [];
  const client = new ScoringClient({
    baseUrl: 'http://scores.example/api',
    fetch(url, init) {
      asked.push({ url, headers: new Headers(init.headers), body: init.body });
      const reply = replies[Math.min(asked.length, replies.length) - 1];
      return new Promise((resolve, reject) => {
        init.signal?.addEventListener('abort', () => reject(init.signal!.reason));
        Promise.resolve(reply()).then(resolve, reject);
      });
    },
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  });
  return { client, asked, attempts };
}

const failure = async (call: Promise<unknown>): Promise<ServiceError> => {
  const error = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ServiceError);
  return error as ServiceError;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A call, and the time that passes until it is over. */
async function timed<T>(call: Promise<T>): Promise<[settled: PromiseSettledResult<T>, ms: number]> {
  const begin = performance.now();
  const settled = Promise.allSettled([call]);
  await vi.runAllTimersAsync();
  return [(await settled)[0], performance.now() - begin];
}

describe('attempts', () => {
  test('429, 502, 503, 504 and lost connections are tried again, with waits that double, at random below their bound', async () => {
    for (const reply of [() => refused(429), () => refused(502), () => refused(503), () => refused(504), lost]) {
      const { client, asked, attempts } = clientOf([reply, reply, ok]);
      const [{ status }, ms] = await timed(client.describe('m'));
      expect([status, asked.length, ms]).toEqual(['fulfilled', 3, 50 + 100]);
      expect(attempts.map(({ attempt, delayMs }) => [attempt, delayMs])).toEqual([
        [1, 50],
        [2, 100],
        [3, null],
      ]);
    }
  });

  test('no other status is, nor more often than asked, nor waits above their bound', async () => {
    for (const status of [400, 401, 404, 409, 413, 500, 501]) {
      const { client, asked } = clientOf([() => refused(status)]);
      expect((await failure(client.describe('m'))).status).toBe(status);
      expect(asked).toHaveLength(1);
    }
    const { client, asked } = clientOf([() => refused(503)], { retry: { attempts: 5, maxMs: 150 } });
    const [settled, ms] = await timed(client.describe('m'));
    expect(settled).toMatchObject({ status: 'rejected', reason: { attempts: 5, status: 503, code: 'ERR_BUSY' } });
    expect([asked.length, ms]).toEqual([5, 50 + 75 + 75 + 75]);
    const never = clientOf([() => refused(503)], { retry: false });
    expect((await failure(never.client.describe('m'))).attempts).toBe(1);
  });

  test('Retry-After is waited for, in seconds and as a date, and the client does not return with all the others', async () => {
    vi.setSystemTime(new Date('2026-11-29T12:00:00Z'));
    for (const [value, ms] of [
      ['2', 2050],
      ['Sun, 29 Nov 2026 12:00:03 GMT', 3050],
      ['Sun, 29 Nov 2026 11:00:00 GMT', 50],
      ['soon', 50],
    ] as const) {
      vi.setSystemTime(new Date('2026-11-29T12:00:00Z'));
      const { client } = clientOf([() => refused(503, { 'retry-after': value }), ok]);
      expect((await timed(client.describe('m')))[1], value).toBe(ms);
    }
  });

  test('a wait beyond the deadline is not begun: the error comes at once', async () => {
    const { client, asked } = clientOf([() => refused(503, { 'retry-after': '31' })]);
    const error = await failure(client.describe('m'));
    expect([error.status, error.code, asked.length]).toEqual([503, 'ERR_BUSY', 1]);
  });

  test('labels are sent once, and a stream of rows too', async () => {
    const { client, asked } = clientOf([() => refused(503)]);
    expect((await failure(client.label('m', [{ id: '1', label: 'yes' }]))).attempts).toBe(1);
    const rows = new Blob(['x\n1\n']).stream() as ReadableStream<Uint8Array>;
    expect((await failure(client.csv('m', rows))).attempts).toBe(1);
    expect(asked).toHaveLength(2);
    const [{ status }] = await timed(
      clientOf([() => refused(503), () => new Response('row\n')]).client.csv('m', 'x\n1\n'),
    );
    expect(status).toBe('fulfilled');
  });

  test('an answer that breaks off is asked for again', async () => {
    const half = () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"name":'));
            controller.error(new Error('reset'));
          },
        }),
      );
    const { client, attempts } = clientOf([half, ok]);
    const [{ status }] = await timed(client.describe('m'));
    expect([status, attempts[0].status, (attempts[0].error as ServiceError).code]).toEqual([
      'fulfilled',
      200,
      'ERR_CONNECTION',
    ]);
    expect(attempts[0].error?.message).toMatch(/got a part in 1 attempts \(reset\)/);
  });
});

describe('deadlines', () => {
  const silent = () => new Promise<Response>(() => {});

  test('the time of a call is that of its attempts and waits together', async () => {
    const { client } = clientOf([() => refused(503), silent]);
    const [settled, ms] = await timed(client.describe('m', { timeoutMs: 400 }));
    expect(settled).toMatchObject({ status: 'rejected', reason: { code: 'ERR_TIMEOUT', status: null, attempts: 2 } });
    expect(ms).toBe(400);
    expect((settled as PromiseRejectedResult).reason.message).toBe(
      'answer: expected within 400 ms, got none in 2 attempts; give more timeoutMs, or ask for less',
    );
  });

  test('the header timeout says the seconds that remain, each time', async () => {
    const { client, asked } = clientOf([() => refused(503), () => refused(503), ok]);
    await timed(client.describe('m', { timeoutMs: 1000 }));
    expect(asked.map(({ headers }) => headers.get('timeout'))).toEqual(['1', '0.95', '0.85']);
    await client.describe('m', { timeoutMs: Infinity });
    expect(asked[3].headers.get('timeout')).toBeNull();
  });

  test('the signal of the caller ends a call: while it is asked, while it waits, before it began', async () => {
    for (const [replies, count] of [
      [[silent], 1],
      [[() => refused(503, { 'retry-after': '5' })], 1],
    ] as const) {
      const controller = new AbortController();
      const { client, asked } = clientOf([...replies]);
      setTimeout(() => controller.abort(new Error('enough')), 20);
      const [settled, ms] = await timed(client.describe('m', { signal: controller.signal }));
      expect(settled).toMatchObject({
        status: 'rejected',
        reason: { code: 'ERR_ABORTED', cause: { message: 'enough' } },
      });
      expect([ms, asked.length]).toEqual([20, count]);
      const error = await failure(client.describe('m', { signal: controller.signal }));
      expect([error.code, error.attempts, asked.length]).toEqual(['ERR_ABORTED', 0, count]);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a deadline that is none is refused', async () => {
    for (const timeoutMs of [0, -1, Number.NaN])
      expect((await failure(clientOf([ok]).client.describe('m', { timeoutMs }))).code).toBe('ERR_REQUEST');
  });
});

describe('headers', () => {
  test('the id and the trace are the same in every attempt; a token is asked for each time', async () => {
    let token = 0;
    const headers = () => ({ 'x-tenant': `${token}` });
    const { client, asked, attempts } = clientOf([lost, ok, ok], { token: async () => `t${++token}`, headers });
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' };
    await timed(client.describe('m', { requestId: 'mine', ...trace }));
    for (const name of ['x-request-id', 'traceparent', 'tracestate'])
      expect(asked.map(({ headers }) => headers.get(name))).toEqual(
        new Array(2).fill({ 'x-request-id': 'mine', ...trace }[name]),
      );
    expect(asked.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer t1', 'Bearer t2']);
    expect(asked[1].headers.get('x-tenant')).toBe('2');
    expect(attempts.map(({ requestId }) => requestId)).toEqual(['mine', 'mine']);
    await client.describe('m');
    expect(asked[2].headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(asked[2].headers.get('traceparent')).toBeNull();
  });

  test('what gives a token fails for itself', async () => {
    const { client, asked } = clientOf([ok], {
      token: () => {
        throw new RangeError('no token');
      },
    });
    await expect(client.describe('m')).rejects.toThrow(RangeError);
    expect(asked).toHaveLength(0);
  });

  test('names of models and versions are parts of a path below the base', async () => {
    const { client, asked } = clientOf([ok]);
    await client.describe('ä b/c', { version: 'x&y' });
    expect(asked[0].url).toBe('http://scores.example/api/models/%C3%A4%20b%2Fc?version=x%26y');
  });
});

test.each([
  [{ error: 'bad', code: 'ERR_RECORD', problems: [{ field: 'x', row: 0, rule: 'r' }] }, 'bad', 'ERR_RECORD', 1],
  [{ error: 'of V2' }, 'of V2', 'ERR_STATUS', 0],
  [{ error_code: 'BAD_REQUEST', message: 'of MLflow' }, 'of MLflow', 'BAD_REQUEST', 0],
  [{ detail: [{ loc: ['body'], msg: 'of FastAPI' }] }, '[{"loc":["body"],"msg":"of FastAPI"}]', 'ERR_STATUS', 0],
  ['<html>of a proxy', '<html>of a proxy', 'ERR_STATUS', 0],
  ['null', 'null', 'ERR_STATUS', 0],
  ['', 'answer: expected a status below 400, got 400', 'ERR_STATUS', 0],
])('a refusal %j is an error in the words of the server', async (body, message, code, problems) => {
  const error = await failure(clientOf([() => refused(400, {}, body)]).client.describe('m', { requestId: 'r' }));
  expect([error.message, error.code, error.status, error.requestId]).toEqual([message, code, 400, 'r']);
  expect(error.problems).toHaveLength(problems);
});

test('an answer that is none of the protocol is an error that knows its request', async () => {
  for (const body of ['<html>', '{}', 'null', '[]']) {
    const error = await failure(clientOf([() => new Response(body)]).client.score('m', {}, { requestId: 'r' }));
    expect([error.code, error.status, error.requestId, error.attempts]).toEqual(['ERR_RESPONSE', 200, 'r', 1]);
  }
});

test('an address that is none is refused where the client is made', () => {
  for (const baseUrl of ['scores', 'http://user:secret@scores.example', 'http://scores.example?x=1'])
    expect(() => new ScoringClient({ baseUrl })).toThrow(/^baseUrl: expected .*(?<!secret.*)$/);
});
