import { best, type Case, ratio } from './harness.ts';

/** A ratio that must hold: how many times longer `rival` takes than `mine` in `case` of `suite`. */
export interface Floor {
  readonly work: string;
  readonly suite: string;
  /** name of the case */
  readonly case: string;
  /** name of the timing of the engine; the first of the case unless given */
  readonly mine?: string;
  /** how the name of the rival starts; of several, the fastest counts */
  readonly rival: string;
  readonly floor: number;
}

const READ = 'read ×';

/** What the benchmark must show. */
export const floors: readonly Floor[] = [
  {
    work: 'rows f32, 1 GiB, of the best read rate',
    suite: 'rows',
    case: 'logits, rows f32, 8Mi × 32',
    rival: READ,
    floor: 0.9,
  },
  {
    work: 'columns f32, 1 GiB, of the best read rate',
    suite: 'columns',
    case: 'logits, numeric columns f32, 8Mi × 32',
    rival: READ,
    floor: 0.9,
  },
  {
    work: 'rows f32 in cache, of the read rate there',
    suite: 'rows',
    case: 'logits, rows f32, 1024 × 32',
    rival: READ,
    floor: 0.6,
  },
  {
    work: 'rows f32 in cache, against plain JavaScript',
    suite: 'rows',
    case: 'logits, rows f32, 1024 × 32',
    rival: 'plain JavaScript',
    floor: 30,
  },
  {
    work: 'rows f32, 1 GiB, against plain JavaScript',
    suite: 'rows',
    case: 'logits, rows f32, 8Mi × 32',
    rival: 'plain JavaScript',
    floor: 8,
  },
  ...(
    [
      ['1 × 32', 'onnxruntime-node', 80],
      ['1024 × 32', 'onnxruntime-node', 5],
      ['1M × 32', 'onnxruntime-node', 1.6],
      ['1024 × 32', 'TensorFlow.js WASM', 5],
      ['1024 × 32', 'onnxruntime-web', 5],
      ['1M × 32', 'numpy', 1.1],
      ['64Ki × 4096', 'numpy', 0.85],
      ['1M × 32', 'scikit-learn predict_proba', 2.5],
    ] as const
  ).map(([size, rival, floor]) => ({
    work: `probabilities f32, ${size}, against ${rival}`,
    suite: 'rows',
    case: `probabilities, rows f32, ${size}`,
    // the formula of the issue by its whole name; variants are shown beside it
    rival: rival === 'numpy' ? '=numpy' : rival,
    floor,
  })),
  ...(['ones', 'values'] as const).map((kind) => ({
    work: `sparse f32 (${kind}), 1M × 2¹⁸, against SciPy CSR`,
    suite: 'sparse',
    case: `probabilities, sparse ${kind} f32, 1M × 256Ki, 40 a row`,
    rival: 'scipy CSR',
    floor: 1.2,
  })),
  {
    work: '8 weight vectors in one pass, against 8 passes, f32, 1 GiB',
    suite: 'rows',
    case: 'logits, rows f32, 8Mi × 32, 8 weight vectors',
    rival: 'logodds, 8 passes',
    floor: 3,
  },
  {
    work: 'loss and gradient, rows f32, 1 GiB, of the read rate',
    suite: 'gradient',
    case: 'gradient, rows f32, 8Mi × 32',
    rival: READ,
    floor: 0.6,
  },
  {
    work: "loss and gradient, rows f32, 1 GiB, against numpy's two passes",
    suite: 'gradient',
    case: 'gradient, rows f32, 8Mi × 32',
    rival: 'numpy, two passes',
    floor: 1.5,
  },
  {
    work: 'Hessian f32, d = 32, against OpenBLAS X.T @ (X*s)',
    suite: 'hessian',
    case: 'Hessian, rows f32, 1M × 32',
    rival: '=numpy',
    floor: 1.5,
  },
  {
    work: 'Hessian f32, d = 256, against OpenBLAS X.T @ (X*s)',
    suite: 'hessian',
    case: 'Hessian, rows f32, 64Ki × 256',
    rival: '=numpy',
    floor: 0.5,
  },
  {
    work: 'Hessian of coded columns (flights), against tabmat',
    suite: 'hessian',
    case: 'Hessian, coded columns f64, 3M × 5',
    rival: 'tabmat sandwich',
    floor: 1.5,
  },
  {
    work: 'two threads against one: rows f32, 1 GiB',
    suite: 'threads',
    case: 'logits, rows f32, 8Mi × 32, threads',
    mine: 'logodds, 2 threads',
    rival: '=logodds, 1 thread',
    floor: 1.5,
  },
  {
    work: 'two threads against one: Hessian f32, d = 32',
    suite: 'threads',
    case: 'Hessian, rows f32, 1M × 32, threads',
    mine: 'logodds, 2 threads',
    rival: '=logodds, 1 thread',
    floor: 1.8,
  },
];

export interface Finding extends Floor {
  /** absent when it was not measured */
  readonly ratio?: number;
  readonly median?: number;
  readonly bytes?: number;
  readonly rows?: number;
  /** least and largest ratio of a round */
  readonly range?: readonly [number, number];
  /** the rival's answer was wrong */
  readonly wrong?: string;
}

/** The floors of these suites with what was measured. */
export function findings(suites: Readonly<Record<string, readonly Case[]>>): Finding[] {
  return floors
    .filter(({ suite }) => suite in suites)
    .map((floor) => {
      const found = suites[floor.suite].find(({ name }) => name === floor.case);
      if (!found) return floor;
      const { timings, bytes, rows } = found;
      const mine = timings.find(({ name }) => name === floor.mine) ?? timings[0];
      const matching = floor.rival.startsWith('=')
        ? timings.filter(({ name }) => name === floor.rival.slice(1))
        : timings.filter(({ name }) => name.startsWith(floor.rival) && !name.endsWith('threads'));
      const rival = best(matching, '');
      if (!rival) return { ...floor, wrong: matching[0]?.wrong };
      const each = rival.rounds.map((ms, i) => ms / mine.rounds[i]);
      const range = [Math.min(...each), Math.max(...each)] as const;
      return { ...floor, ratio: ratio(mine, rival), median: mine.median, bytes, rows, range };
    });
}
