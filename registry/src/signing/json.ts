import { quoted, signatureError } from './error.ts';

/** Members of JSON that must be there, one at a time; `what` names the place. */

export type Members = Readonly<Record<string, unknown>>;

const malformed = (what: string, rule: string, got: unknown) =>
  signatureError('malformed', `${what}: expected ${rule}, got ${quoted(got)}; sign the model again`);

/** @param known  its members, where it may have no others @throws ERR_SIGNATURE */
export function objectOf(value: unknown, what: string, known?: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what, 'an object', value);
  const other = known && Object.keys(value).find((key) => !known.includes(key));
  if (other !== undefined) throw malformed(what, `no members but ${known!.join(', ')}`, other);
  return value as Members;
}

/** @throws ERR_SIGNATURE */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(what, 'a list', value);
  return value;
}

/** @throws ERR_SIGNATURE */
export function textOf(value: unknown, what: string, rule = 'text', form = /^/): string {
  if (typeof value !== 'string' || !form.test(value)) throw malformed(what, rule, value);
  return value;
}

/** JSON of a text. @throws ERR_SIGNATURE */
export function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (isCut(text))
      throw signatureError('truncated', `${what}: expected JSON, got the beginning of it; copy it again`, error);
    throw signatureError('malformed', `${what}: expected JSON, got something else; sign the model again`, error);
  }
}

/** Whether a text ends inside of what it opened. */
function isCut(text: string): boolean {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isQuoted && character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && '{['.includes(character)) depth++;
    else if (!isQuoted && '}]'.includes(character)) depth--;
  }
  return text.startsWith('{') && (isQuoted || depth > 0);
}
