/**
 * A number in [0, 1) for a text: FNV-1a, mixed as MurmurHash3 ends, so that texts that count up are spread as well.
 * 2³² values: a share is held to 2.4e-10.
 */
export function unitOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
