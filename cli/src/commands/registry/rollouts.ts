/** Commands about rollouts. */
import {
  type Arm,
  CHAMPION,
  type Entry,
  type Guards,
  isRunning,
  type ModelRegistry,
  parseReference,
  type Rollout,
  type RolloutPlan,
  versionOf,
} from '../../../../registry/src/index.ts';
import { LogoddsError } from '../../../../src/index.ts';
import { counted, percent } from '../../figures/wording.ts';
import { actOf, openRegistry, type RegistryFlags } from '../../jobs/registry/open.ts';
import { facts } from '../../terminal/layout.ts';
import { print, printJson } from '../../terminal/print.ts';

interface StartFlags extends RegistryFlags, Omit<Guards, 'slowSeconds'> {
  readonly challenger: string;
  readonly share?: number;
  readonly steps?: readonly number[];
  /** seconds */
  readonly hold?: readonly number[];
  readonly kind?: RolloutPlan['kind'];
  readonly arm?: readonly Arm[];
  readonly key?: string;
  readonly salt?: string;
  readonly promote?: boolean;
  readonly manual?: boolean;
  /** seconds */
  readonly slow?: number;
  readonly json?: boolean;
}

const GUARDS = [
  'alpha',
  'minRequests',
  'errorRatio',
  'latencyRatio',
  'maxDisagreement',
  'maxPsi',
  'maxLogLossIncrease',
];

/** Kinds that take all of the traffic unless a share is said. */
const WHOLE: readonly RolloutPlan['kind'][] = ['blue-green', 'shadow'];

/** Runs `rollout start`. */
export async function start(name: string, flags: StartFlags): Promise<void> {
  const registry = await openRegistry(flags.registry);
  const state = await registry.state();
  const challenger = versionOf(state, challengerOf(name, flags.challenger)).version;
  const plan = planOf(flags, `${name}/${challenger}/${state.seq + 1}`);
  await registry.startRollout(name, challenger, plan, actOf(flags));
  await tell(registry, name, flags);
}

const challengerOf = (name: string, text: string) =>
  parseReference(`models:/${encodeURIComponent(name)}${/^\d+$/.test(text) ? '/' : '@'}${text}`);

/** @throws ERR_RANGE without a share */
function planOf(flags: StartFlags, salt: string): RolloutPlan {
  const { kind = 'canary', share, hold = [], arm, key, promote, manual, slow } = flags;
  const shares = flags.steps ?? (share !== undefined ? [share] : WHOLE.includes(kind) ? [1] : null);
  if (!shares)
    throw new LogoddsError(
      'ERR_RANGE',
      `rollout: expected --share or --steps for ${kind}, got none; give one, such as --share 0.05`,
    );
  if (hold.length > shares.length)
    throw new LogoddsError(
      'ERR_RANGE',
      `--hold: expected a time for each of ${counted(shares.length, 'step')} at most, got ${hold.length}; leave some out`,
    );
  const given = GUARDS.flatMap((guard) => {
    const value = flags[guard as keyof StartFlags];
    return value === undefined ? [] : [[guard, value] as const];
  });
  const guards: Guards = { ...Object.fromEntries(given), ...(slow !== undefined && { slowSeconds: slow }) };
  return {
    kind,
    steps: shares.map((one, k) => ({ share: one, holdSeconds: hold[k] ?? hold.at(-1) ?? null })),
    ...(arm && { arms: arm }),
    ...(key !== undefined && { key }),
    salt: flags.salt ?? salt,
    ...(Object.keys(guards).length > 0 && { guards }),
    ...(manual && { isAutomatic: false }),
    ...(promote && { promotes: true }),
  };
}

/** Runs `rollout advance`. */
export async function advance(name: string, flags: StartFlags): Promise<void> {
  const registry = await openRegistry(flags.registry);
  await registry.advanceRollout(name, actOf(flags));
  await tell(registry, name, flags);
}

/** Runs `rollout abort`. */
export async function abort(name: string, flags: StartFlags): Promise<void> {
  const registry = await openRegistry(flags.registry);
  await registry.endRollout(name, 'aborted', actOf(flags));
  await tell(registry, name, flags);
}

/** Runs `rollout status`. */
export async function status(
  name: string | undefined,
  flags: RegistryFlags & { readonly json?: boolean },
): Promise<void> {
  const registry = await openRegistry(flags.registry);
  const entries = name === undefined ? [...(await registry.state()).entries.values()] : [await registry.entry(name)];
  if (flags.json) printJson({ registry: registry.place, rollouts: entries.flatMap(rolloutJson) });
  else {
    const known = entries.filter(({ rollout }) => rollout !== null);
    if (known.length === 0) print(`${name ?? registry.place}: no rollout\n`);
    else print(`${known.map((entry) => `${entry.name}\n${rolloutText(entry)}`).join('\n\n')}\n`);
  }
}

async function tell(registry: ModelRegistry, name: string, { json }: { readonly json?: boolean }): Promise<void> {
  const entry = await registry.entry(name);
  if (json) printJson(rolloutJson(entry)[0]!);
  else print(`${name}\n${rolloutText(entry)}\n`);
}

const rolloutJson = (entry: Entry): object[] =>
  entry.rollout === null
    ? []
    : [
        {
          name: entry.name,
          isRunning: isRunning(entry),
          championNow: entry.aliases.get(CHAMPION) ?? null,
          ...entry.rollout,
        },
      ];

const OUTCOMES: Readonly<Record<NonNullable<Rollout['outcome']>, string>> = {
  promoted: 'over: the challenger is champion',
  aborted: 'aborted: the champion answers everything',
  'rolled-back': 'rolled back: the champion answers everything',
};

/** A rollout as lines of names and texts. */
export function rolloutText({ rollout, aliases }: Entry): string {
  const { plan, champion, challenger, step, since, outcome, why } = rollout!;
  const { kind, steps, arms = [], key, guards = {} } = plan;
  const held = (seconds: number | null) =>
    seconds === null ? 'until it is advanced' : `at least ${timeText(seconds)}`;
  const shares = steps.map(
    ({ share, holdSeconds }, k) =>
      `${k === step && outcome === null ? '→ ' : ''}${percent(share)} ${held(holdSeconds)}`,
  );
  return facts([
    [
      'state',
      outcome === null
        ? `${kind}, step ${step + 1} of ${steps.length} since ${since}`
        : `${OUTCOMES[outcome]} (${since})`,
    ],
    why === null ? null : ['why', why],
    ['champion', `version ${outcome === null ? champion : (aliases.get(CHAMPION) ?? champion)}`],
    ['challenger', `version ${challenger}`],
    ['steps', shares.join(', ')],
    arms.length > 0
      ? ['arms', arms.map(({ name, version, share }) => `${name}: version ${version}, ${percent(share)}`).join('; ')]
      : null,
    ['sticky to', key ?? 'the header x-logodds-key, else the id of the request'],
    [
      'guards',
      // these watch whatever is given; the others begin with their limit
      ['errors, refusals and slow requests, log loss where labels come']
        .concat(Object.entries(guards).map(([guard, value]) => `${guard} ${value}`))
        .join(', '),
    ],
    outcome === null ? ['then', thenText(rollout!)] : null,
  ]);
}

/** What comes next: steps without a time, and the last one of a rollout that does not promote, wait for somebody. */
function thenText({ plan, step }: Rollout): string {
  const { steps, isAutomatic = true, promotes = false } = plan;
  const left = steps.slice(step, promotes ? undefined : -1);
  const last = promotes ? 'the challenger becomes champion' : 'somebody decides: logodds rollout advance or abort';
  if (left.length === 0) return last;
  const byThemselves = isAutomatic ? left.filter(({ holdSeconds }) => holdSeconds !== null).length : 0;
  const follows =
    byThemselves === left.length
      ? 'steps follow by themselves while no guard objects'
      : byThemselves === 0
        ? 'somebody goes on: logodds rollout advance'
        : 'steps with a time follow by themselves while no guard objects, the others by logodds rollout advance';
  return `${follows}; after the last one ${last}`;
}

function timeText(seconds: number): string {
  const [size, unit] = (
    [
      [86_400, 'd'],
      [3600, 'h'],
      [60, 'min'],
    ] as const
  ).find(([one]) => seconds >= one && seconds % one === 0) ?? [1, 's'];
  return `${seconds / size} ${unit}`;
}
