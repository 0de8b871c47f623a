/** Commands that write an event. Each says in a sentence what is so now. */
import { existsSync } from 'node:fs';
import { CHAMPION, type Demand, type ModelRegistry } from '../../../../registry/src/index.ts';
import { LogoddsError } from '../../../../src/index.ts';
import { counted } from '../../figures/wording.ts';
import { actOf, openRegistry, type RegistryFlags } from '../../jobs/registry/open.ts';
import { pairs, positiveInteger } from '../../options/values.ts';
import { textsOf } from '../../serve/trust.ts';
import { facts } from '../../terminal/layout.ts';
import { note, print, printJson } from '../../terminal/print.ts';
import { refuseNone } from './views.ts';

interface ChangeFlags extends RegistryFlags {
  readonly json?: boolean;
}

/** Prints what is so now. */
function tell({ json }: ChangeFlags, result: object, sentence: string): void {
  if (json) printJson(result);
  else print(`${sentence}\n`);
}

const aliasesOf = async (registry: ModelRegistry, name: string) =>
  Object.fromEntries((await registry.entry(name)).aliases);

/** Runs `registry alias`. */
export async function alias(
  name: string,
  versionText: string,
  to: string,
  { remove, ...flags }: ChangeFlags & { readonly remove?: boolean },
): Promise<void> {
  const version = versionNumber(versionText);
  const registry = await openRegistry(flags.registry);
  const before = (await registry.entry(name)).aliases.get(to);
  if (remove && before !== version)
    throw new LogoddsError(
      'ERR_REGISTRY' as never,
      `${name}: expected an alias that names version ${version}, got ${to}, which names ${before === undefined ? 'none' : `version ${before}`}; see logodds registry show ${name}`,
    );
  await registry.alias(name, remove ? null : version, to, actOf(flags));
  const was = before === undefined ? '' : ` (was version ${before})`;
  const sentence = remove
    ? `${to} of ${name} names no version${was}`
    : `${to} of ${name} names version ${version}${before === version ? ', as before' : was}`;
  tell(flags, { name, aliases: await aliasesOf(registry, name) }, sentence);
}

/** Runs `registry rollback`. */
export async function rollback(name: string, { to, ...flags }: ChangeFlags & { readonly to?: number }): Promise<void> {
  const registry = await openRegistry(flags.registry);
  const entry = await registry.entry(name);
  const from = entry.aliases.get(CHAMPION);
  const version = await registry.rollback(name, to ?? null, actOf(flags));
  const wasRunning = entry.rollout?.outcome === null;
  const ended = wasRunning ? `the rollout of version ${entry.rollout!.challenger} is over; ` : '';
  const sentence =
    version === from
      ? `${ended}${CHAMPION} of ${name} names version ${version}, as before`
      : `${ended}${CHAMPION} of ${name} names version ${version} again (was version ${from})`;
  tell(flags, { name, version, from, endedRollout: wasRunning }, sentence);
}

/** Runs `registry retire`. */
export async function retire(
  name: string,
  versionText: string,
  { undo = false, ...flags }: ChangeFlags & { readonly undo?: boolean },
): Promise<void> {
  const version = versionNumber(versionText);
  const registry = await openRegistry(flags.registry);
  const wasRetired = (await registry.entry(name)).versions.get(version)?.isRetired ?? false;
  await registry.retire(name, version, actOf(flags), !undo);
  const now = undo ? 'in use' : 'retired';
  const how = wasRetired === undo ? (undo ? ' again' : '; its file stays until logodds registry gc') : ', as before';
  tell(flags, { name, version, isRetired: !undo }, `version ${version} of ${name} is ${now}${how}`);
}

/** Runs `registry tag`. */
export async function tag(
  name: string,
  versionText: string,
  text: string | undefined,
  { remove = [], ...flags }: ChangeFlags & { readonly remove?: readonly string[] },
  command: { error(message: string): never },
): Promise<void> {
  const version = versionNumber(versionText);
  if (text === undefined && remove.length === 0) command.error('error: name tags, such as team=risk, or --remove KEY');
  const set = text === undefined ? {} : usage(command, () => pairs(text));
  const registry = await openRegistry(flags.registry);
  await registry.tag(name, version, { ...set, ...Object.fromEntries(remove.map((key) => [key, null])) }, actOf(flags));
  const { tags } = await registry.resolve({ name, version });
  const said = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  tell(flags, { name, version, tags }, `tags of version ${version} of ${name}: ${said.join(', ') || 'none'}`);
}

interface DemandFlags extends ChangeFlags {
  /** files */
  readonly key?: readonly string[];
  readonly revoked?: string;
  readonly gate?: boolean;
  readonly none?: boolean;
}

/** Runs `registry demand`. */
export async function demand(
  name: string | undefined,
  to: string | undefined,
  { key = [], revoked, gate = false, none = false, ...flags }: DemandFlags,
  command: { error(message: string): never },
): Promise<void> {
  const isSaid = key.length > 0 || gate || none || revoked !== undefined;
  if (to === undefined && isSaid) command.error('error: name the alias that needs it');
  if (to !== undefined && !isSaid) command.error('error: give --key, --gate or --none');
  if (revoked !== undefined && key.length === 0) command.error('error: give --key with --revoked: all keys anew');
  const id = key.find((one) => /^[0-9a-f]{8,64}$/i.test(one) && !existsSync(one));
  if (id !== undefined)
    throw new LogoddsError(
      'ERR_DATA',
      `--key ${id}: expected a file of public keys in PEM, got the id of a key, by which nothing can be verified; give its file, such as release.pem`,
    );
  const texts = await textsOf({ trust: key, ...(revoked !== undefined && { revoked }) }, '--key');
  const registry = await openRegistry(flags.registry);
  if (to !== undefined) await registry.demand(name!, to, { ...texts, gate }, actOf(flags));
  const demands = (await registry.state()).demands.filter((one) => name === undefined || one.name === name);
  // what stands there stays there: whoever demands more is told of it
  const unmet = await registry.unmet(name === '*' ? undefined : name);
  for (const message of unmet) note(message);
  if (flags.json) printJson({ registry: registry.place, demands, unmet });
  else if (demands.length === 0) print('nothing is demanded\n');
  else
    print(
      `${facts(
        demands.map((one) => [
          `${one.alias} of ${one.name === '*' ? 'every model' : one.name}`,
          [one.gate && 'a gate that was passed', signatureText(one)].filter(Boolean).join(', '),
        ]),
      )}\n`,
    );
}

/** Which keys may have signed. Of an id alone nobody can verify a signature. */
const signatureText = ({ keys, publicKeys, revoked }: Demand): string =>
  keys.length === 0
    ? ''
    : [
        `a signature of ${keys.join(' or ')}`,
        publicKeys.length === 0 ? ' (ids alone: nothing can be verified; give --key FILE.pem)' : '',
        revoked.length > 0 ? ` (${counted(revoked.length, 'entry', 'entries')} revoked)` : '',
      ].join('');

interface GcFlags extends ChangeFlags {
  readonly dryRun?: boolean;
  /** seconds */
  readonly older?: number;
}

/** Runs `registry gc`. */
export async function gc({ dryRun = false, older = 3600, ...flags }: GcFlags): Promise<void> {
  const registry = await openRegistry(flags.registry);
  // without its log no file would be one of a version
  await refuseNone(registry);
  const { removed, bytes, tooNew } = dryRun
    ? await registry.unused(1000 * older)
    : await registry.collect(actOf(flags), 1000 * older);
  const left = tooNew > 0 ? `; ${tooNew} that no version has stay, since they are new` : '';
  const list = dryRun ? removed.map((path) => `  ${path}\n`).join('') : '';
  const count = `${counted(removed.length, 'file')} (${counted(bytes, 'byte')})`;
  tell(
    flags,
    { registry: registry.place, dryRun, removed, bytes, tooNew },
    `${count} ${dryRun ? 'would be ' : ''}removed${left}\n${list}`.trimEnd(),
  );
}

/** The number of a version. @throws ERR_RANGE */
function versionNumber(text: string): number {
  try {
    return positiveInteger(text);
  } catch {
    throw new LogoddsError('ERR_RANGE', `version: expected its number, got ${text}; see logodds registry show`);
  }
}

/** A value that cannot be read is wrong usage. */
function usage<T>(command: { error(message: string): never }, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return command.error(`error: ${(error as Error).message}`);
  }
}
