/**
 * Runs programs one after the other.
 * @param programs  { name: () => its function }
 * @returns { name: { engines, answers, ms } or { error } }
 */
export async function run(programs, sets, module) {
  const results = {};
  for (const [name, load] of Object.entries(programs)) {
    try {
      const begin = performance.now();
      const program = await load();
      results[name] = { ...(await program(sets, module)), ms: performance.now() - begin };
    } catch (error) {
      results[name] = { error: String(error?.stack ?? error) };
    }
  }
  return results;
}
