import type { DeclaredNumber } from '../../../encode/declare.ts';
import { momentsOf, numericFeature, onlyMissing } from '../../../encode/infer.ts';
import { numbersOf } from '../../../encode/kinds/numbers.ts';
import type { Feature } from '../../../encode/schema.ts';
import { resolveBins } from './binned.ts';
import { resolveCurve } from './curve.ts';
import { columnOf, type Ranged, type TrainingRows } from './trainingRows.ts';

/** Resolves a number: a plain feature if possible, else bins or a curve. */
export function resolveNumber(rows: TrainingRows, given: Ranged<DeclaredNumber>): Feature {
  const declared = { ...given, ...rows.dated(given) };
  const numbers = numbersOf(declared, rows.column(declared), rows.rows, 0);
  const found = momentsOf({ ...numbers, name: columnOf(declared) }, rows.rows, rows.weight, 0);
  if (found.total === 0) throw onlyMissing(columnOf(declared));
  if (declared.bins !== undefined) return resolveBins(rows, declared, numbers, found);
  if (!isPlain(declared)) return resolveCurve(rows, declared, numbers, found);
  const { name, reason, missing = rows.gaps } = declared;
  return { ...numericFeature(name, found, missing === 'slot'), ...(reason !== undefined && { reason }) };
}

const isPlain = (declared: DeclaredNumber): boolean =>
  declared.transform === undefined &&
  declared.spline === undefined &&
  (declared.scaling ?? 'standard') === 'standard' &&
  (declared.impute ?? 'mean') === 'mean' &&
  declared.missing !== 'error' &&
  declared.low === undefined &&
  declared.high === undefined &&
  declared.part === undefined &&
  columnOf(declared) === declared.name;
