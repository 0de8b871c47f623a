import { badRequest } from '../refusal.ts';
import { quote } from './columns.ts';

/** The query of a request, each name once: of two values a proxy may have meant the other. @throws Refusal 400 */
export function queryOf({ url }: Request): Readonly<Record<string, string>> {
  const query: Record<string, string> = {};
  if (!url.includes('?')) return query;
  new URL(url).searchParams.forEach((value, name) => {
    if (Object.hasOwn(query, name))
      throw badRequest(
        `query: expected each name once, got ${quote(name)} again; send one, several fields as whatif=a,b`,
      );
    query[name] = value;
  });
  return query;
}
