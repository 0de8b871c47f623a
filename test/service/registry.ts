import { MemoryStore, Registry, type RolloutPlan, type Store } from '../../registry/src/index.ts';
import {
  type AuditEntry,
  createService,
  type LogLine,
  Routing,
  registryApi,
  type ServiceOptions,
  Tokens,
} from '../../service/src/index.ts';
import { modelFile } from '../registry/models.ts';
import { digest } from './access.ts';

export const FILES = [1, 2, 3, 4].map(modelFile);
export const CANARY: RolloutPlan = {
  kind: 'canary',
  salt: 'autumn',
  steps: [
    { share: 0.2, holdSeconds: 60 },
    { share: 0.6, holdSeconds: null },
  ],
  promotes: true,
};

/** Keys by name, and the scopes that each has. */
export const KEYS = {
  reader: ['role:reader'],
  readerOfFraud: ['role:reader:fraud'],
  pusher: ['role:pusher'],
  promoter: ['role:promoter:fraud'],
  admin: ['role:admin'],
  scorer: ['score'],
} as const;
export type Key = keyof typeof KEYS;

const tokens = () =>
  new Tokens(
    JSON.stringify(Object.entries(KEYS).map(([name, scopes]) => ({ name, sha256: digest(`key-of-${name}`), scopes }))),
  );

/** A registry with a model of three versions, of which the second is champion and the first was it; and one that only some may read. */
export async function registered(store: Store = new MemoryStore()) {
  const registry = new Registry(store);
  const ann = { by: 'ann', why: 'for a test' };
  for (const file of FILES.slice(0, 3)) await registry.push({ ...ann, name: 'fraud', file });
  await registry.push({ ...ann, name: 'secret', file: FILES[3] });
  for (const version of [1, 2]) await registry.alias('fraud', version, 'champion', ann);
  return registry;
}

/** A service with that registry, what it logs and audits, and a way to ask it as somebody. */
export async function serving(options: ServiceOptions = {}, hasKeys = true, store?: Store) {
  const registry = await registered(store);
  const lines: LogLine[] = [];
  const audited: AuditEntry[] = [];
  const routing = new Routing();
  const service = createService({
    ...{ registry, routing, extensions: [registryApi], log: (line) => lines.push(line) },
    ...(hasKeys && { access: { tokens: tokens() } }),
    audit: { isStrict: true, put: (entry) => audited.push(entry), kept: async () => {} },
    ...options,
  });
  const ask = async (
    key: Key | null,
    path: string,
    body?: object | Uint8Array | string,
    headers: Record<string, string> = {},
  ) =>
    service.fetch(
      new Request(`http://localhost${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        body: (body instanceof Uint8Array || typeof body !== 'object' ? body : JSON.stringify(body)) as BodyInit,
        headers: { ...(key && { authorization: `Bearer key-of-${key}` }), ...headers },
      }),
    );
  return { service, registry, routing, ask, lines, audited };
}

export const FRAUD = '/registry/models/fraud';
