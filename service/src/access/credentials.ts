import { ambiguous, invalid, nobody } from './refusals.ts';

/** Longer than JSON web tokens are. */
const LONGEST = 8192;
/** RFC 6750, 2.1; what comes twice has a comma between. */
const BEARER = /^bearer +([\w.~+/-]+=*)$/i;
const TOKEN = /^[\w.~+/-]+=*$/;
/** What follows of a token in a URL. */
const NEXT = 'which stands in logs and histories; take another, send Authorization: Bearer';
const IN_QUERY = /[?&](access_token|api[_-]?key|x-api-key|token)=/i;

/**
 * The token that a request shows; null: none. One in the URL is refused beside a good one as well: it stands in the logs of every proxy on the way, and who
 * sends it would not know. (RFC 6750, 2: a client must not send it in two ways.)
 * @throws Refusal 400, 401
 */
export function tokenOf({ headers, url }: Request): string | null {
  const bearer = headers.get('authorization');
  const key = headers.get('x-api-key');
  const isInUrl = IN_QUERY.test(url);
  if (bearer === null && key === null) {
    if (isInUrl) throw nobody(`token: expected it in a header, got it in the URL, ${NEXT}`);
    return null;
  }
  if (isInUrl) throw ambiguous(`expected it in a header alone, got one in the URL too, ${NEXT}`);
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
