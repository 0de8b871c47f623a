import type { Model } from 'logodds/score';
import { interval, reasons, whatIf } from 'logodds/stages';
import type { Details, Wanted } from './question.ts';

/** The reasons of a label, the strongest first. */
export type Reasons = readonly {
  readonly feature: string;
  readonly value: unknown;
  readonly push: number;
  readonly text: string;
}[];

/** Where the probability may be, by what the model has seen. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The smallest change of each field that gives another label. */
export type WhatIfs = readonly {
  readonly feature: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly label: string | null;
  readonly reason: string | null;
}[];

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
