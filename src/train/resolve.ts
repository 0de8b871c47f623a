import { LogoddsError } from '../../bindings/errors.ts';
import type { Part } from '../encode/coder.ts';
import { asCoded, findColumns } from '../encode/columns.ts';
import {
  checkDeclaration,
  crossParts,
  type Declaration,
  type DeclaredCategory,
  type DeclaredCross,
  type DeclaredFeature,
  type DeclaredNumber,
  type DeclaredTags,
  type DeclaredText,
  namesOf,
} from '../encode/declare.ts';
import { Encoder } from '../encode/encoder.ts';
import {
  Counts,
  checkReferences,
  type InferOptions,
  inferSchema,
  type Moments,
  momentsOf,
  numericFeature,
  onlyMissing,
  referenceIndex,
  sortLabels,
} from '../encode/infer.ts';
import { list, show } from '../encode/label.ts';
import { applyTransform, fitPower } from '../encode/power.ts';
import { quantileEdges, uniformEdges, weightedQuantile } from '../encode/quantile.ts';
import { binOf, CROSS, Curve, encoders, levelsOf, numbersOf, tokensOf } from '../encode/rich.ts';
import type {
  BinnedFeature,
  CategoricalFeature,
  CrossFeature,
  CurveFeature,
  DatePart,
  DatePartFeature,
  Feature,
  HashedFeature,
  Schema,
  TargetFeature,
  TokensFeature,
  Transform,
} from '../encode/schema.ts';
import { splineKnots } from '../encode/spline.ts';
import type { Column, NumericColumn, Table } from '../encode/table.ts';

/** How a target-encoded feature is estimated. */
export interface TargetPlan {
  /** index into the features of the schema */
  readonly feature: number;
  readonly smooth: 'auto' | number;
  readonly folds: number;
}

export interface Resolved {
  readonly schema: Schema;
  /** features whose values are yet to be estimated from the outcomes */
  readonly targets: readonly TargetPlan[];
}

/** Parts of dates that are categories rather than numbers. */
const CYCLES: readonly DatePart[] = ['quarter', 'month', 'weekday', 'hour'];

/** A slot for each tag at most; more are hashed. */
const MOST_TAGS = 2000;

/**
 * The schema that a declaration means on a training table: means, knots, edges, levels are those of its rows of positive weight, integer
 * weights counting rows. Features come in the order of the declaration; `others: "infer"` adds the columns that no feature reads.
 *
 * @param options  as of `inferSchema`; `exclude` are columns that no feature may read
 * @throws ERR_SCHEMA as `checkDeclaration`; columns that are absent or excluded, a cross of features without levels, a boolean of three values
 * @throws ERR_RECORD a cell that its feature cannot read
 */
export function resolveSchema(table: Table, declaration: Declaration, options: InferOptions): Resolved {
  checkDeclaration(declaration);
  const read = declaration.features.flatMap((feature) => (feature.kind === 'cross' ? [] : [columnOf(feature)]));
  const excluded = read.find((column) => options.exclude.includes(column));
  if (excluded !== undefined) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema: expected features of columns besides target, weight, offset and excluded ones, got ${show(excluded)}; remove the feature that reads it`,
    );
  }
  findColumns(table, [...new Set(read)]);
  const parts = crossParts(declaration);
  const resolver = new Resolver(table, options);
  const made = new Map<string, Feature>();
  const targets = new Map<string, Omit<TargetPlan, 'feature'>>();
  for (const declared of declaration.features) {
    if (declared.kind === 'cross') continue;
    for (const feature of resolver.features(declared)) made.set(feature.name, feature);
    if (declared.kind === 'categorical' && declared.encoding === 'target')
      targets.set(declared.name, { smooth: declared.smooth ?? 'auto', folds: declared.folds ?? 5 });
  }
  const plain = [...made.values()];
  for (const declared of declaration.features) {
    if (declared.kind !== 'cross') continue;
    const [name] = namesOf(declared);
    made.set(name, resolver.cross(name, declared, parts.get(name)!, plain));
  }
  const features = declaration.features.flatMap(namesOf).map((name) => made.get(name)!);
  if (declaration.others === 'infer') {
    const names = table.columns.map((column) => column.name);
    const taken = [...new Set([...options.exclude, ...read])];
    if (names.some((name) => !taken.includes(name))) {
      const columns = new Set(names.filter((name) => !taken.includes(name)));
      const own = Object.entries(options.references ?? {}).filter(([name]) => columns.has(name));
      const inferred = inferSchema(table, { ...options, exclude: taken, references: Object.fromEntries(own) });
      const twice = inferred.features.find((feature) => made.has(feature.name));
      if (twice) {
        throw new LogoddsError(
          'ERR_SCHEMA',
          `schema: expected names that no other column has, got ${show(twice.name)}; rename the feature, or drop the column`,
        );
      }
      features.push(...inferred.features);
    }
  }
  checkReferences(features, options.references ?? {});
  return {
    schema: { features },
    targets: features.flatMap((feature, i) => {
      const plan = targets.get(feature.name);
      return plan ? [{ feature: i, ...plan }] : [];
    }),
  };
}

const columnOf = (feature: Exclude<DeclaredFeature, DeclaredCross>): string => feature.column ?? feature.name;

class Resolver {
  readonly #table: Table;
  readonly #options: InferOptions;
  readonly #weight: Float64Array | null;

  constructor(table: Table, options: InferOptions) {
    this.#table = table;
    this.#options = options;
    this.#weight = options.weight ?? null;
  }

  features(declared: Exclude<DeclaredFeature, DeclaredCross>): Feature[] {
    switch (declared.kind) {
      case 'numeric':
        return [this.#number(declared)];
      case 'categorical':
        return [this.#category(declared)];
      case 'boolean':
        return [this.#boolean(this.#category({ ...declared, kind: 'categorical' }))];
      case 'date':
        return declared.parts.map((part) => {
          const { name, missing, reason } = declared;
          const feature = { name: `${name}.${part}`, column: columnOf(declared), part, missing, reason };
          return CYCLES.includes(part)
            ? this.#category({ ...feature, kind: 'categorical' })
            : this.#number({ ...feature, kind: 'numeric' });
        });
      case 'text':
      case 'tags':
        return [this.#tokens(declared)];
    }
  }

  #column(declared: Exclude<DeclaredFeature, DeclaredCross>): Column {
    return findColumns(this.#table, [columnOf(declared)])[0];
  }

  #number(declared: DeclaredNumber): Feature {
    const { name, column, part, low = null, high = null, impute = 'mean', missing, range = 'clip', reason } = declared;
    const { rows } = this.#table;
    const numbers = numbersOf(declared, this.#column(declared), rows, 0);
    const found = momentsOf({ ...numbers, name: columnOf(declared) }, rows, this.#weight, 0);
    if (found.total === 0) throw onlyMissing(columnOf(declared));
    const common = { name, ...(reason !== undefined && { reason }) };
    if (declared.bins !== undefined) return this.#bins(declared, numbers, found);
    const { transform, scaling = 'standard', spline } = declared;
    const plain =
      transform === undefined &&
      spline === undefined &&
      scaling === 'standard' &&
      impute === 'mean' &&
      (missing ?? 'slot') !== 'error' &&
      low === null &&
      high === null &&
      part === undefined &&
      (column ?? name) === name;
    if (plain) return { ...numericFeature(name, found, (missing ?? this.#gaps) === 'slot'), ...common };

    const clip = (x: number): number => Math.min(Math.max(x, low ?? x), high ?? x);
    const { values, weights } = this.#present(numbers);
    const used = range === 'clip' ? values.map(clip) : values.filter((x) => clip(x) === x);
    const kept = range === 'clip' ? weights : (weights?.filter((_, i) => clip(values[i]) === values[i]) ?? null);
    if (used.length === 0) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `schema, feature ${show(name)}: expected training values from ${low ?? '-Infinity'} to ${high ?? 'Infinity'}, got none; correct "low" and "high"`,
      );
    }
    const resolved: Transform | null =
      transform === undefined
        ? null
        : typeof transform === 'object'
          ? transform
          : transform === 'box-cox' || transform === 'yeo-johnson'
            ? { name: transform, lambda: fitPower(transform, used, kept) }
            : { name: transform };
    const fill =
      typeof impute === 'number'
        ? impute
        : impute === 'median'
          ? weightedQuantile(used, kept, [0.5])[0]
          : meanOf(used, kept);
    const knots = this.#knots(spline, resolved, used, kept);
    const curve = new Curve({ name, column, transform: resolved, knots });
    const planes = Array.from({ length: curve.width }, () => new Float64Array(used.length));
    const cell = new Float64Array(curve.width);
    for (let i = 0; i < used.length; i++) {
      curve.put(used[i], null, cell, 0);
      for (let j = 0; j < cell.length; j++) planes[j][i] = cell[j];
    }
    const moments = planes.map((plane) => spreadOf(name, plane, kept));
    const units: Readonly<Record<string, (j: number) => number>> = {
      standard: () => 1,
      robust: (j) => {
        const [first, third] = weightedQuantile(planes[j], kept, [0.25, 0.75]);
        return (third - first) / moments[j].scale || 1;
      },
      none: (j) => 1 / moments[j].scale,
    };
    const slot = (missing ?? this.#gaps) === 'slot' && found.gaps;
    const feature: CurveFeature = {
      ...common,
      kind: 'curve',
      ...(column !== undefined && { column }),
      ...(part !== undefined && { part }),
      transform: resolved,
      knots,
      low,
      high,
      range,
      missing: missing === 'error' ? 'error' : slot ? 'slot' : 'baseline',
      fill,
      min: found.min,
      max: found.max,
      means: moments.map(({ mean }) => mean),
      scales: moments.map(({ scale }) => scale),
      units: moments.map((_, j) => units[scaling](j)),
    };
    return feature;
  }

  get #gaps(): 'slot' | 'baseline' {
    return this.#options.missing === 'mode' ? 'baseline' : 'slot';
  }

  #knots(
    spline: DeclaredNumber['spline'],
    transform: Transform | null,
    values: Float64Array,
    weights: Float64Array | null,
  ): readonly number[] | null {
    if (spline === undefined) return null;
    if (typeof spline === 'object') return spline;
    const transformed = transform ? values.map((x) => applyTransform(transform, x)) : values;
    return [...splineKnots(transformed, weights, spline)];
  }

  #bins(declared: DeclaredNumber, numbers: NumericColumn, found: Moments): BinnedFeature {
    const { name, column, part, reason, bins, binning = 'quantile', low, high, range = 'clip', missing } = declared;
    const { values, weights } = this.#present(numbers);
    const inside = (x: number): boolean => x >= (low ?? x) && x <= (high ?? x);
    const kept = values.filter(inside);
    const keptWeights = weights?.filter((_, i) => inside(values[i])) ?? null;
    const edges =
      typeof bins === 'object'
        ? bins
        : binning === 'uniform'
          ? [...uniformEdges(kept, keptWeights, bins!)]
          : [...quantileEdges(kept, keptWeights, bins!)];
    if (edges.length < 2) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `schema, feature ${show(name)}: expected a column with two values or more to cut into bins, got ${found.min} only; drop the feature`,
      );
    }
    const last = edges.length - 2;
    const levels = edges.slice(1).map((end, i) => `[${edges[i]}, ${end}${i === last ? ']' : ')'}`);
    const bin = binOf({ edges });
    const counts = this.#counts(levels.length, numbers, (i) => {
      const code = bin(numbers.values[i]);
      return code >= 0 ? code : range !== 'clip' ? null : code === -1 ? 0 : last;
    });
    return {
      name,
      kind: 'binned',
      ...(reason !== undefined && { reason }),
      ...(column !== undefined && { column }),
      ...(part !== undefined && { part }),
      edges,
      range,
      levels,
      counts,
      ...this.#coding(name, undefined, undefined, levels),
      missing: missing ?? 'slot',
      unseen: range === 'clip' ? 'slot' : range,
    };
  }

  /** Weight of each code, then of missing cells. */
  #counts(levels: number, { missing }: Pick<Column, 'missing'>, codeOf: (row: number) => number | null): number[] {
    const counts = new Array<number>(levels + 1).fill(0);
    for (let i = 0; i < this.#table.rows; i++) {
      const s = this.#weight ? this.#weight[i] : 1;
      if (s === 0) continue;
      const code = missing?.[i] ? levels : codeOf(i);
      if (code !== null) counts[code] += s;
    }
    return counts;
  }

  #coding(
    name: string,
    coding: 'onehot' | 'treatment' | undefined,
    reference: string | undefined,
    levels: readonly string[],
  ): Pick<CategoricalFeature, 'coding' | 'reference'> {
    const { references = {} } = this.#options;
    const named = reference ?? (Object.hasOwn(references, name) ? references[name] : undefined);
    const used = coding ?? (reference !== undefined ? 'treatment' : this.#options.coding);
    if (used === 'onehot') return { coding: 'onehot', reference: null };
    return {
      coding: 'treatment',
      reference: referenceIndex(name, levels, named === undefined ? {} : { [name]: named }),
    };
  }

  #category(declared: DeclaredCategory): CategoricalFeature | DatePartFeature | TargetFeature | HashedFeature {
    const { name, column, part, reason, encoding = 'onehot', coding, reference, missing, unseen } = declared;
    const { rows } = this.#table;
    const common = { name, ...(reason !== undefined && { reason }), ...(column !== undefined && { column }) };
    const source = this.#column(declared);
    const cells = asCoded(part === undefined ? source : numbersOf(declared, source, rows, 0), rows, 0);
    const all = new Counts();
    all.add({ ...cells, name: columnOf(declared) }, rows, this.#weight, 0);
    const { levels: sorted, counts } = all.sorted(columnOf(declared));
    const gap = missing ?? this.#options.missing ?? 'slot';
    if (encoding === 'target') {
      return {
        ...common,
        kind: 'target',
        levels: sorted,
        counts,
        values: [],
        missing: gap === 'mode' ? 'baseline' : gap,
        unseen: unseen === 'error' || (unseen === undefined && this.#options.unseen === 'error') ? 'error' : 'baseline',
        means: [],
        scales: [],
      };
    }
    if (encoding === 'hash')
      return this.#hashed({ ...common, of: null, buckets: declared.buckets ?? 1024, missing: gap }, cells);
    const { levels, rare } = keptLevels(declared, sorted, counts);
    const known = new Set(levels);
    const beyond = declared.levels && unseen === 'error' ? sorted.find((level) => !known.has(level)) : undefined;
    if (beyond !== undefined) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `schema, feature ${show(name)}, field "levels": expected every level of training (unseen values are errors), got none for ${show(beyond)}; add it, or give unseen values a slot`,
      );
    }
    if (levels.length === 0) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `schema, feature ${show(name)}: expected a level of weight ${declared.minCount} or more, got ${counts.slice(0, -1).reduce((most, count) => Math.max(most, count))} at most; lower "minCount"`,
      );
    }
    const weightOf = new Map(sorted.map((level, code) => [level, counts[code]]));
    const coded = {
      ...common,
      levels,
      counts: [...levels.map((level) => weightOf.get(level) ?? 0), counts[sorted.length]],
      ...this.#coding(name, coding, reference, levels),
      missing: gap,
      unseen: unseen ?? this.#options.unseen ?? 'slot',
    };
    if (part !== undefined) return { ...coded, kind: 'date', part };
    return { ...coded, kind: 'categorical', ...(rare.length > 0 && { rare }) };
  }

  #boolean(feature: Feature): Feature {
    if (feature.kind !== 'categorical' || feature.levels.length <= 2) return feature;
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema, feature ${show(feature.name)}: expected a boolean of at most two values, got ${list(feature.levels)}; declare it categorical`,
    );
  }

  #hashed(
    { buckets, ...rest }: Omit<HashedFeature, 'kind' | 'counts'>,
    cells: Column | null,
    features: readonly Feature[] = [],
  ): HashedFeature {
    const empty: HashedFeature = {
      ...rest,
      kind: 'hashed',
      buckets,
      counts: new Array<number>(2 * buckets + 1).fill(0),
      // while counting, each gap has its slot
      missing: 'slot',
    };
    const codes = this.#codesOf(empty, features);
    const counts = this.#counts(2 * buckets, { missing: cells?.missing }, (i) =>
      codes[i] <= 2 * buckets ? codes[i] : null,
    );
    return { ...empty, missing: rest.missing, counts };
  }

  /** The code of each row in the one coded column of a feature. */
  #codesOf(feature: Feature, parts: readonly Feature[]): Uint32Array {
    const { rows } = this.#table;
    const encoder = new Encoder(lenient({ features: [...parts, feature] }), encoders);
    const columns = new Map<number, Float64Array | Uint32Array>();
    const column = <T extends Float64Array | Uint32Array>(j: number, make: () => T): T => {
      if (!columns.has(j)) columns.set(j, make());
      return columns.get(j) as T;
    };
    const batch: Part['batch'] & { readonly rows: number } = {
      rows,
      numeric: (j) => column(j, () => new Float64Array(rows)),
      codes: (j) => column(j, () => new Uint32Array(rows)),
    };
    encoder.encode(this.#table, batch as never, { standardize: false });
    return batch.codes(encoder.specs.length - 1) as Uint32Array;
  }

  /** @param plain  all features but crosses */
  cross(
    name: string,
    declared: DeclaredCross,
    of: readonly string[],
    plain: readonly Feature[],
  ): CrossFeature | HashedFeature {
    const parts = of.map((one) => plain.find((feature) => feature.name === one)!);
    const wrong = parts.find((part) => levelsOf(part) === null);
    if (wrong || of.length < 2) {
      const what = `schema, feature ${show(name)}`;
      throw new LogoddsError(
        'ERR_SCHEMA',
        wrong
          ? `${what}: expected a cross of features with levels, got ${show(wrong.name)} (${wrong.kind}); give it "bins", or one-hot encoding`
          : `${what}: expected two features or more, got ${show(of[0])} alone; add another`,
      );
    }
    const reason = declared.reason === undefined ? {} : { reason: declared.reason };
    const missing = this.#options.missing === 'mode' ? 'baseline' : 'slot';
    if (declared.buckets !== undefined) {
      return this.#hashed({ name, ...reason, of, buckets: declared.buckets, missing }, null, parts);
    }
    // the cells that occur: the codes of all parts as one number
    const sizes = parts.map((part) => levelsOf(part)!.length);
    if (sizes.reduce((product, size) => product * (size + 2), 1) > Number.MAX_SAFE_INTEGER) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `schema, feature ${show(name)}: expected at most 2^53 combinations, got more; give it "buckets"`,
      );
    }
    const codes = parts.map((part) => this.#codesOf(part, []));
    const cells = new Map<number, number>();
    let gaps = 0;
    for (let i = 0; i < this.#table.rows; i++) {
      const s = this.#weight ? this.#weight[i] : 1;
      if (s === 0) continue;
      let cell = 0;
      let past = -1;
      for (let j = 0; j < parts.length; j++) {
        if (codes[j][i] >= sizes[j] && past !== 0) past = codes[j][i] - sizes[j];
        cell = cell * sizes[j] + codes[j][i];
      }
      if (past === 0) gaps += s;
      else if (past < 0) cells.set(cell, (cells.get(cell) ?? 0) + s);
    }
    const kept = [...cells].filter(([, count]) => count >= (declared.minCount ?? 0)).sort(([a], [b]) => a - b);
    const levels = kept.map(([cell]) => {
      let rest = cell;
      const names: string[] = [];
      for (let j = parts.length - 1; j >= 0; j--) {
        names.unshift(levelsOf(parts[j])![rest % sizes[j]]);
        rest = Math.floor(rest / sizes[j]);
      }
      return names.join(CROSS);
    });
    if (levels.length === 0 || new Set(levels).size < levels.length) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `schema, feature ${show(name)}: expected ${levels.length === 0 ? 'a combination that occurs often enough' : `levels without "${CROSS}" in their names`}, got ${levels.length === 0 ? 'none' : 'two combinations of one name'}; ${levels.length === 0 ? 'lower "minCount"' : 'rename the levels, or give it "buckets"'}`,
      );
    }
    return {
      name,
      ...reason,
      kind: 'cross',
      of,
      levels,
      counts: [...kept.map(([, count]) => count), gaps],
      ...this.#coding(name, undefined, undefined, levels),
      missing,
      unseen: declared.unseen ?? this.#options.unseen ?? 'slot',
    };
  }

  #tokens(declared: DeclaredText | DeclaredTags): TokensFeature {
    const { name, column, reason, missing = 'baseline' } = declared;
    const { rows } = this.#table;
    const cells = asCoded(this.#column(declared), rows, 0);
    const by: TokensFeature['split'] = declared.kind === 'text' ? 'words' : { separator: declared.separator ?? ',' };
    const lists = cells.levels.map((level) => tokensOf({ split: by }, level));
    const rowsOfLevel = this.#counts(lists.length, cells, (i) => cells.codes[i]);
    const total = rowsOfLevel.reduce((sum, count) => sum + count, 0);
    const buckets = declared.kind === 'text' ? (declared.buckets ?? 256) : declared.buckets;
    const tokens = buckets !== undefined ? { buckets } : vocabulary(declared as DeclaredTags, lists, rowsOfLevel);
    const width = 'buckets' in tokens ? tokens.buckets : tokens.length;
    const draft: TokensFeature = {
      name,
      ...(reason !== undefined && { reason }),
      kind: 'tokens',
      ...(column !== undefined && { column }),
      split: by,
      tokens,
      missing,
      unseen: declared.kind === 'tags' ? (declared.unseen ?? 'baseline') : 'baseline',
      means: new Array<number>(width).fill(0),
      scales: new Array<number>(width).fill(1),
    };
    // moments by distinct cell: of most tokens a cell has none
    const sums = new Float64Array(width);
    const squares = new Float64Array(width);
    const cell = new Float64Array(width);
    const counting = new Encoder({ features: [{ ...draft, missing: 'baseline', unseen: 'baseline' }] }, encoders);
    lists.forEach((entries, code) => {
      const count = rowsOfLevel[code];
      if (count === 0 || entries.length === 0) return;
      counting.encodeRecord({ [columnOf(declared)]: cells.levels[code] }, cell);
      for (let j = 0; j < width; j++) {
        if (cell[j] === 0) continue;
        sums[j] += count * cell[j];
        squares[j] += count * cell[j] ** 2;
      }
    });
    const means = Array.from(sums, (sum) => sum / total);
    const scales = means.map((mean, j) => Math.sqrt(Math.max(0, squares[j] / total - mean * mean)) || 1);
    return { ...draft, means, scales };
  }

  /** Values of the cells that are not missing, and their weights, of rows of positive weight. */
  #present({ values, missing }: NumericColumn): { values: Float64Array; weights: Float64Array | null } {
    const weight = this.#weight;
    const rows: number[] = [];
    for (let i = 0; i < this.#table.rows; i++) if (!missing?.[i] && !(weight && weight[i] === 0)) rows.push(i);
    return {
      values: Float64Array.from(rows, (i) => values[i]),
      weights: weight && Float64Array.from(rows, (i) => weight[i]),
    };
  }
}

const meanOf = (values: Float64Array, weights: Float64Array | null): number => spreadOf('', values, weights).mean;

/** Weighted mean and population standard deviation, 1 when constant. */
export function spreadOf(
  name: string,
  values: Float64Array,
  weights: Float64Array | null,
): { readonly mean: number; readonly scale: number } {
  const { mean, spread } = momentsOf({ name, kind: 'numeric', values }, values.length, weights, 0);
  return { mean, scale: spread > 0 ? spread : 1 };
}

/** With a slot for unseen values everywhere: rows of weight 0 may hold levels that no counted row has. */
export function lenient({ features }: Schema): Schema {
  return {
    features: features.map((feature) =>
      'unseen' in feature && feature.unseen === 'error'
        ? {
            ...feature,
            unseen: feature.kind === 'target' || feature.kind === 'tokens' ? 'baseline' : ('slot' as never),
          }
        : feature,
    ),
  };
}

/** The levels that have a slot, and those that share one. */
function keptLevels(
  { levels: given, minCount = 0, maxLevels = Number.POSITIVE_INFINITY }: DeclaredCategory,
  sorted: readonly string[],
  counts: readonly number[],
): { readonly levels: readonly string[]; readonly rare: readonly string[] } {
  if (given) return { levels: given, rare: [] };
  const frequent = sorted
    .map((level, code) => ({ level, count: counts[code] }))
    .filter(({ count }) => count >= minCount)
    .sort((a, b) => b.count - a.count)
    .slice(0, maxLevels);
  const kept = new Set(frequent.map(({ level }) => level));
  return { levels: sorted.filter((level) => kept.has(level)), rare: sorted.filter((level) => !kept.has(level)) };
}

/** Tags that have a slot: of enough rows. @throws ERR_SCHEMA when there are too many, or none */
function vocabulary(
  { name, minCount = 0 }: DeclaredTags,
  lists: readonly (readonly string[])[],
  counts: readonly number[],
): readonly string[] {
  const rows = new Map<string, number>();
  lists.forEach((entries, code) => {
    for (const token of new Set(entries)) rows.set(token, (rows.get(token) ?? 0) + counts[code]);
  });
  const tags = sortLabels([...rows].filter(([, count]) => count > 0 && count >= minCount).map(([tag]) => tag));
  if (tags.length === 0 || tags.length > MOST_TAGS) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema, feature ${show(name)}: expected from 1 to ${MOST_TAGS} tags, got ${tags.length}; ${tags.length === 0 ? 'check its separator, or lower "minCount"' : 'raise "minCount", or give it "buckets"'}`,
    );
  }
  return tags;
}
