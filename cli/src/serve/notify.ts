import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, LogLine } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { reason } from '../write/temporary.ts';

/** How long a receiver may take, and how often it is asked. */
const TIMEOUT_MS = 5000;
const WAITS_MS = [500, 2000, 10_000];
const PAGERDUTY = 'https://events.pagerduty.com/v2/enqueue';
/** How long an alert goes on that nobody resolves. Without an end Alertmanager would call it resolved after minutes. */
const ALERT_MS = 24 * 3600_000;

/** A request that tells somebody. */
interface Message {
  readonly url: string;
  readonly body: unknown;
  readonly isAlarm: boolean;
}

/** What tells somebody of a change; null: that it is not told of. */
type Receiver = (change: Change) => Message | null;

/** By how a target begins. */
const RECEIVERS: readonly (readonly [begin: RegExp, make: (url: string) => Receiver])[] = [
  [/^pagerduty(?:\+|$)/, (url) => pagerDuty(url === '' ? PAGERDUTY : url)],
  [/^alertmanager\+/, alertmanager],
  [/^(?=https?:)/, webhook],
];

/**
 * Who is told of rollouts: a webhook (https://…) of each change that this process makes; PagerDuty (`pagerduty`, its key in LOGODDS_PAGERDUTY_KEY) and an
 * Alertmanager (alertmanager+https://…) of those that a guard has ended, and of the end of these alarms. Any replica may tell of that, so it may be told twice.
 * @throws ERR_RANGE for what is none, and for an address with a password
 */
export function receiverOf(target: string): Receiver {
  for (const [begin, make] of RECEIVERS) {
    const found = begin.exec(target);
    if (!found) continue;
    const url = target.slice(found[0].length);
    if (url === '' ? !target.startsWith('pagerduty') : !isUrl(url)) break;
    if (url !== '' && new URL(url).username + new URL(url).password !== '')
      throw new LogoddsError(
        'ERR_RANGE',
        `--notify: expected an address without a name and a password, got ${withoutSecrets(target)}; let a proxy add them`,
      );
    return make(url);
  }
  throw new LogoddsError(
    'ERR_RANGE',
    `--notify: expected https://…, alertmanager+https://… or pagerduty, got ${withoutSecrets(target)}; correct it`,
  );
}

const isUrl = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text);

function webhook(url: string): Receiver {
  return (change) =>
    change.event === 'resolved' ? null : { url, body: { source: 'logodds', ...change }, isAlarm: false };
}

/** Events API v2: one incident for each version that had to go. */
function pagerDuty(url: string): Receiver {
  const key = process.env['LOGODDS_PAGERDUTY_KEY'];
  if (!key)
    throw new LogoddsError(
      'ERR_RANGE',
      '--notify pagerduty: expected the routing key in LOGODDS_PAGERDUTY_KEY, got none; set it',
    );
  const body = (change: Change, isOver: boolean) => ({
    routing_key: key,
    event_action: isOver ? 'resolve' : 'trigger',
    dedup_key: `logodds/${change.name}/${change.version}`,
    ...(!isOver && {
      client: 'logodds',
      payload: {
        summary: summaryOf(change).slice(0, 1024),
        source: 'logodds serve',
        severity: 'critical',
        component: change.name,
        class: 'rollout',
        timestamp: change.at,
        custom_details: change,
      },
    }),
  });
  return alarm(url, body);
}

/** API v2: one alert for each version that had to go. It ends when the version is dealt with, at last after a day. */
function alertmanager(base: string): Receiver {
  return alarm(`${base.replace(/\/+$/, '')}/api/v2/alerts`, (change, isOver) => [
    {
      labels: {
        alertname: 'LogoddsRolledBack',
        severity: 'critical',
        model: change.name,
        version: String(change.version),
      },
      annotations: { summary: summaryOf(change), description: change.why },
      ...(isOver
        ? { endsAt: change.at }
        : { startsAt: change.at, endsAt: new Date(Date.parse(change.at) + ALERT_MS).toISOString() }),
    },
  ]);
}

/** Tells that a version had to go, and that this is over. */
const alarm =
  (url: string, body: (change: Change, isOver: boolean) => unknown): Receiver =>
  (change) => {
    const isOver = change.event === 'resolved';
    return isOver || change.event === 'rolled back' ? { url, isAlarm: true, body: body(change, isOver) } : null;
  };

const summaryOf = ({ event, name, version, why }: Change): string =>
  event === 'resolved' ? `${name}: ${why}` : `version ${version} of ${name} was rolled back: ${why}`;

/** Tells receivers of changes, one after the other. Nothing waits for it; what cannot be delivered is said and counted. */
export class Notifier {
  sent = 0;
  lost = 0;
  readonly #receivers: readonly Receiver[];
  readonly #log: (line: LogLine) => void;
  readonly #waits: readonly number[];

  /** @throws ERR_RANGE */
  constructor(targets: readonly string[], log: (line: LogLine) => void, waits = WAITS_MS) {
    this.#receivers = targets.map(receiverOf);
    this.#log = log;
    this.#waits = waits;
  }

  /** Resolves when all have it, or cannot be reached. It does not reject. */
  async tell(change: Change): Promise<void> {
    const messages = this.#receivers.map((receiver) => receiver(change)).filter((message) => message !== null);
    await Promise.all(messages.map((message) => this.#send(message, change)));
  }

  async #send({ url, body, isAlarm }: Message, { name, event }: Change): Promise<void> {
    let why = '';
    for (let attempt = 0; attempt <= this.#waits.length; attempt++) {
      if (attempt > 0) await sleep(this.#waits[attempt - 1], undefined, { ref: false });
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        await response.body?.cancel();
        if (response.ok) {
          this.sent++;
          return;
        }
        why = `status ${response.status}`;
        // what it refuses, it refuses again
        if (response.status < 500 && response.status !== 429) break;
      } catch (error) {
        why = reason((error as Error).cause ?? error);
      }
    }
    this.lost++;
    const { origin } = new URL(url);
    this.#log({
      level: isAlarm ? 'error' : 'warn',
      event: 'not notified',
      model: name,
      of: event,
      at: origin,
      reason: why,
    });
  }
}
