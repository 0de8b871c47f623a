import { pagesText } from '../pages.generated.ts';
import { compile } from '../wasm.ts';

/** The module that reads pages of Parquet, inlined: the command alone has it. */
export const pagesModule = (): WebAssembly.Module => compile(pagesText);
