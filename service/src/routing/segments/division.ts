import { type Engine, type Manifest, Model, type ModelParts, pickEngine } from 'logodds/score';
import { allStages, type Field } from 'logodds/stages';
import type { Served } from '../../models/served.ts';
import type { Shelf } from '../../models/shelf.ts';
import type { Part } from '../../scoring/question.ts';
import type { Target } from '../route.ts';
import type { Front } from './parts.ts';
import { SegmentRules, type Segments, type Unmatched } from './rules.ts';

/** Values of a field that no segment names, which are told by name; those of others are counted together. */
const MOST_VALUES = 20;
const MOST_TEXT = 40;

/** What records of `otherwise` had in a field that no segment names. */
export interface UnmatchedState {
  readonly field: string;
  readonly missing: number;
  /** by value; none of a private field */
  readonly values: Readonly<Record<string, number>>;
  /** of other values */
  readonly others: number;
}

interface Tally {
  missing: number;
  readonly values: Map<string, number>;
  others: number;
}

/** Segments that are followed: their rules, what stands for their models, and what was seen. */
export class Division {
  readonly segments: Segments;
  readonly rules: SegmentRules;
  /** rows by segment and arm */
  readonly rows = new Map<string, { readonly part: Part; rows: number }>();
  readonly #unmatched = new Map<string, Tally>();
  readonly #shelf: Shelf;
  readonly #csv: Front['csv'];
  readonly #engine: Engine = pickEngine();
  #front: Front | null = null;
  #turn = -1;
  /** what does not fit, of the models that are there; null: nothing */
  problem: string | null = null;

  /** @throws ERR_RANGE for segments that decide nothing, or twice */
  constructor(segments: Segments, shelf: Shelf, csv: Front['csv'], before: Division | null) {
    this.segments = segments;
    this.rules = new SegmentRules(segments);
    this.#shelf = shelf;
    this.#csv = csv;
    if (!before) return;
    // a counter does not fall when the file of routes is read again
    for (const [key, of] of before.rows)
      if (segments.segments.some(({ name }) => name === of.part.segment)) this.rows.set(key, of);
    for (const field of this.rules.fields.keys()) {
      const tally = before.#unmatched.get(field);
      if (tally) this.#unmatched.set(field, tally);
    }
  }

  /** What answers each segment where no challenger does, of those that are there. */
  champions(): (Served | null)[] {
    return this.segments.segments.map(({ by }) => {
      const { model, version }: Target = 'arms' in by ? by.champion : by;
      try {
        return this.#shelf.own(model, version);
      } catch {
        return null;
      }
    });
  }

  /** What stands for the models, as they are now; null: none of them is there. */
  front(): Front | null {
    if (this.#turn === this.#shelf.turn) return this.#front;
    this.#turn = this.#shelf.turn;
    const champions = this.champions();
    const first = champions[this.rules.otherwise] ?? champions.find((one) => one !== null);
    if (!first) {
      this.#front = null;
      return null;
    }
    const fields = this.#fieldsOf(champions);
    this.problem = this.#problemOf(champions, fields);
    const { name } = this.segments;
    this.#front = {
      name,
      model: blank(first.model),
      fields: [...fields.values()],
      engine: this.#engine,
      csv: this.#csv,
    };
    return this.#front;
  }

  /** Of all models the fields that they read, and those that decide. */
  #fieldsOf(champions: readonly (Served | null)[]): Map<string, Field> {
    const fields = new Map<string, Field>();
    for (const served of champions)
      for (const field of served?.fields ?? []) {
        const before = fields.get(field.name);
        if (!before) fields.set(field.name, field);
        else if (field.private && !before.private) fields.set(field.name, { ...before, private: true });
      }
    for (const [name, type] of Object.entries(this.segments.fields ?? {}))
      if (!fields.has(name)) fields.set(name, { name, type, nullable: true, features: [] } as unknown as Field);
    return fields;
  }

  #problemOf(champions: readonly (Served | null)[], fields: ReadonlyMap<string, Field>): string | null {
    const { name, segments } = this.segments;
    const shown = (names: Iterable<string>) =>
      [...names]
        .slice(0, 10)
        .map((one) => JSON.stringify(one))
        .join(', ');
    if (champions.every((one) => one !== null))
      for (const [field, kind] of this.rules.fields) {
        const known = fields.get(field);
        if (!known)
          return `route ${name}, field ${JSON.stringify(field)}: expected a field of its models (${shown(fields.keys())}), got none; correct it, or name its type under "fields"`;
        if (kind === 'number' && known.type !== 'number')
          return `route ${name}, field ${JSON.stringify(field)}: expected numbers, since a band decides, got the type ${known.type}; list its values`;
      }
    for (const [k, served] of champions.entries()) {
      const first = champions.find((one) => one !== null)!;
      if (!served) continue;
      if (!isAlike(first.model, served.model))
        return `route ${name}, segment ${segments[k].name}: expected the classes of ${first.name} in their order (${shown(first.model.manifest.classes)}), got ${shown(served.model.manifest.classes)}; train it with the same classes`;
      for (const field of served.fields) {
        const other = fields.get(field.name)!;
        if (other.type !== field.type)
          return `route ${name}, field ${JSON.stringify(field.name)}: expected one type in all its models, got ${other.type} and ${field.type}; train them alike`;
      }
    }
    return null;
  }

  /** Counts rows that were scored. */
  count(part: Part, rows: number): void {
    const key = `${part.segment}\n${part.route}`;
    const of = this.rows.get(key);
    if (of) of.rows += rows;
    else
      this.rows.set(key, {
        part: { segment: part.segment, route: part.route, rollout: part.rollout, served: part.served },
        rows,
      });
  }

  /** Counts values that no segment names. */
  note(unmatched: readonly Unmatched[]): void {
    for (const { field, value } of unmatched) {
      let tally = this.#unmatched.get(field);
      if (!tally) {
        tally = { missing: 0, values: new Map(), others: 0 };
        this.#unmatched.set(field, tally);
      }
      if (value === null) tally.missing++;
      else this.#name(field, tally, value);
    }
  }

  #name(field: string, tally: Tally, value: string): void {
    const text = value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)}…` : value;
    const known = this.#front?.fields.find(({ name }) => name === field);
    const count = tally.values.get(text);
    // numbers outside of all bands are as many as there are records
    if (count === undefined && (known?.private || known?.type === 'number' || tally.values.size >= MOST_VALUES))
      tally.others++;
    else tally.values.set(text, (count ?? 0) + 1);
  }

  get unmatched(): UnmatchedState[] {
    return [...this.#unmatched].map(([field, { missing, values, others }]) => ({
      field,
      missing,
      values: Object.fromEntries(values),
      others,
    }));
  }
}

/** Whether both have the same classes in the same order, and the same positive one. */
export const isAlike = ({ manifest: a, intercept }: Model, { manifest: b, intercept: other }: Model): boolean =>
  a.positive === b.positive &&
  intercept.length === other.length &&
  a.classes.length === b.classes.length &&
  a.classes.every((label, k) => label === b.classes[k]);

/** Models are read from files; this one has none. */
const Made = Model as unknown as new (parts: ModelParts) => Model;

/** A model with the classes of another one, and nothing else. */
function blank({ manifest, intercept }: Model): Model {
  const own: Manifest = {
    ...manifest,
    schema: { features: [] },
    calibration: null,
    offset: null,
    fit: null,
    objective: null,
  } as unknown as Manifest;
  return new Made({
    manifest: own,
    weights: new Float64Array(),
    intercept: new Float64Array(intercept.length),
    covariance: null,
    stages: allStages,
  });
}
