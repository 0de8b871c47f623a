import { readFileSync } from 'node:fs';
import { checkGuards, checkKey } from '../../../registry/src/index.ts';
import { checkRoute, type Route } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** What a file of routes says of a model. */
export type RouteFile = Readonly<Record<string, RouteEntry>>;

/** Of a model of files: its rollout; of a registry: what answers when it fails. */
interface RouteEntry {
  readonly challenger?: { readonly model: string; readonly share: number };
  readonly arms?: readonly { readonly name: string; readonly model: string; readonly share: number }[];
  readonly shadow?: string;
  readonly fallback?: string;
  readonly answer?: Route['answer'];
  readonly key?: string;
  readonly salt?: string;
  readonly guards?: Route['guards'];
}

const MEMBERS = ['challenger', 'arms', 'shadow', 'fallback', 'answer', 'key', 'salt', 'guards'];

/** Reads a file of routes. @throws ERR_DATA, ERR_RANGE */
export function readRoutes(path: string): RouteFile {
  const refuse = (what: string, rule: string, got: string, next: string): never => {
    throw new LogoddsError('ERR_RANGE', `--routes ${path}${what}: expected ${rule}, got ${got}; ${next}`);
  };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return refuse('', 'a file that can be read', `an error (${reason(error)})`, 'check the path');
  }
  let routes: RouteFile;
  try {
    routes = JSON.parse(text);
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `--routes ${path}: expected JSON, got an error (${reason(error)}); correct the file`,
      {
        cause: error,
      },
    );
  }
  if (!isObject(routes)) return refuse('', 'an object with a route for each model', kindOf(routes), 'correct the file');
  for (const [name, entry] of Object.entries(routes)) {
    if (!isObject(entry)) return refuse(`, ${name}`, 'an object', kindOf(entry), 'correct it');
    const other = Object.keys(entry).find((member) => !MEMBERS.includes(member));
    if (other !== undefined) refuse(`, ${name}`, MEMBERS.join(', '), JSON.stringify(other), 'correct or remove it');
    const { challenger, arms = [], shadow, key, guards } = entry;
    for (const model of [challenger?.model, shadow, ...arms.map((arm) => arm.model)])
      if (model === name) refuse(`, ${name}`, 'another model beside it', 'itself', 'name another');
    try {
      if (key !== undefined) checkKey(key);
      if (guards) checkGuards(guards);
    } catch (error) {
      throw new LogoddsError('ERR_RANGE', `--routes ${path}, ${name}: ${(error as Error).message}`, { cause: error });
    }
    checkRoute(routeOfFile(name, entry));
  }
  return routes;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const kindOf = (value: unknown): string => (Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value);

const target = (model: string) => ({ model, version: null });

/** The route of a model that has its versions in files of other names. */
export function routeOfFile(name: string, entry: RouteEntry): Route {
  const { challenger, arms = [], shadow, fallback, answer, key, salt = name, guards = {} } = entry;
  return {
    name,
    // a file that changes makes another route
    id: `file ${JSON.stringify(entry)}`,
    champion: target(name),
    arms: [
      ...(challenger ? [{ ...target(challenger.model), name: 'challenger', share: challenger.share }] : []),
      ...arms.map(({ model, ...others }) => ({ ...others, ...target(model) })),
    ],
    shadow: shadow === undefined ? null : target(shadow),
    fallback: fallback === undefined ? null : target(fallback),
    answer: answer ?? null,
    salt,
    key:
      key === undefined ? null : key.startsWith('header:') ? { header: key.slice('header:'.length) } : { field: key },
    guards: challenger || shadow !== undefined ? guards : null,
  };
}
