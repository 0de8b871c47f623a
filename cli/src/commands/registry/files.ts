import { existsSync, readFileSync } from 'node:fs';
import { checkAlias, type ModelRegistry, parseReference, versionOf } from '../../../../registry/src/index.ts';
import { LogoddsError, loadModel } from '../../../../src/index.ts';
import { lineageOf, metricsOfModel } from '../../jobs/registry/facts.ts';
import { fetchModel } from '../../jobs/registry/fetch.ts';
import { actOf, openRegistry, type RegistryFlags } from '../../jobs/registry/open.ts';
import { textsOf } from '../../serve/trust.ts';
import { note, print, printJson, say } from '../../terminal/print.ts';
import { withoutSecrets } from '../../terminal/secrets.ts';
import { assertWritable, OutputFile, reason } from '../../write/temporary.ts';

interface PushFlags extends RegistryFlags {
  readonly name: string;
  readonly alias?: string;
  readonly tag?: Readonly<Record<string, string>>;
  readonly metric?: Readonly<Record<string, number>>;
  readonly parent?: number;
  readonly data?: readonly string[];
  readonly command?: string;
  readonly restore?: boolean;
  readonly trust?: readonly string[];
  readonly revoked?: string;
  readonly json?: boolean;
}

/** Runs `push`. */
export async function push(path: string, flags: PushFlags, command: { error(message: string): never }): Promise<void> {
  const { name, alias, tag, metric, parent, restore, json } = flags;
  if (flags.revoked !== undefined && flags.trust === undefined) command.error('error: give --trust with --revoked');
  const act = actOf(flags);
  if (alias !== undefined) checkAlias(alias);
  const file = readFile(path, 'a model file');
  const signature = existsSync(`${path}.sig`) ? readFile(`${path}.sig`, 'its signature') : undefined;
  let model: ReturnType<typeof loadModel>;
  try {
    model = loadModel(file);
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    throw new LogoddsError(error.code, `${path}: ${error.message}`, { cause: error, reason: error.reason });
  }
  if (flags.trust && !signature)
    throw new LogoddsError(
      'ERR_SIGNATURE' as never,
      `${path}.sig: expected a signature of a key of --trust, got no file; sign the model by logodds sign`,
    );
  const trust = flags.trust && (await textsOf(flags));
  const registry = await openRegistry(flags.registry, { makes: true });
  if (parent !== undefined) versionOf(await registry.state(), { name, version: parent });
  const lineage = await lineageOf(model, {
    ...flags,
    ...(flags.command !== undefined && { command: withoutSecrets(flags.command) }),
  });
  const isFirst = (await registry.state()).seq === 0;
  const { version, isNew, signedBy, unmet } = await registry.push({
    ...{ ...act, name, file, lineage },
    ...(restore && { restore }),
    ...(signature && { signature }),
    ...(trust && { trust }),
    ...(tag && { tags: tag }),
    metrics: { ...metricsOfModel(model), ...metric },
  });
  const { version: number, sha256, modelSha256 } = version;
  const what = isNew
    ? `${path} is version ${number} of ${name} in ${registry.place}${isFirst ? ', a new registry' : ''}`
    : `${path} was version ${number} of ${name} before: it stays that one, with what was said of it then`;
  say(
    `${what} (sha256 ${sha256.slice(0, 12)})${signature ? `, its signature beside it (${signedText(signedBy)})` : ''}`,
  );
  for (const { message } of unmet) note(message);
  try {
    if (alias !== undefined) await registry.alias(name, number, alias, act);
  } catch (error) {
    say(`version ${number} stays, and ${alias} does not name it`);
    throw error;
  }
  if (alias !== undefined) say(`${alias} names version ${number}`);
  const aliases = [...(await registry.entry(name)).aliases].filter(([, of]) => of === number).map(([one]) => one);
  if (json)
    printJson({
      ...{ registry: registry.place, name, version: number, sha256, modelSha256, isNew, aliases },
      ...{ hasSignature: !!signature, signedBy, unmet },
    });
  else print(`${number}\n`);
}

const signedText = (keyIds: readonly string[]): string =>
  keyIds.length > 0
    ? `key ${keyIds.map((id) => id.slice(0, 12)).join(', ')}`
    : 'its key is not verified: --trust KEY.pem does that';

interface PullFlags extends RegistryFlags {
  readonly out: string;
  readonly signature?: boolean;
  readonly json?: boolean;
}

/** Runs `pull`. */
export async function pull(reference: string, { out, signature, json, registry: place }: PullFlags): Promise<void> {
  parseReference(reference);
  assertWritable(out);
  const { registry, version, bytes } = await fetchModel(reference, place);
  const signed = signature ? await signatureOf(registry, version) : null;
  const beside = signed && new OutputFile(`${out}.sig`);
  const file = new OutputFile(out);
  beside?.write(signed!);
  file.write(bytes);
  // a model without its signature is refused where one is asked for; the reverse is not
  beside?.commit();
  file.commit();
  const { name, version: number, sha256, modelSha256 } = version;
  if (json)
    printJson({ registry: registry.place, name, version: number, sha256, modelSha256, out, hasSignature: !!signed });
  else
    print(`${out}: version ${number} of ${name}, sha256 ${sha256}${signed ? `; its signature in ${out}.sig` : ''}\n`);
}

async function signatureOf(
  registry: ModelRegistry,
  version: Parameters<ModelRegistry['file']>[0],
): Promise<Uint8Array> {
  const signature = await registry.signature(version);
  if (signature) return signature;
  throw new LogoddsError(
    'ERR_SIGNATURE' as never,
    `version ${version.version} of ${version.name}: expected a signature beside it, got none; sign it, or leave out --signature`,
  );
}

function readFile(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new LogoddsError('ERR_DATA', `${path}: expected ${what}, got an error (${reason(error)}); check the path`, {
      cause: error,
    });
  }
}
