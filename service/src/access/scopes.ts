import { type Caller, VERBS, type Verb } from '../requests/caller.ts';

/*
 * Scopes: `score:flights`, `score:fraud-*`, `score` for every model; so for `labels`, `read` and `admin`. No scope implies another, but a model of
 * which a caller may do anything is there for it.
 */

interface Scope {
  readonly verb: Verb;
  /** what names of models begin and end with; after null: the whole of it */
  readonly before: string;
  readonly after: string | null;
}

/** A scope, or null for what is none. */
export function scopeOf(text: string): Scope | null {
  const at = text.indexOf(':');
  const verb = (at < 0 ? text : text.slice(0, at)) as Verb;
  const [before, after, ...more] = at < 0 ? ['', ''] : text.slice(at + 1).split('*');
  if (!VERBS.includes(verb) || more.length > 0 || (before === '' && after === undefined)) return null;
  return { verb, before, after: after ?? null };
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
  const own = scopes.map(scopeOf).filter((scope) => scope !== null);
  const may = (verb: Verb, model: string | null) => own.some((scope) => scope.verb === verb && matches(scope, model));
  return { name, by, rate, scopes, may, sees: (model) => own.some((scope) => matches(scope, model)) };
}
