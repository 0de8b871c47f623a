import { Heap, type LinearMemory } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';

/** A module inlined as text. @throws what the host throws when it lacks SIMD or WebAssembly */
export const compile = (text: string): WebAssembly.Module => new WebAssembly.Module(inlinedBytes(text));

/**
 * Decodes a module from the text that scripts/build.mjs writes. 85 characters are digits: ( … ~ without \ and `. A byte b is stored as
 * (b + 3) mod 256: one digit if that is below 82, else a digit 82, 83 or 84 (for 82, 164 or 246) and the rest. So gzip sees whole bytes, and
 * frequent bytes are short.
 */
export function inlinedBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let more = -3;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - 40 - Number(code > 92) - Number(code > 96);
    if (digit < 82) {
      bytes[length++] = digit + more;
      more = -3;
    } else more = (digit - 81) * 82 - 3;
  }
  return bytes.subarray(0, length);
}

/** An instance with a memory of its own; the module imports nothing and exports its memory. */
export function instantiate<K extends ScoringKernels>(module: WebAssembly.Module): { kernels: K; heap: Heap } {
  const exports = new WebAssembly.Instance(module).exports as unknown as K & { memory: LinearMemory };
  // address 0 means "absent" to the kernels
  return { kernels: exports, heap: new Heap(exports.memory, Math.max(16, exports.heapBase!())) };
}
