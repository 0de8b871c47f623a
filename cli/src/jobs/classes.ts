import type { Table } from '../../../src/index.ts';
import type { Problem } from '../../../src/train/prepare.ts';
import { readTarget, readTrials } from '../../../src/train/target.ts';

interface TargetOptions {
  readonly target: string;
  readonly trials?: string;
}

/** The classes of rows that are about to be fitted. @throws as the fit does of its target */
export function classesOf(rows: Table | Problem, { target, trials }: TargetOptions): readonly string[] {
  if ('batch' in rows) return rows.target.classes;
  return (trials === undefined ? readTarget(rows, target) : readTrials(rows, target, trials)).classes;
}

interface MulticlassOptions {
  readonly multiclass?: string;
  readonly warn?: (message: string) => void;
}

/** Says so where an option is without effect. @param classes  asked when they matter */
export function noteMulticlass({ multiclass, warn }: MulticlassOptions, classes: () => readonly string[]): void {
  if (multiclass !== undefined && classes().length === 2) {
    warn?.(`--multiclass ${multiclass} changes nothing: the target has two classes, which have one logit`);
  }
}
