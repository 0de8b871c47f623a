import type { Served } from '../models/served.ts';
import { probabilityOf } from '../scoring/probability.ts';
import type { Answer } from '../scoring/question.ts';

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Writes the scores of a model as CSV: row, a probability of each class, label, error. */
export class ScoreCsv {
  readonly #classes: readonly string[];
  readonly #labels: readonly string[];
  readonly #probability: ReturnType<typeof probabilityOf>;
  #row = 0;

  constructor({ model }: Served) {
    const { classes } = model.manifest;
    this.#classes = classes;
    this.#labels = classes.map(quoted);
    this.#probability = probabilityOf(model);
  }

  get #head(): string {
    return `${['row', ...this.#classes.map((name) => quoted(`p_${name}`)), 'label', 'error'].join()}\n`;
  }

  /** The lines of an answer; the first ones have the header before them. */
  rows({ scores, faults }: Answer): string {
    let text = this.#row === 0 ? this.#head : '';
    const errors = new Map(faults.map(({ row, error }) => [row, error]));
    for (let row = 0; row < scores.rows; row++) {
      const error = errors.get(row);
      const cells = error
        ? [...this.#classes.map(() => ''), '', quoted(error.message)]
        : [...this.#classes.map((_, k) => this.#probability(scores, row, k)), this.#labels[scores.labels[row]], ''];
      text += `${this.#row++},${cells.join()}\n`;
    }
    return text;
  }

  /** The line of an error that ends a stream. */
  fault(error: Error): string {
    const head = this.#row === 0 ? this.#head : '';
    return `${head}${this.#row},${this.#classes.map(() => '').join()},,${quoted(error.message)}\n`;
  }
}
