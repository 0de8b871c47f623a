import type { LinearMemory } from './heap.ts';

/** Bytes that go to memory at once: with what is before them, a page. */
const PART = 2 ** 15;
/** Above what belongs to the module; nothing else is in the memory of its instance. */
const STATE = 1024;

/** The kernel of SHA-256 in a memory of its own: its words (state, constants), and what adds whole blocks of 64 bytes to the state. */
export function digestKernel(
  module: WebAssembly.Module,
): [words: Int32Array, add: (blocks: Uint8Array<ArrayBuffer>) => void] {
  const { memory, sha256 } = new WebAssembly.Instance(module).exports as unknown as {
    readonly memory: LinearMemory;
    sha256(state: number, message: number, end: number): void;
  };
  const bytes = new Uint8Array(memory.buffer);
  return [
    new Int32Array(memory.buffer, STATE),
    (blocks) => {
      for (let at = 0; at < blocks.length; at += PART) {
        const part = blocks.subarray(at, at + PART);
        bytes.set(part, PART);
        sha256(STATE, PART, PART + part.length);
      }
    },
  ];
}
