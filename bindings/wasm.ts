import { Heap, type LinearMemory } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';

/** A module inlined as text. @throws what the host throws when it lacks SIMD or WebAssembly */
export const compile = (text: string): WebAssembly.Module => new WebAssembly.Module(inlinedBytes(text));

/**
 * Decodes a module from the text that scripts/build.mjs writes. A byte b is the character of the code (b + 47) mod 256 where that is one of
 * ( … z. Else it is one of { | } ~, which subtract 20, 96, 172 or 248 from the code, and the character of that. So gzip sees whole bytes, and
 * frequent bytes are short. The loop is short too: it runs once, before it is compiled.
 */
export function inlinedBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let more = -47;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 122) more = code * 76 - 9375;
    else {
      bytes[length++] = code + more;
      more = -47;
    }
  }
  return bytes.subarray(0, length);
}

/** An instance with a memory of its own; the module imports nothing and exports its memory. */
export function instantiate<K extends ScoringKernels>(module: WebAssembly.Module): { kernels: K; heap: Heap } {
  const exports = new WebAssembly.Instance(module).exports as unknown as K & { memory: LinearMemory };
  // address 0 means "absent" to the kernels
  return { kernels: exports, heap: new Heap(exports.memory, Math.max(16, exports.heapBase!())) };
}
