import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Document, LineCounter } from 'yaml';
import { LogoddsError } from '../../../src/index.ts';
import { hasNone } from '../options/tableFile.ts';
import { nearest } from '../read/names.ts';
import { reason } from '../write/temporary.ts';
import { BY_KEY, type ServeOptions } from './options.ts';

/** What is wrong with an option. */
export interface Problem {
  /** `grpcPort` or `models[1]` of a file, `--grpc-port` of the command line */
  readonly path: string;
  /** what was expected, what was got, what to do next */
  readonly message: string;
}

type Values = Readonly<Record<string, unknown>>;

/** A configuration file: its values with paths that begin at its folder, and what is wrong with it. */
export interface Config {
  readonly file: string;
  readonly values: Values;
  readonly problems: readonly Problem[];
  /** whether a file is given that has no keys */
  readonly isEmpty: boolean;
  /** the line of a key, or of an item of `models`; null where there is none */
  readonly lineOf: (path: string) => number | null;
}

/** Where nothing is configured. */
export const NO_CONFIG: Config = { file: '', values: {}, problems: [], isEmpty: false, lineOf: () => null };

/** Reads a configuration file. JSON is YAML, so that one reader has both, with lines and with keys that stand twice. @throws ERR_DATA */
export async function readConfig(file: string): Promise<Config> {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `${file}: expected a configuration file, got an error (${reason(error)}); check the path`,
      { cause: error },
    );
  }
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const config = { file, lineOf: lineFinder(document, lines) };
  const wrong = (message: string): Config => ({
    ...config,
    values: {},
    problems: [{ path: '', message }],
    isEmpty: false,
  });
  const [error] = document.errors;
  if (error)
    return wrong(
      `expected JSON or YAML, got an error in line ${lines.linePos(error.pos[0]).line} (${error.message}); mend it`,
    );
  let values: unknown;
  try {
    values = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return wrong(`expected few aliases, got an error (${reason(error)}); write it without them`);
  }
  if (typeof values !== 'object' || Array.isArray(values))
    return wrong(`expected keys with values, got ${show(values)}; write port: 8080, for example`);
  return {
    ...config,
    values: placed(values as Values, dirname(resolve(file))),
    problems: problemsOf(values as Values),
    isEmpty: hasNone(values),
  };
}

const lineFinder =
  (document: Document, lines: LineCounter) =>
  (path: string): number | null => {
    const [key, item] = path.split(/[[\]]/);
    const node = document.getIn(item === undefined ? [key] : [key, Number(item)], true) as
      | { readonly range?: readonly number[] }
      | undefined;
    return node?.range ? lines.linePos(node.range[0]).line : null;
  };

const show = (value: unknown): string => {
  const shown = shownNumber(value) ?? JSON.stringify(value, (_, inner) => shownNumber(inner) ?? inner) ?? String(value);
  // a value of several lines may be a key that belongs into a file
  if (shown.includes('\\n')) return 'text of several lines';
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
};

/** A number that JSON does not have, as YAML writes it; null: something else. */
function shownNumber(value: unknown): string | null {
  if (typeof value !== 'number' || Number.isFinite(value)) return null;
  if (Number.isNaN(value)) return '.nan';
  return value < 0 ? '-.inf' : '.inf';
}

/** What is wrong with the keys and values of a file, each on its own. */
function problemsOf(values: Values): Problem[] {
  const { models, ...others } = values;
  const problems: Problem[] = [];
  if (models !== undefined && !Array.isArray(models))
    problems.push({ path: 'models', message: `expected a list, got ${show(models)}; write models: [FILE]` });
  for (const [i, model] of (Array.isArray(models) ? models : []).entries())
    if (typeof model !== 'string' || !BY_KEY.get('cert')!.kind.fits(model))
      problems.push({
        path: `models[${i}]`,
        message: `expected name=FILE, FILE or a folder, got ${show(model)}; write it as text`,
      });
  for (const [key, value] of Object.entries(others)) {
    if (key === '$schema') continue;
    const row = BY_KEY.get(key);
    if (!row) problems.push({ path: key, message: unknownKey(key) });
    else if (!row.kind.fits(value))
      problems.push({ path: key, message: `expected ${row.kind.rule}, got ${show(value)}; ${next(row.preset)}` });
  }
  return problems;
}

const next = (preset: unknown): string =>
  preset === undefined ? 'write one, or leave it out' : `write one, or leave it out for ${preset}`;

function unknownKey(key: string): string {
  const keys = ['models', ...BY_KEY.keys()];
  const plain = key.replace(/^-+/, '').replace(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());
  const guess = keys.includes(plain) ? plain : nearest(key, keys);
  const list = 'expected a key of serve.schema.json, which the package has';
  return `${list}, got ${guess ? `another; did you mean ${guess}?` : `none like it; there are ${keys.join(', ')}`}`;
}

/** Paths that begin at a folder. */
function placed(values: Values, folder: string): Values {
  const at = (path: unknown): unknown => {
    if (Array.isArray(path)) return path.map(at);
    // https://, s3://, models:/ name places of their own
    return typeof path === 'string' && !/^[a-z][a-z0-9+.-]+:\//i.test(path) ? resolve(folder, path) : path;
  };
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      if (key === 'models' && Array.isArray(value)) return [key, value.map((model) => placedModel(model, at))];
      return [key, BY_KEY.get(key)?.kind.place ? at(value) : value];
    }),
  );
}

function placedModel(model: unknown, at: (path: unknown) => unknown): unknown {
  const named = typeof model === 'string' ? /^([^=/\\]+=)(.+)$/.exec(model) : null;
  return named ? `${named[1]}${at(named[2])}` : at(model);
}

/** Options where they come from: a flag, else the file, else the environment, else what is preset. */
export interface Resolved {
  readonly options: ServeOptions;
  readonly problems: readonly Problem[];
  /** the name of an option where it was given: its key in the file, else its flag */
  readonly from: (key: string) => string;
}

/**
 * Options of a run. What fits no rule is among the problems.
 * @param flags  those that were given
 * @param fallback  what the environment asks for
 */
export function optionsOf(models: readonly string[], flags: Values, config: Config, fallback: Values = {}): Resolved {
  const problems: Problem[] = [...config.problems];
  const options: Record<string, unknown> = {
    models: models.length > 0 ? models : (config.values['models'] ?? []),
  };
  const refused = new Set(config.problems.map(({ path }) => path));
  for (const [key, { flag, kind, preset }] of BY_KEY) {
    const value = flags[key] ?? config.values[key] ?? fallback[key] ?? preset;
    if (value === undefined) continue;
    options[key] = value;
    const isFlag = flags[key] !== undefined;
    if (isFlag && !kind.fits(value))
      problems.push({ path: flag, message: `expected ${kind.rule}, got ${show(value)}; ${next(preset)}` });
    else if (kind.place === 'file' && (isFlag || !refused.has(key)))
      for (const file of [value].flat()) problems.push(...unreadable(isFlag ? flag : key, file as string));
  }
  const complete = options as unknown as ServeOptions;
  const from = (key: string) => (flags[key] === undefined && key in config.values ? key : BY_KEY.get(key)!.flag);
  return { options: complete, problems: [...problems, ...contradictions(complete, from)], from };
}

function unreadable(path: string, file: string): Problem[] {
  try {
    accessSync(file, constants.R_OK);
    return [];
  } catch (error) {
    return [{ path, message: `expected a file that can be read, got an error (${reason(error)}); check the path` }];
  }
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** What options that fit say together. @param from  the name of an option where it was given */
function contradictions(options: ServeOptions, from: (key: string) => string): Problem[] {
  const { host, open, socket, grpc, cert, key, clientCa, tokens, jwks, drainDelay, grace, port, grpcPort } = options;
  const { audit, auditStrict, log, logEntity, rateLimit, rateBurst, trust, revoked, slo, sloState } = options;
  const isLocal = LOOPBACK.test(host) || (socket !== undefined && !grpc);
  const rules: readonly (readonly [isBroken: boolean, path: string, message: string])[] = [
    [
      !isLocal && !open && [clientCa, tokens, jwks].every((asked) => asked === undefined),
      'host',
      `expected API keys where others can ask, got ${show(host)} without; give --tokens FILE, --jwks or --client-ca FILE, or --open for no keys`,
    ],
    [cert !== undefined && key === undefined, 'cert', 'expected the private key as well, got none; give --key FILE'],
    [key !== undefined && cert === undefined, 'key', 'expected the certificate as well, got none; give --cert FILE'],
    [
      clientCa !== undefined && cert === undefined,
      'clientCa',
      'expected TLS, got no certificate of the service; give --cert FILE and --key FILE',
    ],
    [
      drainDelay >= grace,
      'drainDelay',
      `expected less than the grace time of ${grace} s, got ${drainDelay}; give --grace a greater one`,
    ],
    [
      socket === undefined && grpc && port === grpcPort && port !== 0,
      'grpcPort',
      `expected another port than that of HTTP, got ${port} for both; choose another, or --no-grpc`,
    ],
    [revoked !== undefined && trust === undefined, 'revoked', 'expected trusted keys, got none; give --trust FILE'],
    [sloState !== undefined && slo === undefined, 'sloState', 'expected objectives as well, got none; give --slo FILE'],
    [auditStrict && audit === undefined, 'auditStrict', 'expected an audit log, got none; give --audit FILE'],
    [
      logEntity !== undefined && log === undefined,
      'logEntity',
      'expected a prediction log, got none; give --log FOLDER',
    ],
    [
      rateBurst !== undefined && rateLimit === undefined,
      'rateBurst',
      'expected a rate, got none; give --rate-limit NUMBER',
    ],
  ];
  return rules.filter(([isBroken]) => isBroken).map(([, path, message]) => ({ path: from(path), message }));
}

/** A problem as a line: where it is, and what. */
export function told({ path, message }: Problem, { file, lineOf }: Config): string {
  const line = lineOf(path);
  // what is not of the file names itself
  const isOfFile = path === '' || line !== null || BY_KEY.has(path) || path.startsWith('models');
  const place = isOfFile ? `${file}${line === null ? '' : `:${line}`}: ` : '';
  return `${place}${path}${path && ': '}${message}`;
}
