/**
 * The program of a worker. scripts/build.mjs bundles it into one text, so that it needs no file at run time.
 * It imports nothing from the host. It finds the port to its creator, waits for one message, and then works.
 */
import { runBlock } from './blocks.ts';
import { Control } from './control.ts';
import type { Kernels } from './kernels.ts';

/** What the maker sends. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  readonly thread: number;
  readonly threads: number;
}

interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { data: WorkerStart }) => void): void;
  start?(): void;
}

const process = (globalThis as { process?: { getBuiltinModule?(name: string): unknown; once?: NodeOnce } }).process;
type NodeOnce = (event: 'exit', listener: (code: number) => void) => void;
const node = process?.getBuiltinModule?.('node:worker_threads') as { parentPort?: Port | null } | undefined;
const port = node?.parentPort ?? (globalThis as unknown as Port);

port.addEventListener('message', ({ data: { module, memory, control: shared, thread, threads } }) => {
  const control = new Control(threads, shared);
  process?.once?.('exit', (code) => control.fail(thread, `it exited with code ${code}`));
  try {
    const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
    port.postMessage('up');
    control.serve(thread, (task, block) => runBlock(kernels, task, block, thread));
  } catch (error) {
    control.fail(thread, String(error));
    throw error;
  }
});
port.start?.();
