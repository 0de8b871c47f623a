import { loadingBase64 } from '../loading.generated.ts';

/**
 * The scoring module with the digest, in base64: more bytes than the text of the other modules, but hosts decode it. Builds for hosts that
 * import `.wasm` files replace this file with such an import.
 */
export const loadingModule = (): WebAssembly.Module => {
  module ??= new WebAssembly.Module(
    (globalThis as Host).Buffer?.from(loadingBase64, 'base64') ??
      Uint8Array.from(atob(loadingBase64), (byte) => byte.charCodeAt(0)),
  );
  return module;
};

let module: WebAssembly.Module | undefined;

interface Host {
  readonly Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> };
}
