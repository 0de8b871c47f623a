import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../../src/index.ts';

/*
 * A model of frauds, and the log of a service that it answered in: seeded, so that every run has the same rows.
 */

export const DAY = 86_400_000;

export interface Row {
  readonly amount: number;
  readonly country: string;
  readonly fraud: 'yes' | 'no';
}

/** What rows are like: how far amounts have moved, and the log-odds of a fraud at amount 0. */
export interface World {
  readonly amount?: number;
  readonly logOdds?: number;
  readonly slope?: number;
}

export function rowsOf(count: number, seed: number, { amount = 0, logOdds = -1.5, slope = 1.2 }: World = {}): Row[] {
  let state = seed;
  // mulberry32
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    const value = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()) + amount;
    const country = ['de', 'fr', 'it'][Math.floor(3 * random())];
    const z = logOdds + slope * value + (country === 'fr' ? 0.7 : 0);
    return {
      amount: Number(value.toFixed(3)),
      country,
      fraud: random() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no',
    };
  });
}

export interface LogOptions {
  /** days ago of the first and of the last score */
  readonly from?: number;
  readonly to?: number;
  /** days from a score to its label */
  readonly delay?: number;
  readonly now: number;
  readonly name?: string;
  readonly entity?: (row: Row, i: number) => string | null;
  /** whether a label comes */
  readonly isLabelled?: (row: Row, probability: number) => boolean;
  readonly prefix?: string;
}

/** Writes the log of predictions and of labels that a service writes. */
export function writeLog(folder: string, model: Model, rows: readonly Row[], options: LogOptions): void {
  const { from = 60, to = 10, delay = 3, now, name = 'fraud', prefix = 'r' } = options;
  const { entity = () => null, isLabelled = () => true } = options;
  mkdirSync(folder, { recursive: true });
  const scores: string[] = [];
  const labels: string[] = [];
  rows.forEach((row, i) => {
    const { fraud, ...inputs } = row;
    const at = now - from * DAY + Math.floor((i / rows.length) * (from - to) * DAY);
    const { logit, probability, label } = model.score(inputs);
    const known = { model: name, version: '1', sha256: model.sha256, route: null };
    const id = `${prefix}${i}`;
    scores.push(
      JSON.stringify({
        ...{ at: new Date(at).toISOString(), id, entity: entity(row, i), ...known },
        ...{ logit, probability, label, inputs },
      }),
    );
    if (isLabelled(row, probability!))
      labels.push(JSON.stringify({ id, label: fraud, at: new Date(at + delay * DAY).toISOString(), model: name }));
  });
  writeFileSync(join(folder, `predictions-${prefix}.jsonl`), `${scores.join('\n')}\n`);
  writeFileSync(join(folder, `labels-${prefix}.jsonl`), `${labels.join('\n')}\n`);
}
