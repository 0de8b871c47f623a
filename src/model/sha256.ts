/**
 * SHA-256 in hexadecimal: the host's where it has one that answers at once (Node, Deno, Bun; Workers with `nodejs_compat`), else in
 * JavaScript.
 */
export function sha256(message: Uint8Array): string {
  const host = (globalThis as { readonly process?: Host }).process?.getBuiltinModule?.('node:crypto');
  return host?.hash?.('sha256', message) ?? sha256InJavaScript(message);
}

interface Host {
  getBuiltinModule?(name: 'node:crypto'): { hash?(algorithm: 'sha256', message: Uint8Array): string } | undefined;
}

/**
 * It tells whether a file is whole: nothing here is secret, so nothing is constant-time.
 * Written here because a library's would be a sixth of the scoring bundle; the tests hold it against two others.
 * @see FIPS 180-4, 6.2
 */
export function sha256InJavaScript(message: Uint8Array): string {
  const words = new Int32Array(72);
  const w = new Int32Array(64);
  return digestBy(message, words, (blocks) => {
    const view = new DataView(blocks.buffer);
    for (let at = 0; at < blocks.length; at += 64) addBlock(words, view, w, at);
  });
}

/**
 * SHA-256 in hexadecimal by a function that adds whole blocks of 64 bytes to a state.
 * @param words  **written:** 8 of the state, then 64 constants
 */
export function digestBy(
  message: Uint8Array,
  words: Int32Array,
  add: (blocks: Uint8Array<ArrayBuffer>) => void,
): string {
  const { length } = message;
  const blocks = new Uint8Array(((length + 72) >>> 6) * 64);
  blocks.set(message);
  blocks[length] = 0x80;
  new DataView(blocks.buffer).setBigUint64(blocks.length - 8, BigInt(length * 8));

  // H(0) and K (FIPS 180-4, 5.3.3 and 4.2.2): the first 32 bits of the fractions of roots of primes. A table of them is at
  // least 430 bytes more, gzipped, which the scoring bundle has not. Times 2^32 no fraction lies within 1/200 of an integer,
  // so the last-bit error of a host's power function (below 2^-17) changes nothing.
  for (let candidate = 2, count = 8; count < 72; candidate++) {
    let divisor = 2;
    while (candidate % divisor) divisor++;
    if (divisor < candidate) continue;
    if (count < 16) words[count - 8] = (candidate ** 0.5 % 1) * 2 ** 32;
    words[count++] = (candidate ** (1 / 3) % 1) * 2 ** 32;
  }
  add(blocks);
  return Array.from(words.subarray(0, 8), (word) => (word + 2 ** 32).toString(16).slice(-8)).join('');
}

/**
 * One block of 64 bytes; w is scratch. Sums of a few int32 are exact, and `| 0` and the arrays take them modulo 2^32.
 *
 * Rotations are written out: until V8 has compiled it, a call costs as much as ten operations. And it is a function of its own,
 * because V8 compiles what is called often sooner than a loop that goes on.
 */
function addBlock(state: Int32Array, view: DataView, w: Int32Array, at: number): void {
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    if (i < 16) w[i] = view.getInt32(at + 4 * i);
    else {
      const x = w[i - 15];
      const y = w[i - 2];
      const near = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const far = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = w[i - 16] + w[i - 7] + near + far;
    }
    const s = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t = (h + s + (g ^ (e & (f ^ g))) + state[i + 8] + w[i]) | 0;
    const u =
      (((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) | (c & (a | b)));
    h = g;
    g = f;
    f = e;
    e = (d + t) | 0;
    d = c;
    c = b;
    b = a;
    a = (t + u) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}
