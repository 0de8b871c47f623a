import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type EntityFrom,
  type Inputs,
  type Label,
  PredictionLines,
  type Scored,
  type StreamEnd,
} from '../../../../service/src/index.ts';
import { loadDuckDB, SEALED, text } from '../../read/sql.ts';
import { hasEnded, placeHere } from '../../write/temporary.ts';
import { CsvReader } from './csvPieces.ts';
import { RotatingLines } from './rotating.ts';

/** What a prediction log writes. */
export type PredictionItem = Scored | StreamEnd | { readonly kind: 'labels'; readonly labels: readonly Label[] };

/** Where and how it writes. */
export interface PredictionFilesOptions {
  readonly folder: string;
  readonly format: 'jsonl' | 'parquet';
  readonly entity: EntityFrom;
  readonly size: number;
  readonly ageMs: number;
}

/** What became of items. */
export interface Taken {
  readonly written: number;
  readonly dropped: number;
  readonly unmatched: number;
  /** why something was dropped */
  readonly failure: string | null;
}

const PREDICTIONS = 'predictions';

/** The files of a prediction log: `predictions-*` and `labels-*` in a folder. */
export class PredictionFiles {
  readonly #lines: PredictionLines;
  readonly #predictions: RotatingLines;
  readonly #labels: RotatingLines;
  /** files on their way to Parquet, one after the other */
  #converting: Promise<void> = Promise.resolve();
  #failure: string | null = null;

  constructor({ folder, format, entity, size, ageMs }: PredictionFilesOptions) {
    this.#lines = new PredictionLines({ entity, csv: (by) => new CsvReader(by) });
    const sweep = (isStart: boolean) => {
      for (const path of leftIn(folder, ageMs, isStart)) this.#convert(path);
    };
    const complete =
      format === 'parquet'
        ? (path: string) => {
            this.#convert(path);
            sweep(false);
          }
        : undefined;
    this.#predictions = new RotatingLines({ folder, stem: PREDICTIONS, size, ageMs, ...(complete && { complete }) });
    this.#labels = new RotatingLines({ folder, stem: 'labels', size, ageMs });
    if (complete) sweep(true);
  }

  /** Writes items. It never throws. @param inputs  of rows, where they were read already */
  take(items: readonly PredictionItem[], inputs?: (item: Scored) => ReturnType<Inputs['of']>): Taken {
    const before = this.#lines.unmatched;
    const lines = items.flatMap((item) => {
      if (item.kind === 'labels') return [];
      return this.#lines.of(item, item.kind === 'scored' ? inputs?.(item) : undefined);
    });
    const labels = items.flatMap((item) => (item.kind === 'labels' ? item.labels : []));
    let [written, dropped] = [0, 0];
    let failure = this.#failure;
    this.#failure = null;
    for (const [file, all] of [
      [this.#predictions, lines],
      [this.#labels, labels],
    ] as const) {
      if (all.length === 0) continue;
      try {
        file.write(all.map((line) => `${JSON.stringify(line)}\n`).join(''));
        written += all.length;
      } catch (error) {
        dropped += all.length;
        failure = said(error);
      }
    }
    return { written, dropped, unmatched: this.#lines.unmatched - before, failure };
  }

  /** Ends files that are old. */
  tick(): void {
    this.#predictions.rotate();
    this.#labels.rotate();
  }

  /** Ends all files. */
  async close(): Promise<void> {
    this.#predictions.close();
    this.#labels.close();
    await this.#converting;
  }

  #convert(path: string): void {
    this.#converting = this.#converting
      .then(() => toParquet(path))
      .catch((error) => {
        // the lines stay under their hidden name until the next start
        this.#failure = said(error);
      });
  }
}

/** An error in a word, for a log. */
export const said = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).name;

/** Hidden names: when the file began, where and by which process. */
const HIDDEN = /^\.predictions-(\w+)-([\da-f]{8})-(\d+)-([\dx]+)\.jsonl$/;

/**
 * Takes over the files that killed processes have left, each once.
 * @param ageMs  age at which a living process completes a file
 * @param isStart  whether this process has no file yet, so that one with its id is another's: ids come again
 */
function leftIn(folder: string, ageMs: number, isStart: boolean): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const [, stamp, place, pid, rest] = HIDDEN.exec(name) ?? [];
    if (stamp === undefined) return [];
    const isOwn = place === placeHere() && Number(pid) === process.pid;
    if (isOwn ? !isStart : !isLeft(join(folder, name), place, Number(pid), ageMs)) return [];
    const own = join(folder, `.predictions-${stamp}-${placeHere()}-${process.pid}-${rest}x${pid}.jsonl`);
    try {
      renameSync(join(folder, name), own);
      return [own];
    } catch {
      // another process was faster
      return [];
    }
  });
}

function isLeft(path: string, place: string, pid: number, ageMs: number): boolean {
  if (place === placeHere()) return hasEnded(pid);
  // of another machine or container nothing is known but that it does not write
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY };
  return Date.now() - mtimeMs > 2 * ageMs + HOUR_MS;
}

const HOUR_MS = 3_600_000;

/** Columns as DuckDB reads them. */
const COLUMNS = {
  at: 'TIMESTAMP',
  id: 'VARCHAR',
  entity: 'VARCHAR',
  model: 'VARCHAR',
  version: 'VARCHAR',
  sha256: 'VARCHAR',
  route: 'VARCHAR',
  logit: 'JSON',
  probability: 'DOUBLE',
  label: 'VARCHAR',
  inputs: 'JSON',
  segment: 'VARCHAR',
  rollout: 'VARCHAR',
};

/** Writes lines as Parquet beside them, under its name when it is whole, and removes them. Several logits are a JSON text in `logits`. */
async function toParquet(path: string): Promise<void> {
  const { DuckDBInstance } = await loadDuckDB();
  const instance = await DuckDBInstance.create(':memory:', { ...SEALED, memory_limit: '256MB', threads: '1' });
  const name = path.slice(dirname(path).length + 2).replace(/\.jsonl$/, '.parquet');
  const part = join(dirname(path), `.${name}.part`);
  try {
    const connection = await instance.connect();
    const columns = Object.entries(COLUMNS).map(([column, type]) => `${text(column)}: ${text(type)}`);
    // a killed process may have left half a line
    // DuckDB reads a path as a pattern
    const pattern = path.replace(/[[*?]/g, '[$&]');
    const read = `read_json(${text(pattern)}, format = 'newline_delimited', columns = {${columns.join(', ')}}, ignore_errors = true)`;
    await connection.run(
      `copy (select "at", id, entity, model, version, sha256, route, try_cast(logit as double) as logit,
        case when try_cast(logit as double) is null then cast(logit as varchar) end as logits, probability, label,
        cast(inputs as varchar) as inputs, segment, rollout from ${read} where id is not null) to ${text(part)} (format parquet, compression zstd)`,
    );
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
  renameSync(part, join(dirname(path), name));
  rmSync(path, { force: true });
}
