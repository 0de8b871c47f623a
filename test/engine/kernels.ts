import { type Block, Heap, PlainMemory } from '../../bindings/heap.ts';
import { jsKernels } from '../../bindings/js/kernels.ts';
import { kernelsText } from '../../bindings/kernels.generated.ts';
import type { Kernels } from '../../bindings/kernels.ts';
import { compile, instantiate } from '../../bindings/wasm.ts';

export interface Implementation {
  readonly name: string;
  readonly kernels: Kernels;
  readonly heap: Heap;
}

export function javascript(): Implementation {
  const heap = new Heap(new PlainMemory(), 16);
  return { name: 'js', kernels: jsKernels(heap), heap };
}

export function wasm(): Implementation {
  return { name: 'wasm', ...instantiate<Kernels>(compile(kernelsText)) };
}

/** false under `node --no-enable-sse4-1 --no-enable-ssse3`, where V8 refuses SIMD modules */
export const simd = (() => {
  try {
    compile(kernelsText);
    return true;
  } catch {
    return false;
  }
})();

/** every implementation of the full table of kernels that runs here */
export const implementations: [string, () => Implementation][] = [['js', javascript]];
if (simd) implementations.push(['wasm', wasm]);

export type Values = Float32Array | Float64Array | Uint8Array | Uint16Array | Uint32Array;

/** a small bump arena over the heap of one implementation: what one kernel call needs, then gone */
export function arena({ heap }: Implementation) {
  const blocks: Block[] = [];
  const view = (like: Values) =>
    like instanceof Float32Array
      ? heap.f32
      : like instanceof Float64Array
        ? heap.f64
        : like instanceof Uint8Array
          ? heap.u8
          : like instanceof Uint16Array
            ? heap.u16
            : heap.u32;
  return {
    put(values: Values): number {
      const block = heap.allocate(values.byteLength + 16, 'a test buffer');
      const { address } = block;
      blocks.push(block);
      heap.u8.fill(0, address, address + values.byteLength + 16);
      view(values).set(values as never, address / values.BYTES_PER_ELEMENT);
      return address;
    },
    get<V extends Values>(address: number, like: V): V {
      const at = address / like.BYTES_PER_ELEMENT;
      return view(like).slice(at, at + like.length) as V;
    },
    free(): void {
      for (const block of blocks) heap.release(block);
    },
  };
}

/** the bits of each value; every NaN counts as the same, since WebAssembly leaves its sign and payload open */
export function bits(values: Values): string[] {
  const size = values.BYTES_PER_ELEMENT;
  const wholes = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[size as 1 | 2 | 4 | 8];
  const codes = new wholes(values.buffer as ArrayBuffer, values.byteOffset, values.length);
  const texts: string[] = [];
  for (let i = 0; i < values.length; i++)
    texts.push(Number.isNaN(values[i]) ? 'NaN' : codes[i].toString(16).padStart(2 * size, '0'));
  return texts;
}
