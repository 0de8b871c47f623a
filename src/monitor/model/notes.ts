import type { WatchNote, WatchReport } from './reported.ts';
import type { Watched } from './watched.ts';

/** Everything that was left out or is not as it should be, by name and with its count. */
export function notesOf(watched: Watched, report: Omit<WatchReport, 'notes'>): WatchNote[] {
  const { settings, model } = watched;
  const { labels, windows, skew, volume } = report;
  const { join } = labels;
  const notes: WatchNote[] = [];
  const say = (count: number, what: string): void => {
    if (count > 0) notes.push({ what, count });
  };
  if (settings.said) notes.push({ what: settings.said });
  if (model.manifest.positive === null)
    notes.push({ what: 'more than two classes: performance is that of the label that was said, whether it came true' });
  for (const [name, count] of Object.entries(watched.unknownModels))
    say(count, `rows of another model, ${name}: left out`);
  say(watched.withoutInputs, 'rows without inputs: in no summary, so not in drift');
  say(watched.refused.rows, 'rows that the model refuses now: not in drift');
  say(watched.dropped, `rows of windows before the latest ${settings.keep}: left out`);
  if (settings.reference)
    say(
      windows.filter(({ isComplete, drift }) => isComplete && !drift).length,
      `complete windows of fewer than ${settings.least} rows with inputs: not compared`,
    );
  if ('ms' in settings.every)
    say(windows.filter(({ from }) => from > report.now).length, 'windows that begin after now: clocks differ');
  if (labels.labelled === 0) notes.push({ what: 'no labels: performance is estimated from the scores alone' });
  else
    say(
      windows.filter(({ performance }) => !performance.isRipe).length,
      'windows whose labels are not ripe: not measured',
    );
  say(
    windows.filter(({ performance }) => performance.isRipe && performance.labelled === 0).length,
    'ripe windows without any label: ask where they stay',
  );
  say(
    windows.filter(({ performance: { isRipe, labelled } }) => isRipe && labelled > 0 && labelled < settings.least)
      .length,
    `ripe windows of fewer than ${settings.least} labels: their intervals are wide`,
  );
  const others = windows.reduce((sum, { performance }) => sum + performance.otherLabels, 0);
  say(others, `labels that are none of ${model.manifest.classes.join(', ')}: left out`);
  say(labels.negative, 'labels known before their score was made: clocks differ, or the outcome leaked');
  say(join.duplicatePredictions, 'scores whose id came before: each counts in drift, the last one for its label');
  say(join.conflictingPredictions, 'ids with scores that differ');
  say(join.predictionsFromFuture, 'scores from after now: clocks differ');
  say(join.labelsFromFuture, 'labels from after now: left out');
  say(join.labelsWithoutPrediction, 'labels without a score');
  say(join.duplicateLabels, 'labels that came again');
  say(join.correctedLabels, 'labels that were another one before: the latest counts');
  say(join.predictionsDropped, 'scores dropped for room before their label came');
  say(join.labelsDropped, 'labels dropped for room before their score came');
  say(join.predictionsTooLate, 'scores older than those that were settled: without their label');
  say(join.labelsTooLate, 'labels of scores that were settled: left out');
  const selected = windows.filter(({ performance }) => performance.selection?.warning);
  const last = selected.at(-1)?.performance.selection?.warning;
  if (last) notes.push({ what: `${last} (in the latest of the windows)`, count: selected.length });
  if (skew) say(skew.compared - skew.equal, 'scores that the model does not give again to the bit');
  if (volume && volume.kind !== 'usual')
    notes.push({
      what: `the newest complete window has ${volume.count} rows, expected ${Math.round(volume.low)} to ${Math.round(volume.high)}`,
    });
  return notes;
}
