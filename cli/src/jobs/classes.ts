import type { Table } from '../../../src/index.ts';
import { readTarget, readTrials } from '../../../src/internal.ts';

interface TargetOptions {
  readonly target: string;
  readonly trials?: string;
}

/** The classes of a table that is about to be fitted. @throws the errors of the fit about its target */
export function classesOf(rows: Table, { target, trials }: TargetOptions): readonly string[] {
  return (trials === undefined ? readTarget(rows, target) : readTrials(rows, target, trials)).classes;
}

interface MulticlassOptions {
  readonly multiclass?: string;
  readonly warn?: (message: string) => void;
}

/** Notes an option without effect. @param classes  called only if they matter */
export function noteMulticlass({ multiclass, warn }: MulticlassOptions, classes: () => readonly string[]): void {
  if (multiclass !== undefined && classes().length === 2) {
    warn?.(`--multiclass ${multiclass} has no effect: a target of two classes has one logit`);
  }
}

interface PositiveOptions {
  readonly positive?: unknown;
  readonly trials?: string;
  readonly warn?: (message: string) => void;
}

/** Notes that with the labels 1 and 2 the class 1 is positive, as with 0 and 1; other programs take the second. */
export function noteOneAndTwo({ positive, trials, warn }: PositiveOptions, classes: () => readonly string[]): void {
  if (positive !== undefined || trials !== undefined || String(classes()) !== '1,2') return;
  warn?.(
    'the labels are 1 and 2: probabilities are of 1, because no --positive was given; for those of 2 say --positive 2',
  );
}
