import type { CoderKind, Encoders } from '../coder.ts';
import type { RichFeature } from '../schema.ts';
import { cross } from './cross.ts';
import { curve } from './curve.ts';
import { hashed } from './hashed.ts';
import { binned, datePart } from './numberCode.ts';
import { target } from './target.ts';
import { tokens } from './tokens.ts';

/**
 * The stage for features beyond plain numbers and categories: curves (clipping, transforms, splines), bins, parts of dates, target encoding, hashing,
 * crosses, words and tags.
 * @example
 * loadModel(bytes, { encoders }).score(flight).label; // 'yes'
 */
export const encoders: Encoders = {
  curve,
  binned,
  date: datePart,
  target,
  hashed,
  cross,
  tokens,
} satisfies Readonly<Record<RichFeature['kind'], CoderKind<never>>>;
