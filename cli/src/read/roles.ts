/** The roles of columns, and contradictions between options about them. */
import { type Declaration, LogoddsError } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { type Need, needsOf } from '../../../src/text.ts';
import { Names, requireColumns } from './names.ts';

/**
 * Receives an error about a column that cannot be read. If reading continues without it, an error about cells has their number in `cells`.
 * @returns whether to continue
 */
export type Unreadable = (part: Part, error: unknown) => boolean;

export const MISSING_POLICIES = ['slot', 'mean', 'drop'] as const;
/** Treatment of missing cells in features: a weight of their own, the mean (or most frequent level), or the row is left out. */
export type MissingPolicy = (typeof MISSING_POLICIES)[number];

/** The roles of columns. */
export interface Roles {
  readonly target: string;
  readonly weight?: string;
  readonly offset?: string;
  /** column with the number of trials, if the target counts successes */
  readonly trials?: string;
  /** default: every column without another role */
  readonly features?: readonly string[];
  readonly drop?: readonly string[];
  readonly categorical?: readonly string[];
  readonly numeric?: readonly string[];
  /** rows with the largest values of this column are held out; it is not a feature unless `features` names it */
  readonly holdoutBy?: string;
  /** rows with the same value of this column may depend on one another */
  readonly cluster?: string;
  /** rows with the same value of this column stay in one fold */
  readonly groups?: string;
  /** order of the rows, for folds by time */
  readonly time?: string;
  /** how columns become features; with it only `drop` is allowed beside it */
  readonly schema?: Declaration;
  /** treatment of missing cells in features; slot when absent */
  readonly missing?: MissingPolicy;
}

export type Role = 'feature' | 'target' | 'weight' | 'offset' | 'trials' | 'cluster' | 'groups' | 'time';

/** How columns that are not features are read. */
export const READ: Readonly<Record<Exclude<Role, 'feature' | 'target'>, 'coded' | 'numeric' | 'order'>> = {
  weight: 'numeric',
  offset: 'numeric',
  trials: 'numeric',
  time: 'order',
  cluster: 'coded',
  groups: 'coded',
};

/** A column in use. */
export interface Part {
  readonly name: string;
  readonly role: Role;
  /** numbers, categories, values that order rows, the needs of a schema's features, or decided by its cells */
  readonly read: 'numeric' | 'coded' | 'order' | 'needs' | 'infer';
  /** the needs of a schema's features */
  readonly needs: ReadonlySet<Need> | null;
  /** treatment of a missing cell: the fit decides, its row is left out, or it is an error */
  readonly gaps: 'keep' | 'drop' | 'refuse';
}

/**
 * Every column in use, in the order of the source.
 * @throws ERR_SCHEMA for absent columns and contradictory options
 */
export function partsOf(
  source: { readonly label: string; readonly columns: readonly { readonly name: string }[]; readonly typing?: string },
  given: Roles,
): Part[] {
  const roles = namedAmong(
    given,
    source.columns.map(({ name }) => name),
  );
  const { schema } = roles;
  const needs = needsOf(schema?.features ?? []);
  const named = (role: string, names: readonly (string | undefined)[] = []) =>
    names.flatMap((column) => (column === undefined ? [] : [{ name: column, role }]));
  requireColumns(source, [
    ...named('target column', [roles.target]),
    ...named('weight column', [roles.weight]),
    ...named('offset column', [roles.offset]),
    ...named('trials column', [roles.trials]),
    ...named('cluster column', [roles.cluster]),
    ...named('group column', [roles.groups]),
    ...named('time column', [roles.time]),
    ...named('column to hold out by', [roles.holdoutBy]),
    ...named('feature', roles.features),
    ...named('column to drop', roles.drop),
    ...named('categorical column', roles.categorical),
    ...named('numeric column', roles.numeric),
    ...named('schema column', [...needs.keys()]),
  ]);
  const parts = new Map<string, Role>([[roles.target, 'target']]);
  for (const role of Object.keys(READ) as (keyof typeof READ)[]) {
    const column = roles[role];
    if (column !== undefined) parts.set(column, role);
  }
  refuseContradictions(roles);
  for (const feature of roles.features ?? []) {
    if (!parts.has(feature)) continue;
    throw new LogoddsError(
      'ERR_SCHEMA',
      `--features: expected columns besides the ${parts.get(feature)}, got ${show(feature)}; remove it from the list`,
    );
  }
  const rest = !schema || schema.others === 'infer';
  const features = roles.features && new Set(roles.features);
  const drop = new Set(roles.drop);
  const [numeric, categorical] = [new Set(roles.numeric), new Set(roles.categorical)];
  const isFeature = (column: string) =>
    needs.has(column) || (features ? features.has(column) : rest && column !== roles.holdoutBy && !drop.has(column));
  return source.columns
    .filter((column) => parts.has(column.name) || isFeature(column.name))
    .map(({ name }): Part => {
      const role = parts.get(name) ?? 'feature';
      const needed = role === 'feature' ? (needs.get(name) ?? null) : null;
      const drop = roles.missing === 'drop';
      if (role === 'target')
        return { name, role, read: roles.trials === undefined ? 'coded' : 'numeric', needs: null, gaps: 'drop' };
      if (role !== 'feature') return { name, role, read: READ[role], needs: null, gaps: drop ? 'drop' : 'refuse' };
      const read = needed ? 'needs' : numeric.has(name) ? 'numeric' : categorical.has(name) ? 'coded' : 'infer';
      return { name, role, read, needs: needed, gaps: drop ? 'drop' : 'keep' };
    });
}

/** The lists of names, resolved against these columns. */
export function namedAmong<T extends Partial<Roles>>(roles: T, columns: readonly string[]): T {
  const lists = ['features', 'drop', 'categorical', 'numeric'] as const;
  return { ...roles, ...Object.fromEntries(lists.map((key) => [key, Names.among(roles[key], columns)])) };
}

/**
 * Refuses options about a column that contradict other options about it.
 * @throws ERR_SCHEMA
 */
export function refuseContradictions(roles: Roles): void {
  const { features, drop = [], categorical = [], numeric = [] } = roles;
  const parts = ['target', ...Object.keys(READ)].map((role) => roles[role as keyof Roles]);
  const refuse = (option: string, rule: string, column: string | undefined, next: string) => {
    if (column === undefined) return;
    throw new LogoddsError('ERR_SCHEMA', `${option}: expected ${rule}, got ${show(column)}; ${next}`);
  };
  const both = numeric.find((column) => categorical.includes(column));
  refuse('--numeric', 'columns that are not --categorical', both, 'remove it from one of the two');
  for (const [option, names] of Object.entries({ '--categorical': categorical, '--numeric': numeric })) {
    const unused = names.find((column) => features && !features.includes(column) && !parts.includes(column));
    refuse(option, 'columns among --features', unused, 'add it there, or remove it here');
    const dropped = names.find((column) => drop.includes(column));
    refuse(option, 'columns that are not to --drop', dropped, 'remove it from one of the two');
  }
}

/** The next step for a missing cell in a column that is not a feature. */
export const FILL = 'fill the cell, or leave the row out with --query';

/** The same in training; undefined where a cell may be missing. */
export const requirement = ({ gaps }: Part): string | undefined =>
  gaps === 'refuse' ? 'fill the cell, or leave such rows out with --missing drop' : undefined;

/** A target with more values than this is refused without listing them. */
export const MOST_CLASSES = 100;

/** @throws ERR_TARGET */
export function refuseManyClasses(name: string, classes: number): void {
  if (classes <= MOST_CLASSES) return;
  const next = 'name a target with fewer values, or derive one with --query';
  throw new LogoddsError(
    'ERR_TARGET',
    `target ${show(name)}: expected at most ${MOST_CLASSES} classes, got more; ${next}`,
  );
}

/** @throws ERR_SCHEMA */
export function refuseEmpty(label: string, name: string): never {
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${label}, column ${show(name)}: expected values, got missing cells only; leave it out with --drop ${name}`,
  );
}

/** The next step for a cell that is not a number. */
export const adviceOf = ({ name, role, needs }: Part) =>
  needs
    ? 'correct the cell, leave it empty if the value is missing (or say --na), or declare the feature categorical in the schema'
    : role === 'feature'
      ? `correct the cell, leave it empty if the value is missing (or say --na), or say --categorical ${name}`
      : `correct the cell, or name another ${role} column`;

/**
 * A copy of the rows to train on, or a way to read them again.
 * @typeParam P  the plan of a column
 */
export interface TrainingRows {
  /** for each column in use, in the order of the source: its name, and its levels if it is categorical */
  readonly plans: readonly { readonly name: string; readonly levels: readonly string[] | null }[];
  readonly features: readonly string[];
  readonly rows: number;
}
