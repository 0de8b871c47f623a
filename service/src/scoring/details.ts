import type { Model } from 'logodds/score';
import { interval, reasons, whatIf } from 'logodds/stages';
import type { Details, Interval, Wanted, WhatIfs } from './question.ts';

/** Whether more is wanted than scores. */
export const wantsDetails = ({ explain, interval: level, whatIf: fields }: Wanted): boolean =>
  explain > 0 || level !== null || fields.length > 0;

/** What is wanted of a record that has a score. @throws ERR_DATA, ERR_RANGE, ERR_SCHEMA where the model cannot say it */
export function detailsOf(model: Model, record: object, wanted: Wanted): Details {
  const { explain, interval: level, whatIf: fields } = wanted;
  return {
    ...(explain > 0 && { reasons: reasons(model, record, { k: explain }) }),
    ...(level !== null && { interval: ends(interval(model, record, level)) }),
    ...(fields.length > 0 && { whatIf: fields.map((field) => change(model, record, field)) }),
  };
}

const ends = ({ low, high }: Interval): Interval => ({ low, high });

function change(model: Model, record: object, field: string): WhatIfs[number] {
  const { feature, from, to, score, reason } = whatIf(model, record, field);
  return { feature, from: from ?? null, to, label: score?.label ?? null, reason };
}
