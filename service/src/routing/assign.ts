import { unitOf } from '../requests/unit.ts';
import type { Arm, Route } from './route.ts';

/**
 * The arm of a key; null: the champion's.
 *
 * A key lies at u = unitOf(salt, key). The first arm has [0, share): when its share grows, keys move to it from the champion, as many as the share grew, and
 * none moves back. The other arms lie one before the other from 1 downwards. The champion has what is between.
 */
export function armOf({ arms, salt }: Pick<Route, 'arms' | 'salt'>, key: string): Arm | null {
  const u = unitOf(`${salt}\n${key}`);
  const [first, ...others] = arms;
  if (first && u < first.share) return first;
  let end = 1;
  for (const arm of others) {
    const begin = end - arm.share;
    if (u >= begin && u < end) return arm;
    end = begin;
  }
  return null;
}
