/** A part of a rollout: how much of the traffic the challenger answers, and how long at least. */
export interface Step {
  /** of the traffic, from 0 to 1 */
  readonly share: number;
  /** seconds before the next step may follow; null: until somebody advances it */
  readonly holdSeconds: number | null;
}

/** Another version that answers a fixed share. */
export interface Arm {
  readonly name: string;
  readonly version: number;
  readonly share: number;
}

/** What ends a rollout by itself. Errors, refusals, slow requests and log loss are always watched; disagreement and PSI where they have a limit. */
export interface Guards {
  /** probability of a false alarm of all guards together, however often one looks; default 0.01 */
  readonly alpha?: number;
  /** requests of the challenger before a guard may decide; default 100 */
  readonly minRequests?: number;
  /** errors of the challenger may be this many times those of the champion, at least 1; default 1 */
  readonly errorRatio?: number;
  /** requests that take longer may be this many times as many, at least 1; default 2 */
  readonly latencyRatio?: number;
  /** what is slow; default the 99th percentile of the champion */
  readonly slowSeconds?: number;
  /** greatest mean of |p of the challenger − p of the champion| on the same records */
  readonly maxDisagreement?: number;
  /** greatest PSI of the challenger's scores against the champion's on the same records */
  readonly maxPsi?: number;
  /** by how much the challenger's log loss may be greater, on the same labelled records; default 0 */
  readonly maxLogLossIncrease?: number;
}

/** How a challenger comes to the traffic. */
export interface RolloutPlan {
  /** canary: its share grows by steps. blue-green: all at once. shadow: it scores and never answers. ab: fixed shares, until somebody decides. */
  readonly kind: 'canary' | 'blue-green' | 'shadow' | 'ab';
  readonly steps: readonly Step[];
  /** further versions with fixed shares (ab) */
  readonly arms?: readonly Arm[];
  /** what assignment is sticky to: a field of the record, `header:NAME`; absent: the header x-logodds-key, else the id of the request */
  readonly key?: string;
  /** what keys are hashed with; the same salt gives the same assignment */
  readonly salt: string;
  readonly guards?: Guards;
  /** whether steps follow by themselves when their time is over and no guard objects; default true */
  readonly isAutomatic?: boolean;
  /** whether the challenger becomes champion after the last step; default false */
  readonly promotes?: boolean;
}
