import type { Engine } from '../../bindings/engine.ts';
import { pickEngine } from '../../bindings/engine.ts';
import { denseEngine } from './denseLikelihood.ts';

/** Every engine that a fit runs on; the reference of the tests is one. */
export const engines: [string, () => Engine][] = [
  ['reference', denseEngine],
  ['js', () => pickEngine('js')],
  ['wasm', () => pickEngine('wasm')],
];
