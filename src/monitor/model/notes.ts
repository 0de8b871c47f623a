import { list } from '../../messages.ts';
import { fieldsOf } from '../../model/fields.ts';
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
  const { features } = model.manifest.schema;
  const hidden = fieldsOf(model).filter((field) => field.private);
  if (hidden.length > 0 && settings.reference)
    notes.push({
      what: `numbers that the model calls private (${list(hidden.map(({ name }) => name))}) are counted in bins alone: no sum, least or greatest of them is kept, and the split of the logit shift is without them`,
    });
  for (const { name, features: of } of hidden) {
    const { absent = 0, missing = 0 } = watched.refused.fields[name] ?? {};
    const at = features.findIndex((feature) => of.includes(feature.name));
    const taken = windows.reduce((sum, window) => sum + (window.features[at]?.missing ?? 0), 0);
    say(
      absent + missing + taken,
      `rows without ${name}, which the model calls private, so that logs leave it out: refused, or missing in drift; serve --watch sees it`,
    );
  }
  say(watched.refused.rows, 'rows that the model refuses now: not in drift');
  if (watched.fromFuture > 0)
    say(watched.fromFuture, `rows from after ${new Date(settings.until).toISOString()}: left out, clocks differ`);
  say(watched.dropped, `rows of windows before the latest ${settings.keep}: left out`);
  if (settings.reference)
    say(
      windows.filter(({ isComplete, drift }) => isComplete && !drift).length,
      `complete windows of fewer than ${settings.least} rows with inputs: not compared`,
    );
  if ('ms' in settings.every)
    say(windows.filter(({ from }) => from > report.now).length, 'windows that begin after now: clocks differ');
  else
    say(
      windows.filter(({ first }, k) => k > 0 && first! < windows[k - 1].last!).length,
      'windows by rows that begin before the one before ends: rows are taken as they stand, not by time',
    );
  if (labels.labelled === 0)
    notes.push({
      what: `${join.labelsWithoutPrediction > 0 ? 'no label is of a score of the log' : 'no labels'}: performance is estimated from the scores alone`,
    });
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
  if (model.manifest.positive !== null)
    say(
      windows.filter(
        ({ performance: { isRipe, realised } }) => isRipe && (realised?.baseRate === 0 || realised?.baseRate === 1),
      ).length,
      'ripe windows whose labels are all of one class: neither area nor calibration can be told',
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
  say(join.conflictingLabels, 'scores with different labels from one time: the one whose text is greater counts');
  say(join.predictionsDropped, 'scores dropped for room before their label came');
  say(join.labelsDropped, 'labels dropped for room before their score came');
  say(join.predictionsTooLate, 'scores older than those that were settled: without their label');
  say(join.labelsTooLate, 'labels of scores that were settled: left out');
  const selected = windows.filter(({ performance }) => performance.selection?.warning);
  const last = selected.at(-1)?.performance.selection?.warning;
  if (last) notes.push({ what: `${last} (in the latest of the windows)`, count: selected.length });
  for (const { feature, stale, fromFuture, untimed } of report.freshness ?? []) {
    say(stale, `values of ${feature} that were older than the greatest age when they were scored`);
    say(fromFuture, `values of ${feature} from after their score: clocks differ, or they leaked`);
    say(untimed, `rows without the time of ${feature}: their age is not known`);
  }
  if (skew) say(skew.compared - skew.equal, 'scores that the model does not give again to the bit');
  if (volume && volume.kind !== 'usual')
    notes.push({
      what: `the newest complete window has ${volume.count} rows, expected ${Math.round(volume.low)} to ${Math.round(volume.high)}`,
    });
  return notes;
}
