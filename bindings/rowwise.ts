import type { Crew, RowCall } from './blocks.ts';
import type { Kernels } from './kernels.ts';

/** Parts begin at multiples of this many rows: whole vectors of every type, and whole blocks of the kernels. */
const ROWS = 1024;
/** Parts for each thread: enough to balance threads of different speed, few enough for long streams. */
const PARTS = 8;
/** Below this much work (values read, about a nanosecond each) waking a thread costs more than it saves. */
const WORTH = 1 << 18;

/** How to split the rows of a kernel's call: the argument that counts rows, the arguments that move with a row, and the work of a row. */
interface Cut {
  readonly count: number;
  readonly steps: (args: readonly number[]) => readonly number[];
  readonly work: (args: readonly number[]) => number;
}

const elementwise = (bytes: number): Cut => ({ count: 1, steps: () => [bytes, 0, bytes], work: () => 2 });

const softmax = (bytes: number): Cut => ({ count: 3, steps: () => [bytes, 0, 0, 0], work: ([, , k]) => 2 * k });

const rows = (x: number, z: number): Cut => ({
  count: 2,
  steps: ([, stride]) => [x * stride, 0, 0, 0, 0, 0, z, 0],
  work: ([, stride, , , , k]) => (stride * k) / 4,
});

const columns = (z: number): Cut => ({
  count: 3,
  steps: () => [0, 0, 1, 0, 0, 0, 0, 0, z, 0],
  work: ([, columns, , , , , , k]) => columns * k,
});

const sparse = (z: number): Cut => ({
  count: 3,
  steps: () => [4, 0, 0, 0, 0, 0, 0, 0, z, 0],
  // the number of entries is not among the arguments
  work: ([, , , , , , , k]) => 8 * k,
});

/** The kernels that treat every row independently, so any split gives the same bits. */
const CUTS: { readonly [K in keyof Kernels]?: Cut } = {
  sigmoidF32: elementwise(4),
  sigmoidF64: elementwise(8),
  expF32: elementwise(4),
  expF64: elementwise(8),
  softplusF32: elementwise(4),
  softplusF64: elementwise(8),
  softmaxF32: softmax(4),
  softmaxF64: softmax(8),
  logitsRowsF32: rows(4, 4),
  logitsRowsF64: rows(8, 8),
  logitsRowsWide: rows(4, 8),
  logitsColumnsF32: columns(4),
  logitsColumnsF64: columns(8),
  logitsSparseF32: sparse(4),
  logitsSparseF64: sparse(8),
  logitsSparseWide: sparse(8),
};

/** The same table of kernels, with large calls over rows split into parts for a crew. */
export function cutByRows(kernels: Kernels, crew: Crew): Kernels {
  const table: Record<string, unknown> = { ...kernels };
  for (const [name, cut] of Object.entries(CUTS)) {
    const kernel = name as keyof Kernels;
    const whole = kernels[kernel] as (...args: number[]) => void;
    table[name] = (...args: number[]) => {
      const n = args[cut.count];
      if (n <= ROWS || n * cut.work(args) < WORTH) return whole(...args);
      const part = Math.ceil(n / (PARTS * crew.threads) / ROWS) * ROWS;
      const task: RowCall = { kind: 'rows', kernel, args, steps: cut.steps(args), count: cut.count, part };
      crew.run(task, Math.ceil(n / part), () => {});
    };
  }
  return table as unknown as Kernels;
}
