import { LogoddsError } from '../../../../bindings/errors.ts';
import type { CheckedTable } from '../../../encode/checkedTable.ts';
import { checkDeclaration, crossParts, type Declaration, namesOf } from '../../../encode/declare.ts';
import { checkReferences, type InferOptions, inferSchema } from '../../../encode/infer.ts';
import type { Feature, PlainSchema, Schema } from '../../../encode/schema.ts';
import { show } from '../../../messages.ts';
import { resolveBoolean, resolveCategory } from './category.ts';
import { resolveCross } from './cross.ts';
import { resolveDate } from './date.ts';
import { resolveNumber } from './number.ts';
import { resolveTokens } from './tokens.ts';
import { columnOf, type DeclaredSource, TrainingRows } from './trainingRows.ts';

/** How a target-encoded feature is estimated. */
export interface TargetPlan {
  /** index into the features of the schema */
  readonly feature: number;
  readonly smooth: 'auto' | number;
  readonly folds: number;
}

export interface Resolved {
  readonly schema: Schema;
  /** features whose values must still be estimated from the outcomes */
  readonly targets: readonly TargetPlan[];
}

/**
 * Resolves a declaration on a training table to a schema. Means, knots, edges and levels are those of rows with positive weight; integer
 * weights count rows. Features keep the order of the declaration, and `others: "infer"` adds columns that no feature reads.
 *
 * @param options  as of `inferSchema`; `exclude` are columns that no feature may read
 * @throws ERR_SCHEMA as `checkDeclaration`; columns that are absent or excluded, a cross of features without levels, a boolean of three values
 * @throws ERR_RECORD a cell that its feature cannot read
 */
export function resolveSchema(table: CheckedTable, declaration: Declaration, options: InferOptions): Resolved {
  checkDeclaration(declaration);
  const read = declaration.features.flatMap((feature) => (feature.kind === 'cross' ? [] : [columnOf(feature)]));
  const excluded = read.find((column) => options.exclude.includes(column));
  if (excluded !== undefined) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `schema: expected features of columns besides target, weight, offset and excluded ones, got ${show(excluded)}; remove the feature that reads it`,
    );
  }
  table.all([...new Set(read)]);
  const parts = crossParts(declaration);
  const rows = new TrainingRows(table, options);
  const made = new Map<string, Feature>();
  const targets = new Map<string, Omit<TargetPlan, 'feature'>>();
  for (const declared of declaration.features) {
    if (declared.kind === 'cross') continue;
    for (const feature of resolveFeatures(rows, declared))
      made.set(feature.name, declared.private ? { ...feature, private: true } : feature);
    if (declared.kind === 'categorical' && declared.encoding === 'target')
      targets.set(declared.name, { smooth: declared.smooth ?? 'auto', folds: declared.folds ?? 5 });
  }
  const plain = [...made.values()];
  for (const declared of declaration.features) {
    if (declared.kind !== 'cross') continue;
    const [name] = namesOf(declared);
    made.set(name, resolveCross(rows, name, declared, parts.get(name)!, plain));
  }
  const features = declaration.features.flatMap(namesOf).map((name) => made.get(name)!);
  if (declaration.others === 'infer') features.push(...inferOthers(table, options, read, made));
  checkReferences(features, options.references ?? {});
  return {
    schema: { features },
    targets: features.flatMap((feature, i) => {
      const plan = targets.get(feature.name);
      return plan ? [{ feature: i, ...plan }] : [];
    }),
  };
}

function resolveFeatures(rows: TrainingRows, declared: DeclaredSource): Feature[] {
  switch (declared.kind) {
    case 'numeric':
      return [resolveNumber(rows, declared)];
    case 'categorical':
      return [resolveCategory(rows, declared)];
    case 'boolean':
      return [resolveBoolean(rows, declared)];
    case 'date':
      return resolveDate(rows, declared);
    case 'text':
    case 'tags':
      return [resolveTokens(rows, declared)];
  }
}

/** Features of the columns that no declared one reads. */
function inferOthers(
  table: CheckedTable,
  options: InferOptions,
  read: readonly string[],
  made: ReadonlyMap<string, Feature>,
): PlainSchema['features'] {
  const exclude = [...new Set([...options.exclude, ...read])];
  const columns = new Set(table.names.filter((name) => !exclude.includes(name)));
  if (columns.size === 0) return [];
  const own = Object.entries(options.references ?? {}).filter(([name]) => columns.has(name));
  const { features } = inferSchema(table, { ...options, exclude, references: Object.fromEntries(own) });
  const twice = features.find((feature) => made.has(feature.name));
  if (!twice) return features;
  throw new LogoddsError(
    'ERR_SCHEMA',
    `schema: expected names that no other column has, got ${show(twice.name)}; rename the feature, or drop the column`,
  );
}
