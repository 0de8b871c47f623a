import type { Asked } from '../hooks.ts';
import { mediaTypeOf } from '../requests/mediaType.ts';
import { parsedJson } from '../scoring/score.ts';
import type { KeyFrom } from './route.ts';

/** The header that has the key of a request where a route names no other. */
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
  if (from === null) return headerOf(asked, KEY_HEADER) ?? asked.id;
  if ('header' in from) return headerOf(asked, from.header);
  return asked.protocol === 'own' && isJson(asked.request) ? fieldOf(from.field, read) : null;
}

function headerOf({ request }: Asked, name: string): string | null {
  const value = request.headers.get(name);
  return value === null || value === '' || value.length > LONGEST ? null : value;
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
  const value = (record as Record<string, unknown>)[field];
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null;
  const key = String(value);
  return key === '' || key.length > LONGEST ? null : key;
}
