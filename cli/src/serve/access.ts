import { readFileSync, statSync } from 'node:fs';
import { type AccessOptions, createService, type LogLine, Tokens } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** Who may ask, by options of `logodds serve`. */
export interface AccessFlags {
  readonly tokens?: string;
  readonly jwks?: string;
  readonly issuer?: string;
  readonly audience?: readonly string[];
  readonly scopeClaim?: readonly string[];
  readonly opa?: string;
  readonly opaOpen?: boolean;
  readonly cors?: readonly string[];
}

type Log = (line: LogLine) => void;
type JSONWebKeySet = ReturnType<Exclude<NonNullable<AccessOptions['jwt']>['keys'], string>>;

/** A file that is read again when it changes. What cannot be read leaves what was read before. */
class Watched {
  readonly #path: string;
  readonly #take: (text: string) => void;
  #seen: string;
  /** what is in use is older than the file */
  isStale = false;

  /** @throws what reading it throws */
  constructor(path: string, take: (text: string) => void) {
    this.#path = path;
    this.#take = take;
    this.#seen = stampOf(path);
    take(readFileSync(path, 'utf8'));
  }

  look(log: Log): void {
    const path = this.#path;
    try {
      const now = stampOf(path);
      if (now === this.#seen) return;
      this.#seen = now;
      this.#take(readFileSync(path, 'utf8'));
      this.isStale = false;
      log({ level: 'info', event: 'read', path });
    } catch (error) {
      // one that is gone is said once
      if (this.#seen === '' && isGone(error)) return;
      if (isGone(error)) this.#seen = '';
      this.isStale = true;
      log({ level: 'error', event: 'failed', path, reason: `${reason(error)}; the one before stays` });
    }
  }
}

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

function stampOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return `${mtimeMs} ${size} ${ino}`;
}

/** Who may ask a service, and the files that say so. */
export interface Access {
  /** null: nobody is asked */
  readonly options: AccessOptions | null;
  /** whether a caller has to show something */
  readonly isAsked: boolean;
  /** Reads again what has changed. */
  look(log: Log): void;
  /** number of files that could not be read again: what was read before is in use */
  readonly stale: number;
}

/** @throws ERR_DATA, ERR_RANGE */
export function accessOf(flags: AccessFlags): Access {
  const { tokens: file, jwks, opa, cors } = flags;
  if (jwks === undefined) {
    for (const name of ['issuer', 'audience', 'scopeClaim'] as const)
      if (flags[name] !== undefined) throw alone(name, 'jwks');
  }
  if (opa === undefined && flags.opaOpen) throw alone('opaOpen', 'opa');
  const files: Watched[] = [];
  let tokens: Tokens | undefined;
  if (file !== undefined)
    files.push(
      watched('--tokens', file, (text) => {
        if (tokens) tokens.replace(text);
        else tokens = new Tokens(text);
      }),
    );
  const options: AccessOptions = {
    ...(tokens && { tokens }),
    ...(jwks !== undefined && { jwt: jwtOf(jwks, flags, files) }),
    ...(opa !== undefined && { policy: { url: opa, failOpen: flags.opaOpen ?? false, ...tokenOfAgent() } }),
    ...(cors && { origins: cors }),
  };
  checked(options);
  return {
    options: Object.keys(options).length > 0 ? options : null,
    isAsked: tokens !== undefined || jwks !== undefined,
    look(log) {
      for (const file of files) file.look(log);
    },
    get stale() {
      return files.filter(({ isStale }) => isStale).length;
    },
  };
}

/** The agent's own token is a secret: it comes from the environment. */
function tokenOfAgent(): { token?: string } {
  const token = process.env['LOGODDS_OPA_TOKEN'];
  return token ? { token } : {};
}

function jwtOf(jwks: string, { issuer, audience, scopeClaim }: AccessFlags, files: Watched[]): AccessOptions['jwt'] {
  if (issuer === undefined || audience === undefined)
    throw new LogoddsError(
      'ERR_RANGE',
      `--jwks: expected --issuer and --audience with it, got ${issuer === undefined ? 'no issuer' : 'no audience'}; tokens for other services would be taken`,
    );
  const others = { issuer, audience, ...(scopeClaim && { claims: scopeClaim }) };
  if (/^https?:\/\//.test(jwks)) return { ...others, keys: jwks };
  let set: JSONWebKeySet;
  files.push(
    watched('--jwks', jwks, (text) => {
      set = keySetOf(text);
    }),
  );
  return { ...others, keys: () => set };
}

/** @throws Error that repeats nothing: somebody may have named a file of secrets */
function keySetOf(text: string): JSONWebKeySet {
  let value: { keys?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (Array.isArray(value?.keys)) return value as JSONWebKeySet;
  throw new Error('expected a JSON Web Key Set, {"keys": […]}, got something else; name the file of the issuer');
}

function watched(option: string, path: string, take: (text: string) => void): Watched {
  try {
    return new Watched(path, take);
  } catch (error) {
    throw new LogoddsError('ERR_DATA', `${option} ${path}: ${reason(error)}`, { cause: error });
  }
}

/** What the service says of them, it says before it listens. */
function checked(access: AccessOptions): void {
  try {
    createService({ access });
  } catch (error) {
    throw new LogoddsError('ERR_RANGE', `serve: ${(error as Error).message}`, { cause: error });
  }
}

const alone = (name: string, other: string): LogoddsError =>
  new LogoddsError(
    'ERR_RANGE',
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: expected --${other} with it, got none; give both`,
  );
