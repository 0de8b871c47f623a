import type { Alerting } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { keepPrivate } from '../write/temporary.ts';
import { type AlertsAsked, type Change, type Fault, HERE, Line, type Order, type WatchAsked } from './line.ts';
import type { Slot } from './observation/flags.ts';
import type { ServeOptions } from './options.ts';
import { type Running, run } from './server.ts';

/*
 * A process of a service that has several. It does what the process that supervises it asks, and ends with it.
 */

keepPrivate();
// those who stop a group of processes stop the one that supervises, which says when
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

let running: Running | null = null;

const line: Line<Order> = new Line(
  (message) => process.send!(message),
  async (order) => {
    if (order.kind === 'start') {
      const { options, aliases, ...place } = order as unknown as Omit<Slot, 'askFirst'> & {
        options: ServeOptions;
        aliases: Readonly<Record<string, string>>;
        worker: number;
      };
      running = await run(options, aliases, {
        ...place,
        alerting: {
          state: () => askAlerts('state'),
          silence: (...given) => askAlerts('silence', ...given),
          unsilence: (...given) => askAlerts('unsilence', ...given),
        },
        askFirst: (question) => line.ask({ kind: 'watch', question } satisfies WatchAsked),
        peers: {
          numbers: () => line.ask({ kind: 'numbers' }),
          change: (action, model) => line.ask({ kind: 'change', action, model } satisfies Change),
        },
      });
      return running.ready;
    }
    if (order.kind === 'numbers') return running!.numbers();
    if (order.kind === 'watch') return running!.askWatch(order.question);
    if (order.kind === 'change') return running!.change(order.action, order.model);
    return running!.stop();
  },
  { isHeld: false },
);
/** Asks the process that evaluates alerts. @throws what it says is wrong */
async function askAlerts<Method extends keyof Alerting>(
  method: Method,
  ...given: Parameters<Alerting[Method]>
): Promise<Awaited<ReturnType<Alerting[Method]>>> {
  try {
    const asked: AlertsAsked = { kind: 'alerts', method, given };
    return (await line.ask(asked)) as Awaited<ReturnType<Alerting[Method]>>;
  } catch (error) {
    const { code, message } = error as Fault;
    throw code === 'ERR_RANGE' ? new LogoddsError(code, message.replace(/^ERR_RANGE /, '')) : new Error(message);
  }
}

process.on('message', (message) => line.take(message));
process.send!(HERE);
