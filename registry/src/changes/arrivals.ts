import type { Happening } from '../event.ts';
import type { RolloutPlan } from '../rollout.ts';
import { CHAMPION, type Demand, type State } from '../state.ts';
import { entryOf } from './find.ts';

/** A version that comes to stand where an alias stands. */
export interface Arrival {
  readonly name: string;
  readonly alias: string;
  readonly version: number;
}

/** The versions of a rollout that answer in place of the champion. A shadow answers nobody; if it is to become champion, it counts too. */
const standIns = ({ kind, promotes, arms = [] }: RolloutPlan, challenger: number): number[] =>
  kind === 'shadow' && !promotes ? [] : [challenger, ...arms.map(({ version }) => version)];

/** Where versions come to stand by an event. */
export function arrivals(state: State, happening: Happening): Arrival[] {
  const champions = (versions: readonly number[], name: string) =>
    versions.map((version) => ({ name, alias: CHAMPION, version }));
  switch (happening.event) {
    case 'aliased': {
      const { name, alias, version } = happening;
      return version === null ? [] : [{ name, alias, version }];
    }
    case 'promoted':
    case 'rolled-back':
      return champions([happening.version], happening.name);
    case 'rollout-started':
      return champions(standIns(happening.plan, happening.challenger), happening.name);
    case 'rollout-advanced': {
      const { plan, challenger } = entryOf(state, happening.name).rollout!;
      return champions(standIns(plan, challenger), happening.name);
    }
    case 'rollout-ended':
      return happening.outcome === 'promoted' ? champions([happening.version], happening.name) : [];
    default:
      return [];
  }
}

/** Demands of signatures on a model, of one alias or of all. */
export const demandsOn = ({ demands }: State, name: string, alias?: string): Demand[] =>
  demands.filter(
    (one) =>
      one.keys.length > 0 && (one.name === '*' || one.name === name) && (alias === undefined || one.alias === alias),
  );
