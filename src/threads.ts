/** Threads, for those who ask for them: an engine over shared memory. Everything else is in `logodds`. */
export type { Spawn, Spawned } from '../bindings/crew.ts';
export { ThreadedEngine, type ThreadOptions, threadedEngine } from '../bindings/threads.ts';
