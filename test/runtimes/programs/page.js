/**
 * In a page or a Web Worker: runs the programs that the job names.
 * @returns as `run`
 */
import { run } from './run.js';

export default async function conformance({ entries }) {
  const sets = await (await fetch('sets.json')).json();
  let module = await (await fetch('package/dist/kernels.wasm')).arrayBuffer();
  try {
    module = await WebAssembly.compile(module);
  } catch {
    // no WebAssembly here, or it may not be compiled: the entry is handed the bytes
  }
  const programs = entries.map((name) => [name, async () => (await import(`./${name}.js`)).default]);
  return run(Object.fromEntries(programs), sets, module);
}
