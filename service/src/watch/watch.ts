import type { Figure } from '../observation/figures.ts';
import type { LabelSink } from '../observation/labels.ts';
import type { PredictionLogOptions } from '../observation/predictionLog.ts';
import type { ScoreWatchReport } from './watcher.ts';

/** Watches what a service scores: what drifted, and how good it is. Made by `watchScores`, or by a host in a thread of its own. */
export interface ScoreWatch {
  /** how it sees scores; absent: it sees those of the prediction log */
  readonly predictions?: PredictionLogOptions;
  /** takes labels; absent: it sees those of the prediction log */
  readonly labels?: LabelSink;
  /** What is known of a model, in all processes of the service; null: no version of it is watched. */
  report(model: string): Promise<ScoreWatchReport | null>;
  /** Figures of all models, of all processes of the service. */
  figures(): Promise<readonly Figure[]>;
}
