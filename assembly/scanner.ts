/* The module of `logodds/bytes`: readers of JSON and CSV over the memory of an engine, which it imports. It has no data of its own. */
export { countLines, scanCsv } from './scan/csv';
export { endWith0, scanJsonArray, scanJsonLines, scanJsonRecord } from './scan/json';
export { checkJson } from './scan/limits';
export { findArray, scanNumbers } from './scan/numbers';
export { fillLabels } from './scan/labels';
export { isUtf8 } from './scan/utf8';
