import { loadModel, pickEngine } from 'logodds/slim';
import { conform } from './conform.js';

/** @param module  `logodds/wasm` as this host gets it: compiled, or its bytes */
export default (sets, module) => conform({ loadModel, engines: { auto: pickEngine(module) } }, sets);
