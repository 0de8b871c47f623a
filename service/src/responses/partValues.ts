import type { Answer, Part } from '../scoring/question.ts';

/** What an answer of several models says of each row. */
export const PART_NAMES = ['segment', 'model', 'version', 'route'] as const;

/** What is said of the rows of a part. */
export const partValues = ({ segment, route, served }: Part): readonly string[] => [
  segment,
  served.name,
  served.version,
  route,
];

/** The part that has scored a row; null: one model has scored all. */
export const partOf = ({ scores: { parts } }: Answer, row: number): Part | null =>
  parts ? parts.of[parts.codes[row]] : null;
