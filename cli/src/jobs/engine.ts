import { type Engine, pickEngine } from '../../../src/index.ts';
import { threadedEngine } from '../../../src/threads.ts';

/**
 * The engine of a command. Its threads end with the program.
 * @param warn  receives the reason if there are fewer threads than asked for
 */
export function engineFor(threads = 1, warn?: (message: string) => void): Engine {
  if (threads === 1) return pickEngine();
  const engine = threadedEngine({ threads });
  if (engine.threads < threads) warn?.(engine.why);
  return engine;
}
