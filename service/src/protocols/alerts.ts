import type { Context, Hono } from 'hono';
import type { Core } from '../core.ts';
import type { ClientChange } from '../hooks.ts';
import { Refusal, refusalOf } from '../refusal.ts';
import { bytesOf } from '../requests/body.ts';
import { callerName } from '../requests/caller.ts';
import { refuseForeign } from '../requests/foreign.ts';
import { givenId } from '../requests/id.ts';
import { jsonResponse } from '../responses/json.ts';
import { parsedJson } from '../scoring/score.ts';

/*
 * Alerts of a service whose host evaluates them.
 *
 *   GET    /alerts                  alerts, budgets of errors, silences
 *   POST   /alerts/silences         {"alert"?, "model"?, "until": "2h", "why"}: nobody is told of these for a time
 *   DELETE /alerts/silences/{id}
 */

/** An alert that waits until it has lasted, or fires. */
export interface AlertState {
  readonly alert: string;
  readonly severity: 'page' | 'ticket';
  readonly state: 'pending' | 'firing';
  /** in ISO 8601 */
  readonly since: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** of an objective: the long window, and all events in it; null: of a condition */
  readonly window: string | null;
  readonly events: number | null;
  readonly summary: string;
  readonly runbook: string;
  /** id of the silence under which nobody is told of it; null: none */
  readonly silencedBy: string | null;
  /** name of the alert that is told in its place; null: none */
  readonly inhibitedBy: string | null;
}

/** Alerts that nobody is told of for a time. */
export interface AlertSilence {
  readonly id: string;
  readonly alert: string | null;
  readonly model: string | null;
  readonly at: string;
  readonly until: string;
  readonly by: string;
  readonly why: string;
  /** what is odd about it, when it is made */
  readonly note?: string;
}

/** What is left of the bad events that an objective allows. */
export interface AlertBudget {
  readonly slo: string;
  readonly model: string | null;
  readonly target: number;
  readonly bad: number;
  readonly all: number;
  /** null: there were no events */
  readonly remaining: number | null;
}

/** What a service knows of its alerts. */
export interface AlertsState {
  /** of the last evaluation; null: there was none yet */
  readonly at: string | null;
  /** seconds between two of them */
  readonly every: number;
  readonly alerts: readonly AlertState[];
  readonly budgets: readonly AlertBudget[];
  readonly silences: readonly AlertSilence[];
  /** names of all alerts that there may be */
  readonly known: readonly string[];
  readonly receivers: readonly { readonly severity: string; readonly kind: string }[];
  /** messages that were taken, and that nobody took */
  readonly sent: number;
  readonly lost: number;
  /** what is not evaluated, and why */
  readonly notes: readonly string[];
}

/** Who evaluates alerts. */
export interface Alerting {
  state(): Promise<AlertsState>;
  /** @throws ERR_RANGE for what is no silence */
  silence(asked: unknown, by: string): Promise<AlertSilence>;
  /** @returns the silence that was ended; null: there is none of this id */
  unsilence(id: string, by: string): Promise<AlertSilence | null>;
}

const MOST_BYTES = 2 ** 14;
const MOST_MS = 10_000;
/** What the log calls a caller that nobody knows. */
const ANYONE = 'anyone';

export function addAlerts(app: Hono, core: Core, alerting: Alerting): void {
  app.get('/alerts', async () => jsonResponse(await alerting.state()));
  app.post('/alerts/silences', (c) =>
    change(c, core, 'silenced', async (by) => alerting.silence(await asked(c, core), by)),
  );
  app.delete('/alerts/silences/:id', (c) =>
    change(c, core, 'unsilenced', async (by) => {
      const ended = await alerting.unsilence(c.req.param('id')!, by);
      if (ended) return ended;
      throw new Refusal(404, 'ERR_SILENCE', 'id: expected that of a silence, got another; GET /alerts has them');
    }),
  );
}

async function asked(c: Context, { limits }: Core): Promise<unknown> {
  const bytes = await bytesOf(c.req.raw, {
    limits: { ...limits, bytes: MOST_BYTES },
    deadline: performance.now() + Math.min(limits.timeMs, MOST_MS),
  });
  return parsedJson(bytes);
}

/** Does what a client asks, and tells the audit log before the answer leaves. */
async function change(
  c: Context,
  core: Core,
  what: string,
  make: (by: string) => Promise<AlertSilence>,
): Promise<Response> {
  const { raw } = c.req;
  const id = givenId(raw) ?? crypto.randomUUID();
  const caller = callerName(raw);
  const told = (status: number, silence: AlertSilence | null): ClientChange => ({
    ...{ caller, id, protocol: 'alerts', what, status, version: null, sha256: null },
    model: silence?.model ?? '',
    why: silence && `${silence.alert ?? 'all alerts'} until ${silence.until}: ${silence.why}`,
  });
  try {
    refuseForeign(raw);
    const silence = await make(caller ?? ANYONE);
    await core.changed(told(200, silence));
    return jsonResponse(silence);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.code !== 'ERR_AUDIT') await core.changed(told(refusal.status, null));
    return core.refused(error, id);
  }
}
