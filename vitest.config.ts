import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const tests = (readdirSync('test', { recursive: true }) as string[])
  .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`);

/** Does only a part of its work in `npm test`: it counts by test/full.ts, or runs the command by test/cli/run.ts. */
const inPart = (test: string) => /from '[./]+\/(full|cli\/run|run)\.ts'/.test(readFileSync(test, 'utf8'));

// The mode "full" runs every test in full, "rest" those alone that `npm test` runs in part.
export default defineConfig(({ mode }) => {
  const full = mode === 'full' || mode === 'rest';
  return {
    test: {
      include: mode === 'rest' ? tests.filter(inPart) : ['test/**/*.test.ts'],
      env: { LOGODDS_FULL: full ? '1' : '' },
      // in part, the files of a worker share its modules: no test may leave anything behind in them
      isolate: full,
      maxWorkers: '100%',
      allowOnly: false,
      testTimeout: 120_000,
      hookTimeout: 240_000,
    },
  };
});
