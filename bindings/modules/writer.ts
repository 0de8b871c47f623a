import { compile } from '../wasm.ts';
import { writerText } from '../writer.generated.ts';

/** The module that writes text, inlined. Builds for hosts that import `.wasm` files replace this file with such an import. */
export const writerModule = (): WebAssembly.Module => {
  module ??= compile(writerText);
  return module;
};

let module: WebAssembly.Module | undefined;
