import type { Table } from '../../../src/index.ts';
import { readTarget, readTrials } from '../../../src/internal.ts';

interface TargetOptions {
  readonly target: string;
  readonly trials?: string;
}

/** The classes of a table that is about to be fitted. @throws as the fit does of its target */
export function classesOf(rows: Table, { target, trials }: TargetOptions): readonly string[] {
  return (trials === undefined ? readTarget(rows, target) : readTrials(rows, target, trials)).classes;
}

interface MulticlassOptions {
  readonly multiclass?: string;
  readonly warn?: (message: string) => void;
}

/** Says so where an option is without effect. @param classes  asked when they matter */
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

/** Labels 1 and 2 are read as 0 and 1 are, by the label 1, where others take the second: that is said. */
export function noteOneAndTwo({ positive, trials, warn }: PositiveOptions, classes: () => readonly string[]): void {
  if (positive !== undefined || trials !== undefined || String(classes()) !== '1,2') return;
  warn?.(
    'the labels are 1 and 2: probabilities are of 1, because no --positive was given; for those of 2 say --positive 2',
  );
}
