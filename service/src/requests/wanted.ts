import { badRequest } from '../refusal.ts';
import { NOTHING, type Wanted } from '../scoring/question.ts';

/** Greatest number of reasons of a row. */
const MOST_REASONS = 100;
const MOST_FIELDS = 100;

/** What is wanted beside scores, by the query or the members of a body. @throws Refusal */
export function wantedOf(given: { explain?: unknown; interval?: unknown; whatif?: unknown }): Wanted {
  const { explain, interval, whatif } = given;
  if (explain === undefined && interval === undefined && whatif === undefined) return NOTHING;
  return {
    explain: explain === undefined ? 0 : reasonsOf(explain),
    interval: interval === undefined ? null : levelOf(interval),
    whatIf: whatif === undefined ? [] : fieldsOf(whatif),
  };
}

/** A number, or its text as a query has it; NaN for anything else. */
function numberOf(given: unknown): number {
  if (typeof given === 'number') return given;
  return typeof given === 'string' && /^[\d.]+(e[+-]?\d+)?$/i.test(given) ? Number(given) : Number.NaN;
}

function reasonsOf(given: unknown): number {
  const count = numberOf(given);
  if (Number.isInteger(count) && count >= 0 && count <= MOST_REASONS) return count;
  throw badRequest(
    `explain: expected a whole number from 0 to ${MOST_REASONS}, got something else; leave it out for no reasons`,
  );
}

function levelOf(given: unknown): number {
  const level = numberOf(given);
  if (level > 0 && level < 1) return level;
  throw badRequest('interval: expected a probability between 0 and 1, got something else; 0.95 is usual');
}

function fieldsOf(given: unknown): readonly string[] {
  const names = typeof given === 'string' ? given.split(',') : given;
  const isList = Array.isArray(names) && names.length <= MOST_FIELDS && names.every((name) => typeof name === 'string');
  if (isList) return names as string[];
  throw badRequest(`whatif: expected at most ${MOST_FIELDS} names of fields, got something else`);
}
