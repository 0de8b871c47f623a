/* The module of `logodds/score`: what scoring a record or a table calls and nothing else, from the same source as the full one. */
export { sigmoidF32, sigmoidF64 } from './elementwise';
export { logitsRowsF32, logitsRowsF64 } from './rows';
export { logitsColumnsF32, logitsColumnsF64 } from './columns';
export { abiVersion, heapBase } from './host';
