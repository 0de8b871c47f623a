import { LogoddsError } from 'logodds/score';
import { quoted } from './error.ts';
import { SHA256 } from './text.ts';

/** What is trusted no more, with the reason of each. */
export interface Revoked {
  /** Why something of a signature is revoked; null: nothing is. */
  reasonFor(signed: {
    readonly keyId: string | null;
    readonly model?: string;
    readonly signature?: string;
  }): string | null;
  /** number of entries */
  readonly size: number;
  readonly entries: readonly RevokedEntry[];
}

/** Something that is trusted no more: a key by its id, a model or a signature by the SHA-256 of its file. */
export type RevokedEntry = Readonly<Partial<Record<'key' | 'model' | 'signature', string>> & { reason: string }>;

const KINDS = ['key', 'model', 'signature'] as const;

/** Nothing is revoked. */
export const NONE_REVOKED: Revoked = { reasonFor: () => null, size: 0, entries: [] };

/**
 * Reads a list of what is trusted no more: `[{"key": ID, "reason": "…"}, {"model": SHA256, …}, {"signature": SHA256, …}]`. A key is named by its id, a
 * model and a signature by the SHA-256 of their files.
 * @throws ERR_DATA for anything else: of a list that is half read something would be trusted
 * @example
 * const revoked = revokedOf('[{"key": "79c5…", "reason": "the laptop was lost"}]');
 */
export function revokedOf(text: string, what = 'revoked list'): Revoked {
  const wrong = (got: string, cause?: unknown) =>
    new LogoddsError(
      'ERR_DATA',
      `${what}: expected [{"key" or "model" or "signature": SHA-256, "reason": text}], got ${got}; correct it`,
      cause === undefined ? undefined : { cause },
    );
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw wrong('no JSON', error);
  }
  if (!Array.isArray(list)) throw wrong('no list');
  const reasons = new Map<string, string>();
  for (const [i, entry] of list.entries()) {
    const place = `entry ${i + 1}`;
    if (typeof entry !== 'object' || entry === null) throw wrong(`${quoted(entry)} as ${place}`);
    const other = Object.keys(entry).find((key) => key !== 'reason' && !KINDS.includes(key as never));
    if (other !== undefined) throw wrong(`the member ${quoted(other)} in ${place}`);
    const [kind, ...more] = KINDS.filter((one) => one in entry);
    if (!kind || more.length > 0) throw wrong(`${kind ? 'several of them' : 'none of them'} in ${place}`);
    const { [kind]: digest, reason } = entry as Record<string, unknown>;
    if (typeof digest !== 'string' || !SHA256.test(digest)) throw wrong(`${quoted(digest)} in ${place}`);
    if (typeof reason !== 'string' || reason.trim() === '') throw wrong(`no reason in ${place}`);
    reasons.set(`${kind} ${digest}`, reason.replace(/\s+/g, ' ').slice(0, 200));
  }
  return {
    size: reasons.size,
    entries: list as RevokedEntry[],
    reasonFor({ keyId, model, signature }) {
      for (const name of [`key ${keyId}`, `model ${model}`, `signature ${signature}`]) {
        const reason = reasons.get(name);
        if (reason !== undefined) return `the ${name.split(' ')[0]} is revoked (${reason})`;
      }
      return null;
    },
  };
}
