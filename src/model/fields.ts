import { LogoddsError } from '../../bindings/errors.ts';
import { sourceOf } from '../encode/coder.ts';
import type { Feature, Schema } from '../encode/schema.ts';
import { show } from '../messages.ts';

/** One input of a model: a field of a record, or a column of a table. */
export interface Field {
  readonly name: string;
  /** see `FieldType` */
  readonly type: FieldType;
  /** true: null is taken as a missing value; false: null is refused */
  readonly nullable: boolean;
  /**
   * categories or tags of the training rows, in the order of the schema; absent for other types, and where values are hashed
   */
  readonly levels?: readonly string[];
  /** true: values outside `levels` are refused; absent: they are taken */
  readonly strict?: true;
  /** numbers below are refused; absent: no lower end */
  readonly low?: number;
  /** numbers above are refused; absent: no upper end */
  readonly high?: number;
  /** greatest number of characters of a text or list, separators included; longer ones are refused; absent: 2^20 */
  readonly maxText?: number;
  /** least and greatest number of the training rows; absent where not known */
  readonly min?: number;
  readonly max?: number;
  /** true: its values are personal; absent: they are not said to be */
  readonly private?: true;
  /** names of the features made of this input; empty for the offset */
  readonly features: readonly string[];
}

/**
 * The values that an input takes. `number`: finite numbers. `category`: text, numbers or booleans. `date`: ISO 8601 text, `Date`, or numbers.
 * `text`: text of words. `tags`: a list of texts.
 */
export type FieldType = 'number' | 'category' | 'date' | 'text' | 'tags';

/** What `fieldsOf` reads of a model. */
interface Read {
  readonly manifest: { readonly schema: Schema; readonly offset: string | null };
}

/**
 * Returns the fields that a model reads, in the order of its schema, the offset last.
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
  const levels = levelsOf(type, feature);
  const strict = levels && 'unseen' in feature && feature.unseen === 'error';
  return {
    name,
    type,
    nullable,
    ...(levels && { levels }),
    ...(strict && { strict }),
    ...(type === 'number' && { ...endsOf(feature), ...rangeOf(feature) }),
    ...('maxText' in feature && feature.maxText !== undefined && { maxText: feature.maxText }),
    ...(feature.private && { private: true }),
    features: [feature.name],
  };
}

function levelsOf(type: FieldType, feature: Feature): readonly string[] | null {
  if (feature.kind === 'tokens') return 'buckets' in feature.tokens ? null : feature.tokens;
  if (type !== 'category' || !('levels' in feature)) return null;
  return [...feature.levels, ...(('rare' in feature && feature.rare) || [])];
}

/** Where numbers begin and end to be refused. */
function endsOf(feature: Feature): Pick<Field, 'low' | 'high'> {
  if (feature.kind === 'binned') {
    const { range, edges } = feature;
    return range === 'error' ? { low: edges[0], high: edges[edges.length - 1] } : {};
  }
  if (feature.kind !== 'curve') return {};
  const { transform, range } = feature;
  const strict = range === 'error';
  // with both ends probabilities of 0 and 1 are set to them
  if (transform?.name === 'logit' && !strict && feature.low !== null && feature.high !== null)
    return { low: 0, high: 1 };
  const domain = (transform && LEAST[transform.name]) ?? Number.NEGATIVE_INFINITY;
  const own = feature.low ?? Number.NEGATIVE_INFINITY;
  // a number below the own end is set to it, or taken for a missing one, and never reaches the transform
  const low = own < domain ? domain : strict ? own : Number.NEGATIVE_INFINITY;
  return {
    ...(low > Number.NEGATIVE_INFINITY && { low }),
    ...(strict && feature.high !== null
      ? { high: feature.high }
      : transform?.name === 'logit' && { high: 1 - 2 ** -53 }),
  };
}

/** The least double that a transform takes. */
const LEAST: Readonly<Record<string, number | undefined>> = {
  log: Number.MIN_VALUE,
  'box-cox': Number.MIN_VALUE,
  log1p: -1 + 2 ** -53,
  sqrt: 0,
  logit: Number.MIN_VALUE,
};

function typeOf(feature: Feature): FieldType {
  const part = 'part' in feature ? feature.part : undefined;
  if (part !== undefined) return 'date';
  switch (feature.kind) {
    case 'numeric':
    case 'curve':
    case 'binned':
      return 'number';
    case 'date':
      return 'date';
    case 'tokens':
      return feature.split === 'words' ? 'text' : 'tags';
    case 'categorical':
    case 'target':
    case 'hashed':
    case 'cross':
      return 'category';
  }
}

function rangeOf(feature: Feature): Pick<Field, 'min' | 'max'> {
  if (!('min' in feature)) return {};
  const known = Math.max(-feature.min, feature.max) < Number.MAX_VALUE;
  return known ? { min: feature.min, max: feature.max } : {};
}

/** Values of an earlier type are taken by the later ones as well, but for a number that is no date. */
const NARROW: readonly FieldType[] = ['number', 'date', 'category', 'text', 'tags'];

/** Two features of one field: it must do for both. */
function merged(one: Field, other: Field): Field {
  const [first, second] = NARROW.indexOf(one.type) <= NARROW.indexOf(other.type) ? [one, other] : [other, one];
  const { levels: own, strict: _, ...rest } = first;
  const strict = one.strict || other.strict;
  const lists = (strict ? [one, other].filter((field) => field.strict) : [first]).map(({ levels }) => levels);
  const levels = lists.length > 1 ? lists[0]!.filter((level) => lists[1]!.includes(level)) : lists[0];
  return {
    ...rest,
    nullable: one.nullable && other.nullable,
    ...(levels && { levels }),
    ...(strict && { strict }),
    ...most('low', Math.max, first, second),
    ...most('high', Math.min, first, second),
    ...most('maxText', Math.min, first, second),
    ...((one.private || other.private) && { private: true }),
    features: [...one.features, ...other.features],
  };
}

/** The stricter of two limits. */
function most(name: 'low' | 'high' | 'maxText', of: (...values: number[]) => number, ...fields: readonly Field[]) {
  const values = fields.map((field) => field[name]).filter((value) => value !== undefined);
  return values.length > 0 ? { [name]: of(...values) } : {};
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
 * Returns the JSON Schema of the records that a model scores, for validators, OpenAPI and forms.
 *
 * Every field is required, as for `score`; null is a missing value where the model takes one. `score` takes every record that the schema
 * allows, with these exceptions: text and numbers that are no date, a list of tags or a text with wide characters beyond `maxText`, and numbers so
 * large that a transform or the logit overflows.
 * @example
 * const { properties, required } = inputSchema(model);
 * required; // ['distance', 'origin']
 * Object.keys(properties); // ['distance', 'origin']
 */
export function inputSchema(model: Read): InputSchema {
  const fields = fieldsOf(model);
  const property = ({ type, nullable, levels, strict, low, high, maxText, min, max }: Field): object => {
    const { type: types, description, ...rest } = JSON_TYPES[type];
    const range = min === undefined ? '' : `; in training from ${min} to ${max}`;
    const told = levels && (strict ? { enum: levels.flatMap(spellings) } : { examples: levels.slice(0, 10) });
    const list = strict && type === 'tags';
    return {
      type: [...(list ? ['array'] : types), ...(nullable ? ['null'] : [])],
      description: description + range,
      ...rest,
      ...(list && { items: { type: 'string', enum: levels } }),
      ...(told && type !== 'tags' && { ...told, ...(told.enum && nullable && { enum: [...told.enum, null] }) }),
      ...(low !== undefined && { minimum: low }),
      ...(high !== undefined && { maximum: high }),
      ...(maxText !== undefined && { maxLength: maxText }),
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
 * Returns the TypeScript type of the records that a model scores, as source text.
 * @param name  name of the interface
 * @example
 * const lines = inputType(model, 'Flight').split('\n');
 * lines[0]; // 'export interface Flight {'
 * lines[1]; // '  readonly "distance": number | null;'
 */
export function inputType(model: Read, name = 'Input'): string {
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name)) {
    throw new LogoddsError('ERR_RANGE', `name: expected the name of a type, got ${show(name)}; use letters and digits`);
  }
  const lines = fieldsOf(model).map(({ name: field, type, nullable, levels, strict }) => {
    const known = strict && levels?.flatMap(type === 'tags' ? String : spellings).map((one) => JSON.stringify(one));
    const union = known && (known.join(' | ') || 'never');
    const values = union ? (type === 'tags' ? `readonly (${union})[]` : union) : TYPES[type];
    return `  readonly ${JSON.stringify(field)}: ${values}${nullable ? ' | null' : ''};`;
  });
  return `export interface ${name} {\n${lines.join('\n')}\n}\n`;
}
