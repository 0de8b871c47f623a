import type { ModelWatchOptions } from 'logodds/monitor';
import type { Model } from 'logodds/score';
import { type CsvPieces, Inputs } from '../observation/inputs.ts';
import type { LabelSink } from '../observation/labels.ts';
import type { PredictionLogOptions, ScoredBy } from '../observation/predictionLog.ts';
import type { ScoreWatch } from './watch.ts';
import { Watcher, type WatcherState } from './watcher.ts';

/** How scores are watched. */
export interface WatchScoresOptions {
  /** which models: those that have a baseline (default), or all */
  readonly models?: 'baseline' | 'all';
  /** share of the requests that are watched; the same id is taken by each replica, or by none. Rows are counted of all. Default 1 */
  readonly sample?: number;
  /** windows, ripeness of labels, tests: as `modelWatch` takes them */
  readonly watch?: ModelWatchOptions;
  /** makes what reads CSV; default none: rows of CSV are watched without their inputs */
  readonly csv?: (by: ScoredBy) => CsvPieces;
  /** what `toJSON` has returned: the watch goes on from it when its models are there */
  readonly state?: WatcherState;
  /** milliseconds since 1970; default `Date.now` */
  readonly now?: () => number;
}

/** A watch in the process of the service. */
export interface ScoresWatched extends ScoreWatch {
  readonly predictions: PredictionLogOptions;
  readonly labels: LabelSink;
  /** All that was seen, as plain data: another watch goes on from it. */
  toJSON(): WatcherState;
}

/**
 * Watches the scores of a service in its own process: drift of features and scores against the baseline of the model, and performance once labels come.
 *
 * A row is read a second time and added after it was scored, before the answer leaves: `sample` says which share of the requests is.
 * Nothing of it throws: what cannot be watched, and why, is counted in the notes of the report.
 * @example
 * const watch = watchScores({ sample: 0.1 });
 * const service = createService({ models, watch, extensions: [watchApi] });
 * (await watch.report('flights'))?.versions[0].counts.rows;
 */
export function watchScores(options: WatchScoresOptions = {}): ScoresWatched {
  const { models: which = 'baseline', sample = 1, watch = {}, csv, state, now = Date.now } = options;
  const models = new Map<string, Model>();
  const inputs = new Inputs(csv);
  const watching = { sample, watch, model: (sha256: string) => models.get(sha256) ?? null };
  const watcher = new Watcher(watching);
  /** versions whose model has not come yet */
  let later = state ?? null;

  const wants = ({ sha256 }: ScoredBy, model: Model): boolean => {
    if (which === 'baseline' && !model.manifest.baseline) return false;
    models.set(sha256, model);
    if (later) later = restore(later, sha256);
    return true;
  };

  /** Goes on from what a state has of a model. @returns what it has of others */
  const restore = (from: WatcherState, sha256: string): WatcherState | null => {
    const [own, others] = [true, false].map((isOwn) => from.watches.filter((one) => (one.sha256 === sha256) === isOwn));
    if (own.length > 0) watcher.merge(Watcher.from({ ...from, watches: own }, watching));
    if (others.length === 0) return null;
    return own.length === 0 ? from : { ...from, watches: others, waiting: [], notes: {} };
  };

  return {
    predictions: {
      sink: {
        take(item) {
          if (item.kind === 'end') inputs.end(item);
          else watcher.scored(item, inputs.of(item));
        },
      },
      sample,
      wants,
      now,
      onLeft: (by, route, rows, refused) => watcher.left(by, route, rows, refused),
    },
    labels: {
      async take(labels) {
        for (const label of labels) watcher.label(label);
      },
    },
    report: async (model) => watcher.report(model, now()),
    figures: async () => watcher.figures(now()),
    toJSON() {
      const own = watcher.toJSON();
      return later ? { ...own, watches: [...own.watches, ...later.watches] } : own;
    },
  };
}
