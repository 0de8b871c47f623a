/*
 * A sequence of calls on a WebAssembly engine and on a JavaScript engine side by side: both must do the same.
 */
import { CALLS, draw, models, strangers } from './calls.mjs';
import { random } from './values.mjs';
import { World } from './world.mjs';

/** calls at the top of a sequence; getters make more in their midst */
const LENGTH = 150;

/** Runs sequences on the engines of a library. */
export function misuser(library) {
  const scored = models(library);
  const foreign = { wasm: strangers(library, 'wasm'), js: strangers(library, 'js') };
  const open = (name, canary, base) => {
    const world = new World(library, name, canary, base);
    return Object.assign(world, {
      models: scored,
      strangers: foreign[name],
      step(r, within = false) {
        const call = draw(r);
        const frame = this.call(call, CALLS[call][1], r);
        return within ? null : frame;
      },
    });
  };

  /**
   * @param index  of the sequence; with the seed it says all that happens
   * @param most  calls at the top
   * @returns counts of calls, of both engines together, and what went wrong: at most one thing
   */
  return (seed, index, most = LENGTH) => {
    const r = random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
    const wasm = open('wasm', 0xde);
    const js = open('js', 0xa5, wasm.base - 16);
    let failure = null;
    let slowest = { ms: 0, call: '' };
    for (let k = 0; k < most && !failure; k++) {
      const seedOfCall = r.fork();
      const begin = performance.now();
      const one = wasm.step(random(seedOfCall));
      const middle = performance.now();
      const other = js.step(random(seedOfCall));
      const ms = Math.max(middle - begin, performance.now() - middle);
      if (ms > slowest.ms) slowest = { ms, call: one.name };
      failure = one.failures[0] ?? other.failures[0] ?? difference(one.log, other.log);
      if (failure) failure = `call ${k}: ${failure}`;
    }
    failure ??= wasm.close() ?? js.close();
    return { counts: [wasm.counts, js.counts], failure, slowest };
  };
}

function difference(one, other) {
  const at = one.findIndex((line, i) => line !== other[i]);
  if (at < 0 && one.length === other.length) return null;
  const cut = (line) => String(line).slice(0, 300);
  return `the engines differ: WebAssembly ${cut(one[at])} | JavaScript ${cut(other[at < 0 ? one.length : at])}`;
}
