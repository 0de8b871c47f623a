import { readFileSync } from 'node:fs';
import { checkGuards, checkKey, isReference, parseReference } from '../../../registry/src/index.ts';
import {
  checkRoute,
  type Followed,
  type Route,
  type Segment,
  SegmentRules,
  type Segments,
  type When,
} from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { nearest } from '../read/names.ts';
import { reason } from '../write/temporary.ts';

/** What a file of routes says of a model. */
export type RouteFile = Readonly<Record<string, RouteEntry>>;

/** What answers beside a champion. Models are named as they are served, or as models:/NAME@ALIAS. */
interface RouteMembers {
  readonly challenger?: { readonly model: string; readonly share: number };
  readonly arms?: readonly { readonly name: string; readonly model: string; readonly share: number }[];
  readonly shadow?: string;
  readonly fallback?: string;
  readonly answer?: Route['answer'];
  readonly key?: string;
  readonly salt?: string;
  readonly guards?: Route['guards'];
}

/** Of a model of files: its rollout; of a registry: what answers when it fails. Of any name: its segments. */
interface RouteEntry extends RouteMembers {
  readonly segments?: readonly SegmentEntry[];
  readonly fields?: Segments['fields'];
}

/** A segment: its model with the rollout that this has, or one of its own. */
interface SegmentEntry extends RouteMembers {
  readonly name: string;
  readonly when: When;
  readonly model: string;
}

const ROUTE = ['challenger', 'arms', 'shadow', 'fallback', 'answer', 'key', 'salt', 'guards'] as const;
/** Members of each object; `routes.schema.json` has the same. */
export const MEMBERS = {
  entry: [...ROUTE, 'segments', 'fields'],
  segment: ['name', 'when', 'model', ...ROUTE],
  challenger: ['model', 'share'],
  arm: ['name', 'model', 'share'],
  answer: ['probability', 'classes'],
};
type Kind = keyof typeof MEMBERS;

/** The text of a file of routes. @throws ERR_DATA */
export function textOfRoutes(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `--routes ${path}: expected a file that can be read, got an error (${reason(error)}); check the path`,
      { cause: error },
    );
  }
}

/** Reads a file of routes. @throws ERR_DATA, ERR_RANGE, ERR_REGISTRY */
export function readRoutes(path: string, text = textOfRoutes(path)): RouteFile {
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
  checkObject(path, 'routes', routes);
  const { $schema: _, ...entries } = routes as RouteFile & { readonly $schema?: unknown };
  for (const [name, entry] of Object.entries(entries)) checkEntry(path, name, entry);
  for (const [name, { segments = [] }] of Object.entries(entries))
    for (const { name: own, model } of segments)
      if (model !== name && entries[model]?.segments)
        throw wrong(
          path,
          `${name}, segment ${own}`,
          'a model without segments',
          model,
          "name one of its segments' models",
        );
  return entries;
}

function checkEntry(path: string, name: string, entry: RouteEntry): void {
  checkMembers(path, name, 'entry', entry);
  checkOthers(path, name, name, entry);
  const { segments, fields } = entry;
  checkRoute(routeOfFile(name, entry));
  if (segments === undefined) {
    if (fields !== undefined) throw wrong(path, name, 'segments beside fields', 'none', 'add them, or remove fields');
    return;
  }
  if (!Array.isArray(segments)) throw wrong(path, name, 'a list of segments', typeof segments, 'write one');
  for (const segment of segments) {
    checkMembers(path, `${name}, segment ${segment?.name ?? '?'}`, 'segment', segment);
    if (typeof segment.model !== 'string' || segment.model === '')
      throw wrong(path, `${name}, segment ${segment.name}`, 'a model', 'none', 'name what answers it');
    checkOthers(path, `${name}, segment ${segment.name}`, segment.model, segment);
  }
  new SegmentRules(segmentsOfFile(name, entry)!);
  // it would hold for nothing
  if (hasRoute(entry) && !segments.some(({ model }) => model === name))
    throw wrong(path, name, `a segment that ${name} itself answers`, 'none', 'put the route into the segments');
}

/** @throws ERR_RANGE where a model is beside itself */
function checkOthers(path: string, what: string, champion: string, { challenger, arms = [], shadow }: RouteMembers) {
  if ([challenger?.model, shadow, ...arms.map((arm) => arm.model)].includes(champion))
    throw wrong(path, what, 'another model beside it', 'itself', 'name another');
}

/** @throws ERR_RANGE */
function checkMembers(path: string, what: string, kind: Kind, given: object): void {
  checkObject(path, what, given);
  for (const member of Object.keys(given)) {
    if (MEMBERS[kind].includes(member)) continue;
    const guess = nearest(member, MEMBERS[kind]);
    const next = guess ? `did you mean ${guess}?` : 'correct or remove it';
    throw wrong(path, what, MEMBERS[kind].join(', '), JSON.stringify(member), next);
  }
  if (kind !== 'entry' && kind !== 'segment') return;
  const { challenger, arms, answer, shadow, fallback, key, salt, guards } = given as RouteMembers;
  if (challenger !== undefined) checkMembers(path, `${what}, challenger`, 'challenger', challenger);
  if (answer) checkMembers(path, `${what}, answer`, 'answer', answer);
  if (arms !== undefined && !Array.isArray(arms)) throw wrong(path, what, 'a list of arms', typeof arms, 'write one');
  for (const arm of arms ?? []) checkMembers(path, `${what}, arms`, 'arm', arm);
  try {
    if (typeof key === 'string') checkKey(key);
    if (guards) checkGuards(guards);
  } catch (error) {
    throw new LogoddsError('ERR_RANGE', `--routes ${path}, ${what}: ${(error as Error).message}`, { cause: error });
  }
  const models = [challenger ?? { model: '-' }, ...(arms ?? [])].map(({ model }) => model);
  for (const [member, value] of Object.entries({ shadow, fallback, key, salt, 'model of an arm': models }))
    for (const text of [value].flat())
      if (text !== undefined && (typeof text !== 'string' || text === ''))
        throw wrong(path, `${what}, ${member}`, 'a text', JSON.stringify(text), 'correct it');
}

function checkObject(path: string, what: string, given: unknown): void {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return;
  throw wrong(path, what, 'an object', Array.isArray(given) ? 'a list' : JSON.stringify(given), 'correct it');
}

const wrong = (path: string, what: string, rule: string, got: string, next: string): LogoddsError =>
  new LogoddsError('ERR_RANGE', `--routes ${path}, ${what}: expected ${rule}, got ${got}; ${next}`);

/** Whether an entry says more than its segments. */
export const hasRoute = (entry: object): boolean => ROUTE.some((member) => member in entry);

/** Names models:/NAME@ALIAS as the service does. @throws ERR_REGISTRY */
export function followedBy(reference: string): Followed {
  const { name, alias, version } = parseReference(reference);
  if (alias === undefined) return { name: `${name}@${version}`, of: name, version: version! };
  return { name: alias === 'champion' ? name : `${name}@${alias}`, of: name, alias };
}

/** Models of a registry that a file of routes names. @throws ERR_REGISTRY */
export function referencesIn(routes: RouteFile): Followed[] {
  const named = Object.values(routes).flatMap((entry) => [entry, ...(entry.segments ?? [])].flatMap(modelsOf));
  return [...new Set(named)].filter(isReference).map(followedBy);
}

/** Models that a file of routes names, as they are served. */
export const namesIn = ({ segments = [] }: RouteEntry): string[] =>
  [...new Set(segments.flatMap(modelsOf))].map((model) => target(model).model);

/** Models beside the champion of an entry, as they are served. */
export const besidesIn = ({ segments: _, ...entry }: RouteEntry): string[] =>
  modelsOf(entry).map((model) => target(model).model);

function modelsOf(entry: RouteMembers & { readonly model?: string }): string[] {
  const { model, challenger, arms = [], shadow, fallback } = entry;
  return [model, challenger?.model, ...arms.map((arm) => arm.model), shadow, fallback].filter(
    (name) => name !== undefined,
  );
}

const target = (model: string) => ({ model: isReference(model) ? followedBy(model).name : model, version: null });

/** The route of a model that has its versions in files of other names. @param champion  default: the model itself */
export function routeOfFile(name: string, entry: RouteMembers, champion = name): Route {
  const { challenger, arms = [], shadow, fallback, answer, key, salt = name, guards = {} } = entry;
  return {
    name,
    // a file that changes makes another route
    id: `file ${JSON.stringify(entry)}`,
    champion: target(champion),
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

/** The segments of a model; null: it has none. */
export function segmentsOfFile(name: string, { segments, fields }: RouteEntry): Segments | null {
  if (!segments) return null;
  return {
    name,
    segments: segments.map((entry): Segment => {
      const { name: own, when, model } = entry;
      const by = hasRoute(entry) ? routeOfFile(`${name}/${own}`, entry, model) : target(model);
      return { name: own, when, by };
    }),
    ...(fields && { fields }),
  };
}
