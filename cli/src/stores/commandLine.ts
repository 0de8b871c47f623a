/** Addresses on a command line: what is read becomes files of the run, what is written is sent when the command is done. */
import { existsSync } from 'node:fs';
import { commandError } from '../errors.ts';
import { holdOutput } from '../terminal/print.ts';
import { isAddress } from './address.ts';
import { fetchInput } from './inputs.ts';
import { forgetMirrors } from './mirror.ts';
import { forgetStores } from './open.ts';
import { type Output, prepareOutput, sendFile } from './outputs.ts';

/** Options whose files a command writes, by commander's names. */
const WRITTEN: ReadonlySet<string> = new Set(['out', 'report', 'junit']);

/** Options that have places of their own, which their commands open. */
const PLACES: ReadonlySet<string> = new Set(['registry', 'track', 'by', 'why', 'runName', 'experiment', 'name', 'tag']);

/** Options that are read and written again and again, which no object can be. */
const KEPT: ReadonlySet<string> = new Set(['checkpoint', 'state', 'log']);

/** Commands whose rows may arrive while they are read. The others read them more than once. */
const STREAMED: ReadonlySet<string> = new Set(['score', 'eval']);

type Flags = Record<string, unknown>;

/** Addresses of a query, as texts or names. */
const QUOTED = /'((?:s3|gs|az|abfss):\/\/[^']+)'|"((?:s3|gs|az|abfss):\/\/[^"]+)"/g;

const hasAddress = (value: unknown): boolean => (Array.isArray(value) ? value.some(isAddress) : isAddress(value));

const isQuery = (value: unknown): boolean => typeof value === 'string' && value.search(QUOTED) >= 0;

/**
 * Runs a command with files in place of addresses.
 * @param given  its arguments
 * @param opened  places that it opens itself: numbers of arguments, names of options
 * @param run  the command
 * @throws ERR_STORE, ERR_DATA, ERR_OUTPUT, and what the command throws; nothing is then sent
 */
export async function withObjects<T>(
  name: string,
  given: readonly unknown[],
  flags: Flags,
  opened: readonly (number | string)[],
  run: (given: unknown[], flags: Flags) => Promise<T>,
): Promise<T> {
  const outputs: Output[] = [];
  // a page and a kept run have the digest of all bytes
  const isStreamed = STREAMED.has(name) && flags['report'] === undefined && flags['track'] === undefined;
  const isWhole = (place: string | number) => !(isStreamed && place === 1);
  const read = async (place: string | number, value: unknown): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map((one) => read(place, one)));
    return isAddress(value) ? fetchInput(value, isWhole(place)) : value;
  };
  const write = async (value: unknown): Promise<unknown> => {
    if (!isAddress(value)) return value;
    const output = await prepareOutput(value);
    outputs.push(output);
    return output.path;
  };
  const option = async (place: string, value: unknown): Promise<unknown> => {
    if (PLACES.has(place) || opened.includes(place)) return value;
    if (place === 'query') return isQuery(value) ? ofQuery(value as string) : value;
    if (KEPT.has(place) && hasAddress(value))
      throw commandError(
        'ERR_OUTPUT',
        `--${place}: expected a file, got the address ${value}; it is written again and again: name a file`,
      );
    return WRITTEN.has(place) ? write(value) : read(place, value);
  };
  const release = holdOutput();
  try {
    const files = await Promise.all(given.map((value, place) => (opened.includes(place) ? value : read(place, value))));
    const named = await Promise.all(
      Object.entries(flags).map(async ([place, value]) => [place, await option(place, value)] as const),
    );
    const status = await run(files, Object.fromEntries(named));
    for (const output of outputs) if (existsSync(output.path)) await sendFile(output);
    release(true);
    return status;
  } catch (error) {
    release(false);
    throw error;
  } finally {
    forgetStores();
    forgetMirrors();
  }
}

/** Addresses of a query become files that are whole. */
async function ofQuery(query: string): Promise<string> {
  let found = query;
  for (const [, single, double] of query.matchAll(QUOTED)) {
    const address = single ?? double!;
    found = found.replaceAll(address, await fetchInput(address, true));
  }
  return found;
}
