import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { gatesOf } from '../../service/src/admission/admission.ts';
import { Buckets } from '../../service/src/admission/buckets.ts';
import { HOST_TIME, Turns } from '../../service/src/admission/turns.ts';
import { type Asked, type Gate, type LogLine, Tokens } from '../../service/src/index.ts';
import { Metrics } from '../../service/src/observation/metrics.ts';
import type { Refusal } from '../../service/src/refusal.ts';
import { JSON_TYPE, serviceWith } from './models.ts';

const RECORD = '{"code":"2","x":0.5}';

/** A clock that stands until it is moved, and an event loop that comes round when it is told to. */
function clock() {
  let at = 1000;
  const calls: (() => void)[] = [];
  const rounds: (() => void)[] = [];
  const callAll = (due: (() => void)[]) => {
    for (const call of due.splice(0)) call();
  };
  return {
    now: () => at,
    soon: (call: () => void) => void calls.push(call),
    round: (call: () => void) => void rounds.push(call),
    move(ms: number) {
      at += ms;
    },
    turn: () => callAll(calls),
    /** what was there is read, and the turn goes on */
    next: () => callAll(rounds),
  };
}

/** A request as gates see it. */
function asked(time: ReturnType<typeof clock>, { bytes = 10, deadline = Number.POSITIVE_INFINITY } = {}) {
  const controller = new AbortController();
  const headers = { 'content-length': String(bytes) };
  const said: Record<string, string> = {};
  const leave: (() => void)[] = [];
  return {
    request: new Request('http://localhost/', { method: 'POST', body: 'x', headers, signal: controller.signal }),
    rows: 1,
    began: time.now(),
    deadline,
    said,
    header(name: string, value: string) {
      said[name] = value;
    },
    onEnd: (call: () => void) => void leave.push(call),
    end() {
      for (const call of leave) call();
    },
    abort: () => controller.abort(),
  };
}
type OneAsked = ReturnType<typeof asked>;

/** The gates of a service with a clock of its own. */
function gates(options: Parameters<typeof gatesOf>[0]) {
  const time = clock();
  const metrics = new Metrics();
  const lines: LogLine[] = [];
  const { before, after } = gatesOf(options, metrics, (line) => lines.push(line), false, time);
  const all: readonly Gate[] = [...before, ...after];
  const refused = (error: unknown) => (error as Refusal).status;
  /** The status of what is refused at once, null for what is let in, a promise of either for what waits. */
  const enter = (one: OneAsked, some = all): number | null | Promise<number | null> => {
    try {
      for (const gate of some) {
        const turn = gate.enter(one as unknown as Asked);
        if (turn) return turn.then(() => null, refused);
      }
      return null;
    } catch (error) {
      return refused(error);
    }
  };
  return { time, lines, enter, before, load: metrics.load };
}

describe('turns of the event loop', () => {
  test('what is read late in a turn has waited for what came before it; the next turn begins anew', () => {
    const time = clock();
    let turns = 0;
    const measured = new Turns(time, 50, () => turns++);
    const delays = [measured.delay(time.now())];
    for (const ms of [3, 4]) {
      time.move(ms);
      delays.push(measured.delay(time.now()));
    }
    time.turn();
    time.move(100);
    delays.push(measured.delay(time.now()));
    expect(delays).toEqual([0, 3, 7, 0]);
    expect(turns).toBe(1);
  });

  test('a turn that is long has rounds: who asks again within one has not waited since its begin', () => {
    const time = clock();
    let rounds = 0;
    const measured = new Turns(time, 50, () => rounds++);
    const delays = [0, 51, 100].map((ms, i, all) => {
      time.move(ms - (all[i - 1] ?? 0));
      return measured.delay(time.now());
    });
    time.next();
    time.move(30);
    delays.push(measured.delay(time.now()));
    expect(delays).toEqual([0, 51, 100, 30]);
    // the loop has not kept up, and one round is over
    expect([measured.behind(time.now()), rounds]).toEqual([130, 1]);
    // of a turn that has ended meanwhile nothing is told
    time.move(30);
    measured.delay(time.now());
    time.turn();
    time.next();
    expect([measured.delay(time.now()), rounds]).toEqual([0, 2]);
  });

  test('messages to this thread stand in the row of the sockets', async () => {
    const told = await new Promise((resolve) => HOST_TIME.round(() => resolve('told')));
    expect(told).toBe('told');
  });

  test('a clock that stands still, as in Workers, shows no delay', () => {
    const { enter, time } = gates({ maxDelayMs: 1 });
    expect(Array.from({ length: 1000 }, () => enter(asked(time)))).toEqual(new Array(1000).fill(null));
  });
});

describe('overload', () => {
  /** A turn with requests of long bodies at these milliseconds; what the door says of them. */
  const turnOf = ({ time, enter, before }: ReturnType<typeof gates>, at: readonly number[], bytes = 100_000) => {
    const statuses = at.map((ms, i) => {
      time.move(ms - (at[i - 1] ?? 0));
      return enter(asked(time, { bytes }), before);
    });
    time.turn();
    return statuses;
  };

  test('while the loop keeps up, a turn may be long for once: after a rest, or after a short turn', () => {
    const service = gates({ maxDelayMs: 50 });
    expect(turnOf(service, [0, 60, 500])).toEqual([null, null, null]);
    expect(turnOf(service, [0, 10])).toEqual([null, null]);
    expect(turnOf(service, [0, 300, 450])).toEqual([null, null, null]);
    service.time.move(1000);
    expect(turnOf(service, [0, 500, 501])).toEqual([null, null, 503]);
  });

  test('where it does not, what has waited longer than may be is refused and counted; begin and end are said once', () => {
    const service = gates({ maxDelayMs: 50 });
    expect(turnOf(service, [0, 501])).toEqual([null, 503]);
    expect(turnOf(service, [0, 50, 51, 60])).toEqual([null, null, 503, 503]);
    expect(turnOf(service, [0, 55])).toEqual([null, 503]);
    // a turn in time
    expect([turnOf(service, [0, 20]), turnOf(service, [0, 60])]).toEqual([
      [null, null],
      [null, null],
    ]);
    service.time.move(1001);
    turnOf(service, [0]);
    expect(service.load.shed).toEqual({ overload: 4, queue: 0, deadline: 0, rate: 0 });
    expect(service.lines).toEqual([
      { level: 'warn', event: 'overload', delayMs: 501 },
      { level: 'warn', event: 'overload over', requests: 4 },
    ]);
    expect(service.load.delay.counts.reduce((sum, count) => sum + count)).toBe(13);
  });

  test('what is short is let in ten times as long, and then each fourth is refused, since that costs as much as an answer', () => {
    const service = gates({ maxDelayMs: 50 });
    turnOf(service, [0, 501]);
    const late = [501, 502, 503, 504, 505, 506, 507, 508];
    expect(turnOf(service, [0, 51, 500, ...late], 65_535)).toEqual([
      ...[null, null, null],
      ...[null, null, null, 503, null, null, null, 503],
    ]);
    // the later, the more of them
    expect(turnOf(service, [0, 1000, 1001, 1002, 1999, 2000, 2001], 65_535)).toEqual([
      ...[null, null, 503, null, 503, 503, 503],
    ]);
  });

  test('more short requests than can be answered in time, which all ask again at once, are answered for the most part', () => {
    const service = gates({ maxDelayMs: 50 });
    // an answer takes 1 ms, a refusal 0.75 ms; 1,200 clients
    let [answered, ms] = [0, 0];
    const one = asked(service.time);
    for (let i = 0; i < 100_000; i++) {
      const isAnswered = service.enter({ ...one, began: service.time.now() }, service.before) === null;
      if (isAnswered) answered++;
      ms += isAnswered ? 1 : 0.75;
      service.time.move(isAnswered ? 1 : 0.75);
      if (i % 1200 === 1199) service.time.next();
    }
    expect(answered / ms).toBeGreaterThan(0.8);
  });

  test('a request that has waited as long as its client will is refused by 504', () => {
    const { time, enter, load } = gates({ maxDelayMs: 50 });
    enter(asked(time));
    time.move(20);
    const within = (ms: number) => asked(time, { deadline: time.now() + ms });
    expect([enter(within(20)), enter(within(21))]).toEqual([504, null]);
    expect(load.shed.deadline).toBe(1);
  });
});

describe('the queue of long bodies', () => {
  const LONG = { bytes: 100_000 };

  test('one is let in for each turn, in their order; short ones pass', async () => {
    const { time, enter, load } = gates({ maxDelayMs: 50 });
    const waits = [1, 2, 3].map(() => enter(asked(time, LONG)));
    expect(waits[0]).toBe(null);
    expect([enter(asked(time)), load.queued, load.queuedBytes]).toEqual([null, 2, 200_000]);
    time.turn();
    expect([await waits[1], load.queued]).toEqual([null, 1]);
    time.turn();
    expect([await waits[2], load.queued, load.queuedBytes]).toEqual([null, 0, 0]);
    time.turn();
    expect(enter(asked(time, LONG))).toBe(null);
  });

  test('what waited too long, whose client has left, or whose time is over, makes room for the next at once', async () => {
    const { time, enter, load } = gates({ maxDelayMs: 50 });
    enter(asked(time, LONG));
    const left = asked(time, LONG);
    const waits = [
      enter(asked(time, LONG)),
      enter(left),
      enter(asked(time, { ...LONG, deadline: time.now() + 60 })),
      enter(asked(time, LONG)),
    ];
    time.move(40);
    time.turn();
    expect(await waits[0]).toBe(null);
    const last = enter(asked(time, LONG));
    left.abort();
    time.move(25);
    time.turn();
    expect(await Promise.all([...waits, last])).toEqual([null, 499, 504, 503, null]);
    expect(load.shed).toEqual({ overload: 0, queue: 1, deadline: 1, rate: 0 });
    expect(load.queued).toBe(0);
  });

  test('where the first has waited too long none joins', () => {
    const { time, enter } = gates({ maxDelayMs: 50 });
    for (let i = 0; i < 2; i++) enter(asked(time, LONG));
    time.move(51);
    expect(enter(asked(time, { ...LONG, deadline: time.now() + 1000 }))).toBe(503);
  });
});

describe('rates', () => {
  test('a bucket gives its burst at once, then its rate, and never more than its burst', () => {
    const buckets = new Buckets(0.1, 5, 8);
    const allowed = (now: number) => {
      const taken = Array.from({ length: 7 }, () => buckets.take('a', 1, now).isAllowed);
      return taken.filter((isAllowed) => isAllowed).length;
    };
    expect(allowed(1000)).toBe(5);
    expect(buckets.take('a', 1, 1000)).toEqual({ isAllowed: false, left: 0, fullMs: 50, waitMs: 10 });
    expect([allowed(1010), allowed(9999)]).toEqual([1, 5]);
  });

  test('callers are apart; what was charged for is owed', () => {
    const buckets = new Buckets(0.1, 5, 64);
    buckets.charge('a', 25, 0);
    expect(buckets.take('b', 5, 0).isAllowed).toBe(true);
    expect([209, 210].map((now) => buckets.take('a', 1, now).isAllowed)).toEqual([false, true]);
  });

  test('a million callers fit into memory of one size; only who is forgotten before his time is counted', () => {
    const buckets = new Buckets(1, 10, 2 ** 20);
    // each is full again after a millisecond, a thousand callers later
    for (let i = 0; i < 1e6; i++) buckets.take(`caller ${i}`, 1, i * 1e-3);
    expect(buckets.forgotten).toBe(0);
    const small = new Buckets(1e-6, 10, 64);
    for (let i = 0; i < 1000; i++) small.take(`caller ${i}`, 1, 0);
    expect(small.forgotten).toBeGreaterThanOrEqual(1000 - 64);
  });

  test('who asks too much is told by 429 when to ask again; others are not held up', () => {
    const keyOf = (one: Asked) => (one as unknown as { who: string }).who;
    const { time, enter, load } = gates({ rate: { of: 'requests', perSecond: 2, burst: 2, keyOf } });
    const by = (who: string) => Object.assign(asked(time), { who });
    const last = by('a');
    expect([enter(by('a')), enter(by('a')), enter(last), enter(by('b'))]).toEqual([null, null, 429, null]);
    expect(last.said).toEqual({ 'ratelimit-policy': '"requests";q=2;w=1', ratelimit: '"requests";r=0;t=1' });
    time.move(500);
    expect(enter(by('a'))).toBe(null);
    expect(load.shed.rate).toBe(1);
  });

  test('rows are counted when they were scored', () => {
    const { time, enter } = gates({ rate: { of: 'rows', perSecond: 100 } });
    const batch = asked(time);
    expect(enter(batch)).toBe(null);
    batch.rows = 300;
    batch.end();
    time.move(1990);
    expect(enter(asked(time))).toBe(429);
    time.move(20);
    expect(enter(asked(time))).toBe(null);
  });

  test('a key with a rate of its own is held to it, other callers to that of all', async () => {
    const key = (name: string, rate?: number) => ({
      ...{ name, sha256: createHash('sha256').update(name).digest('hex'), scopes: ['score'] },
      ...(rate && { rate }),
    });
    const access = { tokens: new Tokens(JSON.stringify([key('slow', 0.01), key('other')])) };
    for (const [admission, others] of [
      [{}, [200, 200]],
      [{ rate: { of: 'requests', perSecond: 0.01, burst: 1 } }, [200, 429]],
    ] as const) {
      const { ask } = serviceWith({ access, admission }, 'codes');
      const statuses = async (name: string) => {
        const found: number[] = [];
        for (let i = 0; i < 2; i++)
          found.push(
            (await ask('/models/codes/score', '{"code":"2","x":1}', { ...JSON_TYPE, 'x-api-key': name })).status,
          );
        return found;
      };
      expect(await statuses('slow')).toEqual([200, 429]);
      expect(await statuses('other')).toEqual(others);
    }
  });

  test('answers and refusals have the headers; health and numbers are not held to a rate', async () => {
    const { ask } = serviceWith({ admission: { rate: { of: 'requests', perSecond: 0.01 } } }, 'codes');
    const responses = [1, 2].map(() => ask('/models/codes/score', RECORD, JSON_TYPE));
    const said = (await Promise.all(responses)).map(({ status, headers }) => [
      status,
      ...['ratelimit', 'ratelimit-policy', 'retry-after'].map((name) => headers.get(name)),
    ]);
    expect(said).toEqual([
      [200, '"requests";r=0;t=100', '"requests";q=1;w=100', null],
      [429, '"requests";r=0;t=100', '"requests";q=1;w=100', '100'],
    ]);
    expect(await (await ask('/metrics')).text()).toContain('lr_shed_total{reason="rate"} 1\n');
    expect((await ask('/v2/health/ready')).status).toBe(200);
  });
});

test('counts of several processes are added', () => {
  const [first, second] = [new Metrics(), new Metrics()];
  for (const metrics of [first, second]) metrics.turnedAway('queue');
  second.waited(3);
  second.load.queued = 4;
  first.add(structuredClone(second.snapshot()));
  const text = first.text({});
  for (const line of [
    'lr_shed_total{reason="queue"} 2',
    'lr_queue_depth 4',
    'lr_queue_delay_seconds_bucket{le="0.005"} 1',
    'lr_queue_delay_seconds_count 1',
  ])
    expect(text).toContain(`${line}\n`);
});
