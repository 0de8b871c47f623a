import { instantiateSync } from '@assemblyscript/loader';
import { Heap, type LinearMemory } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';

const compiled = new Map<string, WebAssembly.Module>();

/** Compiles a module inlined as base64, once. @throws what the host throws when it lacks SIMD or WebAssembly */
export function compile(base64: string): WebAssembly.Module {
  let module = compiled.get(base64);
  if (!module) {
    module = new WebAssembly.Module(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    compiled.set(base64, module);
  }
  return module;
}

/** An instance with a memory of its own; the module imports nothing and exports its memory. */
export function instantiate<K extends ScoringKernels>(module: WebAssembly.Module): { kernels: K; heap: Heap } {
  const exports = instantiateSync(module, {}).exports as unknown as K & { memory: LinearMemory };
  // address 0 means "absent" to the kernels
  return { kernels: exports, heap: new Heap(exports.memory, Math.max(16, exports.heapBase())) };
}
