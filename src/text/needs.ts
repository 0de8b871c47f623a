import type { DeclaredFeature } from '../encode/declare.ts';
import type { Feature } from '../encode/schema.ts';

/** How a cell is stored. Only a schema reads a `date` or `list`; `other` (structs, blobs) is never read. */
export type CellKind = 'integer' | 'float' | 'boolean' | 'text' | 'date' | 'list' | 'other';

/**
 * The type that a feature reads from its column: numbers, dates, a category with known labels, or unchanged text (hashed values, words, tags).
 */
export type Need = 'number' | 'date' | 'level' | 'text';

type Needed = Feature | DeclaredFeature;

const NEEDS: Readonly<Record<Needed['kind'], (feature: Needed) => Need | null>> = {
  numeric: partOr('number'),
  curve: partOr('number'),
  binned: partOr('number'),
  date: () => 'date',
  categorical: (feature) => ('encoding' in feature && feature.encoding === 'hash' ? 'text' : partOr('level')(feature)),
  boolean: () => 'level',
  target: () => 'level',
  hashed: (feature) => ('of' in feature && feature.of ? null : 'text'),
  text: () => 'text',
  tags: () => 'text',
  tokens: () => 'text',
  cross: () => null,
};

function partOr(need: Need): (feature: Needed) => Need {
  return (feature) => ('part' in feature && feature.part !== undefined ? 'date' : need);
}

/** The needs of the features for each column that they read, in the order of the features. */
export function needsOf(features: readonly Needed[]): Map<string, Set<Need>> {
  const needs = new Map<string, Set<Need>>();
  for (const feature of features) {
    const need = NEEDS[feature.kind](feature);
    if (need === null) continue;
    const column = ('column' in feature && feature.column) || (feature.name as string);
    needs.set(column, (needs.get(column) ?? new Set()).add(need));
  }
  return needs;
}

/** Whether a column is read as numbers for these features; otherwise it is read as text. Dates that are numbers are milliseconds. */
export function asNumbers(needs: ReadonlySet<Need>, { kind }: { readonly kind: CellKind }): boolean {
  return needs.has('number') || (needs.has('date') && (kind === 'integer' || kind === 'float'));
}
