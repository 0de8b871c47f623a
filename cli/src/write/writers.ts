import { extname, join } from 'node:path';
import type { Scores } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { commandError } from '../errors.ts';
import { planes } from '../figures/metrics.ts';
import { loadDuckDB, name, SEALED, text } from '../read/database.ts';
import { rename, standIns } from './parquetNames.ts';
import { OutputFile, outputError } from './temporary.ts';

export interface ScoreWriter {
  /** @param further  cells of the further columns of the layout */
  write(scores: Scores, firstRow: number, further?: readonly FurtherCells[]): void;
  /** Renames the complete file to its name. */
  commit(): Promise<void>;
  discard(): void;
}

/** Names and contents of the columns. */
export interface ScoreLayout {
  readonly classes: readonly string[];
  /** for two classes, the one whose probability a scorer returns */
  readonly positive: string | null;
  readonly precision: 'f64' | 'f32';
  /** columns after the label */
  readonly further?: readonly FurtherColumn[];
  /** CSV and TSV: put ' before texts that a spreadsheet would run as formulas */
  readonly safe?: boolean;
}

export interface FurtherColumn {
  readonly name: string;
  readonly type: 'number' | 'text' | 'flag';
}

/** One cell a row: numbers, texts, or flags. */
export type FurtherCells = ArrayLike<number> | readonly string[] | readonly boolean[];

/** The probabilities of every class, in their order. */
function probabilities({ classes, positive }: ScoreLayout, scores: Scores): (Float64Array | Float32Array)[] {
  const given = planes(scores, scores.probabilities);
  if (positive === null) return given;
  const [p] = given;
  const q = p.map((value) => 1 - value);
  return classes[0] === positive ? [p, q] : [q, p];
}

const EXTENSIONS: Readonly<Record<string, (path: string, layout: ScoreLayout) => ScoreWriter | Promise<ScoreWriter>>> =
  {
    '.csv': (path, layout) => openText(path, delimited(layout, ','), layout),
    '.tsv': (path, layout) => openText(path, delimited(layout, '\t'), layout),
    '.jsonl': (path, layout) => openText(path, jsonLines(layout), layout),
    '.ndjson': (path, layout) => openText(path, jsonLines(layout), layout),
    '.parquet': (path, layout) => openParquet(path, layout),
  };

/**
 * Opens an output of scores: columns row, p_<class> of every class, label, and the further ones.
 * @throws ERR_OUTPUT when the path cannot be written or its ending is unknown
 */
export async function openWriter(path: string, layout: ScoreLayout): Promise<ScoreWriter> {
  if (layout.safe && /\.(jsonl|ndjson|parquet)$/i.test(path)) {
    throw commandError(
      'ERR_OUTPUT',
      `--csv-safe: expected an --out that ends in .csv or .tsv, got ${show(path)}; leave out --csv-safe, which no other format needs`,
    );
  }
  const open = EXTENSIONS[extname(path).toLowerCase()] ?? (path.startsWith('/dev/') ? EXTENSIONS['.csv'] : undefined);
  if (open) return open(path, layout);
  const rule = 'a path that ends in .csv, .tsv, .jsonl or .parquet';
  throw commandError('ERR_OUTPUT', `--out: expected ${rule}, got ${show(path)}; rename it`);
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

/** Characters collected before a write: few enough that their pieces are short-lived for the garbage collector. */
const TEXT_LENGTH = 1 << 16;

/** CSV, TSV and JSON lines: numbers with the shortest digits that read back as the same bits. */
function openText(path: string, template: Template, layout: ScoreLayout): ScoreWriter {
  const { header, beforeRow, before, labels, beforeFurther, cell, end } = template;
  const digits = layout.precision === 'f32' ? shortestF32 : String;
  const file = new OutputFile(path);
  file.write(Buffer.from(header));
  return {
    write(scores, firstRow, further = []) {
      const columns = probabilities(layout, scores);
      let lines = '';
      for (let i = 0; i < scores.rows; i++) {
        lines += `${beforeRow}${firstRow + i}`;
        for (let k = 0; k < columns.length; k++) lines += before[k] + digits(columns[k][i]);
        lines += labels[scores.labels[i]];
        for (let k = 0; k < further.length; k++) lines += beforeFurther[k] + cell(further[k][i]);
        lines += end;
        if (lines.length > TEXT_LENGTH) {
          file.write(Buffer.from(lines));
          lines = '';
        }
      }
      file.write(Buffer.from(lines));
    },
    commit: async () => file.commit(),
    discard: () => file.discard(),
  };
}

/** Rows of one chunk of DuckDB. */
const CHUNK_ROWS = 2048;

interface WritableVector {
  readonly items: Float64Array | Float32Array | Uint32Array;
  setItem(index: number, value: string | boolean): void;
  flush(): void;
}

/** Parquet: rows are collected in a DuckDB file beside the output, which bounds memory, and then copied. */
async function openParquet(path: string, layout: ScoreLayout): Promise<ScoreWriter> {
  const { classes, precision, further = [] } = layout;
  const file = new OutputFile(path);
  const folder = file.folder();
  const whole = join(folder, 'whole');
  const failed = (error: unknown) => {
    discard();
    return outputError(path, error);
  };
  let close = () => {};
  const closeOnce = () => {
    close();
    close = () => {};
  };
  const discard = () => {
    closeOnce();
    file.discard();
  };
  try {
    const { BOOLEAN, DOUBLE, DuckDBDataChunk, DuckDBInstance, FLOAT, UINTEGER, VARCHAR } = await loadDuckDB();
    const types = { number: DOUBLE, text: VARCHAR, flag: BOOLEAN };
    const number = precision === 'f32' ? FLOAT : DOUBLE;
    const instance = await DuckDBInstance.create(join(folder, 'scores'), {
      ...SEALED,
      temp_directory: folder,
      memory_limit: '256MB',
    });
    const connection = await instance.connect();
    close = () => {
      connection.closeSync();
      instance.closeSync();
    };
    const cells = classes.map((_, k) => `p${k}`);
    const more = further.map(({ type }, k) => `, f${k} ${types[type]}`).join('');
    await connection.run(
      `create table scores (${cells.map((cell) => `${cell} ${number}, `).join('')}label uinteger${more})`,
    );
    const appender = await connection.createAppender('scores');
    const chunk = DuckDBDataChunk.create([
      ...cells.map(() => number),
      UINTEGER,
      ...further.map(({ type }) => types[type]),
    ]);

    const append = (columns: readonly FurtherCells[], start: number, rows: number) => {
      chunk.reset();
      chunk.rowCount = rows;
      columns.forEach((values, column) => {
        const vector = chunk.getColumnVector(column) as unknown as WritableVector;
        for (let i = 0; i < rows; i++) {
          const value = values[start + i];
          if (typeof value === 'number') vector.items[i] = value;
          else vector.setItem(i, value);
        }
        vector.flush();
      });
      appender.appendDataChunk(chunk);
    };
    const names = ['row', ...classes.map((label) => `p_${label}`), 'label', ...further.map((column) => column.name)];
    const written = standIns(names);
    const columns = [
      'rowid',
      ...cells,
      `[${classes.map(text).join(', ')}][1 + label]`,
      ...further.map((_, k) => `f${k}`),
    ].map((sql, i) => `${sql} as ${name(written[i])}`);
    return {
      write(scores, _, further = []) {
        try {
          const columns = [...probabilities(layout, scores), scores.labels, ...further];
          for (let at = 0; at < scores.rows; at += CHUNK_ROWS)
            append(columns, at, Math.min(CHUNK_ROWS, scores.rows - at));
        } catch (error) {
          throw failed(error);
        }
      },
      async commit() {
        try {
          appender.closeSync();
          await connection.run(
            `copy (select ${columns.join(', ')} from scores) to ${text(whole)} (format parquet, use_tmp_file false)`,
          );
          closeOnce();
          rename(whole, written, names);
        } catch (error) {
          throw failed(error);
        }
        file.commit(whole);
      },
      discard,
    };
  } catch (error) {
    throw failed(error);
  }
}
