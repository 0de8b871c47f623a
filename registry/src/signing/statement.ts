import { quoted, signatureError } from './error.ts';
import { listOf, type Members, objectOf, parsed, textOf } from './json.ts';
import { bytesOfHex, hexOf, SHA256, sha256Of, textOfUtf8, utf8Of } from './text.ts';

/*
 * What is signed: an in-toto Statement with the predicate of OpenSSF model signing 1.0. A file alone is the one resource "." of it, so its own name is no
 * part of what is compared; the subject has the name for people to read, and a digest over the digests of all resources.
 *
 * Times and the name of the model are a member `logodds` of the predicate. Verifiers of 1.0 pass over members that they do not know.
 */

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://model_signing/signature/v1.0';
const FORMAT = 1;
const DIGEST = 'a SHA-256 in hexadecimal digits';
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** What a signature says of a model file. Times are by `Date.now`. */
export interface Claims {
  /** name of the file when it was signed; it may have another now */
  readonly file: string;
  /** the model that it may be served as; null: any */
  readonly model: string | null;
  /** null: not told */
  readonly signedAt: number | null;
  readonly notBefore: number | null;
  /** null: it does not expire */
  readonly expires: number | null;
}

/** A statement that was read. */
export interface Statement extends Claims {
  /** Whether a file of this SHA-256 is among what is signed. */
  has(sha256: string): boolean;
  /** number of files */
  readonly files: number;
}

/** A time as text; milliseconds are cut off. A clock may give what is no time. */
export const timeText = (time: number): string =>
  Math.abs(time) <= 8.64e15 ? new Date(time).toISOString().replace(/\.\d+/, '') : String(time);

/** The JSON of a statement about one file. */
export async function writeStatement(sha256: string, claims: Claims): Promise<Uint8Array> {
  const { file, model, signedAt, notBefore, expires } = claims;
  const time = (name: string, value: number | null) => value !== null && { [name]: timeText(value) };
  return utf8Of(
    JSON.stringify({
      _type: STATEMENT,
      subject: [{ name: file, digest: { sha256: await overall([sha256]) } }],
      predicateType: PREDICATE,
      predicate: {
        serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false },
        resources: [{ name: '.', algorithm: 'sha256', digest: sha256 }],
        logodds: {
          format: FORMAT,
          ...(model !== null && { model }),
          ...time('signedAt', signedAt),
          ...time('notBefore', notBefore),
          ...time('expires', expires),
        },
      },
    }),
  );
}

/** The digest of all resources: SHA-256 over theirs, one behind the other. */
const overall = async (digests: readonly string[]): Promise<string> =>
  hexOf(await sha256Of(bytesOfHex(digests.join(''))));

/** Reads what was signed. @throws ERR_SIGNATURE */
export async function readStatement(payload: Uint8Array, what: string): Promise<Statement> {
  const text = textOfUtf8(payload);
  if (text === null)
    throw signatureError('malformed', `${what}: expected JSON, got bytes that are no text; sign the model again`);
  const statement = objectOf(parsed(text, what), what);
  const versions = [
    ['_type', STATEMENT],
    ['predicateType', PREDICATE],
  ] as const;
  for (const [name, expected] of versions) {
    const got = textOf(statement[name], `${what}, ${name}`);
    if (got !== expected)
      throw signatureError(
        'unsupported',
        `${what}, ${name}: expected ${expected}, got ${quoted(got)}; sign the model by model_signing 1.0 or newer, or by logodds sign`,
      );
  }
  const subjects = listOf(statement['subject'], `${what}, subject`);
  if (subjects.length !== 1)
    throw signatureError('malformed', `${what}, subject: expected one, got ${subjects.length}; sign the model again`);
  const subject = objectOf(subjects[0], `${what}, subject`);
  const predicate = objectOf(statement['predicate'], `${what}, predicate`);
  const resources = readResources(predicate, what);
  const digest = objectOf(subject['digest'], `${what}, subject`)['sha256'];
  if (textOf(digest, `${what}, subject`, DIGEST, SHA256) !== (await overall(resources.map((one) => one.digest))))
    throw signatureError(
      'malformed',
      `${what}, subject: expected the digest of its resources, got another; sign the model again`,
    );
  const whole = new Set(wholeFiles(resources));
  return {
    file: textOf(subject['name'], `${what}, subject`),
    ...readClaims(predicate['logodds'], `${what}, logodds`),
    files: new Set(resources.map(({ path }) => path)).size,
    has: (sha256) => whole.has(sha256),
  };
}

/** A file, or a shard of one. */
interface Resource {
  readonly path: string;
  readonly digest: string;
  /** null: it is a whole file */
  readonly start: string | null;
}

function readResources(predicate: Members, what: string): Resource[] {
  const { method } = objectOf(predicate['serialization'], `${what}, serialization`);
  if (method !== 'files' && method !== 'shards')
    throw signatureError(
      'unsupported',
      `${what}, serialization: expected files or shards, got ${quoted(method)}; sign the model by files`,
    );
  return listOf(predicate['resources'], `${what}, resources`).map((value) => {
    const resource = objectOf(value, `${what}, resource`);
    const algorithm = textOf(resource['algorithm'], `${what}, algorithm`);
    if (!/^sha256(-sharded-\d+)?$/.test(algorithm))
      throw signatureError(
        'unsupported',
        `${what}, algorithm: expected sha256, got ${quoted(algorithm)}; sign the model by SHA-256`,
      );
    const digest = textOf(resource['digest'], `${what}, digest`, DIGEST, SHA256);
    const name = textOf(resource['name'], `${what}, resource`);
    if (method === 'files') return { path: name, digest, start: null };
    const [, path, start] = /^([^:]*):(\d+):\d+$/.exec(name) ?? [];
    if (path === undefined)
      throw signatureError(
        'malformed',
        `${what}, resource: expected path:start:end, got ${quoted(name)}; sign the model again`,
      );
    return { path, digest, start };
  });
}

/** Digests of whole files. A file of several shards has none: the first of them would be the digest of a file that was cut. */
const wholeFiles = (resources: readonly Resource[]): string[] =>
  resources
    .filter(
      ({ path, start }, _, all) =>
        start === null || (start === '0' && all.filter((one) => one.path === path).length === 1),
    )
    .map(({ digest }) => digest);

function readClaims(value: unknown, what: string): Omit<Claims, 'file'> {
  if (value === undefined) return { model: null, signedAt: null, notBefore: null, expires: null };
  const claims = objectOf(value, what);
  if (claims['format'] !== FORMAT)
    throw signatureError(
      'unsupported',
      `${what}, format: expected ${FORMAT}, got ${quoted(claims['format'])}; verify it by a newer version`,
    );
  // a limit that is not known might be one that forbids this
  objectOf(claims, what, ['format', 'model', 'signedAt', 'notBefore', 'expires']);
  const time = (name: string): number | null => {
    if (claims[name] === undefined) return null;
    const rule = 'a time as 2030-01-31T00:00:00Z';
    const text = textOf(claims[name], `${what}, ${name}`, rule, TIME);
    const at = Date.parse(text);
    if (Number.isNaN(at) || timeText(at) !== text)
      throw signatureError(
        'malformed',
        `${what}, ${name}: expected ${rule}, got ${quoted(text)}; sign the model again`,
      );
    return at;
  };
  const { model } = claims;
  return {
    model: model === undefined ? null : textOf(model, `${what}, model`),
    signedAt: time('signedAt'),
    notBefore: time('notBefore'),
    expires: time('expires'),
  };
}
