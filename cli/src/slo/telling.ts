/*
 * How alerts are told: the routes of Alertmanager and what `serve --slo` does by itself are made of this table.
 */

/** Labels that an alert must have: a value, or any that is there. */
export interface Matching {
  readonly severity?: 'page' | 'ticket';
  readonly alertname?: string;
  /** whether it is of an objective */
  readonly ofObjective?: true;
  readonly not?: { readonly alertname: string };
}

/** An alert that silences others while it fires. */
export interface Inhibition {
  readonly source: Matching;
  readonly target: Matching;
  /** labels that both have alike */
  readonly equal: readonly string[];
}

export const INHIBITIONS: readonly Inhibition[] = [
  // with an objective: conditions, which have none, would silence one another
  { source: { severity: 'page', ofObjective: true }, target: { severity: 'ticket' }, equal: ['slo', 'model'] },
  { source: { alertname: 'LogoddsDown' }, target: { not: { alertname: 'LogoddsDown' } }, equal: [] },
];

/** Seconds: until a group is told of first, until its changes are, and until it is told of again. */
export interface Pace {
  readonly wait: number;
  readonly interval: number;
  readonly repeat: number;
}

export const PACES: Readonly<Record<'page' | 'ticket', Pace>> = {
  page: { wait: 10, interval: 300, repeat: 4 * 3600 },
  ticket: { wait: 30, interval: 300, repeat: 12 * 3600 },
};

/** Labels by which alerts are told together. */
export const GROUP_BY = ['alertname', 'model'] as const;
