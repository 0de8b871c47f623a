import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { createService } from '../../../service/src/index.ts';
import type { LogoddsError } from '../../../src/index.ts';
import { alertingOf } from '../alerts/alerting.ts';
import { receiverOfTarget } from '../tell/targets.ts';
import { reason } from '../write/temporary.ts';
import { type AccessFlags, accessOf } from './access.ts';
import { Certificates } from './certificates.ts';
import type { Problem } from './config.ts';
import { leftSocket, listenAt } from './listening.ts';
import { auditPathOf } from './observation/auditFile.ts';
import { FileLock } from './observation/fileLock.ts';
import { otlpProblem } from './observation/flags.ts';
import { BY_KEY, type ServeOptions } from './options.ts';
import { Rollouts } from './rollouts.ts';
import { filesOf, placeOf } from './sources.ts';
import { readSignature, TrustFiles } from './trust.ts';
import { fromEnvironment } from './vertex.ts';

/*
 * What a start would refuse beside options that do not fit: files, folders, ports. Nothing of it is changed, and one fault hides no other.
 */

/** A look at some options: what it throws is wrong with the first of them. */
type Look = readonly [keys: readonly (keyof ServeOptions)[], look: (options: ServeOptions) => unknown];

/** Options that say together who may ask. */
const access = (...keys: readonly (keyof AccessFlags)[]): Look => [
  keys,
  (options) => accessOf(Object.fromEntries(keys.map((key) => [key, options[key]]))),
];

const LOOKS: readonly Look[] = [
  access('tokens'),
  access('jwks', 'issuer', 'audience', 'scopeClaim'),
  access('opa', 'opaOpen'),
  access('cors'),
  [
    ['cert', 'key', 'clientCa'],
    ({ cert, key, clientCa }) => cert && key && new Certificates({ cert, key, ...(clientCa && { clientCa }) }),
  ],
  [['trust', 'revoked'], (options) => TrustFiles.of(options)],
  [['routes'], ({ routes, models }) => routes && checkRoutes(routes, models)],
  [['notify'], ({ notify }) => notify?.forEach(receiverOfTarget)],
  [['slo'], async ({ slo }) => slo && (await alertingOf(slo, 'localhost:8080', undefined, () => {}))],
  [['sloState'], ({ sloState }) => sloState && writableFolder(dirname(resolve(sloState)))],
  [['otlp'], ({ otlp }) => said(otlpProblem(otlp))],
  [['log'], ({ log }) => log && writableFolder(resolve(log))],
  [['audit', 'workers'], ({ audit, workers }) => audit && freeAudit(resolve(audit), workers)],
  [['socket'], ({ socket }) => socket && freeSocket(socket)],
  [['port', 'host', 'socket'], ({ socket, host, port }) => socket === undefined && freePort(host, port)],
  [['grpcPort', 'host', 'grpc'], ({ grpc, host, grpcPort }) => grpc && freePort(host, grpcPort)],
];

/**
 * What is wrong with options beside those that are refused already.
 * @param refused  names of options of which something was said: keys, and flags
 * @param from  the name of an option where it was given
 */
export async function faultsOf(
  options: ServeOptions,
  refused: ReadonlySet<string>,
  from: (key: string) => string,
): Promise<Problem[]> {
  const fits = (key: string) => {
    const value = options[key as keyof ServeOptions];
    return value === undefined || BY_KEY.get(key)!.kind.fits(value);
  };
  const problems: Problem[] = [...(await wrongModels(options)), ...fromEnvironment(process.env).problems];
  for (const [keys, look] of LOOKS) {
    if (keys.some((key) => !fits(key) || (isFile(key) && (refused.has(key) || refused.has(BY_KEY.get(key)!.flag)))))
      continue;
    try {
      await look(options);
    } catch (error) {
      const [key] = keys.filter((key) => options[key] !== undefined);
      const value = options[key];
      const text = sentenceOf(error)
        .replace(/^serve: /, '')
        .replace(`${BY_KEY.get(key)!.flag} ${value}: `, '')
        // the name of the option stands before it
        .replace(/^(tokens|jwks|cors|policy): /, '');
      problems.push({ path: from(key), message: text });
    }
  }
  return problems;
}

const isFile = (key: string): boolean => BY_KEY.get(key)!.kind.place === 'file';
const sentenceOf = (error: unknown): string => (error as LogoddsError).detail ?? (error as Error).message;

function said(problem: string | null): void {
  if (problem !== null) throw new Error(problem);
}

/** What is wrong with the models of options. */
async function wrongModels(options: ServeOptions): Promise<Problem[]> {
  const { models } = options;
  if (!Array.isArray(models)) return [];
  if (models.length === 0) return [{ path: 'models', message: 'expected a model, got none; name a file or a folder' }];
  const { readModel } = await import('../read/files.ts');
  // what is wrong with the keys is said of them
  const trusted = await TrustFiles.of(options).catch(() => null);
  const checkSignature = (name: string, path: string) =>
    trusted?.trust.check({ name, bytes: readFileSync(path), signature: readSignature(path) });
  const problems: Problem[] = [];
  const places: ReturnType<typeof placeOf>[] = [];
  for (const [i, given] of models.entries()) {
    if (typeof given !== 'string') continue;
    try {
      const place = placeOf(given);
      places.push(place);
      if (place.kind === 'file') {
        readModel(place.path);
        await checkSignature(place.name, place.path);
      }
    } catch (error) {
      problems.push({ path: `models[${i}]`, message: sentenceOf(error) });
    }
  }
  try {
    const alone = new Set(places.map((place) => (place.kind === 'file' ? place.path : '')));
    for (const [name, path] of filesOf(places)) {
      if (alone.has(path)) continue;
      readModel(path);
      await checkSignature(name, path);
    }
  } catch (error) {
    problems.push({ path: 'models', message: sentenceOf(error) });
  }
  return problems;
}

/** Reads routes with the models of files, as a start does. @throws ERR_DATA, ERR_RANGE, ERR_REGISTRY */
function checkRoutes(path: string, given: readonly string[]): void {
  const rollouts = new Rollouts({ routes: path, workers: 1 }, () => {});
  const places: ReturnType<typeof placeOf>[] = [];
  for (const one of given) {
    try {
      places.push(placeOf(one));
    } catch {
      // it is told of the models
      return;
    }
  }
  const followed = places.flatMap((place) => (place.kind === 'registry' ? [place.model] : []));
  rollouts.knows([...followed, ...rollouts.references(followed)]);
  const service = createService({ routing: rollouts.routing });
  for (const [name, file] of filesOf(places)) {
    try {
      service.models.put({ name, model: readFileSync(file) });
    } catch {
      // a model that fails is noted, and told of the models
    }
  }
  rollouts.begin(service);
}

/** null: nothing is there, or a file where a folder should be */
function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** @throws Error for a folder that cannot be written, or made */
function writableFolder(path: string): void {
  const found = statOf(path);
  // it is made at the start
  if (!found && dirname(path) !== path) {
    writableFolder(dirname(path));
    return;
  }
  if (!found?.isDirectory()) throw new Error(`expected a folder, got a file (${path}); choose another`);
  accessible(path, constants.W_OK | constants.X_OK);
}

function accessible(path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw new Error(`expected a place that can be written, got an error (${path}: ${reason(error)}); choose another`, {
      cause: error,
    });
  }
}

/** @throws Error for a file that cannot be written, or that another service writes */
async function freeAudit(path: string, workers: number): Promise<void> {
  const folder = dirname(path);
  if (!statOf(folder)) throw new Error(`expected a file in a folder that is there, got none (${folder}); make it`);
  writableFolder(folder);
  for (let slot = 1; slot <= workers; slot++) {
    const file = auditPathOf(path, workers === 1 ? null : slot);
    const found = statOf(file);
    if (found && !found.isFile()) throw new Error(`expected a file, got something else (${file}); choose another`);
    if (found) accessible(file, constants.R_OK | constants.W_OK);
    await FileLock.look(file);
  }
}

/** @throws Error for a path that another service listens at, or that no socket can have */
async function freeSocket(path: string): Promise<void> {
  await leftSocket(path);
  writableFolder(dirname(resolve(path)));
}

/** @throws Error for a port that is taken, or an address that this machine has not */
async function freePort(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    await listenAt(server, { kind: 'port', host, port, flag: '' });
  } catch (error) {
    throw new Error(
      sentenceOf(error)
        .trim()
        .replace(/^\d+: /, ''),
      { cause: error },
    );
  } finally {
    server.close();
  }
}
