// The module comes from ./kernels.js, which is another file for each bundler: its own way to take a .wasm file.
import { loadModel, pickEngine } from 'logodds/slim';
import { conform } from './conform.js';
import { kernels } from './kernels.js';

export const answer = async (sets) => conform({ loadModel, engine: pickEngine(await kernels()) }, sets);
