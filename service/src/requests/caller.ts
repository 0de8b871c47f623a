import { peerOf } from './peer.ts';

/**
 * What a caller may do with models: get their scores, send what became true of them, read what they are, put versions into a registry, decide which version
 * answers, load and unload them.
 */
export const VERBS = ['score', 'labels', 'read', 'push', 'promote', 'admin'] as const;
export type Verb = (typeof VERBS)[number];

/** Who asks. */
export interface Caller {
  /** as the log says it; never the token */
  readonly name: string;
  /** what it has shown */
  readonly by: 'key' | 'jwt' | 'certificate' | 'nothing';
  /** requests a second that it may make; null: as many as others */
  readonly rate: number | null;
  readonly scopes: readonly string[];
  /** @param model  null: every one */
  may(verb: Verb, model: string | null): boolean;
  /** whether it may know that there is a model of this name */
  readonly sees: (model: string) => boolean;
}

const callers = new WeakMap<Request, Caller>();

export const setCaller = (request: Request, caller: Caller): unknown => callers.set(request, caller);

/** Who asks; null where nobody is asked for a token. */
export const callerOf = (request: Request): Caller | null => callers.get(request) ?? null;

/** What the log says of who asks: who was let in, or who a certificate is of; null: not known. */
export const callerName = (request: Request): string | null =>
  callers.get(request)?.name ?? peerOf(request)?.subject ?? null;

const EVERY = (): boolean => true;

/** Which models are there for who asks. */
export const sightOf = (request: Request): Caller['sees'] => callers.get(request)?.sees ?? EVERY;
