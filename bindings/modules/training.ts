import { kernelsText } from '../kernels.generated.ts';
import { compile } from '../wasm.ts';

/** The full module. Inlined here; the builds for hosts that import `.wasm` files put such an import in place of this file. */
export const trainingModule = (): WebAssembly.Module => {
  module ??= compile(kernelsText);
  return module;
};

let module: WebAssembly.Module | undefined;
