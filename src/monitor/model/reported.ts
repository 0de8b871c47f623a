import type { Drift } from '../drift/drift.ts';
import type { JoinCounts } from '../labels/join.ts';
import type { LabelSelection } from '../labels/selection.ts';
import type { EstimatedPerformance } from '../performance/estimate.ts';
import type { HistogramPerformance } from '../performance/histogram.ts';
import type { FieldQuality } from '../quality/records.ts';
import type { Volume } from '../quality/volume.ts';
import type { FeatureSummary } from '../summary/summary.ts';
import type { WatchChange } from './changes.ts';
import type { FeatureFreshness } from './freshness.ts';
import type { LabelDelays } from './ripeness.ts';
import type { WatchSequence } from './sequences.ts';
import type { SkewState } from './skew.ts';

/** How right the scores of a window were. */
export interface WindowPerformance {
  /** rows with a label, and the share of rows without one */
  readonly labelled: number;
  readonly missing: number;
  /** labels that are none of the classes: they count as none */
  readonly otherLabels: number;
  /** whether labels are there, as far as they come */
  readonly isRipe: boolean;
  /** null: not ripe, or no label */
  readonly realised: HistogramPerformance | null;
  /** of the same rows, labels drawn with the probabilities: what the figures would be if the scores were calibrated; null without scores */
  readonly estimated: EstimatedPerformance | null;
  /** by group; null: none are asked for, or not ripe */
  readonly groups: readonly (HistogramPerformance & { readonly name: string })[] | null;
  /** which scores have labels; null: not ripe, or no label */
  readonly selection: Omit<LabelSelection, 'weights' | 'effectiveRows'> | null;
}

/** One window. */
export interface WindowReport {
  /** a time in milliseconds since 1970, or the number of the first row */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** of them, refused by the model now */
  readonly refused: number;
  /** times of the first and the last score; null without */
  readonly first: number | null;
  readonly last: number | null;
  /** whether all its rows have come */
  readonly isComplete: boolean;
  /** counts by feature; empty: there is no reference, or no inputs */
  readonly features: readonly FeatureSummary[];
  /** against the reference; null: no reference, or too few rows */
  readonly drift: Drift | null;
  readonly performance: WindowPerformance;
}

/** What `ModelWatch.report` returns. */
export interface WatchReport {
  readonly model: {
    readonly sha256: string | null;
    readonly target: string;
    readonly classes: readonly string[];
    readonly positive: string | null;
  };
  /** milliseconds since 1970 */
  readonly now: number;
  readonly every: { readonly ms: number } | { readonly rows: number };
  readonly rows: number;
  /** rows of the reference; null: there is none */
  readonly reference: number | null;
  /** what is not as it was, the earliest first */
  readonly changes: readonly WatchChange[];
  /** the earliest first */
  readonly windows: readonly WindowReport[];
  /** `from` of the newest complete window that was compared, and of the newest ripe one with enough labels; null: there is none */
  readonly newest: { readonly drift: number | null; readonly performance: number | null };
  /** whether the newest complete window has as many rows as those before; null: fewer than three before */
  readonly volume: Volume | null;
  readonly labels: LabelDelays & {
    readonly labelled: number;
    readonly missing: number | null;
    readonly join: JoinCounts;
  };
  /** records that the model refuses, by field: all of their fields are counted */
  readonly refused: {
    readonly rows: number;
    readonly fields: Readonly<Record<string, FieldQuality>>;
    readonly otherFields: Readonly<Record<string, number>>;
  };
  /** confidence sequences of means over the ripe windows that are kept: valid when looked at all the time; empty: no window has ripe labels */
  readonly sequences: readonly WatchSequence[];
  /** how old values were when they were scored; null: not asked for */
  readonly freshness: readonly FeatureFreshness[] | null;
  /** scores computed again; null: not asked for */
  readonly skew: SkewState | null;
  /** what was left out, and why; what must be told with the figures */
  readonly notes: readonly WatchNote[];
}

/** What was left out, or must be told with the figures. */
export interface WatchNote {
  /** one sentence */
  readonly what: string;
  /** rows, labels or windows; absent: it has no count */
  readonly count?: number;
}
