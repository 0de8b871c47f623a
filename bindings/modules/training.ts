import { kernelsText } from '../kernels.generated.ts';
import { compile } from '../wasm.ts';

/** The full module, inlined. Builds for hosts that import `.wasm` files replace this file with such an import. */
export const trainingModule = (): WebAssembly.Module => {
  module ??= compile(kernelsText);
  return module;
};

let module: WebAssembly.Module | undefined;
