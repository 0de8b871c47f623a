import { countingText } from '../counting.generated.ts';
import { compile } from '../wasm.ts';

/** The module that counts numbers, inlined. Builds for hosts that import `.wasm` files replace this file with such an import. */
export const countingModule = (): WebAssembly.Module => compile(countingText);
