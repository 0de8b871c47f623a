import { digestText } from '../digest.generated.ts';
import { compile } from '../wasm.ts';

/** The module of the digest. Inlined here; the builds for hosts that import `.wasm` files put such an import in place of this file. */
export const digestModule = (): WebAssembly.Module => compile(digestText);
