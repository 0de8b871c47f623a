import { type Engine, type Model, sliceTable, type Table } from '../../../../src/index.ts';
import { lazyEvaluation } from '../../figures/evaluation.ts';
import { type Compared, compare } from '../../figures/paired.ts';
import { evaluateHeldOut, numbersOf, scoreRows } from '../heldOut.ts';
import { SLICE_ROWS } from '../split.ts';
import type { StackOptions } from './options.ts';
import { logitsBy, logitsIn, probabilityOf, type ScoreColumn } from './scores.ts';

const AVERAGE = '(average)';
const STACK = '(stack)';

export const labelsOf = (table: Table, target: string, positive: string): Uint8Array => {
  const column = table.columns.find(({ name }) => name === target)!;
  return Uint8Array.from({ length: table.rows }, (_, i) =>
    Number((column.kind === 'coded' ? column.levels[column.codes[i]] : String(column.values[i])) === positive),
  );
};

interface Judged {
  readonly model: Model;
  readonly models: ReadonlyMap<string, Model>;
  readonly columns: readonly ScoreColumn[];
  readonly clip: number;
  readonly options: StackOptions;
  readonly engine: Engine;
  readonly positive: string;
}

/** The stack, its bases and their average on held-out rows. */
export function judge(holdout: Table, { model, models, columns, clip, options, engine, positive }: Judged) {
  const part = (start: number, end: number) => sliceTable(holdout, start, end);
  const scores = scoreRows(model, engine, part, SLICE_ROWS, holdout.rows);
  const { metrics, scored } = evaluateHeldOut(model, scores, holdout, options);
  const missing = (z: Float64Array): Float64Array => probabilityOf(z.map((one) => (Number.isNaN(one) ? 0 : one)));
  const bases = [
    ...columns.map((one) => ({ name: one.name, probabilities: missing(logitsIn(holdout, one, clip)) })),
    ...[...models].map(([name, own]) => ({ name, probabilities: probabilityOf(logitsBy(own, holdout, positive)) })),
  ];
  const average = new Float64Array(holdout.rows).map(
    (_, i) => bases.reduce((sum, { probabilities }) => sum + probabilities[i], 0) / bases.length,
  );
  const comparison = compare(
    [{ name: STACK, probabilities: scores.probabilities[0] }, ...bases, { name: AVERAGE, probabilities: average }],
    labelsOf(holdout, options.target, positive),
    numbersOf(holdout, options.weight),
  );
  return { metrics, evaluation: scored && metrics && lazyEvaluation(model, scored, metrics), comparison };
}

/** One sentence: whether the stack is better than its best base and a plain average. @param best  chosen on other rows than these */
export function verdictOf(comparison: readonly Compared[], best: string): string {
  const gain = (name: string) => comparison.find((one) => one.name === name)!.gain!.logLoss;
  const said = (name: string, text: string) => {
    const { value, interval } = gain(name);
    const size = Math.abs(value).toFixed(4);
    return `${size} ${value >= 0 ? 'lower' : 'higher'} than that of ${text} (95 % interval of the gain ${interval.low.toFixed(4)} to ${interval.high.toFixed(4)})`;
  };
  const facts = `its log loss on held-out rows is ${said(best, `the best base, ${best}`)}, and ${said(AVERAGE, 'a plain average')}`;
  const rivals = [best, AVERAGE];
  if (rivals.every((name) => gain(name).interval.low > 0)) return `Stacking is worth it: ${facts}.`;
  const worse = rivals.find((name) => gain(name).interval.high < 0);
  if (worse !== undefined)
    return `Stacking is not worth it: ${facts}; use ${worse === AVERAGE ? 'the average' : worse}.`;
  const simpler = gain(best).interval.low <= 0 ? `${best} alone` : 'a plain average';
  return `Stacking is not shown to be worth it: ${facts}; ${simpler} is simpler.`;
}
