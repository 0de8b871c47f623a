import { type RowPart, type RowWriter, rowWriter } from 'logodds/bytes';
import type { Model } from 'logodds/score';
import type { Served } from '../models/served.ts';
import { probabilityColumns } from '../scoring/probability.ts';
import type { Answer } from '../scoring/question.ts';
import { PART_NAMES, partOf, partValues } from './partValues.ts';
import { number } from './scoreJson.ts';
import { joined, type Text } from './text.ts';

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Writes the scores of a model as CSV: row, a probability of each class, label, error; of several models which of them has scored the row before that. */
export class ScoreCsv {
  readonly #classes: readonly string[];
  readonly #writer: RowWriter;
  readonly #model: Model;
  readonly #more: readonly string[];
  #row = 0;

  constructor({ model, divide }: Served) {
    this.#more = divide ? PART_NAMES : [];
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
    return `${['row', ...this.#classes.map((name) => quoted(`p_${name}`)), 'label', ...this.#more, 'error'].join()}\n`;
  }

  /** The lines of an answer; the first ones have the header before them. */
  rows(answer: Answer): Text {
    const { scores, faults } = answer;
    const { rows, labels } = scores;
    const parts: Text[] = this.#row === 0 ? [this.#head] : [];
    const columns = probabilityColumns(this.#model, scores);
    if (scores.parts) return joined([...parts, this.#rowsOfSeveral(answer, columns)]);
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

  #rowsOfSeveral(answer: Answer, columns: readonly Float64Array[]): string {
    const { scores, faults } = answer;
    const errors = new Map(faults.map(({ row, error }) => [row, error]));
    return Array.from({ length: scores.rows }, (_, row) => {
      const error = errors.get(row);
      const cells = error
        ? [...columns.map(() => ''), '']
        : [...columns.map((column) => number(column[row])), quoted(this.#classes[scores.labels[row]])];
      const said = partValues(partOf(answer, row)!).map(quoted);
      return `${[this.#row++, ...cells, ...said, error ? quoted(error.message) : ''].join()}\n`;
    }).join('');
  }

  /** The line of an error that ends a stream. */
  fault(error: Error): string {
    const head = this.#row === 0 ? this.#head : '';
    return `${head}${this.#row},${[...this.#classes, ...this.#more].map(() => '').join()},,${quoted(error.message)}\n`;
  }
}
