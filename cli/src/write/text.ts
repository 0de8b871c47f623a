/** Scores as CSV, TSV and JSON lines: numbers with the shortest digits that read back as the same bits. */

import { type RowPart, Rows } from '../../../src/text.ts';
import { type FurtherCells, ofClasses, type ScoreBlock, type ScoreLayout } from './block.ts';
import { Lines } from './digits.ts';

export type TextFormat = 'csv' | 'tsv' | 'jsonl';

export interface TextWriter {
  write(block: ScoreBlock): void;
  /** Passes on what is left. */
  end(): void;
}

/** The texts around the numbers of a row: before the row, before the probability of each class, its label, and further cells. */
interface Template {
  readonly header: string;
  readonly beforeRow: string;
  readonly before: readonly string[];
  /** the label of each class */
  readonly labels: readonly string[];
  /** before the cell of each further column */
  readonly beforeFurther: readonly string[];
  readonly cell: (value: number | string | boolean) => string;
  readonly end: string;
}

/** The beginning of a text that a spreadsheet runs as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

function delimited({ classes, further = [], safe = false }: ScoreLayout, delimiter: string): Template {
  const cell = (given: string) => {
    const value = safe && FORMULA.test(given) ? `'${given}` : given;
    return /[",;\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  };
  const names = ['row', ...classes.map((label) => `p_${label}`), 'label', ...further.map(({ name }) => name)].map(cell);
  return {
    header: `${names.join(delimiter)}\n`,
    beforeRow: '',
    before: classes.map(() => delimiter),
    labels: classes.map((label) => `${delimiter}${cell(label)}`),
    beforeFurther: further.map(() => delimiter),
    cell: (value) => (typeof value === 'string' ? cell(value) : String(value)),
    end: '\n',
  };
}

function jsonLines({ classes, further = [] }: ScoreLayout): Template {
  return {
    header: '',
    beforeRow: '{"row":',
    before: classes.map((label) => `,${JSON.stringify(`p_${label}`)}:`),
    labels: classes.map((label) => `,"label":${JSON.stringify(label)}`),
    beforeFurther: further.map(({ name }) => `,${JSON.stringify(name)}:`),
    cell: (value) => JSON.stringify(value),
    end: '}\n',
  };
}

/** The shortest decimal that reads back as the same 32-bit number, for numbers in [0, 1]. */
function shortestF32(value: number): string {
  for (let scale = 1e7; scale <= 1e12; scale *= 10) {
    const rounded = Math.round(value * scale) / scale;
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}

const TEMPLATES: Readonly<Record<TextFormat, (layout: ScoreLayout) => Template>> = {
  csv: (layout) => delimited(layout, ','),
  tsv: (layout) => delimited(layout, '\t'),
  jsonl: jsonLines,
};

/** Rows that have probabilities and labels alone. */
const partsOf = ({ beforeRow, before, labels, end }: Template): RowPart[] => [
  beforeRow,
  { row: true },
  ...before.flatMap((text, k) => [text, { number: k }]),
  { text: before.length, of: labels },
  end,
];

/** @param full  takes the bytes so far; they are valid during the call */
export function textWriter(format: TextFormat, layout: ScoreLayout, full: (bytes: Uint8Array) => void): TextWriter {
  const template = TEMPLATES[format](layout);
  const bytesOf = (text: string) => Buffer.from(text);
  const beforeRow = bytesOf(template.beforeRow);
  const before = template.before.map(bytesOf);
  const labels = template.labels.map(bytesOf);
  const beforeFurther = template.beforeFurther.map(bytesOf);
  const end = bytesOf(template.end);
  const lines = new Lines(full);
  lines.text(template.header);
  const number =
    layout.precision === 'f32'
      ? (value: number) => lines.text(shortestF32(value))
      : (value: number) => lines.number(value);
  const cell = (cells: FurtherCells, row: number) => lines.text(template.cell(cells[row]));
  const isPlain = layout.precision === 'f64' && beforeFurther.length === 0;
  const plain = isPlain ? new Rows(partsOf(template)) : null;
  return {
    write(block) {
      const columns = ofClasses(layout, block);
      const { further, firstRow, rows, labels: codes } = block;
      if (plain) {
        lines.flush();
        plain.pass([...(columns as Float64Array[]), codes], full, { to: rows, first: firstRow });
        return;
      }
      for (let i = 0; i < rows; i++) {
        lines.bytes(beforeRow);
        lines.whole(firstRow + i);
        for (let k = 0; k < columns.length; k++) {
          lines.bytes(before[k]);
          number(columns[k][i]);
        }
        lines.bytes(labels[codes[i]]);
        for (let k = 0; k < further.length; k++) {
          lines.bytes(beforeFurther[k]);
          cell(further[k], i);
        }
        lines.bytes(end);
      }
    },
    end: () => lines.flush(),
  };
}
