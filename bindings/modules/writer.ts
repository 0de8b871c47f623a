import { compile } from '../wasm.ts';
import { writerText } from '../writer.generated.ts';

/** The module that writes text, inlined. Only the command has it. */
export const writerModule = (): WebAssembly.Module => {
  module ??= compile(writerText);
  return module;
};

let module: WebAssembly.Module | undefined;
