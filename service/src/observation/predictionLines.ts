import type { Table } from 'logodds/score';
import type { EntityFrom, Scored, ScoredBy, StreamEnd } from './predictionLog.ts';

/** A line of a prediction log. */
export interface PredictionLine {
  readonly at: string;
  readonly id: string;
  readonly entity: string | null;
  readonly model: string;
  readonly version: string;
  readonly sha256: string;
  /** the arm of a rollout that answered; null: there is none */
  readonly route: string | null;
  /** the segment by which its model was chosen; absent: there are none */
  readonly segment?: string;
  /** with several classes one for each */
  readonly logit: number | readonly number[];
  /** with two classes that of the positive one, else that of the label */
  readonly probability: number;
  readonly label: string;
  /** the fields of the model that are not private; null: they could not be read a second time */
  readonly inputs: Readonly<Record<string, unknown>> | null;
}

type Record_ = Readonly<Record<string, unknown>>;

/** Reads the records of CSV that comes in pieces. */
export interface CsvPieces {
  /** The records that a piece completes. Empty bytes: the end, which completes the last one. */
  records(bytes: Uint8Array): Record_[];
}

/** How lines are made. */
export interface PredictionLinesOptions {
  readonly entity?: EntityFrom;
  /** makes what reads CSV; default none: such lines have no inputs */
  readonly csv?: (by: ScoredBy) => CsvPieces;
}

/** Makes lines of what was scored. Bodies are parsed here a second time, so that a request need not wait for it. */
export class PredictionLines {
  /** scores whose inputs could not be read */
  unmatched = 0;
  readonly #field: string | null;
  readonly #csv: PredictionLinesOptions['csv'];
  /** of each stream what reads it, and records of rows that are not scored yet */
  readonly #streams = new Map<number, { readonly pieces: Pieces; readonly ahead: (Record_ | null)[] }>();

  constructor({ entity = null, csv }: PredictionLinesOptions = {}) {
    this.#field = entity && 'field' in entity ? entity.field : null;
    this.#csv = csv;
  }

  of(item: Scored | StreamEnd): PredictionLine[] {
    if (item.kind === 'end') {
      this.#streams.delete(item.stream);
      return [];
    }
    const { by, count, first, id, index, segment, logits, probabilities, labels } = item;
    const records = this.#recordsOf(item);
    const fits = records?.length === count;
    const refused = new Set(item.refused);
    const at = new Date(item.at).toISOString();
    const vectors = count > 0 ? logits.length / count : 1;
    const shown = by.fields.filter((field) => !field.private).map(({ name }) => name);
    const lines: PredictionLine[] = [];
    for (let i = 0; i < count; i++) {
      if (refused.has(i)) continue;
      const record = fits ? records![i] : null;
      if (!record) this.unmatched++;
      const label = labels[i];
      lines.push({
        at,
        id: first === null ? id : `${id}/${first + (index ? index[i] : i)}`,
        entity: item.entity ?? this.#entityOf(record, by),
        model: by.name,
        version: by.version,
        sha256: by.sha256,
        route: item.route,
        ...(segment !== null && { segment }),
        logit: vectors === 1 ? logits[i] : Array.from({ length: vectors }, (_, k) => logits[k * count + i]),
        probability: vectors === 1 ? probabilities[i] : probabilities[label * count + i],
        label: by.classes[label],
        inputs: record && Object.fromEntries(shown.map((name) => [name, cellOf(record, name)])),
      });
    }
    return lines;
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

  #entityOf(record: Record_ | null, { fields }: ScoredBy): string | null {
    const name = this.#field;
    if (name === null || !record || fields.some((field) => field.private && field.name === name)) return null;
    const value = cellOf(record, name);
    return value === null || typeof value === 'object' ? null : String(value);
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

const cellOf = (record: Record_, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : null) ?? null;

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
