import type { Model } from '../../model/model.ts';
import type { DelayHistogram } from '../labels/delay.ts';
import type { JoinedRow, LabelJoin } from '../labels/join.ts';
import type { RecordQuality } from '../quality/records.ts';
import type { Freshness } from './freshness.ts';
import type { Settings } from './settings.ts';
import type { SkewCounts } from './skew.ts';
import type { Outcome, Outcomes, WatchWindow } from './window.ts';

/** A score that waits for its label. */
export interface HeldScore {
  readonly at: number;
  readonly id: string;
  readonly entity: string | null;
  readonly probability: number;
  /** index of the class that was said */
  readonly label: number;
  readonly group: number;
  /** `from` of its window */
  readonly window: number;
}

/** What a report is made of: a `ModelWatch`. */
export interface Watched {
  readonly model: Model;
  readonly settings: Settings;
  readonly rows: number;
  readonly withoutInputs: number;
  readonly dropped: number;
  readonly fromFuture: number;
  readonly unknownModels: Readonly<Record<string, number>>;
  readonly windows: readonly WatchWindow[];
  readonly join: LabelJoin<HeldScore>;
  readonly delays: DelayHistogram;
  readonly refused: RecordQuality;
  readonly skew: SkewCounts;
  readonly freshness: Freshness | null;
  outcomeOf(row: JoinedRow<HeldScore>): Outcome | null;
}

/** What is known of the windows now: with the labels of the scores that are held. */
export interface Known {
  readonly window: WatchWindow;
  readonly to: number;
  readonly isComplete: boolean;
  readonly outcomes: Outcomes;
}
