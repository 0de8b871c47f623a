import type { Table } from 'logodds/score';
import type { Scored, ScoredBy, StreamEnd } from './predictionLog.ts';

type Record_ = Readonly<Record<string, unknown>>;

/** Reads the records of CSV that comes in pieces. */
export interface CsvPieces {
  /** The records that a piece completes. Empty bytes: the end, which completes the last one. */
  records(bytes: Uint8Array): Record_[];
}

/** Reads a second time what was scored, so that a request need not wait for it. */
export class Inputs {
  readonly #csv: ((by: ScoredBy) => CsvPieces) | undefined;
  /** of each stream what reads it, and records of rows that are not scored yet */
  readonly #streams = new Map<number, { readonly pieces: Pieces; readonly ahead: (Record_ | null)[] }>();

  /** @param csv  makes what reads CSV; default none: such rows have no inputs */
  constructor(csv?: (by: ScoredBy) => CsvPieces) {
    this.#csv = csv;
  }

  /**
   * The records of rows, in their order; null where one could not be read, or all could not. Pieces of a stream must come in order, and its end after them.
   * It never throws: a body that was scored is read here by other code.
   */
  of(item: Scored): readonly (Record_ | null)[] | null {
    try {
      const records = this.#recordsOf(item);
      return records?.length === item.count ? records : null;
    } catch {
      return null;
    }
  }

  /** A stream is over. */
  end({ stream }: StreamEnd): void {
    this.#streams.delete(stream);
  }

  #recordsOf({ rows, stream, by, count }: Scored): readonly (Record_ | null)[] | null {
    switch (rows.kind) {
      case 'records':
        return rows.records as readonly Record_[];
      case 'table':
        return recordsOfTable(rows.table);
      case 'bytes': {
        const value = parsed(new TextDecoder().decode(rows.bytes));
        return Array.isArray(value) ? value : [value as Record_];
      }
      default: {
        let open = this.#streams.get(stream!);
        if (!open) {
          const pieces = rows.kind === 'lines' ? new LinePieces() : this.#csv?.(by);
          if (!pieces) return null;
          open = { pieces, ahead: [] };
          this.#streams.set(stream!, open);
        }
        // a piece may have more records than a call may have arguments
        for (const record of open.pieces.records(rows.bytes)) open.ahead.push(record);
        return open.ahead.splice(0, count);
      }
    }
  }
}

interface Pieces {
  records(bytes: Uint8Array): (Record_ | null)[];
}

/** The records of JSON lines that come in pieces; null: the line is no JSON. */
class LinePieces {
  readonly #decoder = new TextDecoder();
  #rest = '';

  records(bytes: Uint8Array): (Record_ | null)[] {
    const isEnd = bytes.length === 0;
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: !isEnd })).split('\n');
    this.#rest = isEnd ? '' : lines.pop()!;
    return lines.filter((line) => line.trim() !== '').map((line) => parsed(line) as Record_ | null);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function recordsOfTable({ rows, columns }: Table): Record_[] {
  return Array.from({ length: rows }, (_, i) =>
    Object.fromEntries(
      columns.map((column) => {
        if (column.missing?.[i]) return [column.name, null];
        return [column.name, column.kind === 'numeric' ? column.values[i] : (column.levels[column.codes[i]] ?? null)];
      }),
    ),
  );
}
