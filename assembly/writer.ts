/* The module that writes rows of text, over the memory of an engine, which it imports. It has no data of its own. */
export { writeNumber } from './write/digits';
export { writeRows } from './write/rows';
