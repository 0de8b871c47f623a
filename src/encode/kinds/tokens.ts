import type { LogoddsError } from '../../../bindings/errors.ts';
import type { CoderKind, Part, Slot } from '../coder.ts';
import { asCoded, cellError } from '../columns.ts';
import { bucketOf } from '../hash.ts';
import type { TokensFeature } from '../schema.ts';
import type { Column } from '../table.ts';
import { entries, split, words } from '../tokens.ts';
import { defaultError } from '../turn.ts';
import { FeatureCoder } from './featureCoder.ts';
import { LevelTable, recordText } from './labels.ts';
import { among, distinctTexts, isText, numbers, positive, validSource } from './valid.ts';

/** Words of a text, or tags of a list. */
export const tokens: CoderKind<TokensFeature> = {
  make: (feature) => new TokensCoder(feature),
  valid: validTokens,
};

/** The tokens into which a feature splits a text. */
export function tokensOf({ split: by }: Pick<TokensFeature, 'split'>, text: string): readonly string[] {
  return by === 'words' ? words(text) : split(text, by.separator);
}

/** Default for the largest number of characters in a cell: about half a second of work. */
const MOST_TEXT = 1_048_576;

/** Whether a text or list has more characters than a feature reads. Each entry of a list counts one more, for its separator. */
export function isTooLong({ maxText = MOST_TEXT }: Pick<TokensFeature, 'maxText'>, value: unknown): boolean {
  let length = isText(value) || Array.isArray(value) ? value.length : 0;
  if (Array.isArray(value) && length <= maxText) for (const entry of value) if (isText(entry)) length += entry.length;
  return length > maxText;
}

/** ERR_RECORD for a cell that is too long (`isTooLong`). */
export function lengthError(
  row: number | null,
  name: string,
  { maxText = MOST_TEXT }: Pick<TokensFeature, 'maxText'>,
  value: unknown,
): LogoddsError {
  const rule = `at most ${maxText} characters, separators of a list counted`;
  return cellError(row, name, rule, value, 'shorten it, or train with a greater "maxText" in the schema');
}

class TokensCoder extends FeatureCoder<TokensFeature> {
  readonly #codes: Map<string, number> | null;
  /** tokens of levels; undefined: too long */
  readonly #table: LevelTable<readonly string[] | null | undefined>;

  constructor(feature: TokensFeature) {
    const { tokens, means } = feature;
    super(
      feature,
      means.map(() => ({ kind: 'numeric' })),
      feature,
    );
    this.#codes = 'buckets' in tokens ? null : new Map(tokens.map((token, code) => [token, code]));
    this.#table = new LevelTable((level) =>
      level === undefined ? null : isTooLong(feature, level) ? undefined : tokensOf(feature, level),
    );
  }

  slots(): readonly Slot[] {
    const { tokens } = this.feature;
    return this.specs.map((_, j): Slot => ['number', 'buckets' in tokens ? `#${j}` : tokens[j]]);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, standardize, defaulted }: Part, at: number): void {
    const column = asCoded(source, rows, firstRow, true);
    const { missing } = column;
    const read = this.#table.reader(column);
    const { means, scales } = this;
    const outs = means.map((_, j) => batch.numeric(at + j).fill(0, 0, rows));
    for (let i = 0; i < rows; i++) {
      const list = missing && missing[i] !== 0 ? null : read(i);
      if (list === undefined)
        throw lengthError(firstRow + i, column.name, this.feature, column.levels[column.codes[i]]);
      const unseen = this.#count(list, firstRow + i, (j, sign) => {
        outs[j][i] += sign;
      });
      if (unseen && defaulted) defaulted[i]++;
    }
    if (!standardize) return;
    for (let j = 0; j < outs.length; j++) {
      for (let i = 0; i < rows; i++) outs[j][i] = (outs[j][i] - means[j]) / scales[j];
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    out.fill(0, at, at + this.means.length);
    if (isTooLong(this.feature, value)) throw lengthError(null, this.columns[0], this.feature, value);
    const byText = (): readonly string[] => tokensOf(this.feature, recordText(this.columns[0], value));
    const listed = Array.isArray(value) && this.feature.split !== 'words';
    const list = value === undefined || value === null ? null : ((listed ? entries(value) : null) ?? byText());
    return this.#count(list, null, (j, sign) => {
      out[at + j] += sign;
    })
      ? 1
      : 0;
  }

  /** Adds the tokens of a cell. Returns true if it was missing or had a token unknown in training. */
  #count(list: readonly string[] | null, row: number | null, add: (slot: number, sign: number) => void): boolean {
    const { missing, unseen, tokens } = this.feature;
    if (list === null) {
      if (missing === 'error') throw this.missingError(row);
      return true;
    }
    let strange = false;
    for (const token of list) {
      if ('buckets' in tokens) {
        const { index, sign } = bucketOf(token, tokens.buckets);
        add(index, sign);
        continue;
      }
      const code = this.#codes!.get(token);
      if (code !== undefined) add(code, 1);
      else {
        if (unseen === 'error') throw defaultError(row, { ...this.feature, levels: tokens }, token);
        strange = true;
      }
    }
    return strange;
  }
}

function validTokens(feature: TokensFeature): boolean {
  const { split: by, tokens, missing, unseen, maxText = 1, scaling = 'standard', means, scales } = feature;
  const width = Array.isArray(tokens) ? tokens.length : (tokens as { buckets?: number })?.buckets;
  return (
    validSource(feature) &&
    (by === 'words' || (isText(by?.separator) && by.separator.length > 0)) &&
    (!Array.isArray(tokens) || distinctTexts(tokens)) &&
    Number.isSafeInteger(width) &&
    width! > 0 &&
    among(missing, 'baseline error') &&
    among(unseen, 'baseline error') &&
    Number.isSafeInteger(maxText) &&
    maxText > 0 &&
    scaling === 'standard' &&
    numbers(means, width!) &&
    positive(scales, width!)
  );
}
