import type { DomainShift } from '../../../../src/index.ts';
import type { Adjustment, Convention, Drift, PeerFigure, Summary } from '../../../../src/monitor.ts';
import type { ModelPlace } from '../../read/models.ts';
import type { ReadOptions } from '../../read/text/options.ts';
import type { ReportTarget } from '../../report/write.ts';

/** A side of the comparison: a file, a pattern, "-", or a query. */
export interface DataSide {
  readonly data?: string;
  readonly query?: string;
}

/** Options of `logodds drift`, as values. */
export interface DriftOptions extends ReadOptions, ModelPlace {
  /** data, or a model: its baseline */
  readonly reference: DataSide;
  readonly current: DataSide;
  /** reads both sides and scores them; absent: the reference, if it is a model, else columns are compared as they are */
  readonly model?: string;
  readonly alpha?: number;
  readonly adjust?: Adjustment;
  readonly least?: number;
  /** figures as another program computes them */
  readonly convention?: Convention;
  /** rows a side for the domain classifier (5,000 when absent), or false for none */
  readonly domain?: number | false;
  /** of samples; 1 when absent */
  readonly seed?: number;
  readonly threads?: number;
  readonly report?: ReportTarget;
  readonly warn: (message: string) => void;
}

/** A column or feature that was left out, and why. */
export interface Skipped {
  readonly name: string;
  readonly why: string;
}

/** A figure of a feature by the convention of another program. */
export interface PeerDrift extends PeerFigure {
  readonly feature: string;
  /** its name there */
  readonly figure: string;
}

/** What was compared. */
export interface DriftSide {
  readonly name: string;
  readonly kind: 'baseline' | 'data';
  readonly rows: number;
  /** rows that these were sampled from; as many, unless they are a sample */
  readonly of: number;
}

/** What `logodds drift` found. */
export interface DriftResult {
  readonly reference: DriftSide;
  readonly current: DriftSide;
  /** null: columns were compared as they are */
  readonly model: string | null;
  /** names of classes: what a shift of the logit is towards and away from; null without a model of two classes */
  readonly sides: readonly [positive: string, negative: string] | null;
  readonly found: Drift;
  readonly before: Summary;
  readonly now: Summary;
  /** without a model: what each column was taken for */
  readonly columns: readonly { readonly column: string; readonly kind: 'number' | 'category' }[] | null;
  readonly skipped: readonly Skipped[];
  /** null: why stands in `domainNote` */
  readonly domain: (DomainShift & { readonly sampled: boolean }) | null;
  readonly domainNote: string | null;
  readonly convention: {
    readonly name: Convention;
    readonly rows: number;
    readonly figures: readonly PeerDrift[];
  } | null;
  readonly notes: readonly string[];
  readonly seconds: number;
}

/** Names of the features that drifted, and whether the scores did. */
export const driftedOf = ({ found, model }: DriftResult): { readonly features: string[]; readonly score: boolean } => ({
  features: found.features.flatMap((one) => (one.drifted ? [one.feature] : [])),
  score: model !== null && found.score.drifted,
});
