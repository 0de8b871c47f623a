import { keepPrivate } from '../write/temporary.ts';
import { type Change, HERE, Line, type Order, type WatchAsked } from './line.ts';
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
process.on('message', (message) => line.take(message));
process.send!(HERE);
