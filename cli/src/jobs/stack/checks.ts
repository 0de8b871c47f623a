import { LogoddsError, type Model, type Table, type Warning } from '../../../../src/index.ts';
import { list, show } from '../../../../src/internal.ts';
import { counted } from '../../figures/wording.ts';
import type { ScoreColumn } from './scores.ts';

/** @throws ERR_RANGE for names given twice, for none, and for scores of rows that a base may have been fitted to */
export function refuseNames(
  names: readonly string[],
  base: object,
  given: Readonly<Record<string, string>>,
  outOfSample = false,
): void {
  const say = (what: string, expected: string, got: string, next: string) =>
    new LogoddsError('ERR_RANGE', `${what}: expected ${expected}, got ${got}; ${next}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw say('stack', 'a name of its own for each base', `${show(twice)} twice`, 'rename one');
  if (names.length === 0) throw say('stack', 'bases', 'none', 'give --scores, --base or --fit');
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(base, name));
  if (stranger !== undefined)
    throw say('--out-of-fold', 'names of --base', show(stranger), 'columns without a model are --scores');
  const open = Object.keys(base).filter((name) => !Object.hasOwn(given, name));
  if (open.length > 0 && !outOfSample)
    throw say(
      `base ${list(open)}`,
      'scores of models that did not see these rows',
      'a model file, which may have been fitted to them',
      'its scores would be too good: give --out-of-fold NAME=COLUMN, fit it here with --fit, or --base-is-out-of-sample if these rows are new to it',
    );
}

/** A warning where a base was fitted to as many rows of the same target as there are here. */
export function sameRows(name: string, { manifest }: Model, { rows }: Table, target: string): Warning[] {
  if (manifest.target !== target || (manifest.fit.rows !== rows && Math.abs(manifest.fit.rows / rows - 1.25) > 1e-3))
    return [];
  const message = `base ${show(name)} was fitted to ${counted(manifest.fit.rows, 'row')} of the target ${show(target)}, about as many as there are here; if they are the same rows, its scores are too good and so is its weight`;
  return [{ code: 'BASE_SAME_ROWS', message, features: [] }];
}

export const info = (code: string, message: string): Warning => ({ code, severity: 'info', message, features: [] });

export const declaredNote = (columns: readonly string[]): Warning =>
  info(
    'DECLARED_ELSEWHERE',
    `${list(columns)}: dates or texts of another base, which --fit NAME=all leaves out; --fit NAME=FILE.json with a schema takes them`,
  );

export function scoreNotes({ name, kind, guessed, clipped }: ScoreColumn, rows: number, clip: number): Warning[] {
  return [
    ...(guessed
      ? [
          info(
            'SCORE_KIND',
            `the scores in ${show(name)} are taken for ${kind === 'probability' ? 'probabilities, since all are from 0 to 1' : 'logits, since some are not from 0 to 1'}; --score-kind says it`,
          ),
        ]
      : []),
    ...(clipped > 0
      ? [
          info(
            'SCORES_CLIPPED',
            `${clipped} of ${rows} probabilities in ${show(name)} are below ${clip} or above 1 − ${clip}, and are set to these ends; --clip moves them`,
          ),
        ]
      : []),
  ];
}
