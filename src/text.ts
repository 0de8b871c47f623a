// The rules by which texts of files become numbers and labels. The command reads files by them, and `logodds/bytes` CSV; no published entry. With
// them go the kernels of bytes that the command alone needs.

export { readHybrid, readSnappy } from '../bindings/pages.ts';
export { TextMemory } from '../bindings/writer.ts';
export { type RowPart, Rows } from './bytes/rowWriter.ts';
export { type CsvHeader, type ScannedColumn, TableScanner } from './bytes/tableScanner.ts';
export { likelyTexts } from './text/columns.ts';
export {
  CSV_CELL,
  CsvError,
  CsvRecords,
  grow,
  likelyDelimiters,
  MISSING_TOKENS,
  namedDelimiter,
} from './text/csv.ts';
export { asNumbers, type CellKind, type Need, needsOf } from './text/needs.ts';
export { NUMBER, NumberReader, type NumberStyle } from './text/number.ts';
export { Speller, type Spelling, sameMeaning, spellingOf } from './text/spelling.ts';
