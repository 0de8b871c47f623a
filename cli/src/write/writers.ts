import { extname, join } from 'node:path';
import type { Scores } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { commandError } from '../errors.ts';
import { blockOf, type FurtherCells, ownedBlock, type ScoreBlock, type ScoreLayout } from './block.ts';
import { copyParquet, parquetNames } from './parquet.ts';
import { rename } from './parquetNames.ts';
import { OutputFile, outputError } from './temporary.ts';
import { type TextFormat, textWriter } from './text.ts';
import { WriterThread } from './thread.ts';

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
    await sink.stop();
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
  stop(): Promise<void> | void;
}

function textSink(file: OutputFile, format: TextFormat, layout: ScoreLayout): Sink {
  const writer = textWriter(format, layout, (bytes) => file.write(bytes));
  return {
    write: (scores, firstRow, further) => writer.write(blockOf(scores, firstRow, further)),
    commit() {
      writer.end();
      file.commit();
    },
    stop() {},
  };
}

function parquetSink(file: OutputFile, layout: ScoreLayout): Sink {
  const folder = file.folder();
  const place = { folder, file: join(folder, 'whole') };
  let first: ScoreBlock | null = null;
  let thread: WriterThread | null = null;
  return {
    async write(...scores) {
      const block = ownedBlock(blockOf(...scores));
      // a thread takes longer to start than one block to write
      if (first === null) first = block;
      else {
        if (thread === null) {
          thread = new WriterThread({ place, layout });
          await thread.write(first);
        }
        await thread.write(block);
      }
    },
    async commit() {
      const blocks = (first ? [first] : []).values();
      if (thread) await thread.finish();
      else await copyParquet(place, layout, () => blocks.next().value ?? null);
      const { names, written } = parquetNames(layout);
      rename(place.file, written, names);
      file.commit(place.file);
    },
    stop: () => thread?.stop(),
  };
}
