import { digestModule } from './modules/digest.ts';

interface Exports {
  readonly memory: WebAssembly.Memory;
  sha256Blocks(state: number, constants: number, scratch: number, blocks: number, count: number): void;
}

/**
 * SHA-256 of whole blocks by the kernel, in a memory of its own that goes with the call: `state` (8 words) is updated.
 * @returns false where there is no WebAssembly, and then `state` is as it was
 */
export function digestByKernel(state: Int32Array, constants: Int32Array, blocks: Uint8Array): boolean {
  let exports: Exports;
  try {
    exports = new WebAssembly.Instance(digestModule()).exports as unknown as Exports;
  } catch {
    return false;
  }
  const { memory, sha256Blocks } = exports;
  // the module has no data of its own
  const base = 16;
  const at = base + 1024;
  memory.grow(Math.ceil((at + blocks.length) / 65536));
  const words = new Int32Array(memory.buffer, base);
  words.set(state);
  words.set(constants, 8);
  new Uint8Array(memory.buffer).set(blocks, at);
  sha256Blocks(base, base + 32, base + 288, at, blocks.length / 64);
  state.set(words.subarray(0, 8));
  return true;
}
