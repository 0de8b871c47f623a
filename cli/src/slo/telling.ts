import { period } from '../options/kinds.ts';
import type { OptionTable } from '../options/tableFile.ts';

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

export type Paces = Readonly<Record<'page' | 'ticket', Pace>>;

/** What a pace may have, by severity. */
export const PACE_OPTIONS = {
  page: paceOptions('10s', '4h'),
  ticket: paceOptions('30s', '12h'),
} as const satisfies Record<'page' | 'ticket', OptionTable>;

function paceOptions(wait: string, repeat: string) {
  return {
    wait: [period('1s', '1h'), 'from the first alert of a group to its message', wait],
    interval: [period('1s', '1d'), 'between two messages of a group that has changed', '5m'],
    repeat: [period('1m', '7d'), 'until a group that goes on is told of again', repeat],
  } as const satisfies OptionTable;
}

/** Labels by which alerts are told together. */
export const GROUP_BY = ['alertname', 'model'] as const;
