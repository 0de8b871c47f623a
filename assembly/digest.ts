/*
 * The memory of a digest, from `state` on, in u32:
 *
 *   0     8   state: the hash of the blocks so far
 *   8    64   constants of the rounds
 *   72   80   schedule of a block; the last 16 are written and not read
 *   152  72   a … h of each round, the newest first: a round writes one word before them, and nothing moves
 */
const CONSTANTS: usize = 32;
const SCHEDULE: usize = 288;
const ROUNDS: usize = 608;

/**
 * A word twice, side by side. Shifted right by n, its lower half is the word rotated by n. V8's first compiler, which compiles what a
 * program calls once, makes a call of C of every `i32.rotr`: with them a block takes five times as long.
 */
// @ts-ignore: decorator
@inline
function twice(word: u32): u64 {
  return (<u64>word) * 0x100000001;
}

/**
 * SHA-256 of whole blocks of 64 bytes, from `message` to `end`. The caller has padded the message and written the constants.
 *
 * state  224 u32, 16-byte aligned; the first 8 are updated, the next 64 read, the others scratch; must not overlap the message
 *
 * @see FIPS 180-4, 6.2
 */
export function sha256(state: usize, message: usize, end: usize): void {
  for (; message < end; message += 64) {
    // big-endian words
    for (let i: usize = 0; i < 64; i += 16) {
      v128.store(
        state + i,
        v128.swizzle(v128.load(message + i), i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)),
        SCHEDULE,
      );
    }
    v128.store(state, v128.load(state), ROUNDS + 256);
    v128.store(state, v128.load(state, 16), ROUNDS + 272);
    let i = state;
    // where the next a goes
    let at = state + ROUNDS + 252;
    for (; at >= state + ROUNDS; at -= 4) {
      const w = load<u32>(i, SCHEDULE);
      const x = load<u32>(i, SCHEDULE + 4);
      const y = load<u32>(i, SCHEDULE + 56);
      const xx = twice(x);
      const yy = twice(y);
      const near = <u32>((xx >>> 7) ^ (xx >>> 18)) ^ (x >>> 3);
      const far = <u32>((yy >>> 17) ^ (yy >>> 19)) ^ (y >>> 10);
      store<u32>(i, w + load<u32>(i, SCHEDULE + 36) + near + far, SCHEDULE + 64);
      const a = load<u32>(at, 4);
      const b = load<u32>(at, 8);
      const e = load<u32>(at, 20);
      const g = load<u32>(at, 28);
      const aa = twice(a);
      const ee = twice(e);
      const t =
        w +
        load<u32>(i, CONSTANTS) +
        load<u32>(at, 32) +
        <u32>((ee >>> 6) ^ (ee >>> 11) ^ (ee >>> 25)) +
        (g ^ (e & (load<u32>(at, 24) ^ g)));
      // d + t is the next e
      store<u32>(at, load<u32>(at, 16) + t, 16);
      store<u32>(at, t + <u32>((aa >>> 2) ^ (aa >>> 13) ^ (aa >>> 22)) + ((a & b) ^ (load<u32>(at, 12) & (a ^ b))));
      i += 4;
    }
    v128.store(state, v128.add<u32>(v128.load(state), v128.load(state, ROUNDS)));
    v128.store(state, v128.add<u32>(v128.load(state, 16), v128.load(state, ROUNDS + 16)), 16);
  }
}
