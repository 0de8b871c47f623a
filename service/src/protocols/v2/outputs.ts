import type { Served } from '../../models/served.ts';
import { badRequest } from '../../refusal.ts';
import { PART_NAMES, partValues } from '../../responses/partValues.ts';
import { numberRows, textRows } from '../../responses/scoreRows.ts';
import { elements, joined, type Text } from '../../responses/text.ts';
import { probabilityColumns } from '../../scoring/probability.ts';
import type { Answer } from '../../scoring/question.ts';
import { codedTexts } from './datatypes.ts';

/** A tensor of an answer. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: 'FP64' | 'BYTES';
  readonly shape: readonly number[];
  readonly data: Float64Array | Labels;
}

/** Labels of rows: the class of each. */
interface Labels {
  readonly classes: readonly string[];
  readonly codes: Uint32Array;
}

type Make = (served: Served, answer: Answer) => Omit<OutputTensor, 'name'>;

const OUTPUTS: Readonly<Record<string, Make>> = {
  probability: ({ model }, { scores }) => {
    const { rows } = scores;
    const k = model.manifest.classes.length;
    const data = new Float64Array(rows * k);
    probabilityColumns(model, scores).forEach((column, j) => {
      for (let i = 0; i < rows; i++) data[i * k + j] = column[i];
    });
    return { datatype: 'FP64', shape: [rows, k], data };
  },
  label: ({ model }, { scores: { rows, labels } }) => ({
    datatype: 'BYTES',
    shape: [rows],
    data: { classes: model.manifest.classes, codes: labels.subarray(0, rows) },
  }),
  logit: (_, { scores: { rows, logits } }) => {
    const k = logits.length / Math.max(1, rows);
    const data = new Float64Array(rows * k);
    for (let i = 0; i < rows; i++) for (let j = 0; j < k; j++) data[i * k + j] = logits[j * rows + i];
    return { datatype: 'FP64', shape: [rows, rows === 0 ? 1 : k], data };
  },
};

/** Which of several models has scored each row. */
const SAID: Readonly<Record<string, Make>> = Object.fromEntries(
  PART_NAMES.map((name, k): [string, Make] => [
    name,
    (_, { scores: { rows, parts } }) => ({
      datatype: 'BYTES',
      shape: [rows],
      data: { classes: parts!.of.map((part) => partValues(part)[k]), codes: parts!.codes },
    }),
  ]),
);

/** names by which clients of other servers ask */
const ALIASES: Readonly<Record<string, string>> = { predict_proba: 'probability', predict: 'label' };

/** What a model answers where nothing is named. */
export const outputsOf = ({ divide }: Pick<Served, 'divide'>): readonly string[] =>
  divide ? [...Object.keys(OUTPUTS), ...PART_NAMES] : Object.keys(OUTPUTS);

/** The tensors that are asked for. @throws Refusal */
export function tensorsOf(served: Served, answer: Answer, names: readonly string[]): OutputTensor[] {
  const known = outputsOf(served);
  return names.map((name) => {
    const own = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
    if (!known.includes(own))
      throw badRequest(`output ${JSON.stringify(name)}: expected one of ${known.join(', ')}, got another`);
    return { name, ...(OUTPUTS[own] ?? SAID[own])(served, answer) };
  });
}

/** The data of a tensor as bytes. */
export function blobOf({ data }: OutputTensor): Uint8Array {
  return data instanceof Float64Array ? new Uint8Array(data.buffer) : codedTexts(data.classes, data.codes);
}

/** A tensor as JSON. */
export function jsonOf({ name, datatype, shape, data }: OutputTensor): Text {
  const head = JSON.stringify({ name, datatype, shape }).slice(0, -1);
  const cells = data instanceof Float64Array ? numberRows([data]) : textRows(data.classes, data.codes);
  return joined([`${head},"data":[`, elements(cells), ']}']);
}
