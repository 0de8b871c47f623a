import { local, random, SEED } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { fill, typed } from '../lab.ts';
import { area } from '../ours.ts';

export const notes = [
  'Area under the ROC curve, from scores and labels in memory. Two sorts: those of a copy of the scores each, copying included.',
  'Classes sorted apart: a program without weights would sort the scores of each class with Float64Array.sort and merge.',
];

export async function run(lab: Lab): Promise<void> {
  const n = lab.quick ? 100_000 : 10_000_000;
  const scores = typed('f64', n) as Float64Array;
  fill(scores);
  const next = random(SEED + 2);
  // repeated blocks would tie: shift each, as little as matters to the labels
  for (let i = 0; i < n; i++) scores[i] = 4 * scores[i] + i * 1e-12;
  const y = Uint8Array.from(scores, (z) => (1 / (1 + Math.exp(-z)) > (next() + 1) / 2 ? 1 : 0));
  const weight = Float64Array.from(scores, () => 1 + next() / 2);
  const work = { rows: n, bytes: 9 * n, tolerance: 1e-12 };
  const rival = (name: string, once: () => number) => local(name, once, { output: () => [once()] });
  const sorts = (count: number) => () => {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += scores.slice().sort()[k];
    return sum;
  };
  await lab.add({ name: 'AUC, 10M scores', ...work }, 'f64', [
    rival('logodds', () => area(scores, y)),
    local('two sorts of a Float64Array', sorts(2)),
    rival('plain JavaScript, classes sorted apart', () => apart(scores, y)),
  ]);
  await lab.add({ name: 'AUC, 10M scores, weights', ...work }, 'f64', [
    rival('logodds', () => area(scores, y, weight)),
    local('two sorts of a Float64Array', sorts(2)),
  ]);
}

/** Σ over the positive rows of the negative ones below, ties counting half, over all pairs */
function apart(scores: Float64Array, y: Uint8Array): number {
  const positives = scores.filter((_, i) => y[i] === 1).sort();
  const negatives = scores.filter((_, i) => y[i] === 0).sort();
  let below = 0;
  let upTo = 0;
  let sum = 0;
  for (const score of positives) {
    while (below < negatives.length && negatives[below] < score) below++;
    while (upTo < negatives.length && negatives[upTo] <= score) upTo++;
    sum += (below + upTo) / 2;
  }
  return sum / (positives.length * negatives.length);
}
