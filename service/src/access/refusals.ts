import { Refusal } from '../refusal.ts';
import type { Verb } from '../requests/caller.ts';

/*
 * What callers are told, as RFC 6750 has it. Whether a model exists stands in none of it: it depends on names and scopes alone.
 */

const REALM = 'Bearer realm="logodds"';

/** Nothing was shown. */
export const nobody = (message = 'token: expected one, got none; send Authorization: Bearer, or X-API-Key'): Refusal =>
  new Refusal(401, 'ERR_TOKEN', message, { headers: { 'www-authenticate': REALM } });

/** What was shown is not taken. @param rule  what was expected, what was got, what to do next */
export const invalid = (rule: string): Refusal =>
  new Refusal(401, 'ERR_TOKEN', `token: ${rule}`, {
    headers: { 'www-authenticate': `${REALM}, error="invalid_token", error_description="${rule}"` },
  });

/** Two tokens, of which neither is more right. */
export const ambiguous = (rule: string): Refusal =>
  new Refusal(400, 'ERR_TOKEN', `token: ${rule}`, {
    headers: { 'www-authenticate': `${REALM}, error="invalid_request", error_description="${rule}"` },
  });

/** It is known who asks, who may not. @param model  null: every one */
export function missing(verb: Verb, model: string | null): Refusal {
  const scope = model === null ? verb : `${verb}:${model}`;
  // the characters of RFC 6749, 3.3; a model has its name from the path
  const said = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(scope) ? `, scope="${scope}"` : '';
  const shown = scope.length > 100 ? `${scope.slice(0, 100)}…` : scope;
  return new Refusal(
    403,
    'ERR_SCOPE',
    `scope: expected ${JSON.stringify(shown)}, got a token without; ask who gives out tokens for it`,
    { headers: { 'www-authenticate': `${REALM}, error="insufficient_scope"${said}` } },
  );
}

/** Whom to ask does not answer. */
export const unsure = (message: string): Refusal =>
  new Refusal(503, 'ERR_ACCESS', message, { headers: { 'retry-after': '1' } });
