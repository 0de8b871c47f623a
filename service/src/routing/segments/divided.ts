import type { ByteScorer } from 'logodds/bytes';
import type { Column, Scorer, Scores, Table } from 'logodds/score';
import { Served } from '../../models/served.ts';
import { refusalOf } from '../../refusal.ts';
import { NOTHING } from '../../scoring/question.ts';
import { emptyScores, parsedJson, scoreRecords } from '../../scoring/score.ts';
import { type DividedScores, DividedStream } from './dividedStream.ts';
import { type ChoosePart, type Front, type OpenPart, RowParts, renumbered, SEGMENTS, scatter } from './parts.ts';
import type { Values } from './rules.ts';

/**
 * Several models behind one name, for one request: it scores each row by the model of its segment, and gives the rows back in their order. To protocols it is
 * a model as others are.
 */
export class Divided extends Served {
  readonly #front: Front;
  readonly #choose: ChoosePart;
  readonly #used = new Set<Served>();
  /** of the rows that were scored last */
  last: RowParts | null = null;

  constructor(front: Front, choose: ChoosePart) {
    super(front.name, SEGMENTS, front.model, front.engine, undefined, front.fields);
    this.#front = front;
    this.#choose = choose;
    this.divide = (records) => this.#recordParts(records);
  }

  /** A model that is in use until the request was answered. */
  use(served: Served): Served {
    if (!this.#used.has(served)) this.#used.add(served.begin());
    return served;
  }

  override end(): void {
    for (const served of this.#used) served.end();
    this.#used.clear();
  }

  override warm(): void {}

  override borrow(): ByteScorer {
    const stream = new DividedStream(this.#front, (record, parts) => this.part(recordValues(record), parts));
    const scored = (scores: DividedScores) => {
      if (scores.rows > 0) this.last = scores.parts;
      return scores;
    };
    return {
      json: (bytes: Uint8Array) => scored(this.#json(bytes)),
      lines: (bytes: Uint8Array) => scored(stream.lines(bytes)),
      csv: (bytes: Uint8Array) => scored(stream.csv(bytes)),
      end: () => scored(stream.end()),
      free: () => stream.free(),
    } as unknown as ByteScorer;
  }

  override giveBack(scorer: ByteScorer): void {
    scorer.free();
  }

  override get table(): Scorer {
    return { score: (table: Table) => this.#table(table) } as unknown as Scorer;
  }

  /** The part of a record, which is noted. */
  part(values: Values, parts: RowParts): OpenPart {
    return this.#choose(values, (unmatched) => parts.unmatched.push(unmatched));
  }

  #recordParts(records: readonly object[]): RowParts {
    const parts = new RowParts(records.length);
    const own = new Map<OpenPart, object[]>();
    records.forEach((record, row) => {
      const part = this.part(recordValues(record), parts);
      parts.put(row, part);
      const list = own.get(part);
      if (list) list.push(record);
      else own.set(part, [record]);
    });
    for (const [part, list] of own) parts.rows.set(part, { kind: 'records', records: list });
    this.last = parts;
    return parts;
  }

  #json(bytes: Uint8Array): DividedScores {
    let value: unknown;
    try {
      value = parsedJson(bytes);
    } catch {
      return this.#unreadable(bytes);
    }
    const { scores, faults } = scoreRecords(this, Array.isArray(value) ? value : [value as object], NOTHING);
    const errors = faults.map(({ row, error }) => Object.assign(error, { row }));
    return { ...scores, errors } as unknown as DividedScores;
  }

  /** What is no JSON may be JSON lines; else the model says what is wrong that has what no segment has. */
  #unreadable(bytes: Uint8Array): DividedScores {
    const stream = new DividedStream(this.#front, (record, parts) => this.part(recordValues(record), parts));
    try {
      const all = stream.alone(bytes);
      return all.rows > 1 ? stream.whole(bytes) : all;
    } finally {
      stream.free();
    }
  }

  #table(table: Table): Scores<'f64'> & { readonly parts: RowParts } {
    const parts = new RowParts(table.rows);
    const columns = new Map(table.columns.map((column) => [column.name, column]));
    for (let row = 0; row < table.rows; row++)
      parts.put(
        row,
        this.part((field) => cellOf(columns.get(field), row), parts),
      );
    this.last = parts;
    // no row belongs to no segment, and its columns are checked all the same
    if (table.rows === 0) parts.of.push(this.part(() => null, new RowParts(0)));
    const out = emptyScores(table.rows, this.model);
    for (const [k, index] of parts.indexes().entries()) {
      const part = parts.of[k];
      const rows = index.length === table.rows ? table : pickedTable(table, index);
      parts.rows.set(part, { kind: 'table', table: rows });
      scatter(out, index, scoreTable(part, rows, index));
    }
    if (table.rows === 0) parts.of.pop();
    return { ...out, parts };
  }
}

/** The scores of the rows of a part. What is said of a row has its number in the whole table. */
function scoreTable(part: OpenPart, table: Table, index: readonly number[]): Scores<'f64'> {
  for (;;) {
    try {
      const known = new Set(part.served.fields.map(({ name }) => name));
      const columns = table.columns.filter(({ name }) => known.has(name));
      return part.served.table.score({ rows: table.rows, columns });
    } catch (error) {
      if (refusalOf(error).status < 500) {
        part.refused();
        throw renumbered(error as Error, (row) => index[row] ?? row);
      }
      part.failed(error);
    }
  }
}

/** The values of a record; what is none has none. */
export const recordValues =
  (record: unknown): Values =>
  (field) =>
    typeof record === 'object' && record !== null && Object.hasOwn(record, field)
      ? (record as Record<string, unknown>)[field]
      : null;

function cellOf(column: Column | undefined, row: number): unknown {
  if (!column || column.missing?.[row]) return null;
  return column.kind === 'numeric' ? column.values[row] : (column.levels[column.codes[row]] ?? null);
}

function pickedTable({ columns }: Table, index: readonly number[]): Table {
  const pick = <T extends { [i: number]: number }>(from: T, to: T): T => {
    for (let i = 0; i < index.length; i++) to[i] = from[index[i]];
    return to;
  };
  return {
    rows: index.length,
    columns: columns.map((column): Column => {
      const missing = column.missing ? pick(column.missing, new Uint8Array(index.length)) : null;
      if (column.kind === 'numeric')
        return { ...column, missing, values: pick(column.values as Float64Array, new Float64Array(index.length)) };
      return { ...column, missing, codes: pick(column.codes as Uint32Array, new Uint32Array(index.length)) };
    }),
  };
}
