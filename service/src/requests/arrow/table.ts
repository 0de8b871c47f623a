import type { Table } from 'logodds/score';
import type { Field } from 'logodds/stages';
import { badRequest, Refusal } from '../../refusal.ts';
import { type Cell, columnOf, quote } from '../columns.ts';
import { isSet, type Kind } from './kinds.ts';
import { type ArrowField, streamOf, type Vector } from './stream.ts';

/*
 * Our own reader: those at hand (of Arrow, of flechette) trust the bytes, and a few changed ones keep them busy for minutes.
 */

/**
 * The table of an Arrow IPC stream: of each field of a model the column with its name; other columns are not read.
 * @throws Refusal
 */
export function tableOfArrow(fields: readonly Field[], bytes: Uint8Array): Table {
  try {
    return read(fields, bytes);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw badRequest(
      'body: expected an Arrow IPC stream without compression, got something else or only a part; send it again',
    );
  }
}

function read(fields: readonly Field[], bytes: Uint8Array): Table {
  const stream = streamOf(bytes);
  const columns = placesOf(fields, stream.fields).map((place) => new ColumnReader(stream.fields[place], place));
  const dictionaries = new Map<number, readonly Cell[]>();
  let rows = 0;
  for (const batch of stream.batches) {
    if (batch.dictionary === null) {
      rows += batch.rows;
      // a column has at least a bit for each row; what says more would only take memory
      if (rows > 8 * bytes.length) throw new RangeError('rows');
      for (const column of columns) column.add(batch.vectors[column.place], dictionaries);
    } else {
      const { dictionary: id, isDelta, vectors } = batch;
      const kind = stream.fields.find(({ dictionary }) => dictionary?.id === id)?.dictionary?.values;
      // of a column within another one
      if (!kind?.read) continue;
      const before = isDelta ? (dictionaries.get(id) ?? []) : [];
      dictionaries.set(id, before.concat(valuesOf(kind, vectors[0])));
    }
  }
  return {
    rows,
    columns: fields.map((field, j) => {
      const { cells, isText } = columns[j];
      return columnOf(field, { what: 'column', cells, isText, missing: [] }, rows);
    }),
  };
}

/** Where each field is in the stream. @throws Refusal */
function placesOf(fields: readonly Field[], found: readonly ArrowField[]): number[] {
  const places = new Map(found.map(({ name }, j) => [name, j]));
  if (places.size < found.length)
    throw badRequest('body: expected distinct names of columns, got one twice; send each field once');
  const absent = fields.filter(({ name }) => !places.has(name)).map(({ name }) => quote(name));
  if (absent.length > 0)
    throw badRequest(
      `body: expected the columns ${absent.slice(0, 10).join(', ')}${absent.length > 10 ? ` and ${absent.length - 10} more` : ''}, got none of that name; send a column for each field of the model`,
    );
  return fields.map(({ name }) => places.get(name)!);
}

/** The cells of a column, batch after batch. */
class ColumnReader {
  readonly place: number;
  readonly cells: Cell[] = [];
  readonly isText: boolean;
  readonly #field: ArrowField;

  /** @throws Refusal for a type that no field has */
  constructor(field: ArrowField, place: number) {
    const kind = field.dictionary?.values ?? field.kind;
    if (!kind.read)
      throw badRequest(
        `column ${quote(field.name)}: expected numbers, texts, true and false, or times, got another type (${kind.name}); cast it`,
      );
    this.#field = field;
    this.place = place;
    this.isText = kind.isText;
  }

  add(vector: Vector, dictionaries: ReadonlyMap<number, readonly Cell[]>): void {
    const { kind, dictionary } = this.#field;
    const values = valuesOf(kind, vector);
    if (!dictionary) {
      for (const value of values) this.cells.push(value);
      return;
    }
    const texts = dictionaries.get(dictionary.id) ?? [];
    for (const code of values) {
      const value = code === null ? null : texts[Number(code)];
      if (value === undefined) throw new RangeError('code');
      this.cells.push(value);
    }
  }
}

/** The values of a vector; null where they are missing. */
function valuesOf({ read, buffers: own }: Kind, { length, hasNulls, buffers }: Vector): Cell[] {
  const marks = own > 0 ? buffers[0] : null;
  const hasMarks = hasNulls && marks !== null && marks.length > 0;
  if (hasMarks && marks.length < Math.ceil(length / 8)) throw new RangeError('marks');
  // its bytes bound its length
  const at = read!(buffers.slice(1), length);
  const values: Cell[] = new Array(length);
  let characters = 0;
  const most = buffers.reduce((sum, { length: size }) => sum + size, 0);
  for (let row = 0; row < length; row++) {
    const value = hasMarks && !isSet(marks, row) ? null : at(row);
    values[row] = value;
    // texts that lie upon one another could be any number
    if (typeof value === 'string') characters += value.length;
    if (characters > most) throw new RangeError('texts');
  }
  return values;
}
