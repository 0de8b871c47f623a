import type { Command } from 'commander';
import type { Outcome } from '../jobs/tracking/record.ts';
import type { Tracker } from '../jobs/tracking/track.ts';
import { note, reportTarget } from './common.ts';

/** Flags of `TRACK`. */
export interface TrackFlags {
  /** true: where the environment says */
  readonly track?: string | true;
  readonly experiment?: string;
  readonly runName?: string;
}

type Without<Flags> = Omit<Flags, keyof TrackFlags>;

/** Flags that are no parameters of a run. */
const NO_PARAMS = new Set(['track', 'experiment', 'runName', 'json', 'verbose', 'out', 'report']);

/**
 * Runs the action of a command, and keeps it where --track says. The code of tracking is loaded only then.
 * @param work  does the work and prints; the function that it returns tells what is kept
 * @throws ERR_TRACKING after a run that is done, but could not be kept
 */
export async function tracked<
  Flags extends TrackFlags & { readonly query?: string; readonly report?: string; readonly schema?: string },
>(
  command: Command,
  flags: Flags,
  data: string | undefined,
  work: (flags: Without<Flags>, run: Tracker | null) => Promise<() => Promise<Outcome>>,
): Promise<void> {
  const { track, experiment, runName, ...rest } = flags;
  if (track === undefined) {
    for (const name of ['experiment', 'runName'])
      if (command.getOptionValueSource(name) === 'cli')
        command.error(`error: option '${name === 'runName' ? '--run-name' : '--experiment'}' needs --track`);
    await work(rest, null);
    return;
  }
  const { Tracker, privateColumns } = await import('../jobs/tracking/track.ts');
  const { readSchema } = await import('../read/files.ts');
  const { argv = [], versions = [] } = reportTarget('') ?? {};
  const run = await Tracker.start({
    place: track === true ? undefined : track,
    experiment,
    name: runName,
    command: command.name(),
    argv,
    versions: Object.fromEntries(versions),
    params: paramsOf(command),
    source: { data, query: flags.query },
    hidden: privateColumns(readSchema(flags.schema)?.features as readonly object[] | undefined),
  });
  let told: () => Promise<Outcome>;
  try {
    told = await work(rest, run);
  } catch (error) {
    await run.fail(error);
    throw error;
  }
  await run.finish(await told(), flags.report);
  note(`tracked as ${run.id} in ${run.place}`);
}

/** Options of the command line, as texts by the names of their flags. */
function paramsOf(command: Command): Record<string, string> {
  const params: Record<string, string> = {};
  for (const option of command.options) {
    const name = option.attributeName();
    if (NO_PARAMS.has(name) || command.getOptionValueSource(name) !== 'cli') continue;
    const value: unknown = command.getOptionValue(name);
    // of two flags with one value, that which was given
    if (option.negate !== (value === false)) continue;
    params[(option.long ?? option.flags).replace(/^-+/, '')] = option.negate ? 'true' : textOf(value);
  }
  return params;
}

/** A value as it stands in a command line: lists by commas, pairs by =. */
function textOf(value: unknown): string {
  if (value instanceof Map) return textOf(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(textOf).join(',');
  if (value !== null && typeof value === 'object')
    return Object.entries(value)
      .map(([key, one]) => `${key}=${Array.isArray(one) ? one.map(textOf).join(':') : textOf(one)}`)
      .join(',');
  return String(value);
}
