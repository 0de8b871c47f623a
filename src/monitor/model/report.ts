import { type Drift, drift, type FeatureDrift } from '../drift/drift.ts';
import { type DelayHistogram, delayHistogram } from '../labels/delay.ts';
import type { JoinCounts, JoinedRow } from '../labels/join.ts';
import { selectionOfCounts } from '../labels/selection.ts';
import { estimatePerformance } from '../performance/estimate.ts';
import { type Volume, volumeTest } from '../quality/volume.ts';
import { driftChanges, type Measured, performanceChanges } from './changes.ts';
import { notesOf } from './notes.ts';
import type { WatchReport, WindowPerformance, WindowReport } from './reported.ts';
import { delaysOf, type LabelDelays } from './ripeness.ts';
import { sequencesOf } from './sequences.ts';
import type { HeldScore, Known, Watched } from './watched.ts';
import { Outcomes } from './window.ts';

/** The windows with all labels, those of held scores too. */
export function knownOf(watched: Watched, now: number): { known: Known[]; delays: DelayHistogram; counts: JoinCounts } {
  const { settings, windows } = watched;
  const { rows: held, counts } = watched.join.joined({ now });
  const delays = delayHistogram(watched.delays.toJSON());
  const groups = settings.groups?.names.length ?? 0;
  const mine = new Map<number, JoinedRow<HeldScore>[]>();
  for (const row of held) {
    if (!row.label) continue;
    delays.add(row.delayMs!);
    const list = mine.get(row.prediction.window);
    if (list) list.push(row);
    else mine.set(row.prediction.window, [row]);
  }
  const known = windows.map((window, k): Known => {
    const outcomes = new Outcomes(groups);
    outcomes.merge(window.outcomes);
    for (const row of mine.get(window.from) ?? []) outcomes.add(watched.outcomeOf(row)!);
    const to = window.from + settings.length;
    const isComplete = 'ms' in settings.every ? now >= to : window.rows >= settings.length || k < windows.length - 1;
    return { window, to, isComplete, outcomes };
  });
  return { known, delays, counts };
}

/** When windows are ripe. */
export function labelDelays(
  { settings }: Watched,
  known: readonly Known[],
  delays: DelayHistogram,
  now: number,
): LabelDelays {
  const labelled = known.reduce((sum, { outcomes }) => sum + outcomes.all.count, 0);
  const open = known.flatMap(({ window, outcomes }): [number, number][] => {
    const rows = window.scores.rows - outcomes.all.count - outcomes.others;
    return rows > 0 ? [[now - (window.first + window.last) / 2, rows]] : [];
  });
  return delaysOf(delays, labelled, open, settings.ripeAfterMs);
}

/** Whether the labels of a window are there. */
export const isRipe = (
  { window, to, isComplete }: Known,
  settings: Watched['settings'],
  ripeAfterMs: number | null,
  now: number,
): boolean => isComplete && ripeAfterMs !== null && now - ('ms' in settings.every ? to : window.last) >= ripeAfterMs;

/** @param ripe  whether it is */
export function performanceOfWindow(
  { settings }: Watched,
  { window, outcomes }: Known,
  ripe: boolean,
): WindowPerformance {
  const { scores } = window;
  const { rows, cells } = scores;
  const labelled = outcomes.all.count;
  const measured = { ...(settings.costs && { costs: settings.costs }) };
  const estimated =
    rows > 0
      ? estimatePerformance(
          cells.map(({ probability }) => probability),
          { called: cells.map(({ called }) => called), counts: cells.map((cell) => cell.rows), ...measured },
        )
      : null;
  const base = {
    labelled,
    missing: rows > 0 ? 1 - labelled / rows : 0,
    otherLabels: outcomes.others,
    isRipe: ripe,
    estimated,
  };
  if (!ripe || labelled === 0) return { ...base, realised: null, groups: null, selection: null };
  const byBin = new Map<number, { rows: number; labelled: number }>();
  for (const { bin, rows: own } of cells) {
    const part = byBin.get(bin) ?? { rows: 0, labelled: 0 };
    part.rows += own;
    byBin.set(bin, part);
  }
  for (const { bin, negative, positive } of outcomes.all.cells) {
    const part = byBin.get(bin);
    if (part) part.labelled += negative + positive;
  }
  const sides = [0, 1].map((side) => ({
    rows: cells.reduce((sum, { called, rows: own }) => sum + (called === side ? own : 0), 0),
    labelled: outcomes.all.called[side],
  }));
  const parts = [...byBin].sort(([a], [b]) => a - b).map(([, part]) => part);
  const names = settings.groups?.names ?? [];
  return {
    ...base,
    realised: outcomes.all.performance(measured),
    groups: settings.groups
      ? outcomes.groups.flatMap((one, k) =>
          one ? [{ name: names[k], ...one.performance({ ...measured, replicates: false }) }] : [],
        )
      : null,
    selection: selectionOfCounts(parts, sides),
  };
}

/** The drift of a window; null: nothing to compare with, or too few rows. */
export function driftOf({ model, settings }: Watched, { window }: Known): Drift | null {
  const { summary } = window;
  const { reference, least, alpha } = settings;
  if (!summary || !reference || summary.rows < least) return null;
  const found = drift(reference, summary, { model, alpha });
  const isPrivate = model.manifest.schema.features.map((feature) => feature.private === true);
  // a log has no private fields, which says nothing of them
  const isAbsent = (one: FeatureDrift, i: number): boolean => isPrivate[i] && one.current.missing === summary.rows;
  if (!found.features.some(isAbsent)) return found;
  const note = 'the log leaves out what is private';
  return {
    ...found,
    features: found.features.map((one, i) => (isAbsent(one, i) ? { ...one, drifted: false, note } : one)),
  };
}

/** Of the newest complete window whether it has as many rows as those before. */
function volumeOf({ settings }: Watched, known: readonly Known[]): Volume | null {
  const counts = known.filter(({ isComplete }) => isComplete).map(({ window }) => window.rows);
  return 'ms' in settings.every && counts.length >= 4
    ? volumeTest(counts[counts.length - 1], counts.slice(0, -1))
    : null;
}

/** Labelled rows of ripe windows, the earliest first. */
export const measuredOf = (known: readonly Known[], ripe: readonly boolean[]): Measured[] =>
  known.flatMap(({ window, outcomes }, k) =>
    ripe[k] && outcomes.all.count > 0 ? [{ from: window.from, labelled: outcomes.all }] : [],
  );

export function reportOf(watched: Watched, now: number): WatchReport {
  const { model, settings } = watched;
  const { known, delays, counts } = knownOf(watched, now);
  const found = labelDelays(watched, known, delays, now);
  const ripe = known.map((one) => isRipe(one, settings, found.ripeAfterMs, now));
  const windows = known.map((one, k): WindowReport => {
    const { window, to, isComplete } = one;
    const { from, rows, summary, first, last } = window;
    return {
      from,
      to,
      rows,
      refused: summary?.refused ?? 0,
      first: Number.isFinite(first) ? first : null,
      last: Number.isFinite(last) ? last : null,
      isComplete,
      features: summary?.rows ? summary.features : [],
      drift: driftOf(watched, one),
      performance: performanceOfWindow(watched, one, ripe[k]),
    };
  });
  const complete = windows.filter(({ isComplete }) => isComplete);
  const compared = complete.flatMap(({ from, drift: own }) => (own ? [{ from, drift: own }] : []));
  const measured = complete.filter(({ performance }) => performance.realised && performance.labelled >= settings.least);
  const scored = known.reduce((sum, { window }) => sum + window.scores.rows, 0);
  const labelled = known.reduce((sum, { outcomes }) => sum + outcomes.all.count, 0);
  const { sha256 = null, manifest } = model;
  const { target, classes, positive } = manifest;
  const ripened = measuredOf(known, ripe);
  const changes = [...driftChanges(compared), ...performanceChanges(ripened, settings.runLength)];
  const report = {
    model: { sha256, target, classes, positive },
    now,
    every: settings.every,
    rows: watched.rows,
    reference: settings.reference?.rows ?? null,
    changes: changes.sort((a, b) => a.since - b.since),
    windows,
    newest: { drift: compared.at(-1)?.from ?? null, performance: measured.at(-1)?.from ?? null },
    volume: volumeOf(watched, known),
    labels: { ...found, labelled, missing: scored > 0 ? 1 - labelled / scored : null, join: counts },
    refused: { rows: watched.refused.rows, fields: watched.refused.fields, otherFields: watched.refused.otherFields },
    sequences: ripened.length > 0 ? sequencesOf(ripened, positive !== null) : [],
    freshness: watched.freshness?.features ?? null,
    skew: settings.rescore ? watched.skew.toJSON() : null,
  };
  return { ...report, notes: notesOf(watched, report) };
}
