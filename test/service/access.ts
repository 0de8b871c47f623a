import { createHash } from 'node:crypto';
import { type Peer, type ServiceOptions, Tokens } from '../../service/src/index.ts';
import { JSON_TYPE, type Name, serviceWith } from './models.ts';

export const digest = (key: string) => createHash('sha256').update(key).digest('hex');

/** Keys by name, and the scopes that each has. */
export const SCOPES = {
  all: ['score', 'labels', 'read', 'admin'],
  scorer: ['score:codes'],
  reader: ['read:num*'],
  metrics: ['read'],
  admin: ['admin:codes'],
  fraud: ['score:fraud-*'],
} as const;

export const entries = (more: readonly object[] = []) => [
  ...Object.entries(SCOPES).map(([name, scopes]) => ({ name, sha256: digest(`key-of-${name}`), scopes })),
  ...more,
];
export const tokens = (more: readonly object[] = []) => new Tokens(JSON.stringify(entries(more)));

export const bearer = (name: keyof typeof SCOPES) => ({ authorization: `Bearer key-of-${name}` });

/** A service that asks who asks. */
export function guarded(access: ServiceOptions['access'] = { tokens: tokens() }, ...names: Name[]) {
  const { service, lines } = serviceWith({ access }, ...(names.length > 0 ? names : (['codes', 'numeric'] as const)));
  const ask = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}, peer?: Peer) =>
    service.fetch(
      new Request(`http://localhost${path}`, { headers: { ...(init.body && JSON_TYPE), ...headers }, ...init }),
      peer,
    );
  return { service, lines, ask };
}

export const RECORD = '{"code":"2","x":0.5}';
export const score = { method: 'POST', body: RECORD };
