import { ambiguous, invalid, nobody } from './refusals.ts';

/** Longer than JSON web tokens are. */
const LONGEST = 8192;
/** RFC 6750, 2.1; what comes twice has a comma between. */
const BEARER = /^bearer +([\w.~+/-]+=*)$/i;
const TOKEN = /^[\w.~+/-]+=*$/;
const IN_QUERY = /[?&](access_token|api[_-]?key|x-api-key|token)=/i;

/** The token that a request shows; null: none. @throws Refusal 400, 401 */
export function tokenOf({ headers, url }: Request): string | null {
  const bearer = headers.get('authorization');
  const key = headers.get('x-api-key');
  if (bearer === null && key === null) {
    if (IN_QUERY.test(url))
      throw nobody(
        'token: expected it in a header, got it in the URL, which stands in logs and histories; take another, send Authorization: Bearer',
      );
    return null;
  }
  const given = bearer === null ? null : bearerOf(bearer);
  if (key === null) return given;
  if (key.length > LONGEST || !TOKEN.test(key))
    throw invalid('expected one key in X-API-Key, got something else; correct it');
  if (given !== null && given !== key) throw ambiguous('expected one, got two; send Authorization or X-API-Key');
  return key;
}

function bearerOf(header: string): string {
  if (header.length > LONGEST) throw invalid(`expected at most ${LONGEST} characters, got more; get a shorter one`);
  const [, token] = BEARER.exec(header) ?? [];
  if (token === undefined) throw invalid('expected Bearer and one token, got something else; correct Authorization');
  return token;
}
