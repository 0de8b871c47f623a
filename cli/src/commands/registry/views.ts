/** Commands that say what is in a registry. */
import {
  aliasesOf,
  CHAMPION,
  DIGEST,
  type Entry,
  isReference,
  type ModelRegistry,
  parseReference,
  type RegistryEvent,
  type State,
  type Verified,
  type Version,
  withDigest,
} from '../../../../registry/src/index.ts';
import { LogoddsError } from '../../../../src/index.ts';
import { counted, significant, whole } from '../../figures/wording.ts';
import { openRegistry, type RegistryFlags } from '../../jobs/registry/open.ts';
import { eventText } from '../../jobs/registry/wording.ts';
import { facts, table } from '../../terminal/layout.ts';
import { print, printJson } from '../../terminal/print.ts';
import { rolloutText } from './rollouts.ts';

interface ViewFlags extends RegistryFlags {
  readonly json?: boolean;
}

/** Runs `registry list`. */
export async function list({ json, registry: place }: ViewFlags): Promise<void> {
  const registry = await openRegistry(place);
  const entries = [...(await registry.state()).entries.values()];
  if (json) {
    const models = entries.map((entry) => ({
      name: entry.name,
      versions: entry.versions.size,
      latest: Math.max(...entry.versions.keys()),
      aliases: Object.fromEntries(entry.aliases),
      champion: digestsOf(entry.versions.get(entry.aliases.get(CHAMPION) ?? 0)),
      rollout: rolloutOf(entry),
    }));
    printJson({ registry: registry.place, models });
    return;
  }
  if (entries.length === 0) {
    print(`${registry.place}: no models; logodds push puts one there\n`);
    return;
  }
  print(
    `${table([
      ['model', 'versions', 'aliases', 'last push', 'champion: sha256', 'of the model'],
      ...entries.map((entry) => {
        const champion = entry.versions.get(entry.aliases.get(CHAMPION) ?? 0);
        return [
          entry.name,
          whole(entry.versions.size),
          [...entry.aliases].map(([alias, version]) => `${alias} ${version}`).join(', ') || '–',
          day([...entry.versions.values()].at(-1)!.at),
          short(champion?.sha256),
          short(champion?.modelSha256),
        ];
      }),
    ])}\n`,
  );
}

/** The digests of the version that answers; null: none does. */
const digestsOf = (version: Version | undefined) =>
  version ? { version: version.version, sha256: version.sha256, modelSha256: version.modelSha256 } : null;

const short = (digest: string | null | undefined): string => digest?.slice(0, 12) ?? '–';

/** The object of a version in `show --json`. */
const versionJson = (state: State, entry: Entry, version: Version): object => ({
  version: version.version,
  sha256: version.sha256,
  modelSha256: version.modelSha256,
  at: version.at,
  by: version.by,
  aliases: aliasesOf(entry, version.version),
  tags: version.tags,
  metrics: version.metrics,
  lineage: version.lineage,
  signedBy: state.signatures.get(version.sha256) ?? [],
  bytes: version.bytes,
  why: version.why,
  isRetired: version.isRetired,
  gate: version.gate,
});

const rolloutOf = ({ rollout }: Entry) => (rollout?.outcome === null ? rollout : null);

/** Runs `registry show`. */
export async function show(what: string, { json, registry: place }: ViewFlags): Promise<void> {
  const registry = await openRegistry(place);
  const state = await registry.state();
  const { entry, versions } = await shownBy(registry, state, what);
  const { name } = entry;
  if (json) {
    printJson({
      name,
      registry: registry.place,
      versions: versions.map((version) => versionJson(state, entry, version)),
      aliases: Object.fromEntries(entry.aliases),
      champions: entry.champions,
      rollout: entry.rollout,
      demands: state.demands.filter((demand) => demand.name === '*' || demand.name === name),
    });
    return;
  }
  const isSigned = versions.some(({ sha256 }) => state.signatures.has(sha256));
  const isGated = versions.some(({ gate }) => gate);
  const overview = table([
    [
      'version',
      'aliases',
      'pushed',
      'by',
      ...(isGated ? ['gate'] : []),
      ...(isSigned ? ['signatures'] : []),
      'sha256',
      'of the model',
    ],
    ...versions.map((version) => [
      String(version.version),
      [...aliasesOf(entry, version.version), ...(version.isRetired ? ['retired'] : [])].join(', ') || '–',
      day(version.at),
      version.by,
      ...(isGated ? [gateText(version)] : []),
      ...(isSigned ? [String(state.signatures.get(version.sha256)?.length ?? 0)] : []),
      short(version.sha256),
      short(version.modelSha256),
    ]),
  ]);
  const details = versions.map((version) => {
    const { lineage, metrics, tags, why } = version;
    const figures = Object.entries(metrics).map(([key, value]) => `${key} ${significant(value)}`);
    const from = [
      lineage.parent !== undefined && `from version ${lineage.parent}`,
      lineage.data !== undefined && `data ${lineage.data.slice(0, 12)}`,
      lineage.schema !== undefined && `schema ${lineage.schema.slice(0, 12)}`,
      lineage.command,
    ].filter(Boolean);
    const lines = facts([
      why === null ? null : ['why', why],
      figures.length > 0 ? ['metrics', figures.join(', ')] : null,
      Object.keys(tags).length > 0
        ? [
            'tags',
            Object.entries(tags)
              .map(([key, value]) => `${key}=${value}`)
              .join(', '),
          ]
        : null,
      from.length > 0 ? ['lineage', from.join(', ')] : null,
    ]);
    return lines === '' ? '' : `\n\nversion ${version.version}\n${lines}`;
  });
  const rollout = rolloutOf(entry) ? `\n\nrollout\n${rolloutText(entry)}` : '';
  print(`${overview}${details.join('')}${rollout}\n`);
}

/** The versions that a name, a reference or a digest is of. @throws ERR_REGISTRY */
async function shownBy(
  registry: ModelRegistry,
  state: State,
  what: string,
): Promise<{ readonly entry: Entry; readonly versions: readonly Version[] }> {
  if (isReference(what)) {
    const version = await registry.resolve(parseReference(what));
    return { entry: await registry.entry(version.name), versions: [version] };
  }
  if (!DIGEST.test(what) || state.entries.has(what)) {
    const entry = await registry.entry(what);
    return { entry, versions: [...entry.versions.values()] };
  }
  const found = [...state.entries.values()].flatMap((entry) => {
    const versions = withDigest(entry, what);
    return versions.length > 0 ? [{ entry, versions }] : [];
  });
  if (found.length === 1) return found[0];
  const wanted = found.map(({ entry }) => `models:/${entry.name}/${what}`).join(', ');
  throw new LogoddsError(
    'ERR_REGISTRY' as never,
    `${what}: expected the digest of a version, got one of ${found.length === 0 ? 'none' : counted(found.length, 'model')}; ${found.length === 0 ? 'logodds registry list has the models' : `name one: ${wanted}`}`,
  );
}

const gateText = ({ gate }: Version): string =>
  gate === null ? '–' : gate.passed ? 'passed' : `failed: ${gate.failed.join(', ')}`;

/** Runs `registry log`. */
export async function log(name: string | undefined, { json, registry: place }: ViewFlags): Promise<void> {
  const registry = await openRegistry(place);
  if (name !== undefined) await registry.entry(name);
  const about = (event: RegistryEvent) => name === undefined || ('name' in event && event.name === name);
  const events = (await registry.events()).filter(about);
  if (json) {
    printJson({ registry: registry.place, events });
    return;
  }
  const width = Math.max(0, ...events.map(({ seq }) => String(seq).length));
  for (const event of events) {
    const why = event.why === undefined ? '' : ` (${event.why})`;
    // one line an event: a reason of several lines would look like events that never were
    const said = `${event.by}: ${eventText(event)}${why}`.replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ');
    print(`${String(event.seq).padStart(width)}  ${second(event.at)}  ${said}\n`);
  }
  if (events.length === 0) print(`${registry.place}: nothing has happened\n`);
}

/** Runs `registry verify`. */
export async function verify({ json, registry: place }: ViewFlags): Promise<void> {
  // damage is named below, so it is no warning here
  const registry = await openRegistry(place, { quiet: true });
  await refuseNone(registry);
  const found = await registry.verify();
  const damaged = found.faults.filter(({ kind }) => kind === 'damaged');
  const isSound = damaged.length === 0 && found.problems.length === 0;
  if (json) printJson({ registry: registry.place, isSound, ...found });
  else print(verifyText(registry.place, found));
  if (!isSound) {
    const count = damaged.length + found.problems.length;
    throw new LogoddsError(
      'ERR_STORE' as never,
      `${registry.place}: expected an undamaged registry, got ${counted(count, 'problem')}; put back what is damaged from a copy, and sign what is not signed`,
    );
  }
}

/** A place that was mistyped must not pass for a sound registry. @throws ERR_STORE where nothing was ever written */
export async function refuseNone(registry: ModelRegistry): Promise<void> {
  const { seq, entries } = await registry.state();
  if (seq > 0 || entries.size > 0) return;
  throw new LogoddsError(
    'ERR_STORE' as never,
    `${registry.place}: expected a registry, got a place without a log of one; correct --registry`,
  );
}

function verifyText(place: string, { events, files, faults, problems }: Verified): string {
  const count = (kind: string) => faults.filter((fault) => fault.kind === kind).length;
  const harmless = [
    count('torn') > 0 && `${counted(count('torn'), 'torn line')} of stopped writers`,
    count('lost') > 0 && `${counted(count('lost'), 'line')} that came second`,
  ].filter(Boolean);
  return [
    `${place}: ${counted(events, 'event')}, ${counted(files, 'file')} of versions in use`,
    ...(harmless.length > 0 ? [`  ${harmless.join(', ')}: they count for nothing, and lose nothing`] : []),
    ...faults
      .filter(({ kind }) => kind === 'damaged')
      .map(({ line, reason }) => `  log.jsonl, line ${line}: ${reason}`),
    ...problems.map((problem) => `  ${problem}`),
    '',
  ].join('\n');
}

const day = (at: string): string => at.slice(0, 10);
const second = (at: string): string => at.slice(0, 19).replace('T', ' ');
