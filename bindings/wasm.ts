import { Heap, type LinearMemory } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';

const compiled = new Map<string, WebAssembly.Module>();

/** Compiles a module inlined in hexadecimal (gzip sees whole bytes in it, unlike in base64), once. @throws what the host throws when it lacks SIMD or WebAssembly */
export function compile(hex: string): WebAssembly.Module {
  let module = compiled.get(hex);
  if (!module) {
    module = new WebAssembly.Module(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
    compiled.set(hex, module);
  }
  return module;
}

/** An instance with a memory of its own; the module imports nothing and exports its memory. */
export function instantiate<K extends ScoringKernels>(module: WebAssembly.Module): { kernels: K; heap: Heap } {
  const exports = new WebAssembly.Instance(module).exports as unknown as K & { memory: LinearMemory };
  // address 0 means "absent" to the kernels
  return { kernels: exports, heap: new Heap(exports.memory, Math.max(16, exports.heapBase())) };
}
