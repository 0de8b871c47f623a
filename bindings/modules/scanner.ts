import { scannerText } from '../scanner.generated.ts';
import { compile } from '../wasm.ts';

/** The module of readers, inlined. Builds for hosts that import `.wasm` files replace this file with such an import. */
export const scannerModule = (): WebAssembly.Module => {
  module ??= compile(scannerText);
  return module;
};

let module: WebAssembly.Module | undefined;
