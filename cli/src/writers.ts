import { mkdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { show } from '../../src/encode/label.ts';
import { LogoddsError } from '../../src/index.ts';
import { loadDuckDB, name, text } from './database.ts';
import { discard, OutputFile, outputError, temporaryName, track } from './temporary.ts';

/** Scores of neighbouring rows, as `Scorer` gives them. */
export interface ScoredRows {
  readonly rows: number;
  readonly probabilities: Float64Array | Float32Array;
  readonly positive: Uint8Array;
}

export interface ScoreWriter {
  write(scores: ScoredRows, firstRow: number): void;
  /** Gives the whole file its name. */
  commit(): Promise<void>;
  discard(): void;
}

/** What the columns are called and hold. */
export interface ScoreLayout {
  readonly classes: readonly [string, string];
  readonly positive: string;
  readonly precision: 'f64' | 'f32';
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
 * Opens an output of scores: columns row, p_<class> of every class, label.
 * @throws ERR_OUTPUT when the path cannot be written or its ending is not known
 */
export async function openWriter(path: string, layout: ScoreLayout): Promise<ScoreWriter> {
  const open = EXTENSIONS[extname(path).toLowerCase()] ?? (path.startsWith('/dev/') ? EXTENSIONS['.csv'] : undefined);
  if (open) return open(path, layout);
  const rule = 'a path that ends in .csv, .tsv, .jsonl or .parquet';
  throw new LogoddsError('ERR_OUTPUT', `--out: expected ${rule}, got ${show(path)}; rename it`);
}

/** The texts around the numbers of a row, and the ends of a row for the negative and the positive label. */
interface Template {
  readonly header: string;
  readonly beforeFirst: string;
  readonly beforeRow: string;
  readonly beforeSecond: string;
  readonly ends: readonly [string, string];
}

function delimited({ classes, positive }: ScoreLayout, delimiter: string): Template {
  const cell = (value: string) => (/[",;\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const names = ['row', ...classes.map((label) => cell(`p_${label}`)), 'label'];
  const ends = labels(classes, positive).map((label) => `${delimiter}${cell(label)}\n`);
  return {
    header: `${names.join(delimiter)}\n`,
    beforeRow: '',
    beforeFirst: delimiter,
    beforeSecond: delimiter,
    ends: [ends[0], ends[1]],
  };
}

function jsonLines({ classes, positive }: ScoreLayout): Template {
  const key = (label: string) => JSON.stringify(`p_${label}`);
  const ends = labels(classes, positive).map((label) => `,"label":${JSON.stringify(label)}}\n`);
  const [first, second] = classes;
  return {
    header: '',
    beforeRow: '{"row":',
    beforeFirst: `,${key(first)}:`,
    beforeSecond: `,${key(second)}:`,
    ends: [ends[0], ends[1]],
  };
}

/** The negative and the positive class. */
const labels = (classes: readonly [string, string], positive: string) => [
  classes[classes[0] === positive ? 1 : 0],
  positive,
];

/** The shortest decimal that reads back as the same 32-bit number, of a number in [0, 1]. */
function shortestF32(value: number): string {
  for (let scale = 1e7; scale <= 1e12; scale *= 10) {
    const rounded = Math.round(value * scale) / scale;
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}

/** CSV, TSV and JSON lines: numbers with the shortest digits that read back as the same bits. */
function openText(path: string, template: Template, { classes, positive, precision }: ScoreLayout): ScoreWriter {
  const { header, beforeRow, beforeFirst, beforeSecond, ends } = template;
  const single = precision === 'f32';
  const digits = single ? shortestF32 : String;
  const positiveFirst = classes[0] === positive;
  const file = new OutputFile(path);
  file.write(Buffer.from(header));
  return {
    write(scores, firstRow) {
      let lines = '';
      for (let i = 0; i < scores.rows; i++) {
        const p = scores.probabilities[i];
        const q = single ? Math.fround(1 - p) : 1 - p;
        const first = positiveFirst ? p : q;
        const second = positiveFirst ? q : p;
        lines += `${beforeRow}${firstRow + i}${beforeFirst}${digits(first)}${beforeSecond}${digits(second)}${ends[scores.positive[i]]}`;
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
  readonly items: Float64Array | Float32Array | Uint8Array;
  flush(): void;
}

/** Parquet: gathered in a DuckDB file beside the output, which bounds memory, then copied. */
async function openParquet(path: string, { classes, positive, precision }: ScoreLayout): Promise<ScoreWriter> {
  const file = new OutputFile(path);
  const folder = track(temporaryName(path, 'duckdb'));
  const failed = (error: unknown) => {
    discardBoth();
    return outputError(path, error);
  };
  let close = () => {};
  const discardBoth = () => {
    close();
    close = () => {};
    file.discard();
    discard(folder);
  };
  try {
    mkdirSync(folder);
    const { DOUBLE, DuckDBDataChunk, DuckDBInstance, FLOAT, UTINYINT } = await loadDuckDB();
    const number = precision === 'f32' ? FLOAT : DOUBLE;
    const instance = await DuckDBInstance.create(join(folder, 'scores'), { memory_limit: '256MB' });
    const connection = await instance.connect();
    close = () => {
      connection.closeSync();
      instance.closeSync();
    };
    await connection.run(`create table scores (first ${number}, second ${number}, positive utinyint)`);
    const appender = await connection.createAppender('scores');
    const chunk = DuckDBDataChunk.create([number, number, UTINYINT]);

    const append = ({ probabilities, positive: flags }: ScoredRows, start: number, rows: number) => {
      chunk.reset();
      chunk.rowCount = rows;
      const vectors = [0, 1, 2].map((column) => chunk.getColumnVector(column) as unknown as WritableVector);
      const [p, q] = classes[0] === positive ? vectors : [vectors[1], vectors[0]];
      for (let i = 0; i < rows; i++) {
        p.items[i] = probabilities[start + i];
        q.items[i] = 1 - probabilities[start + i];
        vectors[2].items[i] = flags[start + i];
      }
      for (const vector of vectors) vector.flush();
      appender.appendDataChunk(chunk);
    };
    const columns = [
      'rowid as "row"',
      `first as ${name(`p_${classes[0]}`)}`,
      `second as ${name(`p_${classes[1]}`)}`,
      `[${labels(classes, positive).map(text).join(', ')}][1 + positive] as label`,
    ];
    return {
      write(scores) {
        try {
          for (let at = 0; at < scores.rows; at += CHUNK_ROWS)
            append(scores, at, Math.min(CHUNK_ROWS, scores.rows - at));
        } catch (error) {
          throw failed(error);
        }
      },
      async commit() {
        try {
          appender.closeSync();
          await connection.run(
            `copy (select ${columns.join(', ')} from scores) to ${text(file.temporary)} (format parquet)`,
          );
        } catch (error) {
          throw failed(error);
        }
        file.commit();
        discardBoth();
      },
      discard: discardBoth,
    };
  } catch (error) {
    throw failed(error);
  }
}
