import type { Hono } from 'hono';
import type { Core, Exchange } from '../core.ts';
import type { Label } from '../observation/labels.ts';
import { badRequest, Refusal } from '../refusal.ts';
import { queryOf } from '../requests/query.ts';
import { parsedJson } from '../scoring/score.ts';

/*
 * What became true of earlier scores.
 *
 *   POST /models/{m}/labels    [{"id", "label", "at"?}] gives {"accepted", "refused": [{"row", "error"}]}
 */

/** The id of a score: that of a request, and a row behind it. */
const ID = /^[\w.:/+=@-]{1,140}$/;
const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** Times of labels that say none: those of one id are never of one millisecond, so that the last one counts. */
class Stamps {
  #now = 0;
  #ids = new Map<string, number>();

  of(id: string, now: number): number {
    if (now > this.#now) {
      this.#now = now;
      for (const [own, at] of this.#ids) if (at < now) this.#ids.delete(own);
    }
    const before = this.#ids.get(id);
    const at = before === undefined ? now : before + 1;
    this.#ids.set(id, at);
    return at;
  }
}

export function addLabels(app: Hono, core: Core): void {
  const stamps = new Stamps();
  app.post('/models/:model/labels', (c) =>
    core.exchange(c.req.raw, 'labels', c.req.param('model'), c.req.query('version') ?? null, (exchange) => {
      queryOf(c.req.raw);
      return take(exchange, core, stamps);
    }),
  );
}

async function take(exchange: Exchange, { labels: sink, metrics }: Core, stamps: Stamps): Promise<Response> {
  if (!sink || sink.keeps?.(exchange.served.name) === false)
    throw new Refusal(
      501,
      'ERR_LABELS',
      'labels: expected a service that keeps them, got one that neither watches nor logs; start it with --watch or --log DIR',
    );
  const body = parsedJson(await exchange.jsonBytes());
  exchange.stage('decode');
  if (!Array.isArray(body))
    throw badRequest('body: expected an array of labels, got something else; send [{"id": "…", "label": "…"}]');
  const { name, model } = exchange.served;
  const now = Date.now();
  const accepted: Label[] = [];
  const refused: { row: number; error: string }[] = [];
  for (const [row, given] of body.entries()) {
    const label = labelOf(given, model.manifest.classes, now, (id) => stamps.of(`${name}\n${id}`, now));
    if (typeof label === 'string') refused.push({ row, error: label });
    else accepted.push({ ...label, model: name });
  }
  if (accepted.length > 0) await keep(sink.take(accepted));
  metrics.count('lr_labels_total', accepted.length);
  metrics.count('lr_labels_refused_total', refused.length);
  return exchange.json(JSON.stringify({ accepted: accepted.length, refused }));
}

/** Clocks may differ by so much. A later label would stand for what is known now, until its time comes. */
const AHEAD_MS = 60_000;

/** A label, or the sentence that says why it is none. */
function labelOf(
  given: unknown,
  classes: readonly string[],
  now: number,
  stamp: (id: string) => number,
): Omit<Label, 'model'> | string {
  const { id, label, at } = (given ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || !ID.test(id))
    return 'id: expected the id of a score, got something else; its answer has it';
  const known = typeof label === 'string' || typeof label === 'number' || typeof label === 'boolean';
  if (!known || !classes.includes(String(label)))
    return `label: expected one of the classes (${classes.slice(0, 10).join(', ')}), got another`;
  if (at === undefined) return { id, label: String(label), at: new Date(stamp(id)).toISOString() };
  if (typeof at !== 'string' || !AT.test(at) || Number.isNaN(Date.parse(at)))
    return 'at: expected a time in ISO 8601 with its zone, got something else; leave it out for now';
  const time = Date.parse(at);
  if (time > now + AHEAD_MS) return `at: expected a time until now, got ${at}; leave it out for now`;
  return { id, label: String(label), at: new Date(time).toISOString() };
}

async function keep(taken: Promise<void>): Promise<void> {
  try {
    await taken;
  } catch {
    throw new Refusal(503, 'ERR_LABELS', 'labels: expected room to keep them, got none; send them again later', {
      headers: { 'retry-after': '5' },
    });
  }
}
