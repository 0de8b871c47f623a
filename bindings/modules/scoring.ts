import { scoringText } from '../scoring.generated.ts';
import { compile } from '../wasm.ts';

/** The scoring module, inlined. Builds for hosts that import `.wasm` files replace this file with such an import. */
export const scoringModule = (): WebAssembly.Module => {
  module ??= compile(scoringText);
  return module;
};

let module: WebAssembly.Module | undefined;
