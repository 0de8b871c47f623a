import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../../../service/src/index.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { reason } from '../write/temporary.ts';
import type { Outgoing, Receiver } from './receivers.ts';
import type { Telling } from './telling.ts';

/** How long a receiver may take, and how often it is asked. */
const TIMEOUT_MS = 5000;
const WAITS_MS = [500, 2000, 10_000];
/** Messages on their way. Those above are lost, and said: a receiver that hangs must not fill the memory. */
const MOST = 100;

/** What became of a message: null, it was taken. */
interface Refused {
  readonly why: string;
  /** what it refuses, it refuses again */
  readonly isFinal: boolean;
}

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

  /** Resolves when it was taken, or cannot be delivered: whether it was taken. It does not reject. */
  async tell(receiver: Receiver, telling: Telling): Promise<boolean> {
    const { status, groupLabels, change } = telling;
    const of = {
      ...(groupLabels['model'] !== undefined && { model: groupLabels['model'] }),
      of: change?.event ?? `${groupLabels['alertname']} ${status}`,
      at: receiver.at,
    };
    const isAlarm = telling.alerts.length > 0 && receiver.kind !== 'webhook';
    let why = `more than ${MOST} messages are on their way`;
    if (this.#open < MOST) {
      this.#open++;
      try {
        const outgoing = receiver.outgoing(telling, Date.now());
        if (outgoing === null) return true;
        const refused = await this.#send(outgoing);
        if (refused === null) {
          this.sent++;
          return true;
        }
        why = refused;
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
    return false;
  }

  /** Why it was not taken; null: it was. */
  async #send(outgoing: Outgoing): Promise<string | null> {
    let why = '';
    for (let attempt = 0; attempt <= this.#waits.length; attempt++) {
      if (attempt > 0) await sleep(this.#waits[attempt - 1], undefined, { ref: false });
      const refused = await (outgoing.kind === 'http'
        ? post(outgoing, this.#timeoutMs)
        : mail(outgoing, this.#timeoutMs));
      if (refused === null) return null;
      why = refused.why;
      if (refused.isFinal) break;
    }
    return why;
  }
}

async function post({ url, body }: Outgoing & { kind: 'http' }, timeoutMs: number): Promise<Refused | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
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
    return { why: reason((error as Error).cause ?? error), isFinal: false };
  }
}

async function mail(outgoing: Outgoing & { kind: 'mail' }, timeoutMs: number): Promise<Refused | null> {
  // what few services need is loaded with the first that does
  const { sendMail } = await import('./mail.ts');
  return sendMail(outgoing, timeoutMs);
}
