/**
 * Ahead of time: the source of a module that scores records of one model, for a build step.
 * @module
 */
export { type CompileOptions, compile } from './compile/compile.ts';
