import { readFileSync, statSync } from 'node:fs';
import {
  publicKeysOf,
  revokedOf,
  SIGNATURE_ENDING,
  Trust,
  type TrustTexts,
} from '../../../registry/src/signing/index.ts';
import type { LogLine } from '../../../service/src/index.ts';
import { optionFile } from '../read/optionFile.ts';
import { reason } from '../write/temporary.ts';

/** Which models may be served, by options of `logodds serve`. */
export interface TrustFlags {
  readonly trust?: readonly string[];
  readonly revoked?: string;
}

/** Files of trusted keys, and of what is revoked. They are read again when they change; what cannot be read leaves all that was read before. */
export class TrustFiles {
  readonly trust: Trust;
  readonly #flags: TrustFlags;
  #seen: string;
  /** what is in use is older than the files */
  isStale = false;

  private constructor(flags: TrustFlags, trust: Trust, seen: string) {
    this.#flags = flags;
    this.trust = trust;
    this.#seen = seen;
  }

  /** null: no signature is asked for. @throws ERR_DATA */
  static async of(flags: TrustFlags): Promise<TrustFiles | null> {
    if (flags.trust === undefined) return null;
    // before the files are read: what changes meanwhile is read again
    const seen = markOf(flags);
    return new TrustFiles(flags, await Trust.of(await textsOf(flags), Date.now), seen);
  }

  /** Reads again what has changed. Returns whether something else is trusted now. */
  async look(log: (line: LogLine) => void): Promise<boolean> {
    const now = markOf(this.#flags);
    if (now === this.#seen) return false;
    this.#seen = now;
    try {
      await this.trust.replace(await textsOf(this.#flags));
      this.isStale = false;
      log({ level: 'info', event: 'trust', keys: this.trust.keyIds });
      return true;
    } catch (error) {
      this.isStale = true;
      log({ level: 'error', event: 'failed', reason: `${reason(error)}; what was trusted before stays` });
      return false;
    }
  }
}

const filesOf = ({ trust = [], revoked }: TrustFlags): string[] => [
  ...trust,
  ...(revoked === undefined ? [] : [revoked]),
];

/** What changes when a file does. */
const markOf = (flags: TrustFlags): string => filesOf(flags).map(stampOf).join();

/** What changes when a file does; empty: it is not there. */
export function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : '';
}

/** The texts of the files, each of which is whole. @param flag  that names keys @throws ERR_DATA that names the file */
export async function textsOf({ trust = [], revoked }: TrustFlags, flag = '--trust'): Promise<TrustTexts> {
  const keys: string[] = [];
  for (const path of trust) {
    const text = optionFile(flag, path);
    await publicKeysOf(text, `${flag} ${path}`);
    keys.push(text);
  }
  if (revoked === undefined) return { keys };
  const text = optionFile('--revoked', revoked);
  revokedOf(text, `--revoked ${revoked}`);
  return { keys, revoked: text };
}

/** The file of the signature of a model; null: there is none. */
export function readSignature(path: string): Uint8Array | null {
  try {
    return readFileSync(path + SIGNATURE_ENDING);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
