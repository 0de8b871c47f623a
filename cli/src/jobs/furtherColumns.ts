import { explainer, interval, type Model, type Scores, type Table } from '../../../src/index.ts';
import { sourcesOf, tableReasons } from '../../../src/internal.ts';
import type { FurtherCells, FurtherColumn } from '../write/block.ts';

/** Optional columns that `score` writes after the label. */
export interface FurtherOptions {
  /** number of greatest contributions in each row */
  readonly explain?: number;
  /** level of a confidence interval of the probabilities */
  readonly interval?: number;
}

interface Further {
  readonly columns: readonly FurtherColumn[];
  cells(table: Table, scores: Scores, firstRow: number): FurtherCells[];
}

/**
 * The columns: review (if the model has a review band); low, high; feature_1, contribution_1, reason_1 (if the schema has reasons), … for the
 * sources that moved the logit most, the greatest first. With more than two classes it is the logit of the label.
 */
export function furtherColumns(model: Model, options: FurtherOptions): Further {
  const parts = [
    ...(model.manifest.decision.abstain ? [reviewed()] : []),
    ...(options.interval === undefined ? [] : [withIntervals(model, options.interval)]),
    ...(options.explain === undefined ? [] : [explained(model, options.explain)]),
  ];
  return {
    columns: parts.flatMap((part) => part.columns),
    cells: (table, scores, firstRow) => parts.flatMap((part) => part.cells(table, scores, firstRow)),
  };
}

function reviewed(): Further {
  return {
    columns: [{ name: 'review', type: 'flag' }],
    cells: (_, scores) => [Array.from(scores.review!, (mark) => mark === 1)],
  };
}

/** @throws ERR_DATA for a model without covariance */
function withIntervals(model: Model, level: number): Further {
  const { classes, positive } = model.manifest;
  const names = positive === null ? classes.map((label) => `_${label}`) : [''];
  interval(model, { rows: 0, columns: emptyColumns(model) }, level);
  return {
    columns: names.flatMap((name): FurtherColumn[] => [
      { name: `low${name}`, type: 'number' },
      { name: `high${name}`, type: 'number' },
    ]),
    cells(table, _, firstRow) {
      const { rows, low, high } = interval(model, table, level, firstRow);
      return names.flatMap((_, k) => [low, high].map((ends) => ends.subarray(k * rows, (k + 1) * rows)));
    },
  };
}

/** Columns of a table without rows. */
const emptyColumns = (model: Model): Table['columns'] =>
  [...new Set(sourcesOf(model).sources.flatMap(({ columns }) => columns))].map((name) => ({
    name,
    kind: 'numeric',
    values: new Float64Array(0),
  }));

function explained(model: Model, asked: number): Further {
  const explain = explainer(model);
  const { sources } = sourcesOf(model);
  const k = Math.min(asked, sources.length);
  const worded = sources.some(({ features }) => features.some(({ reason }) => reason !== undefined));
  const ranks = Array.from({ length: k }, (_, rank) => rank);
  return {
    columns: ranks.flatMap((rank): FurtherColumn[] => [
      { name: `feature_${rank + 1}`, type: 'text' },
      { name: `contribution_${rank + 1}`, type: 'number' },
      ...(worded ? [{ name: `reason_${rank + 1}`, type: 'text' } as const] : []),
    ]),
    cells(table, { labels }, firstRow) {
      const { features, contributions } = explain.table(table, k, labels, firstRow);
      const { rows } = table;
      const textOf = worded ? tableReasons(sources, table) : null;
      return ranks.flatMap((rank): FurtherCells[] => {
        const names = new Array<string>(rows);
        const sizes = new Float64Array(rows);
        const words = new Array<string>(textOf ? rows : 0);
        for (let row = 0, at = rank; row < rows; row++, at += k) {
          names[row] = explain.features[features[at]];
          sizes[row] = contributions[at];
          if (textOf) words[row] = textOf(features[at], row);
        }
        return textOf ? [names, sizes, words] : [names, sizes];
      });
    },
  };
}
