import type { Served } from '../models/served.ts';
import type { Answer, Part } from '../scoring/question.ts';
import { PART_NAMES, partOf, partValues } from './partValues.ts';

/** A number of JSON; what is infinite has none. */
export const number = (x: number): string => (Number.isFinite(x) ? `${x}` : 'null');

/** Writes the scores of a model as JSON: of each row an object. */
export class ScoreJson {
  readonly #labels: readonly string[];
  readonly #classes: number;
  /** what stands before the id of an answer */
  readonly head: string;

  constructor({ name, version, sha256, model }: Served) {
    this.#labels = model.manifest.classes.map((label) => JSON.stringify(label));
    this.#classes = model.intercept.length;
    this.head = `{"model":${JSON.stringify(name)},"version":${JSON.stringify(version)},"sha256":"${sha256}","id":`;
  }

  /** The score of a row that has one. */
  row(answer: Answer, row: number): string {
    const { scores, details } = answer;
    const { rows, logits, probabilities, labels, defaulted, review } = scores;
    const label = labels[row];
    // with several classes those of the label
    const at = this.#classes === 1 ? row : label * rows + row;
    let text = `{"probability":${number(probabilities[at])},"label":${this.#labels[label]},"logit":${number(logits[at])},"defaulted":${defaulted[row]}`;
    if (review) text += `,"review":${review[row] === 1}`;
    if (this.#classes > 1) text += `,"probabilities":${this.#byClass(probabilities, rows, row)}`;
    const more = details[row];
    if (more?.reasons) text += `,"reasons":${JSON.stringify(more.reasons)}`;
    if (more?.interval) text += `,"interval":${JSON.stringify(more.interval)}`;
    if (more?.whatIf) text += `,"whatif":${JSON.stringify(more.whatIf)}`;
    if (answer.scores.parts) text += saidOf(answer, row);
    return `${text}}`;
  }

  #byClass(probabilities: Float64Array, rows: number, row: number): string {
    const members = this.#labels.map((label, k) => `${label}:${number(probabilities[k * rows + row])}`);
    return `{${members.join()}}`;
  }

  /** All rows of an answer, of which those without a score say why. */
  rows(answer: Answer): string[] {
    const { rows } = answer.scores;
    if (answer.faults.length === 0 && rows === 1) return [this.row(answer, 0)];
    if (answer.faults.length === 0) return Array.from({ length: rows }, (_, row) => this.row(answer, row));
    const faults = new Map(answer.faults.map(({ row, error }) => [row, error]));
    return Array.from({ length: rows }, (_, row) => {
      const fault = faults.get(row);
      return fault ? `${faultJson(fault).slice(0, -1)}${saidOf(answer, row)}}` : this.row(answer, row);
    });
  }
}

/** Which of several models has scored a row, behind its other members. */
function saidOf(answer: Answer, row: number): string {
  const part = partOf(answer, row);
  if (!part) return '';
  let text = said.get(part);
  if (text === undefined) {
    const values = partValues(part);
    text = PART_NAMES.map((name, k) => `,"${name}":${JSON.stringify(values[k])}`).join('');
    said.set(part, text);
  }
  return text;
}

const said = new WeakMap<Part, string>();

/** Why a row has no score. */
export function faultJson(error: Error): string {
  const { code, message, problems } = error as Error & { code?: string; problems?: readonly object[] };
  return JSON.stringify({ error: message, code, ...(problems && problems.length > 0 && { problems }) });
}
