import type { DeclaredDate } from '../../../encode/declare.ts';
import type { DatePart, Feature } from '../../../encode/schema.ts';
import { resolveCategory } from './category.ts';
import { resolveNumber } from './number.ts';
import { columnOf, type TrainingRows } from './trainingRows.ts';

/** Parts of dates that are categories rather than numbers. */
const CYCLES: readonly DatePart[] = ['quarter', 'month', 'weekday', 'hour'];

/** A feature for each part. */
export function resolveDate(rows: TrainingRows, declared: DeclaredDate): Feature[] {
  const { name, missing, reason, unit } = declared;
  const dates = rows.datesOf(declared);
  return declared.parts.map((part) => {
    const feature = { name: `${name}.${part}`, column: columnOf(declared), part, missing, reason, unit, dates };
    return CYCLES.includes(part)
      ? resolveCategory(rows, { ...feature, kind: 'categorical' })
      : resolveNumber(rows, { ...feature, kind: 'numeric' });
  });
}
