import { type RowPart, type RowWriter, rowWriter } from 'logodds/bytes';
import type { Model } from 'logodds/score';
import type { Served } from '../models/served.ts';
import { probabilityColumns } from '../scoring/probability.ts';
import type { Answer } from '../scoring/question.ts';
import { joined, type Text } from './text.ts';

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Writes the scores of a model as CSV: row, a probability of each class, label, error. */
export class ScoreCsv {
  readonly #classes: readonly string[];
  readonly #writer: RowWriter;
  readonly #model: Model;
  #row = 0;

  constructor({ model }: Served) {
    const { classes } = model.manifest;
    this.#classes = classes;
    this.#writer = rowWriter([
      { row: true },
      ...classes.flatMap((_, k): RowPart[] => [',', { number: k }]),
      ...[',', { text: classes.length, of: classes.map(quoted) }, ',\n'],
    ]);
    this.#model = model;
  }

  get #head(): string {
    return `${['row', ...this.#classes.map((name) => quoted(`p_${name}`)), 'label', 'error'].join()}\n`;
  }

  /** The lines of an answer; the first ones have the header before them. */
  rows({ scores, faults }: Answer): Text {
    const { rows, labels } = scores;
    const parts: Text[] = this.#row === 0 ? [this.#head] : [];
    const columns = probabilityColumns(this.#model, scores);
    const first = this.#row;
    let from = 0;
    for (const { row, error } of [...faults, { row: rows, error: null }]) {
      if (row > from) parts.push(this.#writer.write([...columns, labels], { from, to: row, first }));
      if (error) parts.push(`${first + row},${columns.map(() => '').join()},,${quoted(error.message)}\n`);
      from = row + 1;
    }
    this.#row += rows;
    return joined(parts);
  }

  /** The line of an error that ends a stream. */
  fault(error: Error): string {
    const head = this.#row === 0 ? this.#head : '';
    return `${head}${this.#row},${this.#classes.map(() => '').join()},,${quoted(error.message)}\n`;
  }
}
