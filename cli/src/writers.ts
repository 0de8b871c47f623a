import { mkdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { DOUBLE, type DuckDBAppender, DuckDBDataChunk, DuckDBInstance, FLOAT, UTINYINT } from '@duckdb/node-api';
import { show } from '../../src/encode/label.ts';
import { LogoddsError } from '../../src/index.ts';
import { name, text } from './database.ts';
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
    '.csv': (path, layout) => new TextWriter(path, delimited(layout, ','), layout),
    '.tsv': (path, layout) => new TextWriter(path, delimited(layout, '\t'), layout),
    '.jsonl': (path, layout) => new TextWriter(path, jsonLines(layout), layout),
    '.ndjson': (path, layout) => new TextWriter(path, jsonLines(layout), layout),
    '.parquet': (path, layout) => ParquetWriter.create(path, layout),
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
class TextWriter implements ScoreWriter {
  private readonly file: OutputFile;
  private readonly template: Template;
  private readonly layout: ScoreLayout;

  constructor(path: string, template: Template, layout: ScoreLayout) {
    this.file = new OutputFile(path);
    this.template = template;
    this.layout = layout;
    this.file.write(Buffer.from(template.header));
  }

  write({ rows, probabilities, positive }: ScoredRows, firstRow: number): void {
    const { beforeRow, beforeFirst, beforeSecond, ends } = this.template;
    const { classes, precision } = this.layout;
    const single = precision === 'f32';
    const digits = single ? shortestF32 : String;
    const positiveFirst = classes[0] === this.layout.positive;
    let lines = '';
    for (let i = 0; i < rows; i++) {
      const p = probabilities[i];
      const q = single ? Math.fround(1 - p) : 1 - p;
      const first = positiveFirst ? p : q;
      const second = positiveFirst ? q : p;
      lines +=
        beforeRow + (firstRow + i) + beforeFirst + digits(first) + beforeSecond + digits(second) + ends[positive[i]];
    }
    this.file.write(Buffer.from(lines));
  }

  async commit(): Promise<void> {
    this.file.commit();
  }

  discard(): void {
    this.file.discard();
  }
}

/** Parquet: gathered in a DuckDB file beside the output, which bounds memory, then copied. */
class ParquetWriter implements ScoreWriter {
  private readonly path: string;
  private readonly layout: ScoreLayout;
  private readonly file: OutputFile;
  private readonly gathered: string;
  private readonly instance: DuckDBInstance;
  private readonly appender: DuckDBAppender;
  private readonly chunk: DuckDBDataChunk;
  private open = true;

  static async create(path: string, layout: ScoreLayout): Promise<ParquetWriter> {
    const file = new OutputFile(path);
    const folder = track(temporaryName(path, 'duckdb'));
    try {
      mkdirSync(folder);
      const instance = await DuckDBInstance.create(join(folder, 'scores'), { memory_limit: '256MB' });
      const connection = await instance.connect();
      const number = layout.precision === 'f32' ? 'float' : 'double';
      await connection.run(`create table scores (first ${number}, second ${number}, positive utinyint)`);
      return new ParquetWriter(path, layout, file, folder, instance, await connection.createAppender('scores'));
    } catch (error) {
      file.discard();
      discard(folder);
      throw outputError(path, error);
    }
  }

  private constructor(
    path: string,
    layout: ScoreLayout,
    file: OutputFile,
    gathered: string,
    instance: DuckDBInstance,
    appender: DuckDBAppender,
  ) {
    this.path = path;
    this.layout = layout;
    this.file = file;
    this.gathered = gathered;
    this.instance = instance;
    this.appender = appender;
    const number = layout.precision === 'f32' ? FLOAT : DOUBLE;
    this.chunk = DuckDBDataChunk.create([number, number, UTINYINT]);
  }

  write(scores: ScoredRows): void {
    for (let start = 0; start < scores.rows; start += CHUNK_ROWS)
      this.append(scores, start, Math.min(CHUNK_ROWS, scores.rows - start));
  }

  private append({ probabilities, positive }: ScoredRows, start: number, rows: number): void {
    const { chunk } = this;
    chunk.reset();
    chunk.rowCount = rows;
    const [first, second, flags] = [0, 1, 2].map(
      (column) => chunk.getColumnVector(column) as unknown as WritableVector,
    );
    const positiveFirst = this.layout.classes[0] === this.layout.positive;
    const [p, q] = positiveFirst ? [first.items, second.items] : [second.items, first.items];
    for (let i = 0; i < rows; i++) {
      p[i] = probabilities[start + i];
      q[i] = 1 - probabilities[start + i];
      flags.items[i] = positive[start + i];
    }
    for (const vector of [first, second, flags]) vector.flush();
    this.guard(() => this.appender.appendDataChunk(chunk));
  }

  async commit(): Promise<void> {
    const { classes, positive } = this.layout;
    const [negative] = labels(classes, positive);
    const columns = [
      'rowid as "row"',
      `first as ${name(`p_${classes[0]}`)}`,
      `second as ${name(`p_${classes[1]}`)}`,
      `case when positive = 1 then ${text(positive)} else ${text(negative)} end as label`,
    ];
    this.guard(() => this.appender.closeSync());
    try {
      const { connection } = this.appender;
      await connection.run(
        `copy (select ${columns.join(', ')} from scores) to ${text(this.file.temporary)} (format parquet)`,
      );
      this.file.commit();
    } catch (error) {
      throw outputError(this.path, error);
    } finally {
      this.discard();
    }
  }

  discard(): void {
    if (!this.open) return;
    this.open = false;
    this.appender.connection.closeSync();
    this.instance.closeSync();
    this.file.discard();
    discard(this.gathered);
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.discard();
      throw outputError(this.path, error);
    }
  }
}

/** Rows of one chunk of DuckDB. */
const CHUNK_ROWS = 2048;

interface WritableVector {
  readonly items: Float64Array | Float32Array | Uint8Array;
  flush(): void;
}
