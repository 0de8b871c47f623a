import { counted, percent, significant, whole } from '../../figures/wording.ts';
import type { Policy } from './policy.ts';
import type { TrainingSet } from './trainingSet.ts';

/** What is wrong with a training set. */
export interface Objection {
  /** `labelShift` may be corrected instead */
  readonly kind: keyof Policy['bounds'] | 'rows' | 'ofClass' | 'selection';
  readonly sentence: string;
}

/**
 * Says why a training set is not believed. Nothing is trained on rows that are too few, on labels that somebody may have made up, or on a part of the scores
 * that does not stand for all.
 * @param shares  of the classes in the baseline of the champion; null: it has none
 */
export function objectionsOf(
  set: TrainingSet,
  { data, bounds }: Pick<Policy, 'data' | 'bounds'>,
  shares: Readonly<Record<string, number>> | null,
): readonly Objection[] {
  const found: Objection[] = [];
  const object = (kind: Objection['kind'], sentence: string) => found.push({ kind, sentence });
  const all = set.rows + set.holdoutRows;
  if (set.rows < data.rows)
    object(
      'rows',
      `${counted(set.rows, 'row')} with labels to train on; expected at least ${whole(data.rows)} (data.rows)`,
    );
  for (const [label, count] of Object.entries(set.classes)) {
    if (count < data.ofClass)
      object(
        'ofClass',
        `${counted(count, 'row is', 'rows are')} ${JSON.stringify(label)}; expected at least ${whole(data.ofClass)} (data.ofClass)`,
      );
  }
  const beyond = (kind: keyof Policy['bounds'], value: number | null, what: string) => {
    if (value !== null && value > bounds[kind])
      object(kind, `${percent(value)} of the ${what}; expected at most ${percent(bounds[kind])} (bounds.${kind})`);
  };
  const came = set.labels + set.duplicateLabels;
  beyond('duplicates', share(set.duplicateLabels, came), 'labels came for a score that had one');
  beyond('corrections', share(set.correctedLabels, set.labels), 'labels were another one before');
  beyond('early', share(set.earlyLabels, set.labels), 'labels were known before their score was made');
  beyond('unlabelled', share(set.unlabelled, set.ripe), 'ripe scores have no label');
  beyond('oneEntity', set.oneEntity, 'rows are of one entity');
  beyond('oneRow', set.oneRow, 'rows have the same inputs');
  if (set.selection === 'absent' && data.selection !== 'warn') object('selection', set.selectionWarning!);
  if (set.selection === 'uneven' && data.selection === 'refuse') object('selection', set.selectionWarning!);
  if (shares && all > 0) {
    const worst = shiftOf(sharesNow(set, data.ofClass), shares);
    if (worst && Math.abs(worst.shift) > bounds.labelShift)
      object(
        'labelShift',
        `${JSON.stringify(worst.label)} has ${percent(worst.now)} of the newest rows and had ${percent(worst.before)} in training, a shift of ${significant(worst.shift, 3)} in log-odds; expected at most ${bounds.labelShift} (bounds.labelShift)`,
      );
  }
  return found;
}

const share = (part: number, all: number): number => (all === 0 ? 0 : part / all);

/** The class whose log-odds moved most; null without rows of a class. */
function shiftOf(now: Readonly<Record<string, number>>, shares: Readonly<Record<string, number>>) {
  let worst: { readonly label: string; readonly shift: number; readonly now: number; readonly before: number } | null =
    null;
  for (const label of Object.keys(now)) {
    const before = shares[label] ?? 0;
    // a class without rows is refused by its count
    if (!(now[label] > 0 && now[label] < 1 && before > 0 && before < 1)) continue;
    const shift = logOdds(now[label]) - logOdds(before);
    if (!worst || Math.abs(shift) > Math.abs(worst.shift)) worst = { label, shift, now: now[label], before };
  }
  return worst;
}

/**
 * The shares of the classes as they are now: of the newest rows, since older ones are of before a shift; of all rows where a class is rare among these.
 * @param least  rows of each class that are enough
 */
export function sharesNow(
  { classes, newestClasses }: Pick<TrainingSet, 'classes' | 'newestClasses'>,
  least: number,
): Record<string, number> {
  return sharesOf(Object.values(newestClasses).every((count) => count >= least) ? newestClasses : classes);
}

const logOdds = (share: number): number => Math.log(share / (1 - share));

/** Counts as shares. */
export function sharesOf(counts: Readonly<Record<string, number>>): Record<string, number> {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return Object.fromEntries(Object.entries(counts).map(([label, count]) => [label, share(count, all)]));
}
