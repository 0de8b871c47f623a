import type { Entry, RegistryEvent, Rollout, State, Version } from '@logodds/registry';
import type { Core } from '../../core.ts';
import type { Tally } from '../../observation/metrics.ts';
import { callerOf } from '../../requests/caller.ts';

/** What a caller may do with a model of a registry: pages show what it may. */
const MAY = ['read', 'push', 'promote'] as const;
export type May = (typeof MAY)[number];

export const mayOf = (request: Request, model: string): May[] => {
  const caller = callerOf(request);
  return MAY.filter((verb) => !caller || caller.may(verb, model));
};

const aliasesOf = ({ aliases }: Entry, version: number): string[] =>
  [...aliases].filter(([, of]) => of === version).map(([alias]) => alias);

const isRunning = ({ rollout }: Entry): boolean => rollout !== null && rollout.outcome === null;

/** A model in the list of models. */
export function tellShortly(entry: Entry, request: Request) {
  const { name, versions, aliases, rollout } = entry;
  const all = [...versions.values()];
  return {
    name,
    versions: all.length,
    champion: aliases.get('champion') ?? null,
    at: all.at(-1)!.at,
    rollout:
      rollout && isRunning(entry)
        ? { kind: rollout.plan.kind, challenger: rollout.challenger, share: rollout.plan.steps[rollout.step].share }
        : null,
    may: mayOf(request, name),
  };
}

/** A model with its versions, and what its rollout does in this process. */
export async function tell(core: Core, state: State, entry: Entry, request: Request) {
  const { name, versions, aliases, champions, rollout } = entry;
  return {
    name,
    versions: [...versions.values()].map((version) => tellVersion(state, entry, version)),
    aliases: Object.fromEntries(aliases),
    champions,
    rollout: rollout && tellRollout(rollout),
    routing: tellRouting(core, name),
    traffic: await traffic(core, entry),
    may: mayOf(request, name),
  };
}

/** A version, as `logodds registry show --json` has it, and what else is known of it. */
function tellVersion({ signatures }: State, entry: Entry, version: Version) {
  const { version: number, sha256, modelSha256, at, by, tags, metrics, lineage, why, bytes, isRetired, gate } = version;
  return {
    ...{ version: number, sha256, modelSha256, at, by, aliases: aliasesOf(entry, number), tags, metrics, lineage },
    signedBy: signatures.get(sha256) ?? [],
    ...{ why, bytes, retired: isRetired, gate },
  };
}

function tellRollout({ seq, plan, champion, challenger, step, since, startedBy, outcome, why }: Rollout) {
  const { share, holdSeconds } = plan.steps[step];
  const held = (Date.now() - Date.parse(since)) / 1000;
  const isOver = outcome !== null || holdSeconds === null;
  return {
    ...{ seq, plan, champion, challenger, step, share, since, startedBy, outcome, why },
    /** seconds before the next step may follow; null: it does not by itself */
    holdLeft: isOver ? null : Math.max(0, Math.ceil(holdSeconds - held)),
  };
}

/** The route of a model in this process, and what its guards have seen; null: it has none. */
function tellRouting({ routeOf }: Core, name: string) {
  const state = routeOf(name);
  if (!state) return null;
  const { route, breach, requests, guards, pairs, unkeyed } = state;
  return { id: route.id, breach, requests, guards, pairs, unkeyed };
}

/** What was counted of the versions that answer, in all processes, since they were loaded. */
async function traffic(core: Core, { name, rollout, aliases }: Entry) {
  const { metrics } = await core.total();
  const arms = rollout ? [rollout.challenger, ...(rollout.plan.arms ?? []).map(({ version }) => version)] : [];
  const champion = rollout && rollout.outcome === null ? rollout.champion : aliases.get('champion');
  const wanted = new Set([champion, ...arms].map(String));
  return metrics
    .snapshot()
    .tallies.filter(({ model, version }) => model === name && wanted.has(version))
    .map(tellTally);
}

function tellTally({ version, requests, rows, refused, whole, probability }: Tally) {
  const sum = (of: (status: number) => boolean) =>
    Object.entries(requests).reduce((total, [key, n]) => total + (of(Number(key.split(' ')[1])) ? n : 0), 0);
  return {
    version,
    requests: sum(() => true),
    refused: sum((status) => status >= 400 && status < 500),
    failed: sum((status) => status >= 500),
    rows,
    rowsRefused: refused,
    seconds: { ends: whole.ends, counts: whole.counts },
    probabilities: { ends: probability.ends, counts: probability.counts },
  };
}

/** The events of a model, and those of the files of its versions. */
export function eventsOf(events: readonly RegistryEvent[], { name, versions }: Entry): RegistryEvent[] {
  const digests = new Set([...versions.values()].map(({ sha256 }) => sha256));
  return events.filter((event) => {
    if (event.event === 'signed') return digests.has(event.sha256);
    if (event.event === 'demanded') return event.name === '*' || event.name === name;
    return 'name' in event && event.name === name;
  });
}
