/**
 * Runs programs one after the other.
 * @param programs  { name: () => its function }
 * @returns { name: { engines, answers, ms, minutes: that local time is behind UTC in July } or { error } }
 */
export async function run(programs, sets, module) {
  const results = {};
  for (const [name, load] of Object.entries(programs)) {
    try {
      const begin = performance.now();
      const program = await load();
      const { engines, answers } = await program(sets, module);
      const minutes = new Date(2001, 6).getTimezoneOffset();
      results[name] = { engines, answers, ms: performance.now() - begin, minutes };
    } catch (error) {
      results[name] = { error: String(error?.stack ?? error) };
    }
  }
  return results;
}
