import { Heap, type LinearMemory } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';

const compiled = new Map<string, WebAssembly.Module>();

/** Compiles a module inlined in hexadecimal (gzip sees whole bytes in it, unlike in base64), once. @throws what the host throws when it lacks SIMD or WebAssembly */
export function compile(hex: string): WebAssembly.Module {
  let module = compiled.get(hex);
  if (!module) {
    // eight digits at a time: this runs once, uncompiled, at the start of a program
    const view = new DataView(new ArrayBuffer(Math.ceil(hex.length / 8) * 4));
    for (let i = 0; i < hex.length; i += 8) {
      view.setUint32(i / 2, Number.parseInt(hex.slice(i, i + 8).padEnd(8, '0'), 16));
    }
    const bytes = new Uint8Array(view.buffer, 0, hex.length / 2);
    module = new WebAssembly.Module(bytes);
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
