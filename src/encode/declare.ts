import { LogoddsError, refuse } from '../../bindings/errors.ts';
import { list, show } from '../messages.ts';
import { CROSS } from './coder.ts';
import { DATE_PARTS } from './date.ts';
import { isNumber, isText, rising } from './kinds/valid.ts';
import type { CodedMissing, CodedUnseen, DatePart, DateUnit } from './schema.ts';

/**
 * How columns become features, as a person writes it: the JSON of `--schema`. `fit` turns it into the `Schema` of a model, which also has every
 * number that training decides (means, knots, levels). docs/schema.json is its JSON Schema.
 */
export interface Declaration {
  readonly $schema?: string;
  readonly features: readonly DeclaredFeature[];
  /**
   * columns that no feature reads: `drop` (default) leaves them out, `infer` makes each one a feature according to its cells
   */
  readonly others?: 'drop' | 'infer';
}

/** One declared feature; `kind` says which kind. */
export type DeclaredFeature =
  | DeclaredNumber
  | DeclaredCategory
  | DeclaredBoolean
  | DeclaredDate
  | DeclaredText
  | DeclaredTags
  | DeclaredCross;

interface DeclaredColumn {
  readonly name: string;
  /** the column it is read from; absent: that of its name */
  readonly column?: string;
  /** a reason code's words; `{value}` stands for the value of the record */
  readonly reason?: string;
  /** true: the values of the column are personal; a service writes them into no log. Training and scores are the same. */
  readonly private?: true;
}

/** A column of numbers, or a part of dates as a number. */
export interface DeclaredNumber extends DeclaredColumn {
  readonly kind: 'numeric';
  /** set this where the cells are dates: the feature is this part of them */
  readonly part?: DatePart;
  /** unit of numbers that stand for dates; default ms */
  readonly unit?: DateUnit;
  /**
   * applied before standardising; without a `lambda`, training estimates it. `logit` takes probabilities: with `low` and `high` those of 0 and 1 too,
   * and what is none is refused
   */
  readonly transform?:
    | 'log'
    | 'log1p'
    | 'sqrt'
    | 'logit'
    | 'box-cox'
    | 'yeo-johnson'
    | { readonly name: 'box-cox' | 'yeo-johnson'; readonly lambda: number };
  /** unit in which the penalty measures the weight: standard deviation (default), interquartile range, or the raw unit */
  readonly scaling?: 'standard' | 'robust' | 'none';
  /** least number that is taken as it is; default none */
  readonly low?: number;
  /** greatest number that is taken as it is; default none */
  readonly high?: number;
  /**
   * what happens to a number below `low`, above `high` or outside the bins. `clip` (default): it becomes the nearest end. `baseline`: it
   * takes the value of a missing cell. `slot`: it takes the slot of missing cells. `error`: it is refused.
   */
  readonly range?: 'clip' | 'baseline' | 'slot' | 'error';
  /**
   * what a missing cell does: takes a slot of its own (default where training has missing cells), takes the value of `impute` alone, or is refused
   */
  readonly missing?: 'slot' | 'baseline' | 'error';
  /** the value that stands for a missing cell; default mean */
  readonly impute?: 'mean' | 'median' | number;
  /** number of bins, or their rising edges */
  readonly bins?: number | readonly number[];
  /** how a number of bins is cut: at quantiles (default), or into equal widths */
  readonly binning?: 'quantile' | 'uniform';
  /**
   * natural cubic spline: the number of knots (3 to 7, at Harrell's quantiles), or the knots themselves, in units of the transformed number
   */
  readonly spline?: number | readonly number[];
}

/** A column of categories, or a part of dates as a category. */
export interface DeclaredCategory extends DeclaredColumn {
  readonly kind: 'categorical';
  /** set this where the cells are dates: the feature is this part of them */
  readonly part?: DatePart;
  /** unit of numbers that stand for dates; default ms */
  readonly unit?: DateUnit;
  /**
   * `onehot` (default): a weight for each level. `target`: one number, the share of outcomes of the level. `hash`: a weight for each bucket.
   */
  readonly encoding?: 'onehot' | 'target' | 'hash';
  /** under `onehot`: `treatment` holds the reference level at weight 0; default as the option `coding` of `fit` */
  readonly coding?: 'onehot' | 'treatment';
  /** reference level under treatment coding; default the first level */
  readonly reference?: string;
  /** exactly these levels; default the levels of the training rows */
  readonly levels?: readonly string[];
  /** levels with less weight in the training rows share the slot of unseen values */
  readonly minCount?: number;
  /** greatest number of levels with a slot of their own; the most frequent ones are kept */
  readonly maxLevels?: number;
  /** for `hash`: number of buckets; default 1024 */
  readonly buckets?: number;
  /** for `target`: number of pseudo-rows of the prior; default auto (the ratio of variances) */
  readonly smooth?: 'auto' | number;
  /** for `target`: number of folds of the cross-fitting; default 5 */
  readonly folds?: number;
  readonly missing?: CodedMissing;
  readonly unseen?: CodedUnseen;
}

/** A column with at most two levels, such as true and false, 1 and 0, or yes and no. */
export interface DeclaredBoolean extends DeclaredColumn {
  readonly kind: 'boolean';
  readonly missing?: CodedMissing;
  readonly unseen?: CodedUnseen;
}

/**
 * A column of dates. Each part becomes a feature NAME.PART: quarter, month, weekday and hour are categories, the other parts numbers.
 */
export interface DeclaredDate extends DeclaredColumn {
  readonly kind: 'date';
  readonly parts: readonly DatePart[];
  /**
   * unit of numbers that stand for dates, counted from 1970: milliseconds (default) or seconds. Such a number must lie 1 to 1000 years from 1970 and
   * within 100 years of the dates of training; others are refused.
   */
  readonly unit?: DateUnit;
  readonly missing?: 'slot' | 'baseline' | 'error';
}

/** A column of free text. Its words are hashed with a sign into buckets. */
export interface DeclaredText extends DeclaredColumn {
  readonly kind: 'text';
  /** number of buckets; default 256 */
  readonly buckets?: number;
  /** unit in which the penalty measures weights: the count of a word (`none`, default), or its standard deviation */
  readonly scaling?: 'none' | 'standard';
  readonly missing?: 'baseline' | 'error';
  /** greatest number of characters of a cell; longer ones are refused; default 2^20 */
  readonly maxText?: number;
}

/** A column of lists of tags: an array in a record, the text of a JSON array, or text between separators. */
export interface DeclaredTags extends DeclaredColumn {
  readonly kind: 'tags';
  /** text between tags; default "," */
  readonly separator?: string;
  /** number of buckets, into which tags are hashed with a sign; default none: each tag of training has a slot */
  readonly buckets?: number;
  /** tags with less weight in training have no slot; default 1 */
  readonly minCount?: number;
  /** unit in which the penalty measures weights: the count of a tag (`none`, default), or its standard deviation */
  readonly scaling?: 'none' | 'standard';
  readonly missing?: 'baseline' | 'error';
  /** greatest number of characters of a cell, separators included; longer ones are refused; default 2^20 */
  readonly maxText?: number;
  readonly unseen?: 'baseline' | 'error';
}

/** A feature for each combination of the levels of other features. */
export interface DeclaredCross {
  readonly kind: 'cross';
  /** default: the names of its parts, joined by " × " */
  readonly name?: string;
  readonly reason?: string;
  /** names of two or more features with levels, or of other crosses */
  readonly of: readonly string[];
  /** number of buckets, into which combinations are hashed; default none: each combination of training has a slot */
  readonly buckets?: number;
  readonly minCount?: number;
  readonly unseen?: CodedUnseen;
}

type Test = (value: unknown) => boolean;
type Field = readonly [test: Test, rule: string];

const listOf =
  (test: Test, least: number): Test =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.every(test);
const word = (...words: readonly string[]): Field => [
  (value) => isText(value) && words.includes(value as string),
  `one of ${list(words)}`,
];
const whole = (least: number, most: number): Field => [
  (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  `a whole number from ${least} to ${most}`,
];
const TEXT: Field = [isText, 'text'];
const NAME: Field = [(value) => isText(value) && value !== '', 'a name'];
const NUMBER: Field = [isNumber, 'a finite number'];
const NAMES: Field = [(value) => listOf(isText, 1)(value), 'a list of texts'];

/** Of each kind its fields: others are refused. A function, so that a bundler can drop it. */
function fieldsByKind(): Readonly<Record<DeclaredFeature['kind'], Readonly<Record<string, Field>>>> {
  const PART = word(...DATE_PARTS);
  const UNIT = word('ms', 's');
  const MISSING = word('slot', 'baseline', 'error');
  const CODED_MISSING = word('slot', 'baseline', 'mode', 'error');
  const UNSEEN = word('slot', 'baseline', 'error');
  const COUNT: Field = [(value) => isNumber(value) && (value as number) > 0, 'a number > 0'];
  const BUCKETS = whole(2, 2 ** 20);
  /** Each bucket is a column of numbers. */
  const TOKEN_BUCKETS = whole(2, 4096);
  const MAX_TEXT = whole(1, 2 ** 29);

  const PRIVATE: Field = [(value) => value === true, 'true'];

  const COLUMN = { name: NAME, kind: TEXT, column: NAME, reason: TEXT, private: PRIVATE };
  return {
    numeric: {
      ...COLUMN,
      part: PART,
      unit: UNIT,
      transform: [
        (value) =>
          ['log', 'log1p', 'sqrt', 'logit', 'box-cox', 'yeo-johnson'].includes(value as string) ||
          (typeof value === 'object' &&
            value !== null &&
            ['box-cox', 'yeo-johnson'].includes((value as { name: string }).name) &&
            isNumber((value as { lambda: unknown }).lambda)),
        'log, log1p, sqrt, logit, box-cox, yeo-johnson, or {"name": "yeo-johnson", "lambda": 0.5}',
      ],
      scaling: word('standard', 'robust', 'none'),
      low: NUMBER,
      high: NUMBER,
      range: word('clip', 'baseline', 'slot', 'error'),
      missing: MISSING,
      impute: [(value) => value === 'mean' || value === 'median' || isNumber(value), 'mean, median or a number'],
      bins: [
        (value) => whole(2, 1000)[0](value) || (listOf(isNumber, 2)(value) && rising(value as number[])),
        'a whole number from 2 to 1000, or rising edges',
      ],
      binning: word('quantile', 'uniform'),
      spline: [
        (value) => whole(3, 7)[0](value) || (listOf(isNumber, 3)(value) && rising(value as number[])),
        'a whole number from 3 to 7, or three or more rising knots',
      ],
    },
    categorical: {
      ...COLUMN,
      part: PART,
      unit: UNIT,
      encoding: word('onehot', 'target', 'hash'),
      coding: word('onehot', 'treatment'),
      reference: TEXT,
      levels: [
        (value) => NAMES[0](value) && new Set(value as string[]).size === (value as string[]).length,
        'distinct texts',
      ],
      minCount: COUNT,
      maxLevels: whole(1, 2 ** 22),
      buckets: BUCKETS,
      smooth: [(value) => value === 'auto' || (isNumber(value) && (value as number) >= 0), 'auto or a number >= 0'],
      folds: whole(2, 100),
      missing: CODED_MISSING,
      unseen: UNSEEN,
    },
    boolean: { ...COLUMN, missing: CODED_MISSING, unseen: UNSEEN },
    date: {
      ...COLUMN,
      parts: [
        (value) => listOf(PART[0], 1)(value) && new Set(value as string[]).size === (value as string[]).length,
        `distinct parts among ${list(DATE_PARTS)}`,
      ],
      unit: UNIT,
      missing: MISSING,
    },
    text: {
      ...COLUMN,
      buckets: TOKEN_BUCKETS,
      scaling: word('none', 'standard'),
      missing: word('baseline', 'error'),
      maxText: MAX_TEXT,
    },
    tags: {
      ...COLUMN,
      separator: [(value) => isText(value) && value !== '', 'a text of one character or more'],
      scaling: word('none', 'standard'),
      buckets: TOKEN_BUCKETS,
      minCount: COUNT,
      missing: word('baseline', 'error'),
      unseen: word('baseline', 'error'),
      maxText: MAX_TEXT,
    },
    cross: {
      name: NAME,
      kind: TEXT,
      reason: TEXT,
      of: [
        (value) => listOf(isText, 2)(value) && new Set(value as string[]).size === (value as string[]).length,
        'two or more distinct names of features',
      ],
      buckets: BUCKETS,
      minCount: COUNT,
      unseen: UNSEEN,
    },
  };
}

const REQUIRED: Readonly<Partial<Record<DeclaredFeature['kind'], string>>> = { date: 'parts', cross: 'of' };

/** Fields that contradict each other: where the first is (as it says), the second must not be. */
const CONTRADICTIONS: readonly (readonly [when: (f: Fields) => boolean, fields: readonly string[], why: string])[] = [
  [(f) => f['bins'] !== undefined, ['spline', 'transform', 'scaling', 'impute'], 'beside bins'],
  [(f) => f['bins'] === undefined, ['binning'], 'without bins'],
  [(f) => Array.isArray(f['bins']), ['low', 'high', 'binning'], 'beside edges of bins'],
  [
    (f) => f['kind'] === 'numeric' && f['bins'] === undefined && f['low'] === undefined && f['high'] === undefined,
    ['range'],
    'without low, high or bins',
  ],
  [(f) => f['kind'] !== 'date' && f['part'] === undefined, ['unit'], 'without a part of dates'],
  [(f) => f['missing'] === 'error', ['impute'], 'where a missing cell is an error'],
  [
    (f) => f['encoding'] === 'target',
    ['coding', 'reference', 'levels', 'minCount', 'maxLevels', 'part'],
    'beside target encoding',
  ],
  [
    (f) => f['encoding'] === 'hash',
    ['coding', 'reference', 'levels', 'minCount', 'maxLevels', 'unseen', 'part'],
    'beside hashing',
  ],
  [(f) => f['kind'] === 'categorical' && f['encoding'] !== 'hash', ['buckets'], 'without hashing'],
  [(f) => f['encoding'] !== 'target', ['smooth', 'folds'], 'without target encoding'],
  [(f) => f['coding'] === 'onehot', ['reference'], 'under onehot coding'],
  [(f) => f['levels'] !== undefined, ['minCount', 'maxLevels'], 'beside levels'],
  [
    (f) => (f['kind'] === 'tags' || f['kind'] === 'cross') && f['unseen'] === 'error',
    ['minCount'],
    'where an unseen value is an error (rare levels of training rows would be errors, too)',
  ],
  [(f) => f['kind'] === 'tags' && f['buckets'] !== undefined, ['minCount', 'unseen'], 'beside buckets'],
  [(f) => f['kind'] === 'cross' && f['buckets'] !== undefined, ['minCount', 'unseen'], 'beside buckets'],
];

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks a declaration of features, such as the JSON of a schema file. It narrows the type of its argument to `Declaration`.
 * @throws ERR_SCHEMA for unknown kinds and fields, values outside their domain, two features of one name, fields that contradict each other, and
 * crosses of unknown features or of themselves. The message names the feature and the field.
 * @example
 * checkDeclaration({ features: [{ name: 'distance', kind: 'numeric', spline: 4 }] }); // undefined
 * checkDeclaration({ features: [{ name: 'distance', kind: 'number' }] }); // throws ERR_SCHEMA
 */
export function checkDeclaration(value: unknown): asserts value is Declaration {
  const top = value as Fields;
  if (typeof value !== 'object' || value === null || !Array.isArray(top['features']) || top['features'].length === 0) {
    refuse(
      'ERR_SCHEMA',
      'schema',
      'an object with a list "features"',
      Array.isArray(top?.['features']) ? 'an empty list' : shape(value),
      'write {"features": [{"name": "age", "kind": "numeric"}]}',
    );
  }
  const fieldsOf = fieldsByKind();
  const known = ['$schema', 'features', 'others'];
  const strange = Object.keys(top).find((key) => !known.includes(key));
  if (strange !== undefined)
    refuse('ERR_SCHEMA', 'schema', `fields ${list(known)}`, show(strange), 'remove or correct it');
  if (top['others'] !== undefined && !['drop', 'infer'].includes(top['others'] as string))
    refuse(
      'ERR_SCHEMA',
      'schema, field "others"',
      '"drop" or "infer"',
      shape(top['others']),
      'leave it out to drop them',
    );
  const names = new Set<string>();
  for (const [i, feature] of (top['features'] as unknown[]).entries()) {
    if (typeof feature !== 'object' || feature === null || Array.isArray(feature))
      refuse(
        'ERR_SCHEMA',
        `schema, feature ${i} (from 0)`,
        'an object',
        shape(feature),
        'write {"name": "age", "kind": "numeric"}',
      );
    const fields = feature as Fields;
    const name =
      fields['name'] ??
      (fields['kind'] === 'cross' && NAMES[0](fields['of']) ? crossName(fields['of'] as string[]) : undefined);
    if (!NAME[0](name))
      refuse('ERR_SCHEMA', `schema, feature ${i} (from 0)`, 'a "name"', shape(name), 'give it the name of its column');
    const what = `schema, feature ${show(name)}`;
    const kinds = Object.keys(fieldsOf);
    if (!kinds.includes(fields['kind'] as string))
      refuse('ERR_SCHEMA', `${what}, field "kind"`, `one of ${list(kinds)}`, shape(fields['kind']), 'correct it');
    const kind = fields['kind'] as DeclaredFeature['kind'];
    for (const [key, given] of Object.entries(fields)) {
      if (given === undefined) continue;
      const field = Object.hasOwn(fieldsOf[kind], key) ? fieldsOf[kind][key] : undefined;
      if (!field)
        refuse(
          'ERR_SCHEMA',
          what,
          `fields of a ${kind} feature (${Object.keys(fieldsOf[kind]).join(', ')})`,
          show(key),
          'remove or correct it',
        );
      else if (!field[0](given))
        refuse('ERR_SCHEMA', `${what}, field ${show(key)}`, field[1], shape(given), 'correct it');
    }
    const required = REQUIRED[kind];
    if (required !== undefined && fields[required] === undefined)
      refuse('ERR_SCHEMA', what, `a field ${show(required)}`, 'none', `give it ${fieldsOf[kind][required][1]}`);
    for (const [when, forbidden, why] of CONTRADICTIONS) {
      const found = when(fields) ? forbidden.find((key) => fields[key] !== undefined) : undefined;
      if (found !== undefined)
        refuse('ERR_SCHEMA', what, `no field ${show(found)} ${why}`, shape(fields[found]), 'remove one of them');
    }
    if (isNumber(fields['low']) && isNumber(fields['high']) && (fields['low'] as number) >= (fields['high'] as number))
      refuse('ERR_SCHEMA', what, 'low < high', `${fields['low']} and ${fields['high']}`, 'swap or correct them');
    const {
      low = Number.NEGATIVE_INFINITY,
      high = Number.POSITIVE_INFINITY,
      impute,
    } = fields as Partial<DeclaredNumber>;
    if (typeof impute === 'number' && !(impute >= low && impute <= high))
      refuse(
        'ERR_SCHEMA',
        `${what}, field "impute"`,
        `a number from low to high (${low} to ${high})`,
        shape(impute),
        'correct it',
      );
    if (fields['encoding'] === 'target' && fields['unseen'] === 'slot')
      refuse(
        'ERR_SCHEMA',
        `${what}, field "unseen"`,
        '"baseline" or "error" beside target encoding',
        '"slot"',
        'unseen levels have the prior: "baseline"',
      );
    if (fields['encoding'] === 'target' && fields['missing'] === 'mode')
      refuse(
        'ERR_SCHEMA',
        `${what}, field "missing"`,
        '"slot", "baseline" or "error" beside target encoding',
        '"mode"',
        'missing is a level of its own: "slot"',
      );
    for (const each of namesOf(fields as unknown as DeclaredFeature)) {
      if (names.has(each))
        refuse(
          'ERR_SCHEMA',
          'schema',
          'features of distinct names',
          `${show(each)} twice`,
          'rename one; "column" says which column it reads',
        );
      names.add(each);
    }
  }
  crossParts(value as Declaration);
}

/**
 * Returns the names of the features that a declared feature becomes.
 * @internal
 */
export function namesOf(feature: DeclaredFeature): string[] {
  if (feature.kind === 'date') return feature.parts.map((part) => `${feature.name}.${part}`);
  return [feature.kind === 'cross' ? (feature.name ?? crossName(feature.of)) : feature.name];
}

const crossName = (of: readonly string[]): string => of.join(CROSS);

/**
 * Returns for each cross, by name, the features it is made of. Crosses of crosses are taken apart.
 * @throws ERR_SCHEMA for a part that is no feature, and for a cross that contains itself
 * @internal
 */
export function crossParts({ features }: Declaration): Map<string, readonly string[]> {
  const crosses = new Map(
    features.flatMap((feature) => (feature.kind === 'cross' ? [[namesOf(feature)[0], feature.of] as const] : [])),
  );
  const known = new Set(features.flatMap(namesOf));
  const apart = new Map<string, readonly string[]>();
  for (const first of crosses.keys()) {
    // crosses under way, each a part of the one before
    const path = apart.has(first) ? [] : [first];
    const open = new Set(path);
    while (path.length > 0) {
      const name = path[path.length - 1];
      const of = crosses.get(name)!;
      const unknown = of.find((part) => !known.has(part));
      if (unknown !== undefined) {
        throw new LogoddsError(
          'ERR_SCHEMA',
          `schema, feature ${show(name)}: expected a cross of features (${list([...known].filter((one) => !crosses.has(one)))}), got ${show(unknown)}; declare it or correct the name`,
        );
      }
      const next = of.find((part) => crosses.has(part) && !apart.has(part));
      if (next === undefined) {
        apart.set(name, [...new Set(of.flatMap((part) => apart.get(part) ?? [part]))]);
        path.pop();
        open.delete(name);
      } else if (open.has(next)) {
        const round = path.slice(path.indexOf(next));
        const shown = round.length > 9 ? [...round.slice(0, 9).map(show), '…', show(next)] : [...round, next].map(show);
        throw new LogoddsError(
          'ERR_SCHEMA',
          `schema, feature ${show(next)}: expected a cross of other features, got one that contains itself (${shown.join(' of ')}); take it apart`,
        );
      } else {
        path.push(next);
        open.add(next);
      }
    }
  }
  return new Map([...crosses.keys()].map((name) => [name, apart.get(name)!]));
}

function shape(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  return show(value);
}
