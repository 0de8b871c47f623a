/** Programs of Node, timed as a whole: start, work and end. */
import { spawnSync } from 'node:child_process';
import type { Rival } from './timings.ts';

export function started(name: string, argv: readonly string[]): Rival {
  return {
    name,
    sample() {
      const start = performance.now();
      execute(argv);
      return performance.now() - start;
    },
  };
}

/** @throws what a program of Node says when it fails */
export function execute(argv: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
}
