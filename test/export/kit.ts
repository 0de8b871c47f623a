import type { Plan } from '../../cli/src/jobs/export/plan.ts';
import { planOf } from '../../cli/src/jobs/export/plan.ts';
import type { PrintOptions } from '../../cli/src/jobs/export/target.ts';
import type { Feature } from '../../src/encode/schema.ts';
import type { Model } from '../../src/model/model.ts';
import { chance } from '../compile/differ.ts';
import { models } from '../compile/models.ts';
import { kindModels } from './kinds.ts';

/** Whether compilers and other languages are there: `npm run test:interop` says so. */
export const INTEROP = process.env['LOGODDS_INTEROP'] === '1';

/** A record of an export: numbers, texts, times in milliseconds since 1970; null: missing. */
export type Cells = Readonly<Record<string, number | string | null>>;

/** What `Model.score` says of a record; null: it is refused. */
export type Score = ReturnType<Model['score']>;

export interface Case {
  readonly name: string;
  readonly model: Model;
  readonly plan: Plan;
  readonly records: readonly Cells[];
  readonly scores: readonly (Score | null)[];
}

/** Models that a plan takes, with seeded records: usual ones, missing, unseen, far outside, refused. */
export function cases(count: number): {
  readonly taken: readonly Case[];
  readonly refused: readonly (readonly [string, string])[];
} {
  const taken: Case[] = [];
  const refused: [string, string][] = [];
  for (const [name, model] of [...models(), ...kindModels()]) {
    let plan: Plan;
    try {
      plan = planOf(model);
    } catch (error) {
      refused.push([name, (error as Error).message]);
      continue;
    }
    const records = Array.from({ length: count }, (_, seed) => recordOf(plan, model, seed + 1));
    taken.push({ name, model, plan, records, scores: records.map((record) => scoreOf(model, plan, record)) });
  }
  return { taken, refused };
}

function scoreOf(model: Model, plan: Plan, record: Cells): Score | null {
  // a plain number may be no date; a text is
  const given = Object.fromEntries(
    plan.inputs.map(({ name, holds }) => {
      const value = record[name];
      return [name, holds === 'time' && typeof value === 'number' ? new Date(value).toISOString() : value];
    }),
  );
  try {
    return model.score(given);
  } catch {
    return null;
  }
}

function recordOf({ inputs }: Plan, model: Model, seed: number): Cells {
  const { next, pick, below } = chance(seed * 7919);
  for (let i = 0; i < 3; i++) next();
  const strange = pick([0, 0, 0.05, 0.05, 0.4]);
  const { features } = model.manifest.schema;
  return Object.fromEntries(
    inputs.map(({ name, holds }) => {
      if (next() < strange) {
        const other = {
          number: [null, -0, 1e9, -1e9, 1e308],
          text: [null, 'another', '', 'é😀'],
          time: [null, 0, 4e12, -4e12],
        };
        return [name, pick<number | string | null>(other[holds])];
      }
      if (holds === 'time') return [name, Math.floor(1e12 + below(1000) * 1e8)];
      const readers = features.filter((one) => ((one as { column?: string }).column ?? one.name) === name);
      const reader = readers.length > 0 ? pick(readers) : null;
      if (holds === 'number') return [name, numberOf(reader, next())];
      return [
        name,
        reader && 'levels' in reader
          ? pick([...reader.levels, ...(('rare' in reader && reader.rare) || [])])
          : pick(['a', 'b', 'Köln', 'text of words']),
      ];
    }),
  );
}

function numberOf(feature: Feature | null, share: number): number {
  if (!feature) return share * 4 - 2;
  const [low, high] =
    feature.kind === 'binned'
      ? [feature.edges[0], feature.edges.at(-1)!]
      : [(feature as { min?: number }).min ?? -1, (feature as { max?: number }).max ?? 1];
  const x = low + (high - low) * (1.1 * share - 0.05);
  return Number.isFinite(x) ? x : share;
}

const bits = new DataView(new ArrayBuffer(8));

/** The bits of a number. */
export function hex(value: number): string {
  bits.setFloat64(0, value);
  return Number.isNaN(value) ? 'nan' : bits.getBigUint64(0).toString(16).padStart(16, '0');
}

/** A score as one line: what the programs of the tests print. */
export function lineOf(score: Score | null): string {
  if (!score) return 'refused';
  const { logit, probability, label, defaulted, outOfRange, review, logits, probabilities } = score;
  const all = [...(logits ?? []), ...(probabilities ?? [])].map(hex);
  return [
    hex(logit),
    hex(probability),
    hex(defaulted),
    hex(outOfRange),
    review ? 1 : 0,
    ...all,
    JSON.stringify(label),
  ].join(' ');
}

/** A record as one line of tokens, field by field: bits of a number, `t` and the bytes of a text, `-` for nothing. */
export const tokensOf = ({ inputs }: Plan, record: Cells): string =>
  inputs
    .map(({ name }) => {
      const value = record[name];
      if (value === null) return '-';
      return typeof value === 'number' ? hex(value) : `t${Buffer.from(value).toString('hex')}`;
    })
    .join(' ');

/** Whether a record has texts of UTF-8 alone. */
export const isTyped = (record: Cells): boolean =>
  Object.values(record).every((value) => typeof value !== 'string' || !/\p{Surrogate}|\0/u.test(value));

/** @throws where a line is not that of the score */
export function compare(
  taken: readonly Case[],
  lines: readonly string[],
  isAsked: (record: Cells) => boolean = () => true,
): number {
  let at = 0;
  for (const { name, records, scores } of taken)
    for (const [i, score] of scores.entries()) {
      if (!isAsked(records[i])) continue;
      const line = lines[at++];
      const got = line?.replace(/"(?:[^"\\]|\\.)*"$/, (label) => JSON.stringify(JSON.parse(label)));
      if (got !== lineOf(score))
        throw new Error(`${name}: ${JSON.stringify(records[i])}\n  got      ${got}\n  expected ${lineOf(score)}`);
    }
  return at;
}

export const optionsOf = ({ model }: Case, name: string): PrintOptions => ({
  model: model as PrintOptions['model'],
  name,
  table: 'records',
  view: null,
});
