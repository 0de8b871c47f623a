import { describe, expect, test } from 'vitest';
import { Dispatch, type Dispatched, inhibitorOf, type Muted } from '../../cli/src/alerts/dispatch.ts';
import type { Alert } from '../../cli/src/alerts/evaluation.ts';
import { Silences } from '../../cli/src/alerts/silences.ts';
import { defaultSettings } from '../../cli/src/slo/settings.ts';
import { messageKey } from '../../cli/src/tell/keys.ts';
import type { Outcome } from '../../cli/src/tell/telling.ts';

const PACES = defaultSettings().paces;
const SECOND = 1000;
const HOUR = 3_600_000;
const QUIET: Muted = { silencedBy: null, inhibitedBy: null };

const alertOf = (alert: string, labels: Record<string, string> = {}, severity: Alert['severity'] = 'page'): Alert => ({
  ...{ alert, severity, state: 'firing', since: 0, firedAt: 0, value: 1, window: null, events: null },
  labels: { alertname: alert, severity, ...labels },
  annotations: { summary: `${alert} of ${labels['model'] ?? 'all'}`, runbook_url: 'https://runbooks/x.md' },
});

/** Who is told what, second by second. */
function telling(receivers = { page: ['p'], ticket: ['t'] }, source = 'a:8080') {
  const dispatch = new Dispatch(receivers, PACES, source);
  let now = 0;
  const sent: (Dispatched & { readonly at: number })[] = [];
  return {
    dispatch,
    sent,
    /** @param takes  whether receivers take what they are sent */
    run(
      seconds: number,
      alerts: readonly Alert[],
      mutedOf = (_: Alert): Muted => QUIET,
      takes: boolean | Outcome = true,
      step = 1,
    ) {
      const from = sent.length;
      for (const end = now + seconds * SECOND; now < end; ) {
        now += step * SECOND;
        for (const one of dispatch.step(now, alerts, mutedOf)) {
          sent.push({ ...one, at: now });
          one.told(typeof takes === 'string' ? takes : takes ? 'taken' : 'lost', now);
        }
      }
      return sent
        .slice(from)
        .map(({ telling: { status, alerts, more }, at }) => `${at / SECOND} ${status} ${alerts.length + more}`);
    },
  };
}

const FAST = alertOf('LogoddsAvailabilityFastBurn', { slo: 'availability', model: 'a' });

describe('messages', () => {
  test('to which no answer comes are sent less and less often, then count as told until the repeat', () => {
    const one = telling();
    const times = one.run(4 * 3600, [FAST], undefined, 'open').map((text) => Number(text.split(' ')[0]));
    // after 10 s, two intervals and four
    expect(times.length).toBe(3);
    expect(times[1] - times[0]).toBeGreaterThanOrEqual(600);
    expect(times[2] - times[1]).toBeGreaterThanOrEqual(1200);
    const keys = one.sent.map(({ telling: of }) => messageKey(of));
    expect(new Set(keys).size).toBe(1);
    expect(one.run(3600, [FAST], undefined, 'taken')).toHaveLength(1);
    expect(keys).not.toContain(messageKey(one.sent.at(-1)!.telling));
  });

  test('the first one after 10 s, repeats after four hours, the end once', () => {
    const one = telling();
    expect(one.run(60, [FAST])).toEqual(['11 firing 1']);
    expect(one.run(9 * 3600, [FAST], undefined, true, 10).map((text) => text.replace(/^\d+ /, ''))).toEqual([
      'firing 1',
      'firing 1',
    ]);
    expect(one.run(600, [], undefined, true, 10)).toHaveLength(1);
    expect(one.sent.at(-1)!.telling).toMatchObject({ status: 'resolved', key: one.sent[0].telling.key });
    expect(one.run(HOUR / SECOND, [], undefined, true, 10)).toEqual([]);
    // it is forgotten: another time begins anew
    expect(one.dispatch.save()).toEqual([]);
    expect(one.run(60, [FAST])).toHaveLength(1);
  });

  test('what comes and goes is told each five minutes at most', () => {
    const one = telling();
    let count = 0;
    for (let k = 0; k < 360; k++) count += one.run(k % 2 === 0 ? 12 : 5, k % 2 === 0 ? [FAST] : []).length;
    expect(count).toBeLessThanOrEqual(12);
    expect(count).toBeGreaterThan(1);
  });

  test('a second alert of a group is told with the first, after an interval', () => {
    const one = telling();
    const psi = (feature: string) => alertOf('LogoddsFeatureDrift', { model: 'a', feature }, 'ticket');
    expect(one.run(60, [psi('age')])).toEqual(['31 firing 1']);
    expect(one.run(600, [psi('age'), psi('income')])).toEqual(['331 firing 2']);
    expect(one.run(600, [psi('income')])).toEqual(['931 firing 2']);
    expect(one.sent.at(-1)!.telling.alerts.map(({ endsAt }) => endsAt)).toEqual([null, 931 * SECOND]);
  });

  test('a fault of 300 models is a few messages, not 300', () => {
    const one = telling();
    const all = Array.from({ length: 300 }, (_, k) =>
      alertOf('LogoddsAvailabilityFastBurn', { slo: 'availability', model: `m${k}` }),
    );
    const told = one.run(60, all);
    expect(told).toHaveLength(11);
    expect(told.at(-1)).toBe('11 firing 290');
    expect(one.sent.at(-1)!.telling).toMatchObject({
      groupLabels: { alertname: 'LogoddsAvailabilityFastBurn' },
      more: 270,
    });
    const over = one.run(600, []);
    expect(over).toHaveLength(11);
    expect(over.every((text) => text.includes('resolved'))).toBe(true);
  });

  test('a receiver that is away is asked each five minutes, and has it when it is back', () => {
    const one = telling({ page: ['p', 'q'], ticket: [] });
    const dead = one.run(1200, [FAST], undefined, false);
    // two receivers, four times
    expect(dead).toHaveLength(8);
    expect(one.run(300, [FAST])).toHaveLength(2);
    expect(one.run(600, [FAST])).toEqual([]);
  });

  test('what nobody was told of is not told to be over', () => {
    const one = telling();
    one.run(5, [FAST]);
    expect(one.run(600, [])).toEqual([]);
    expect(one.dispatch.save()).toEqual([]);
  });

  test('another process goes on: nothing is told twice, and the end is told', () => {
    const one = telling();
    one.run(60, [FAST]);
    const next = telling();
    next.dispatch.restore(JSON.parse(JSON.stringify(one.dispatch.save())));
    next.run(60, [FAST]);
    expect(next.run(600, [FAST])).toEqual([]);
    expect(next.run(600, []).map((text) => text.replace(/^\d+ /, ''))).toEqual(['resolved 1']);
  });

  test('what one service tells is not ended by another', () => {
    const [a, b] = ['a:8080', 'b:8080'].map((source) => {
      const one = telling({ page: ['p'], ticket: [] }, source);
      one.run(60, [FAST]);
      return one.sent[0].telling;
    });
    expect(a.key).not.toBe(b.key);
    expect([a.source, b.source]).toEqual(['a:8080', 'b:8080']);
  });

  test('an answer that is late holds the next message of its way, and of no other', () => {
    const dispatch = new Dispatch({ page: ['p', 'q'], ticket: [] }, PACES, 'a:8080');
    const first = dispatch.step(0, [FAST], () => QUIET);
    expect(first).toEqual([]);
    const sent = dispatch.step(10 * SECOND, [FAST], () => QUIET);
    expect(sent.map(({ receiver }) => receiver)).toEqual(['p', 'q']);
    sent[1].told('lost', 11 * SECOND);
    expect(dispatch.step(400 * SECOND, [FAST], () => QUIET).map(({ receiver }) => receiver)).toEqual(['q']);
  });
});

describe('what is not told', () => {
  test('a page stands for the ticket of its objective and model, and for no other', () => {
    const slow = alertOf('LogoddsAvailabilitySlowBurn', { slo: 'availability', model: 'a' }, 'ticket');
    const other = alertOf('LogoddsAvailabilitySlowBurn', { slo: 'availability', model: 'b' }, 'ticket');
    const condition = alertOf('LogoddsModelsFailed', {}, 'ticket');
    const down = alertOf('LogoddsDown');
    const all = [FAST, slow, other, condition];
    expect(all.map((alert) => inhibitorOf(alert, all)?.alert ?? null)).toEqual([null, FAST.alert, null, null]);
    expect([...all, down].map((alert) => inhibitorOf(alert, [...all, down]) !== null)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(inhibitorOf(slow, [{ ...FAST, state: 'pending' }])).toBeNull();
  });

  test('what is silenced is told when the silence is over, and one that was told before is resolved at its end', () => {
    const muted = (): Muted => ({ silencedBy: 'x', inhibitedBy: null });
    const one = telling();
    expect(one.run(1200, [FAST], muted)).toEqual([]);
    expect(one.run(600, [FAST])).toHaveLength(1);
    expect(one.run(1200, [FAST], muted)).toEqual([]);
    expect(one.run(600, []).map((text) => text.replace(/^\d+ /, ''))).toEqual(['resolved 1']);
  });

  test('silences are by name and model, until a time, with a reason', () => {
    const silences = new Silences();
    const add = (asked: object) => silences.add(asked, 'ann', 0, ['LogoddsDown', FAST.alert]);
    const { id } = add({ model: 'a', until: '2h', why: 'moving' });
    add({ alert: 'LogoddsDown', until: new Date(HOUR).toISOString(), why: 'night' });
    expect(silences.of(FAST.labels, 0)).toMatchObject({ id, by: 'ann', why: 'moving', until: 2 * HOUR });
    expect(silences.of({ ...FAST.labels, model: 'b' }, 0)).toBeNull();
    expect(silences.of({ alertname: 'LogoddsDown' }, HOUR - 1)).not.toBeNull();
    expect(silences.of({ alertname: 'LogoddsDown' }, HOUR)).toBeNull();
    expect(silences.end(id)).toMatchObject({ id });
    expect(silences.end(id)).toBeNull();
    expect(silences.at(HOUR)).toEqual([]);
  });

  test.each([
    [null, 'expected an object, got null'],
    [{ until: '2h', why: 'x' }, 'expected the name of an alert or of a model, got neither'],
    [{ alert: 'LogoddsUp', until: '2h', why: 'x' }, 'alert: expected one of LogoddsDown, got "LogoddsUp"'],
    [{ model: 'a', why: 'x' }, 'until: expected a time such as 2h'],
    [{ model: 'a', until: '2h' }, 'why: expected a reason, got none'],
    [{ model: 'a', until: '31d', why: 'x' }, 'at most 30 days from now, got "31d"'],
    [{ model: 'a', until: '1969-01-01', why: 'x' }, 'got "1969-01-01"'],
    [{ model: 5, until: '2h', why: 'x' }, 'model: expected a text'],
    [{ modl: 'a', until: '2h', why: 'x' }, 'expected alert, model, until, why, got "modl"'],
  ])('%j is no silence', (asked, sentence) => {
    const silences = new Silences();
    expect(() => silences.add(asked, 'ann', 0, ['LogoddsDown'])).toThrow(sentence);
    expect(silences.at(0)).toEqual([]);
  });
});
