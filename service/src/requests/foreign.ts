import { Refusal } from '../refusal.ts';
import { callerOf } from './caller.ts';

/** Sites of pages whose requests may change what is there: our own, or none at all. */
const OWN_SITES = ['same-origin', 'none'];

/** A page of another site could ask a browser beside a service without keys. @throws Refusal 403 */
export function refuseForeign(request: Request): void {
  if (callerOf(request) || isOwn(request)) return;
  throw new Refusal(
    403,
    'ERR_ORIGIN',
    'request: expected one of no page, or of a page of this service, got one of another site; ask with an API key',
  );
}

/** Browsers say the site only where TLS or this machine is asked, and the origin everywhere. A program says neither. */
function isOwn({ headers, url }: Request): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return OWN_SITES.includes(site);
  const origin = headers.get('origin');
  // TLS may end before the service
  return origin === null || hostOf(origin) === new URL(url).host;
}

/** The host of an origin; null: it is hidden. */
function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    return null;
  }
}
