import type { Feature, TokensFeature } from '../encode/schema.ts';
import { slotNames } from '../encode/slots.ts';
import { cellText, entries, split, withoutWords, words } from '../encode/tokens.ts';
import { type Found, flips, like, type Search, type Value } from './search.ts';

/** A feature whose tokens the model lists. */
const isListed = (feature: Feature): feature is TokensFeature =>
  feature.kind === 'tokens' && Array.isArray(feature.tokens);

/** How the features of a column split it; null if the model does not list their tokens, or if they split in different ways. */
export function splitOf(features: readonly Feature[]): TokensFeature['split'] | null {
  if (!features.every(isListed)) return null;
  const ways = features.map(({ split: by }) => by);
  const nameOf = (by: TokensFeature['split']): string => (by === 'words' ? '' : by.separator);
  return ways.every((by) => nameOf(by) === nameOf(ways[0])) ? ways[0] : null;
}

/** One token that is added, or removed from all its places. */
interface Change {
  readonly token: string;
  readonly comes: boolean;
  /** effect on the logit of each weight vector */
  readonly effect: Float64Array;
}

/**
 * Finds the fewest added or removed tokens that change the label.
 *
 * Each change adds a fixed number to a logit, so the m largest of these numbers are the m changes that move it the furthest. With two
 * classes it is the logit, up or down; with more it is the logit of another class minus that of the label.
 */
export function fewestTokens(search: Search, by: TokensFeature['split']): Found {
  const { model, now, from, source } = search;
  const here = tokensIn(from, by);
  const changes = changesOf(search, here);
  const own = model.manifest.classes.indexOf(now.label);
  const vectors = model.intercept.length;
  const directions: ((effect: Float64Array) => number)[] =
    vectors === 1
      ? [([effect]) => effect, ([effect]) => -effect]
      : model.manifest.classes.flatMap((_, k) => (k === own ? [] : [(effect) => effect[k] - effect[own]]));
  const take = (chosen: readonly Change[]): Found => {
    const removed = chosen.flatMap(({ token, comes }) => (comes ? [] : [token]));
    const added = chosen.flatMap(({ token, comes }) => (comes ? [token] : []));
    return { to: write(from, by, here, added, removed), tokens: { added, removed } };
  };
  const flipping = (chosen: readonly Change[]): Found | null => {
    const found = take(chosen);
    return flips(search, found.to!) ? found : null;
  };
  const orders = directions
    .map((toward) =>
      changes.filter(({ effect }) => toward(effect) > 0).sort((a, b) => toward(b.effect) - toward(a.effect)),
    )
    // of two classes a logit that all of them do not move far enough is not moved far enough by some
    .filter((order) => vectors > 1 || flipping(order) !== null);
  const most = orders.reduce((length, order) => Math.max(length, order.length), 0);
  for (let count = 1; count <= most; count++) {
    for (const order of orders) {
      const found = count <= order.length ? flipping(order.slice(0, count)) : null;
      if (found) return found;
    }
  }
  return {
    to: null,
    reason: `no ${by === 'words' ? 'words' : 'tags'} added to or removed from ${JSON.stringify(source.name)} change the label`,
  };
}

function changesOf({ model, source }: Search, here: readonly string[]): Change[] {
  const { encoder, weights, intercept } = model;
  const count = new Map<string, number>();
  for (const token of here) count.set(token, (count.get(token) ?? 0) + 1);
  const effects = new Map<string, Float64Array>();
  slotNames(encoder).forEach(({ feature, level }, slot) => {
    if (level === null || !source.features.includes(encoder.schema.features[feature])) return;
    const effect = effects.get(level) ?? new Float64Array(intercept.length);
    const times = -(count.get(level) ?? -1);
    for (let k = 0; k < effect.length; k++) effect[k] += times * weights[k * encoder.slots + slot];
    effects.set(level, effect);
  });
  return Array.from(effects, ([token, effect]) => ({ token, effect, comes: !count.has(token) }));
}

/** The tokens of a value in the form of the encoder. */
function tokensIn(value: unknown, by: TokensFeature['split']): readonly string[] {
  if (value === null || value === undefined) return [];
  if (by === 'words') return words(cellText(value) ?? '');
  return (Array.isArray(value) ? entries(value) : null) ?? split(cellText(value) ?? '', by.separator);
}

/** The value with other tokens, in its own form (list or text) if they can be written in it. */
function write(
  from: unknown,
  by: TokensFeature['split'],
  here: readonly string[],
  added: readonly string[],
  removed: readonly string[],
): Value {
  const gone = new Set(removed);
  const wanted = [...here.filter((token) => !gone.has(token)), ...added];
  const says = (value: Value): boolean => {
    const tokens = tokensIn(value, by);
    return tokens.length === wanted.length && tokens.every((token, i) => token === wanted[i]);
  };
  const text = cellText(from) ?? '';
  if (by === 'words') {
    const rest = removed.length > 0 ? withoutWords(text, gone).replaceAll('  ', ' ').trim() : text;
    const written = [rest, ...added].filter((part) => part !== '').join(' ');
    return says(written) ? written : wanted.join(' ');
  }
  if (Array.isArray(from)) {
    const kept = from.filter((entry) => !gone.has(String(entry).trim()));
    return [...kept, ...added.map((token) => like(from[0], token))];
  }
  if (typeof from !== 'string') return wanted.map((token) => like(from, token));
  const pieces = text.split(by.separator).filter((piece) => piece.trim() !== '' && !gone.has(piece.trim()));
  const gap = pieces[1]?.startsWith(' ') ? ' ' : '';
  const written = [...pieces, ...added.map((token) => gap + token)].join(by.separator).trim();
  return says(written) ? written : JSON.stringify(wanted);
}
