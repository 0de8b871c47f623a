/* The module of the command that writes scores as text, over the memory of an engine, which it imports. It has no data of its own. */
export { writeNumber } from './write/digits';
export { writeLines } from './write/lines';
