import type { Model } from 'logodds';
import type { ByteScorer, ByteScores, RowError } from 'logodds/bytes';

/** How an input is handed over. */
export interface Handed {
  readonly bytes: Uint8Array;
  readonly as: string;
  readonly cuts: readonly number[];
  readonly collect: boolean;
}

export function compare(model: Model, scorers: readonly ByteScorer[], input: Handed): string | null;

export function run(
  scorer: ByteScorer,
  input: Handed,
): { readonly parts: ByteScores[]; readonly error: RowError | null };
