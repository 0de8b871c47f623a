import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Run } from '../run.ts';

let send: ((run: object) => Run) | undefined;

/** The thread listens to the process while this one waits. Both end with this one. */
function start(): (run: object) => Run {
  const { port1: port, port2 } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(4));
  new Worker(new URL('thread.mjs', import.meta.url), {
    workerData: { port: port2, answered },
    transferList: [port2],
    execArgv: [],
  }).unref();
  port.unref();
  return (run) => {
    Atomics.store(answered, 0, 0);
    port.postMessage(run);
    Atomics.wait(answered, 0, 0);
    return receiveMessageOnPort(port)!.message;
  };
}

/**
 * Runs the command in a process that stays: what a run costs beyond its work, Node and compilation, is paid once for all runs. A run
 * has its working folder, arguments, standard input, output, error and status as in a process of its own; what the module keeps from
 * run to run it keeps.
 */
export function runWarm(folder: string, args: readonly string[], stdin: string): Run {
  send ??= start();
  return send({ folder, args, stdin });
}
