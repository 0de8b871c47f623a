import { scoringText } from '../scoring.generated.ts';
import { compile } from '../wasm.ts';

/** The scoring module. Inlined here; the builds for hosts that import `.wasm` files put such an import in place of this file. */
export const scoringModule = (): WebAssembly.Module => {
  module ??= compile(scoringText);
  return module;
};

let module: WebAssembly.Module | undefined;
