import { extname } from 'node:path';
import type { Scores } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { commandError } from '../errors.ts';
import { blockOf, type FurtherCells, type ScoreLayout } from './block.ts';
import type { ParquetFile } from './parquet.ts';
import { OutputFile, outputError } from './temporary.ts';
import { type TextFormat, textWriter } from './text.ts';

export interface ScoreWriter {
  /**
   * Takes a block of rows, in their order.
   * @param further  cells of the further columns of the layout
   * @returns resolves when there is room for the next block
   */
  write(scores: Scores, firstRow: number, further?: readonly FurtherCells[]): Promise<void>;
  /** Renames the complete file to its name. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

const FORMATS: Readonly<Record<string, TextFormat | 'parquet'>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.parquet': 'parquet',
};

/**
 * Opens an output of scores: columns row, p_<class> of every class, label, and the further ones.
 * @throws ERR_OUTPUT when the path cannot be written or its ending is unknown
 */
export function openWriter(path: string, layout: ScoreLayout): ScoreWriter {
  if (layout.safe && /\.(jsonl|ndjson|parquet)$/i.test(path)) {
    throw commandError(
      'ERR_OUTPUT',
      `--csv-safe: expected an --out that ends in .csv or .tsv, got ${show(path)}; leave out --csv-safe, which no other format needs`,
    );
  }
  const format = FORMATS[extname(path).toLowerCase()] ?? (path.startsWith('/dev/') ? 'csv' : undefined);
  if (format === undefined) {
    const rule = 'a path that ends in .csv, .tsv, .jsonl or .parquet';
    throw commandError('ERR_OUTPUT', `--out: expected ${rule}, got ${show(path)}; rename it`);
  }
  const file = new OutputFile(path);
  const sink = format === 'parquet' ? parquetSink(file, layout) : textSink(file, format, layout);
  const discard = async () => {
    file.discard();
  };
  const trying = async (work: () => Promise<void> | void) => {
    try {
      await work();
    } catch (error) {
      await discard();
      throw outputError(path, error);
    }
  };
  return {
    write: (scores, firstRow, further = []) => trying(() => sink.write(scores, firstRow, further)),
    commit: () => trying(() => sink.commit()),
    discard,
  };
}

/** What makes a file of scores. */
interface Sink {
  write(...args: Required<Parameters<ScoreWriter['write']>>): Promise<void> | void;
  commit(): Promise<void> | void;
}

function textSink(file: OutputFile, format: TextFormat, layout: ScoreLayout): Sink {
  const writer = textWriter(format, layout, (bytes) => file.write(bytes));
  return {
    write: (scores, firstRow, further) => writer.write(blockOf(scores, firstRow, further)),
    commit() {
      writer.end();
      file.commit();
    },
  };
}

/** The program that writes Parquet is loaded with the first rows. */
function parquetSink(file: OutputFile, layout: ScoreLayout): Sink {
  let parquet: ParquetFile | null = null;
  const opened = async () => {
    const { ParquetFile } = await import('./parquet.ts');
    parquet ??= new ParquetFile(layout, (bytes) => file.write(bytes));
    return parquet;
  };
  return {
    async write(...scores) {
      (parquet ?? (await opened())).add(blockOf(...scores));
    },
    async commit() {
      (parquet ?? (await opened())).end();
      file.commit();
    },
  };
}
