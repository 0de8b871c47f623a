import { readFileSync } from 'node:fs';
import { fit, saveModel, tableFromRecords } from '../../src/index.ts';

/** A model file of the conformance set. */
export const FILE: Uint8Array = new Uint8Array(readFileSync('test/conformance/numeric.safetensors'));
export const OTHER: Uint8Array = new Uint8Array(readFileSync('test/conformance/categorical.safetensors'));

/** A small model that is another one for each number. */
export function modelFile(number: number): Uint8Array {
  const records = Array.from({ length: 24 }, (_, k) => ({
    x: k + (number % 97) / 100,
    y: k % 3 === 0 || k > 15 ? 1 : 0,
  }));
  const { model } = fit(tableFromRecords(records), { target: 'y', C: 1 + number / 7 });
  return saveModel(model);
}
