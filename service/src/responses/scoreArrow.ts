import {
  bool,
  columnFromArray,
  type DataType,
  dictionary,
  float64,
  int32,
  tableFromColumns,
  tableToIPC,
  utf8,
} from '@uwdata/flechette';
import type { Served } from '../models/served.ts';
import { probabilityOf } from '../scoring/probability.ts';
import type { Answer } from '../scoring/question.ts';
import { PART_NAMES, partValues } from './partValues.ts';

type Column = readonly [name: string, type: DataType, of: (row: number) => unknown];

/** The scores of rows as an Arrow IPC stream: a probability of each class, label, logit of the positive class, defaulted, review; which of several models has scored it. */
export function scoreArrow({ model }: Pick<Served, 'model'>, { scores }: Pick<Answer, 'scores'>): Uint8Array {
  const { rows, labels, logits, defaulted, review, parts } = scores;
  const said = parts?.of.map(partValues);
  const { classes, positive } = model.manifest;
  const probability = probabilityOf(model);
  const columns: readonly Column[] = [
    ...classes.map((name, k): Column => [`p_${name}`, float64(), (row) => probability(scores, row, k)]),
    ['label', dictionary(utf8(), int32()), (row) => classes[labels[row]]],
    ...(positive === null ? [] : [['logit', float64(), (row) => logits[row]] satisfies Column]),
    ['defaulted', float64(), (row) => defaulted[row]],
    ...(review ? [['review', bool(), (row) => review[row] === 1] satisfies Column] : []),
    ...(said
      ? PART_NAMES.map((name, k): Column => [name, dictionary(utf8(), int32()), (row) => said[parts!.codes[row]][k]])
      : []),
  ];
  const table = tableFromColumns(
    columns.map(([name, type, of]) => {
      const values = Array.from({ length: rows }, (_, row) => of(row));
      return [name, columnFromArray(values, type)];
    }),
  );
  return tableToIPC(table, { format: 'stream' })!;
}
