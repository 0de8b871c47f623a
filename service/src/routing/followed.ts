import type { Served } from '../models/served.ts';
import type { Breach, Guards } from './guards.ts';
import { type Arm, CHALLENGER, type Route, type Target } from './route.ts';

/** A route that is followed, and what was seen of it. */
export interface Followed {
  readonly route: Route;
  guards: Guards | null;
  breach: Breach | null;
  readonly requests: Record<string, number>;
  unkeyed: number;
  /** answers when no model can; null: nothing */
  last: Served | null;
}

/** A route on which all is one model's. */
export const plainTo = (champion: Target): Followed => ({
  route: { name: champion.model, id: '', champion, arms: [], salt: champion.model, key: null },
  guards: null,
  breach: null,
  requests: {},
  unkeyed: 0,
  last: null,
});

/** What guards watch: the arm named challenger, else the shadow, which answers nothing. */
export function watchedOf({ arms, shadow }: Route): Arm | null {
  const arm = arms.find(({ name }) => name === CHALLENGER);
  if (arm) return arm;
  return shadow ? { ...shadow, name: 'shadow', share: 0 } : null;
}
