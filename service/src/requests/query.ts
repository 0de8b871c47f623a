import { badRequest } from '../refusal.ts';
import { quote } from './columns.ts';

/** The query of a request, each name once: of two values a proxy may have meant the other. @throws Refusal 400 */
export function queryOf({ url }: Request): Readonly<Record<string, string>> {
  if (!url.includes('?')) return {};
  const { searchParams } = new URL(url);
  const names = new Set<string>();
  for (const name of searchParams.keys()) {
    if (names.has(name))
      throw badRequest(
        `query: expected each name once, got ${quote(name)} again; send one, several fields as whatif=a,b`,
      );
    names.add(name);
  }
  return Object.fromEntries(searchParams);
}
