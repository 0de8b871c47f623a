import { type Caller, VERBS, type Verb } from '../requests/caller.ts';

/*
 * Scopes: `score:flights`, `score:fraud-*`, `score` for every model; so for the other verbs. No scope implies another, but a model of which a caller may do
 * anything is there for it. A role stands for several scopes: `role:promoter:fraud-*` for `read:fraud-*`, `push:fraud-*` and `promote:fraud-*`.
 */

/** Roles, and what each may. */
export const ROLES: ReadonlyMap<string, readonly Verb[]> = new Map<string, readonly Verb[]>([
  ['reader', ['read']],
  ['pusher', ['read', 'push']],
  ['promoter', ['read', 'push', 'promote']],
  ['admin', VERBS],
]);
const ROLE = 'role:';

interface Scope {
  readonly verb: Verb;
  /** what names of models begin and end with; after null: the whole of it */
  readonly before: string;
  readonly after: string | null;
}

/** The scopes that a text stands for; none for what is none. */
export function scopesOf(text: string): readonly Scope[] {
  const isRole = text.startsWith(ROLE);
  const said = isRole ? text.slice(ROLE.length) : text;
  const at = said.indexOf(':');
  const name = at < 0 ? said : said.slice(0, at);
  const verbs = isRole ? (ROLES.get(name) ?? []) : VERBS.filter((verb) => verb === name);
  const [before, after = null, ...more] = at < 0 ? ['', ''] : said.slice(at + 1).split('*');
  if (more.length > 0 || (before === '' && after === null)) return [];
  return verbs.map((verb) => ({ verb, before, after }));
}

const matches = ({ before, after }: Scope, model: string | null): boolean => {
  if (model === null) return before === '' && after === '';
  if (after === null) return model === before;
  return model.length >= before.length + after.length && model.startsWith(before) && model.endsWith(after);
};

/** A caller with the scopes among these; what is none is left out. */
export function callerWith(
  name: string,
  by: Caller['by'],
  scopes: readonly string[],
  rate: number | null = null,
): Caller {
  const own = scopes.flatMap(scopesOf);
  const may = (verb: Verb, model: string | null) => own.some((scope) => scope.verb === verb && matches(scope, model));
  return { name, by, rate, scopes, may, sees: (model) => own.some((scope) => matches(scope, model)) };
}
