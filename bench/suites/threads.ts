import { cpus } from 'node:os';
import type { Engine } from '../../bindings/engine.ts';
import { threadedEngine } from '../../bindings/threads.ts';
import { local } from '../harness.ts';
import { type Lab, labels, shape, typed } from '../lab.ts';
import type { Rival } from '../timings.ts';

export const notes = [
  'Engines of one thread and of several, each over a memory of its own with the same numbers in it; their results had to be the same bits.',
  'Python rivals with all threads of the machine.',
];

type Work = 'logits' | 'gradient' | 'Hessian';

export async function run(lab: Lab): Promise<void> {
  const most = Math.max(2, cpus().length);
  const counts = [...new Set([2, most])].filter((threads) => threads <= 16);
  const teams = counts.map((threads) => threadedEngine({ threads }));
  try {
    for (const team of teams) await team.ready();
    for (const team of teams) console.error(`  ${team.why}`);
    if (lab.quick) {
      await several(lab, teams, counts, 'logits', 2 ** 18, 32);
      await several(lab, teams, counts, 'Hessian', 2 ** 18, 32);
      return;
    }
    await several(lab, teams, counts, 'logits', 1_000_000, 32);
    await several(lab, teams, counts, 'logits', 2 ** 23, 32);
    await several(lab, teams, counts, 'gradient', 2 ** 22, 32);
    await several(lab, teams, counts, 'Hessian', 1_000_000, 32);
    await several(lab, teams, counts, 'Hessian', 2 ** 17, 256);
  } finally {
    for (const team of teams) team.close();
  }
}

/** the same work on engines of 1, 2 ... threads */
async function several(
  lab: Lab,
  teams: readonly Engine[],
  counts: readonly number[],
  work: Work,
  rows: number,
  features: number,
): Promise<void> {
  const made = [lab.wasm, ...teams].map((engine, i) => {
    const threads = i ? counts[i - 1] : 1;
    return prepare(lab, engine, `logodds, ${threads} ${i ? 'threads' : 'thread'}`, work, rows, features);
  });
  const [{ block, w, b }] = made;
  const numbers = { rows, features, precision: 'f32', all: true, k: 1 };
  const python: Rival[] = [];
  if (work === 'Hessian') python.push(...(await lab.rivals('hessian', numbers, { x: block, c: quarter(rows) })));
  else if (work === 'gradient') {
    python.push(...(await lab.rivals('gradient', numbers, { x: block, w, b, y: labels(rows) })));
  } else python.push(...(await lab.rivals('logits', numbers, { x: block, w, b })));
  await lab.add(
    {
      name: `${work}, rows f32, ${shape(rows, features)}, threads`,
      rows,
      bytes: rows * features * 4,
      tolerance: work === 'gradient' ? 1e-3 : 1e-4,
    },
    'f32',
    [...made.map(({ rival }) => rival), ...python.filter(({ name }) => name.endsWith('threads'))],
  );
  for (const { free } of made) free();
}

/** curvature at logits of zero */
function quarter(rows: number): Float32Array {
  return typed('f32', rows).fill(0.25) as Float32Array;
}

function prepare(lab: Lab, engine: Engine, name: string, work: Work, rows: number, features: number) {
  const { batch, block } = lab.dense(rows, features, 'f32', engine);
  const { weights, params, w, b } = lab.point(batch, features, 1, engine);
  const parts: { free(): void }[] = [batch, weights];
  let run: () => number;
  let output: () => ArrayLike<number>;
  if (work === 'logits') {
    const out = engine.vector(rows, 'f32');
    const view = out.view;
    parts.push(out);
    run = () => {
      engine.logits(batch, weights, out);
      return view[rows - 1];
    };
    output = () => {
      run();
      return view;
    };
  } else {
    const likelihood = engine.likelihood(batch, { y: labels(rows) });
    const p = params.length;
    const gradient = new Float64Array(p);
    const h = new Float64Array(work === 'Hessian' ? p * p : 0);
    parts.unshift(likelihood);
    const point = likelihood.at(work === 'Hessian' ? new Float64Array(p) : params, gradient);
    run = () => {
      if (work === 'gradient') return likelihood.at(params, gradient).loss;
      point.hessian(h);
      return h[0];
    };
    output = () => {
      run();
      return work === 'gradient' ? gradient : h.filter((_, i) => i % p < p - 1 && i < p * (p - 1));
    };
  }
  const free = () => {
    for (const part of parts) part.free();
  };
  return { rival: local(name, run, { output, exact: true }), block, w, b, free };
}
