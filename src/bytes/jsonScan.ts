import { LogoddsError } from '../../bindings/errors.ts';
import { type JsonLimits, JsonMemory, MOST_DEPTH, type SplitJson } from '../../bindings/jsonMemory.ts';
import { show } from '../messages.ts';
import { type Bytes, bytesOf } from './input.ts';

/** Looks through JSON before it is parsed, some GB a second. It has memory of its own, about 0.4 MB, more after a call with longer JSON. */
export interface JsonScan {
  /**
   * Returns the first limit that JSON passes, or null. It looks at brackets, commas and texts alone: what is no JSON is for who parses it.
   * @throws ERR_RANGE for a depth above 1024; ERR_SHAPE for what are no bytes
   */
  excess(bytes: Bytes, limits: JsonLimits): keyof JsonLimits | null;
  /**
   * Takes the arrays of numbers out of JSON that are values of a key, wherever it is; null where there are none, and where one has a number beyond 19
   * digits or 10^±64. Each number has the bits that `JSON.parse` gives it. An array with something else in it stays where it is, and so does one whose
   * key is written with escapes. `rest` is JSON if and only if the whole is JSON, but for NaN in arrays.
   * @throws ERR_SHAPE for what are no bytes; ERR_RANGE for a key of more than 100 letters, digits and `_`; ERR_MEMORY
   */
  split(bytes: Bytes, key: string): SplitJson | null;
}

/**
 * Returns what looks through JSON before it is parsed; null where the host lacks WebAssembly SIMD. **The views of its arrays are valid until the next
 * `split`.**
 * @example
 * const scan = jsonScan();
 * const body = new TextEncoder().encode('{"name":"x","data":[[1,2],[3,null]]}');
 * const { rest, arrays } = scan.split(body, 'data');
 * JSON.parse(new TextDecoder().decode(rest)); // { name: 'x', data: [0] }
 * arrays[0].values; // [1, 2, 3, NaN]
 * arrays[0].shape; // [2, 2]
 * scan.excess(body, { depth: 2, keys: 100, elements: 100 }); // 'depth'
 */
export function jsonScan(): JsonScan | null {
  let memory: JsonMemory;
  try {
    memory = new JsonMemory();
  } catch {
    return null;
  }
  return {
    excess(bytes, limits) {
      const { depth, keys, elements } = Object(limits) as JsonLimits;
      const isOne = depth >= 0 && depth <= MOST_DEPTH && typeof keys === 'number' && typeof elements === 'number';
      if (!isOne)
        throw new LogoddsError(
          'ERR_RANGE',
          `limits: expected a depth from 0 to ${MOST_DEPTH}, and numbers of keys and elements, got ${show(limits)}`,
        );
      return memory.excess(bytesOf(bytes), limits);
    },
    split(bytes, key) {
      if (!/^\w{1,100}$/.test(key))
        throw new LogoddsError('ERR_RANGE', `key: expected 1 to 100 letters, digits and _, got ${show(key)}`);
      return memory.split(bytesOf(bytes), key);
    },
  };
}
