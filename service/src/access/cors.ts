import type { Hono } from 'hono';
import { cors } from 'hono/cors';

const EXPOSED = [
  'x-request-id',
  'x-model-name',
  'x-model-version',
  'x-model-sha256',
  'x-model-route',
  'x-model-route-reason',
  'x-model-segment',
  'inference-header-content-length',
  'retry-after',
  'server-timing',
  'www-authenticate',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT'];
/** For which a browser remembers what it may ask. */
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of these origins read answers, in browsers. Cookies are nothing to the service, so credentials are never allowed.
 * @throws Error for what is no origin
 */
export function addCors(app: Hono, origins: readonly string[]): void {
  const wrong = origins.find((origin) => origin !== '*' && !isOrigin(origin));
  if (wrong !== undefined)
    throw new Error(
      `cors: expected origins such as https://app.example.com, or *, got ${JSON.stringify(wrong)}; leave out the path`,
    );
  const origin = origins.includes('*') ? '*' : [...origins];
  app.use(cors({ origin, allowMethods: METHODS, exposeHeaders: EXPOSED, maxAge: PREFLIGHT_SECONDS }));
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text && !text.includes('*');
  } catch {
    return false;
  }
}
