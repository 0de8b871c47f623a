import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Run } from '../run.ts';

/**
 * The command in a process that stays: what a run costs beyond its work, Node and compilation, is paid once for all runs. A run has
 * its arguments, standard input, output, error and status as in a process of its own; what the module keeps from run to run it keeps.
 * @param folder  working folder of the command
 */
export function warmCommand(folder: string) {
  const { port1: port, port2 } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(4));
  // the thread listens to the process while this one waits
  const thread = new Worker(new URL('thread.mjs', import.meta.url), {
    workerData: { port: port2, answered, folder },
    transferList: [port2],
    execArgv: [],
  });
  thread.unref();
  port.unref();
  return {
    run(args: readonly string[], stdin: string): Run {
      Atomics.store(answered, 0, 0);
      port.postMessage({ args, stdin });
      Atomics.wait(answered, 0, 0);
      return receiveMessageOnPort(port)!.message;
    },
    /** ends the process */
    async end(): Promise<void> {
      const ended = new Promise((resolve) => thread.once('exit', resolve));
      thread.ref();
      port.postMessage(null);
      await ended;
    },
  };
}
