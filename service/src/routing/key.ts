import type { Asked } from '../hooks.ts';
import { badRequest } from '../refusal.ts';
import { mediaTypeOf } from '../requests/mediaType.ts';
import { parsedJson } from '../scoring/score.ts';
import { type Arm, CHAMPION, type KeyFrom } from './route.ts';

/** The header that has the key of a request where a route names no other; percent-encoded where no header could hold it. */
export const KEY_HEADER = 'x-logodds-key';
/** The header by which a caller asks for an arm. */
export const ROUTE_HEADER = 'x-logodds-route';

/** Longest key that is taken; what is longer is no key of a customer. */
const LONGEST = 1024;

/**
 * The key of a request, by which it is assigned; null: it has none, so the champion answers.
 * @param read  the body: a field stands in it
 */
export function keyOf(
  asked: Asked,
  from: KeyFrom,
  read: () => Promise<Uint8Array>,
): string | null | Promise<string | null> {
  if (from === null || 'header' in from) return headerKey(asked, from);
  return asked.protocol === 'own' && isJson(asked.request) ? fieldOf(from.field, read) : null;
}

/** The key of a request that no record has. */
export const headerKey = (asked: Asked, from: Exclude<KeyFrom, { readonly field: string }>): string | null =>
  from === null ? (headerOf(asked, KEY_HEADER) ?? asked.id) : headerOf(asked, from.header);

function headerOf({ request }: Asked, name: string): string | null {
  const value = request.headers.get(name);
  return value === null || value === '' || value.length > LONGEST ? null : decoded(value);
}

/**
 * A key as the record would have it: a header takes printable ASCII alone, so what is not, and `%` itself, stands there percent-encoded in UTF-8. One that is
 * not so encoded, as "50%", stands for itself.
 */
function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

const isJson = (request: Request): boolean => ['application/json', ''].includes(mediaTypeOf(request));

/** A field of the one record that a body has. Several records may have several keys, and one version answers all of them. */
async function fieldOf(field: string, read: () => Promise<Uint8Array>): Promise<string | null> {
  const bytes = await read();
  let record: unknown;
  try {
    record = parsedJson(bytes);
  } catch {
    // who scores it says what is wrong
    return null;
  }
  const { records, ...others } = (record ?? {}) as { records?: unknown };
  if (Array.isArray(records) && records.length === 1 && !Object.hasOwn(others, field)) record = records[0];
  if (Array.isArray(record) && record.length === 1) record = record[0];
  if (record === null || typeof record !== 'object' || Array.isArray(record) || !Object.hasOwn(record, field))
    return null;
  return keyValue((record as Record<string, unknown>)[field]);
}

/** A value of a record as a key; null: it is none. */
export function keyValue(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null;
  const key = String(value);
  return key === '' || key.length > LONGEST ? null : key;
}

/** The arm that a caller names. @throws Refusal 400 */
export function armNamed(arms: readonly Arm[], name: string): Arm {
  const arm = arms.find((one) => one.name === name);
  if (arm) return arm;
  const known = [...new Set([CHAMPION, ...arms.map((one) => one.name)])].join(', ');
  throw badRequest(`${ROUTE_HEADER}: expected one of ${known}, got another; leave the header out to be assigned`);
}
