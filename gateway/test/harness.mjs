/** Tests in the order they are registered; a failure is printed and counted, and the next one runs. */
const tests = [];
const endings = [];

export function test(name, body) {
  tests.push({ name, body });
}

/** what to close when all tests of this run are done */
export function after(end) {
  endings.push(end);
}

/** @returns { passed, failed } of what was registered since the last call */
export async function runTests() {
  const counts = { passed: 0, failed: 0 };
  for (const { name, body } of tests.splice(0)) {
    const begin = performance.now();
    try {
      await body();
      counts.passed++;
      console.log(`ok    ${name} (${Math.round(performance.now() - begin)} ms)`);
    } catch (error) {
      counts.failed++;
      console.log(`FAIL  ${name}\n${error?.stack ?? error}`);
    }
  }
  for (const end of endings.splice(0)) await end();
  return counts;
}
