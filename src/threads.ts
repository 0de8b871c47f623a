/**
 * An engine on several threads over a shared memory. Everything else is in `logodds`.
 * @module
 */
export type { Spawn, Spawned } from '../bindings/crew.ts';
export { ThreadedEngine, type ThreadOptions, threadedEngine } from '../bindings/threads.ts';
