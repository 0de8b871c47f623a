import { instantiateSync } from '@assemblyscript/loader';
import { Heap, type LinearMemory } from './heap.ts';
import { kernelsBase64 } from './kernels.generated.ts';
import type { Kernels } from './kernels.ts';

let compiled: WebAssembly.Module | undefined;

/** The kernels that travel inside the bundle, compiled once. @throws what the host throws when it lacks SIMD */
export function inlinedModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(kernelsBase64), (c) => c.charCodeAt(0)));
  return compiled;
}

/** An instance with a memory of its own; the module imports nothing and exports its memory. */
export function instantiate(module: WebAssembly.Module): { kernels: Kernels; heap: Heap } {
  const exports = instantiateSync(module, {}).exports as unknown as Kernels & { memory: LinearMemory };
  // address 0 means "absent" to the kernels
  return { kernels: exports, heap: new Heap(exports.memory, Math.max(16, exports.heapBase())) };
}
