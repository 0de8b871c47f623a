import { sourceOf } from '../encode/coder.ts';
import type { Feature, Schema } from '../encode/schema.ts';

/** What a model reads: one field of a record, or one column of a table. */
export interface Field {
  readonly name: string;
  /** number: finite numbers. category: text, numbers or booleans. date: ISO 8601 text, `Date`, or numbers. text: words. tags: a list of texts. */
  readonly type: FieldType;
  /** whether a missing value (null) is taken; false: it is refused */
  readonly nullable: boolean;
  /** the categories of training, in the order of the schema; absent for other types, and where values are hashed */
  readonly levels?: readonly string[];
  /** whether a category that training had not is refused; absent: it is taken */
  readonly strict?: true;
  /** least and greatest number of training, where known */
  readonly min?: number;
  readonly max?: number;
  /** names of the features that are made of it; none for the offset */
  readonly features: readonly string[];
}

export type FieldType = 'number' | 'category' | 'date' | 'text' | 'tags';

/** What `fieldsOf` reads of a model. */
interface Read {
  readonly manifest: { readonly schema: Schema; readonly offset: string | null };
}

/**
 * The fields that a model reads, in the order of its schema, the offset last.
 * @example
 * fieldsOf(model).map(({ name, type }) => `${name}: ${type}`); // ['distance: number', 'origin: category']
 */
export function fieldsOf({ manifest: { schema, offset } }: Read): Field[] {
  const fields = new Map<string, Field>();
  for (const feature of schema.features) {
    if ('of' in feature && feature.of) continue;
    const name = sourceOf(feature);
    const own = fieldOf(name, feature);
    const before = fields.get(name);
    fields.set(name, before ? merged(before, own) : own);
  }
  if (offset !== null) fields.set(offset, { name: offset, type: 'number', nullable: false, features: [] });
  return [...fields.values()];
}

function fieldOf(name: string, feature: Feature): Field {
  const type = typeOf(feature);
  const nullable = !('missing' in feature && feature.missing === 'error');
  const levels =
    type === 'category' && 'levels' in feature
      ? [...feature.levels, ...(('rare' in feature && feature.rare) || [])]
      : null;
  const strict = levels && 'unseen' in feature && feature.unseen === 'error';
  return {
    name,
    type,
    nullable,
    ...(levels && { levels }),
    ...(strict && { strict }),
    ...rangeOf(type, feature),
    features: [feature.name],
  };
}

function typeOf(feature: Feature): FieldType {
  if (feature.kind === 'date' || ('part' in feature && feature.part !== undefined)) return 'date';
  if (feature.kind === 'tokens') return feature.split === 'words' ? 'text' : 'tags';
  return feature.kind === 'numeric' || feature.kind === 'curve' || feature.kind === 'binned' ? 'number' : 'category';
}

function rangeOf(type: FieldType, feature: Feature): Pick<Field, 'min' | 'max'> {
  if (type !== 'number' || !('min' in feature)) return {};
  const known = Math.max(-feature.min, feature.max) < Number.MAX_VALUE;
  return known ? { min: feature.min, max: feature.max } : {};
}

/** Two features of one field: it must do for both. */
function merged(one: Field, other: Field): Field {
  const strict = one.strict || other.strict;
  return {
    ...other,
    ...one,
    nullable: one.nullable && other.nullable,
    ...(strict && { strict }),
    features: [...one.features, ...other.features],
  };
}

/** JSON types of a field's values, and a word on them. */
const JSON_TYPES = {
  number: { type: ['number'], description: 'a finite number' },
  category: { type: ['string', 'number', 'boolean'], description: 'a category' },
  date: { type: ['string', 'number'], description: 'a date in ISO 8601, or a number' },
  text: { type: ['string'], description: 'a text, whose words count' },
  tags: {
    type: ['array', 'string'],
    items: { type: 'string' },
    description: 'a list of tags, or a text with separators',
  },
} as const satisfies Record<FieldType, object>;

/** A JSON Schema (2020-12) of the records that a model scores. */
export interface InputSchema {
  readonly $schema: string;
  readonly title: string;
  readonly type: 'object';
  readonly properties: Readonly<Record<string, object>>;
  readonly required: readonly string[];
}

/**
 * The JSON Schema of the records that a model scores: for validators, OpenAPI and forms. Every field is required, as for `score`; null is a
 * missing value where the model takes one. A value that the schema lets pass is one that `score` takes, but for texts that are no date.
 */
export function inputSchema(model: Read): InputSchema {
  const fields = fieldsOf(model);
  const property = ({ type, nullable, levels, strict, min, max }: Field): object => {
    const { type: types, description, ...rest } = JSON_TYPES[type];
    const range = min === undefined ? '' : `; in training from ${min} to ${max}`;
    return {
      type: nullable ? [...types, 'null'] : [...types],
      description: description + range,
      ...rest,
      ...(levels && strict && { enum: [...levels.flatMap(spellings), ...(nullable ? [null] : [])] }),
      ...(levels && !strict && { examples: levels.slice(0, 10) }),
    };
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'record',
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, property(field)])),
    required: fields.map(({ name }) => name),
  };
}

/** The values that are this level: "1" is 1 as well, "true" is true. */
function spellings(level: string): (string | number | boolean)[] {
  if (level === 'true' || level === 'false') return [level, level === 'true'];
  return String(Number(level)) === level && Number.isFinite(Number(level)) ? [level, Number(level)] : [level];
}

const TYPES: Readonly<Record<FieldType, string>> = {
  number: 'number',
  category: 'string | number | boolean',
  date: 'string | number | Date',
  text: 'string',
  tags: 'readonly string[] | string',
};

/**
 * The TypeScript type of the records that a model scores, as source text.
 * @example
 * inputType(model, 'Flight'); // export interface Flight {\n  "distance": number | null; …
 */
export function inputType(model: Read, name = 'Input'): string {
  const lines = fieldsOf(model).map(({ name: field, type, nullable, levels, strict }) => {
    const values =
      levels && strict
        ? levels
            .flatMap(spellings)
            .map((level) => JSON.stringify(level))
            .join(' | ')
        : TYPES[type];
    return `  readonly ${JSON.stringify(field)}: ${values || 'never'}${nullable ? ' | null' : ''};`;
  });
  return `export interface ${name} {\n${lines.join('\n')}\n}\n`;
}
