/* The module of `logodds/kernels.wasm`: that of scoring, and the digest of a model file. */
export { sha256 } from './digest';
export * from './scoring';
