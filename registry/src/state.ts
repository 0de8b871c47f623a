import type { Kind, Lineage, Metrics, Outcome, RegistryEvent, Tags } from './event.ts';
import type { History } from './log.ts';
import type { RolloutPlan } from './rollout.ts';
import type { RevokedEntry } from './signing/revoked.ts';

/** What a gate said of a version. */
export interface Gated {
  readonly passed: boolean;
  readonly against: number | null;
  readonly failed: readonly string[];
  readonly at: string;
}

/** A version of a model. */
export interface Version {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the file */
  readonly sha256: string;
  /** the digest that the model has inside, which answers, `inspect` and `serve` call sha256; null: pushed before it was kept */
  readonly modelSha256: string | null;
  readonly bytes: number;
  readonly at: string;
  readonly by: string;
  readonly why: string | null;
  readonly metrics: Metrics;
  readonly lineage: Lineage;
  readonly tags: Tags;
  readonly isRetired: boolean;
  /** the last word of a gate; null: it went through none */
  readonly gate: Gated | null;
}

/** A rollout that goes on, or the last one. */
export interface Rollout {
  /** number of the event that started it */
  readonly seq: number;
  readonly plan: RolloutPlan;
  readonly champion: number;
  readonly challenger: number;
  /** index of the step */
  readonly step: number;
  /** when the step began */
  readonly since: string;
  readonly startedBy: string;
  /** null: it goes on */
  readonly outcome: Outcome | null;
  readonly why: string | null;
}

/** A model: its versions, and which of them has which alias. */
export interface Entry {
  readonly name: string;
  readonly versions: ReadonlyMap<number, Version>;
  readonly aliases: ReadonlyMap<string, number>;
  /** versions that were champion, the last one last */
  readonly champions: readonly number[];
  readonly rollout: Rollout | null;
}

/** What must be there before an alias is moved. */
export interface Demand {
  readonly name: string;
  readonly alias: string;
  /** ids of the keys of which one must have signed; empty: no signature is asked */
  readonly keys: readonly string[];
  /** these keys, in PEM */
  readonly publicKeys: readonly string[];
  /** what is trusted no more */
  readonly revoked: readonly RevokedEntry[];
  /** whether the version must have passed its gate */
  readonly gate: boolean;
}

/** What a registry says, derived from its history. It does not change; another event makes another one. */
export interface State {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly demands: readonly Demand[];
  /** ids of keys by digest of what they signed, as events say: see `Registry.verify` for what signatures say now */
  readonly signatures: ReadonlyMap<string, readonly string[]>;
  readonly seq: number;
  /** when the last event was */
  readonly at: string | null;
  /** events that do not fit what is known of those before them: damage took those away */
  readonly misfits: readonly { readonly seq: number; readonly reason: string }[];
}

export const CHAMPION = 'champion';

type Draft = { -readonly [K in keyof Entry]: Entry[K] extends ReadonlyMap<infer A, infer B> ? Map<A, B> : Entry[K] };
type Of<K extends Kind> = Extract<RegistryEvent, { event: K }>;

interface Work {
  readonly entries: Map<string, Draft>;
  readonly demands: Demand[];
  readonly signatures: Map<string, string[]>;
}

/** What each event does. A text: why it does not fit. */
const APPLY: { readonly [K in Kind]: (work: Work, event: Of<K>) => string | undefined } = {
  pushed({ entries }, event) {
    const { name, version, sha256, modelSha256 = null, bytes, at, by, why = null } = event;
    const { metrics = {}, lineage = {}, tags = {} } = event;
    const entry = entries.get(name) ?? newEntry(name);
    if (entry.versions.has(version)) return `version ${version} of ${name} is there`;
    entries.set(name, entry);
    entry.versions.set(version, {
      ...{ name, version, sha256, modelSha256, bytes, at, by, why, metrics, lineage, tags },
      isRetired: false,
      gate: null,
    });
    return undefined;
  },
  aliased: ({ entries }, { name, alias, version }) =>
    withEntry(entries, name, version, (entry) => {
      if (version === null) entry.aliases.delete(alias);
      else entry.aliases.set(alias, version);
    }),
  promoted: ({ entries }, { name, version }) =>
    withEntry(entries, name, version, (entry) => {
      entry.aliases.set(CHAMPION, version);
      entry.champions = [...entry.champions, version];
    }),
  'rolled-back': ({ entries }, { name, version, at, why = null }) =>
    withEntry(entries, name, version, (entry) => {
      const { rollout } = entry;
      // its champion is another one now
      if (rollout?.outcome === null) entry.rollout = { ...rollout, outcome: 'rolled-back', since: at, why };
      entry.aliases.set(CHAMPION, version);
      const last = entry.champions.lastIndexOf(version);
      entry.champions = last < 0 ? [version] : entry.champions.slice(0, last + 1);
    }),
  tagged: ({ entries }, { name, version, tags }) =>
    withEntry(entries, name, version, (entry) => {
      const all = Object.entries({ ...entry.versions.get(version)!.tags, ...tags }).filter(([, text]) => text !== null);
      change(entry, version, { tags: Object.fromEntries(all) as Tags });
    }),
  retired: ({ entries }, { name, version, retired }) =>
    withEntry(entries, name, version, (entry) => change(entry, version, { isRetired: retired })),
  signed({ signatures }, { sha256, keyId }) {
    const keys = signatures.get(sha256) ?? [];
    if (!keys.includes(keyId)) signatures.set(sha256, [...keys, keyId]);
    return undefined;
  },
  gated: ({ entries }, { name, version, passed, against, failed, at }) =>
    withEntry(entries, name, version, (entry) => change(entry, version, { gate: { passed, against, failed, at } })),
  demanded({ demands }, { name, alias, keys, publicKeys = [], revoked = [], gate }) {
    const at = demands.findIndex((demand) => demand.name === name && demand.alias === alias);
    if (at >= 0) demands.splice(at, 1);
    if (keys.length > 0 || gate) demands.push({ name, alias, keys, publicKeys, revoked, gate });
    return undefined;
  },
  collected: () => undefined,
  'rollout-started': ({ entries }, { name, seq, plan, champion, challenger, at, by }) =>
    withEntry(entries, name, challenger, (entry) => {
      entry.rollout = {
        ...{ seq, plan, champion, challenger },
        step: 0,
        since: at,
        startedBy: by,
        outcome: null,
        why: null,
      };
    }),
  'rollout-advanced': ({ entries }, { name, step, at }) =>
    withRollout(entries, name, (entry, rollout) => {
      entry.rollout = { ...rollout, step, since: at };
    }),
  'rollout-ended': ({ entries }, { name, outcome, version, at, why = null }) =>
    withRollout(entries, name, (entry, rollout) => {
      entry.rollout = { ...rollout, outcome, since: at, why };
      if (outcome !== 'promoted' || entry.aliases.get(CHAMPION) === version) return;
      // one event: no moment has two champions, or none
      entry.aliases.set(CHAMPION, version);
      entry.champions = [...entry.champions, version];
    }),
};

const newEntry = (name: string): Draft => ({
  name,
  versions: new Map(),
  aliases: new Map(),
  champions: [],
  rollout: null,
});

function withEntry(
  entries: Map<string, Draft>,
  name: string,
  version: number | null,
  then: (entry: Draft) => void,
): string | undefined {
  const entry = entries.get(name);
  if (!entry || (version !== null && !entry.versions.has(version))) return `version ${version} of ${name} is not known`;
  then(entry);
  return undefined;
}

function withRollout(
  entries: Map<string, Draft>,
  name: string,
  then: (entry: Draft, rollout: Rollout) => void,
): string | undefined {
  const entry = entries.get(name);
  if (!entry?.rollout || entry.rollout.outcome !== null) return `no rollout of ${name} is known`;
  then(entry, entry.rollout);
  return undefined;
}

function change(entry: Draft, version: number, to: Partial<Version>): void {
  entry.versions.set(version, { ...entry.versions.get(version)!, ...to });
}

/** Derives what a registry says from its history. */
export function stateOf({ events, seq }: Pick<History, 'events' | 'seq'>): State {
  const work: Work = { entries: new Map(), demands: [], signatures: new Map() };
  const misfits: { seq: number; reason: string }[] = [];
  for (const event of events) {
    // an event of a name that this version does not know changes nothing that it knows
    const apply = APPLY[event.event] as ((work: Work, event: RegistryEvent) => string | undefined) | undefined;
    const reason = apply ? apply(work, event) : `its name, ${event.event}, is not known`;
    if (reason !== undefined) misfits.push({ seq: event.seq, reason });
  }
  return { ...work, seq, at: events.at(-1)?.at ?? null, misfits };
}

/** The number of the next version of a model: numbers of versions that are gone do not come again. */
export const nextVersion = (entry: Entry | undefined): number => Math.max(0, ...(entry?.versions.keys() ?? [])) + 1;

/** Aliases of a version. */
export const aliasesOf = ({ aliases }: Entry, version: number): string[] =>
  [...aliases].filter(([, of]) => of === version).map(([alias]) => alias);
