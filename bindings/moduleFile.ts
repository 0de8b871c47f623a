// The declaration of `logodds/kernels.wasm` and `logodds/training.wasm`, as hosts and bundlers import them. It has no code.

declare global {
  // for programs without the types of a host that has it; those types say the rest
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

/** A module that the host has compiled. */
export type CompiledModule = WebAssembly.Module;

declare const module: CompiledModule;
export default module;
