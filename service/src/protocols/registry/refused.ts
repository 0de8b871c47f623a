import { Refusal, refusalOf } from '../../refusal.ts';

/** What is said of the place of a registry; the log of the service says more. */
const AWAY = 'registry: expected an answer of its place, got none; try again later';

/** Errors of a name or an alias that none may have. */
const MALFORMED = /^(name|alias): expected/;

/** What a client is told when the registry cannot do what it asks. Names of other models, and where the registry lies, are not for it. */
export function inRegistry(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code === 'ERR_STORE') return new Refusal(503, code, AWAY, { headers: { 'retry-after': '5' } });
  if (code === 'ERR_REGISTRY') return new Refusal(MALFORMED.test(message) ? 400 : 409, code, message);
  if (code === 'ERR_SIGNATURE') return new Refusal(409, code, message);
  return refusalOf(error);
}

/** What is not there. @param what  a model, a version or an alias */
export const unknown = (what: string): Refusal =>
  new Refusal(404, 'ERR_REGISTRY', `${what}: expected one of the registry, got another; GET /registry/models has them`);

/** @throws Refusal 503 for a registry that cannot be read: a newer version may have written it */
export async function readable<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_FORMAT') throw error;
    throw new Refusal(503, 'ERR_STORE', AWAY, { headers: { 'retry-after': '60' } });
  }
}
