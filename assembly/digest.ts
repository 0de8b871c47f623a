/**
 * SHA-256 of whole blocks: the state after `count` blocks of 64 bytes, padding included by the caller. Loading a model is bound by
 * its digest, and this runs at full speed from the first call, where JavaScript is interpreted.
 *
 * state  8 u32, updated       k  the 64 constants, u32       w  64 u32 of scratch       at  count × 64 bytes
 *
 * Source: FIPS 180-4, 6.2.
 */
export function sha256Blocks(state: usize, k: usize, w: usize, at: usize, count: u32): void {
  for (; count > 0; count--) {
    for (let i: usize = 0; i < 64; i += 4) store<u32>(w + i, bswap(load<u32>(at + i)));
    for (let i = w + 64; i < w + 256; i += 4) {
      const x = load<u32>(i - 60);
      const y = load<u32>(i - 8);
      const near = (rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3)) + load<u32>(i - 64);
      store<u32>(i, near + (rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10)) + load<u32>(i - 28));
    }
    let a = load<u32>(state);
    let b = load<u32>(state, 4);
    let c = load<u32>(state, 8);
    let d = load<u32>(state, 12);
    let e = load<u32>(state, 16);
    let f = load<u32>(state, 20);
    let g = load<u32>(state, 24);
    let h = load<u32>(state, 28);
    for (let i: usize = 0; i < 256; i += 4) {
      const s = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (g ^ (e & (f ^ g)));
      const t = s + load<u32>(k + i) + load<u32>(w + i);
      const u = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) | (c & (a | b)));
      h = g;
      g = f;
      f = e;
      e = d + t;
      d = c;
      c = b;
      b = a;
      a = t + u;
    }
    store<u32>(state, load<u32>(state) + a);
    store<u32>(state, load<u32>(state, 4) + b, 4);
    store<u32>(state, load<u32>(state, 8) + c, 8);
    store<u32>(state, load<u32>(state, 12) + d, 12);
    store<u32>(state, load<u32>(state, 16) + e, 16);
    store<u32>(state, load<u32>(state, 20) + f, 20);
    store<u32>(state, load<u32>(state, 24) + g, 24);
    store<u32>(state, load<u32>(state, 28) + h, 28);
    at += 64;
  }
}
