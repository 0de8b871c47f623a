import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../../../service/src/index.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { reason } from '../write/temporary.ts';
import type { Outgoing, Receiver } from './receivers.ts';
import type { Outcome, Refused, Telling } from './telling.ts';

/** How long a receiver may take at first; each further time thrice as long, up to LONGEST_MS: one that is slow may have taken it. How often it is asked. */
const TIMEOUT_MS = 5000;
const SLOWER = 3;
const LONGEST_MS = 60_000;
const WAITS_MS = [500, 2000, 10_000];
/** Messages on their way. Those above are lost, and said: a receiver that hangs must not fill the memory. */
const MOST = 100;

/** Tells receivers. Nothing waits for it; what cannot be delivered is said and counted. */
export class Notifier {
  sent = 0;
  lost = 0;
  #open = 0;
  readonly #log: (line: LogLine) => void;
  readonly #waits: readonly number[];
  readonly #timeoutMs: number;

  constructor(log: (line: LogLine) => void, waits: readonly number[] = WAITS_MS, timeoutMs = TIMEOUT_MS) {
    this.#log = log;
    this.#waits = waits;
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves when it was taken, or cannot be delivered. It does not reject. */
  async tell(receiver: Receiver, telling: Telling): Promise<Outcome> {
    const { status, groupLabels, change } = telling;
    const of = {
      ...(groupLabels['model'] !== undefined && { model: groupLabels['model'] }),
      of: change?.event ?? `${groupLabels['alertname']} ${status}`,
      at: receiver.at,
    };
    const isAlarm = telling.alerts.length > 0 && receiver.kind !== 'webhook';
    let [why, isOpen] = [`more than ${MOST} messages are on their way`, false];
    if (this.#open < MOST) {
      this.#open++;
      try {
        const outgoing = receiver.outgoing(telling, Date.now());
        if (outgoing === null) return 'taken';
        const refused = await this.#send(outgoing);
        if (refused === null) {
          this.sent++;
          return 'taken';
        }
        why = refused.why;
        isOpen = refused.isOpen === true;
      } catch (error) {
        // a secret that is no more there
        why = reason(error);
      } finally {
        this.#open--;
      }
    }
    this.lost++;
    this.#log({
      level: isAlarm ? 'error' : 'warn',
      event: 'not notified',
      ...of,
      reason: withoutSecrets(why),
    });
    return isOpen ? 'open' : 'lost';
  }

  /** Why it was not taken; null: it was. */
  async #send(outgoing: Outgoing): Promise<Refused | null> {
    let last: Refused | null = null;
    let isOpen = false;
    let timeout = this.#timeoutMs;
    for (let attempt = 0; attempt <= this.#waits.length; attempt++) {
      if (attempt > 0) await sleep(this.#waits[attempt - 1], undefined, { ref: false });
      const refused = await (outgoing.kind === 'http' ? post(outgoing, timeout) : mail(outgoing, timeout));
      if (refused === null) return null;
      isOpen ||= refused.isOpen === true;
      last = { ...refused, isOpen };
      if (refused.isFinal) break;
      if (refused.isOpen) timeout = Math.min(Math.max(LONGEST_MS, this.#timeoutMs), SLOWER * timeout);
    }
    return last;
  }
}

async function post({ url, body, id }: Outgoing & { kind: 'http' }, timeoutMs: number): Promise<Refused | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      // the same for the same message, however often it is sent
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify(body),
      // a message must not go where the receiver sends it
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) return null;
    const { status } = response;
    return { why: `status ${status}`, isFinal: status < 500 && status !== 429 };
  } catch (error) {
    const isOpen = (error as Error).name === 'TimeoutError';
    return { why: reason((error as Error).cause ?? error), isFinal: false, isOpen };
  }
}

async function mail(outgoing: Outgoing & { kind: 'mail' }, timeoutMs: number): Promise<Refused | null> {
  // what few services need is loaded with the first that does
  const { sendMail } = await import('./mail.ts');
  return sendMail(outgoing, timeoutMs);
}
