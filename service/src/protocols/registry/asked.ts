import type { Metrics, RolloutPlan, Tags } from '@logodds/registry';
import type { Core } from '../../core.ts';
import { badRequest, Refusal } from '../../refusal.ts';
import { bytesOf } from '../../requests/body.ts';
import { quote } from '../../requests/columns.ts';
import { checkJson } from '../../requests/limits.ts';
import { parsedJson } from '../../scoring/score.ts';

/** Bytes of a model file, of a signature, and of the JSON that asks for a change. */
const MOST_FILE = 2 ** 24;
const MOST_SIGNATURE = 2 ** 20;
const MOST_JSON = 2 ** 16;
/** How long a body may take: pushes have few places. */
const MOST_MS = 60_000;
/** Characters of a reason, and of each value that is kept with a version. */
const MOST_WHY = 1000;
const MOST_TEXT = 1000;
/** Tags, metrics and parts of the lineage together. */
const MOST_MEMBERS = 100;

type Json = Readonly<Record<string, unknown>>;

const wrong = (what: string, rule: string, next = 'correct it'): Refusal =>
  badRequest(`${what}: expected ${rule}, got something else; ${next}`);

/** What is sent as bytes: at most how many, and where a larger one goes. */
const SENT = {
  'model file': [MOST_FILE, 'push it where the registry lies: logodds push'],
  signature: [MOST_SIGNATURE, 'sign the model alone'],
} as const;

/** A file that is sent. @throws Refusal 400, 413 */
export async function fileOf(
  request: Request,
  { limits }: Core,
  what: keyof typeof SENT = 'model file',
): Promise<Uint8Array> {
  const [most, next] = SENT[what];
  let file: Uint8Array;
  try {
    file = await bytesOf(request, {
      limits: { ...limits, bytes: most },
      deadline: performance.now() + Math.min(limits.timeMs, MOST_MS),
    });
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 413)) throw error;
    throw new Refusal(413, error.code, `${what}: expected at most ${most} bytes, got more; ${next}`);
  }
  if (file.length === 0) throw badRequest(`body: expected a ${what}, got nothing; send its bytes`);
  return file;
}

/** The members of a body of JSON, of which none is unknown. @throws Refusal 400, 413 */
export async function membersOf(request: Request, { limits }: Core, known: readonly string[]): Promise<Json> {
  const own = { ...limits, bytes: MOST_JSON };
  const bytes = await bytesOf(request, { limits: own, deadline: performance.now() + Math.min(limits.timeMs, MOST_MS) });
  checkJson(bytes, own);
  const body = bytes.length === 0 ? {} : parsedJson(bytes);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong('body', 'an object of JSON');
  const other = Object.keys(body).find((name) => !known.includes(name));
  if (other !== undefined)
    throw badRequest(`body: expected ${known.join(', ')}, got ${quote(other)}; correct or remove it`);
  return body as Json;
}

/** What a caller says of a change. @throws Refusal 400 */
export function whyOf(why: unknown): string | undefined {
  if (why === undefined || why === null || why === '') return undefined;
  if (typeof why === 'string' && why.length <= MOST_WHY) return why;
  throw wrong('why', `a text of at most ${MOST_WHY} characters`, 'make it shorter, or leave it out');
}

/** The number of a version. @throws Refusal 400 */
export function versionIn(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw wrong(what, 'the number of a version');
}

/** The number of a version in a path; null: none has it. */
export const versionAt = (text: string): number | null => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : null);

const LINEAGE = ['data', 'schema', 'command', 'parent', 'run'];

/** What the query of a push says of its version. */
export interface Said {
  readonly alias: string | null;
  readonly why: string | undefined;
  readonly tags: Tags;
  readonly metrics: Metrics;
  readonly lineage: Readonly<Record<string, string | number>>;
}

/** Reads `alias`, `why`, `tag.K=V`, `metric.K=NUMBER` and `lineage.K=V`. @throws Refusal 400 */
export function saidOf(query: Readonly<Record<string, string>>): Said {
  const found = { tag: [], metric: [], lineage: [] } as Record<string, [string, string | number][]>;
  for (const [name, value] of Object.entries(query)) {
    if (name === 'alias' || name === 'why') continue;
    const [, kind = '', key = ''] = /^(tag|metric|lineage)\.(.{1,250})$/.exec(name) ?? [];
    if (!kind || (kind === 'lineage' && !LINEAGE.includes(key)))
      throw badRequest(
        `query: expected alias, why, tag.NAME, metric.NAME or lineage.NAME (${LINEAGE.join(', ')}), got ${quote(name)}; correct or remove it`,
      );
    if (value.length > MOST_TEXT) throw wrong(quote(name), `at most ${MOST_TEXT} characters`, 'make it shorter');
    found[kind].push([key, kind === 'metric' ? numberOf(name, value) : key === 'parent' ? parentOf(value) : value]);
  }
  const { tag, metric, lineage } = found;
  if (tag.length + metric.length + lineage.length > MOST_MEMBERS)
    throw wrong('query', `at most ${MOST_MEMBERS} tags, metrics and parts of the lineage`, 'leave some out');
  return {
    alias: query['alias'] ?? null,
    why: whyOf(query['why']),
    tags: Object.fromEntries(tag) as Tags,
    metrics: Object.fromEntries(metric) as Metrics,
    lineage: Object.fromEntries(lineage),
  };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw wrong(quote(name), 'a number');
}

const parentOf = (text: string): number => versionIn('lineage.parent', versionAt(text));

type Check = (value: unknown) => boolean;
const isNumber: Check = (value) => typeof value === 'number';
const isText: Check = (value) => typeof value === 'string' && value.length <= MOST_TEXT;
const isBoolean: Check = (value) => typeof value === 'boolean';

const listOf =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    Array.isArray(value) && value.every((one) => isOf(one, members, Object.keys(members)));

/** The members of a plan, and of its parts. Their values are for the registry to check. */
function planChecks(): Readonly<Record<string, Check>> {
  const step = { share: isNumber, holdSeconds: (value: unknown) => isNumber(value) || value === null };
  const arm = { name: isText, version: isNumber, share: isNumber };
  const names = [
    ...['alpha', 'minRequests', 'errorRatio', 'latencyRatio', 'slowSeconds'],
    ...['maxDisagreement', 'maxPsi', 'maxLogLossIncrease'],
  ];
  const guards = Object.fromEntries(names.map((name) => [name, isNumber]));
  return {
    kind: isText,
    steps: listOf(step),
    arms: listOf(arm),
    key: isText,
    salt: isText,
    guards: (value) => isOf(value, guards, []),
    isAutomatic: isBoolean,
    promotes: isBoolean,
  };
}

function isOf(value: unknown, members: Readonly<Record<string, Check>>, needed: readonly string[]): value is Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const given = Object.entries(value);
  return (
    given.every(([name, one]) => Object.hasOwn(members, name) && members[name](one)) &&
    needed.every((name) => Object.hasOwn(value, name))
  );
}

/** A plan whose parts have their types. @throws Refusal 400 */
export function planOf(value: unknown): RolloutPlan {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('plan', 'an object', 'see RolloutPlan in /openapi.json');
  const checks = planChecks();
  for (const [name, one] of Object.entries(value)) {
    if (!Object.hasOwn(checks, name))
      throw badRequest(`plan: expected ${Object.keys(checks).join(', ')}, got ${quote(name)}; correct or remove it`);
    if (!checks[name](one)) throw wrong(`plan, ${name}`, 'what RolloutPlan in /openapi.json says');
  }
  const missing = ['kind', 'steps', 'salt'].find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw badRequest(`plan: expected kind, steps and salt, got no ${missing}; add it`);
  return value as RolloutPlan;
}
