/** Rows of a log with columns on their way into the watch, whoever read them. */
import type { CodedColumn, Engine, NumericColumn, Table } from '../../../../src/index.ts';
import type { ModelWatch } from '../../../../src/monitor.ts';
import type { ResolvedLabels } from './resolve.ts';

/** Names that no column of a log should have. */
export const OWN = {
  id: 'logodds id',
  at: 'logodds at',
  logit: 'logodds logit',
  probability: 'logodds probability',
  label: 'logodds label',
  outcome: 'logodds outcome',
  outcomeAt: 'logodds outcome at',
  row: 'logodds row',
};

export const timeName = (feature: string): string => `logodds time of ${feature}`;

/** How labels come to the rows. */
export type Outcomes = { readonly labels: ResolvedLabels } | { readonly target: string } | null;

/** A row that cannot be taken. */
export class FaultyRow extends Error {}

/** @throws FaultyRow where a row has no time, no label of the model or no probability */
export function refuseFaulty({ rows, columns }: Table, inputs: number, classes: number): void {
  for (const column of columns.slice(inputs)) {
    if (![OWN.at, OWN.probability, OWN.label].includes(column.name)) continue;
    let isFine = !column.missing;
    if (column.kind === 'coded') for (let i = 0; i < rows; i++) isFine &&= column.codes[i] < classes;
    else if (column.name === OWN.probability)
      for (let i = 0; i < rows; i++) isFine &&= column.values[i] >= 0 && column.values[i] <= 1;
    if (!isFine) throw new FaultyRow();
  }
}

/** Rows that are taken at a time. */
export const BLOCK = 65_536;

/** Adds rows. @param inputs  how many of the columns, from the first on, are inputs */
export function take(table: Table, inputs: number, watched: ModelWatch, hasOutcomes: boolean, engine: Engine): void {
  const further = new Map(table.columns.slice(inputs).map((column) => [column.name, column]));
  const numbers = (own: string): Float64Array | undefined =>
    further.get(own) && (further.get(own) as { values: Float64Array }).values;
  const labels = further.get(OWN.label);
  const outcome = further.get(OWN.outcome);
  const when = further.get(OWN.outcomeAt);
  const classes = watched.model.manifest.classes.length;
  const logits = numbers(OWN.logit);
  const times = Object.keys(watched.settings.eventTimes ?? {}).map((feature) => [
    feature,
    timesOf(further.get(timeName(feature)) as NumericColumn),
  ]);
  watched.addTable(
    inputs > 0 ? { rows: table.rows, columns: table.columns.slice(0, inputs) } : null,
    {
      at: numbers(OWN.at)!,
      ...(times.length > 0 && { eventTimes: Object.fromEntries(times) }),
      ...(labels?.kind === 'coded' && {
        scores: { labels: labels.codes, probabilities: numbers(OWN.probability)!, ...(logits && { logits }) },
      }),
      ...(hasOutcomes &&
        outcome?.kind === 'coded' && {
          outcomes: {
            codes: classesOf(outcome, classes),
            ...(when?.kind === 'numeric' && { at: timesOf(when) }),
          },
        }),
    },
    { engine },
  );
}

/** The class of each outcome. */
function classesOf({ codes, missing }: CodedColumn, classes: number): Int32Array {
  const found = new Int32Array(codes.length);
  for (let i = 0; i < codes.length; i++) found[i] = missing?.[i] ? -1 : codes[i] < classes ? codes[i] : -2;
  return found;
}

/** NaN where there is none. */
function timesOf({ values, missing }: NumericColumn): Float64Array {
  const found = Float64Array.from(values);
  if (missing) for (let i = 0; i < found.length; i++) if (missing[i]) found[i] = Number.NaN;
  return found;
}
