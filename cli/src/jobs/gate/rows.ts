import { LogoddsError, type Model, pickEngine, type Scores, sliceTable, type Table } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import type { ClassPredictions, Predictions } from '../../../../src/metrics.ts';
import { planes } from '../../figures/planes.ts';
import { counted } from '../../figures/wording.ts';
import { streamColumns } from '../../read/scoring.ts';
import type { SourceOptions } from '../../read/source.ts';
import { type Wanted, wantedColumns } from '../../read/wanted.ts';

/** Largest number of records that are kept to be timed. */
const MOST_RECORDS = 1000;

/** What a model says of the rows of DATA. */
export interface ModelScores {
  /** a plane of positive probabilities, or one for each class */
  readonly logits: readonly Float64Array[];
  readonly probabilities: readonly Float64Array[];
  /** index into the classes */
  readonly labels: Uint32Array;
}

/** A model's scores of all rows, and which it refuses. */
interface AllScores extends ModelScores {
  readonly refused: Uint8Array;
  /** why it refuses the first of them */
  readonly firstReason: string | null;
  readonly records: readonly object[];
}

/** Values of a column as groups. */
export interface GroupColumn {
  readonly codes: Uint32Array;
  readonly names: readonly string[];
}

/** The rows of DATA that are compared: those with a label that both models score. */
export interface ComparedRows {
  readonly counts: {
    /** all of DATA */
    readonly rows: number;
    readonly labelled: number;
    readonly compared: number;
    /** by whether the candidate, the champion or both of them refuse a row, labelled or not */
    readonly candidateRefuses: number;
    readonly championRefuses: number;
    readonly bothRefuse: number;
  };
  readonly candidateReason: string | null;
  readonly championReason: string | null;
  /** class of each compared row: an index into the classes */
  readonly codes: Uint32Array;
  readonly weight: Float64Array | null;
  readonly weightKind: 'sampling' | 'count';
  readonly cluster: Uint32Array | null;
  readonly groups: ReadonlyMap<string, GroupColumn>;
  readonly candidate: ModelScores;
  readonly champion: ModelScores;
  /** the first records, with the fields of both models, as the candidate reads them */
  readonly records: readonly object[];
}

export interface RowsOptions extends SourceOptions {
  readonly target: string;
  readonly weight?: string;
  readonly weightKind: 'sampling' | 'count';
  /** columns read as groups */
  readonly columns: readonly string[];
  readonly cluster?: string;
}

/**
 * Reads DATA three times: what is not of a model, and what each model reads. A row that a model refuses is counted, not an error.
 * @returns a text: why the candidate cannot read DATA
 * @throws ERR_DATA, ERR_SCHEMA, ERR_RECORD when DATA cannot be read, or the champion cannot read it
 */
export async function readRows(
  candidate: Model,
  champion: Model,
  options: RowsOptions,
  warn: (message: string) => void,
): Promise<ComparedRows | string> {
  const labels = await readLabels(champion, options, warn);
  const other = await allScores(champion, 'champion', options, () => {});
  let own: AllScores;
  try {
    own = await allScores(candidate, 'candidate', options, warn);
  } catch (error) {
    if (!(error instanceof LogoddsError && ['ERR_SCHEMA', 'ERR_RECORD'].includes(error.code))) throw error;
    return `the candidate cannot read DATA, which the champion can (${error.message})`;
  }
  const { rows } = labels;
  for (const { refused } of [own, other])
    if (refused.length !== rows)
      throw new LogoddsError(
        'ERR_DATA',
        `${options.data}: expected ${counted(rows, 'row')} each time it is read, got ${refused.length}; do not write it meanwhile`,
      );
  const counts = { rows, labelled: 0, compared: 0, candidateRefuses: 0, championRefuses: 0, bothRefuse: 0 };
  const kept: number[] = [];
  for (let row = 0; row < rows; row++) {
    const labelled = labels.missing[row] === 0;
    counts.labelled += Number(labelled);
    counts.candidateRefuses += own.refused[row];
    counts.championRefuses += other.refused[row];
    counts.bothRefuse += own.refused[row] & other.refused[row];
    if (labelled && !own.refused[row] && !other.refused[row]) kept.push(row);
  }
  counts.compared = kept.length;
  const pick = <T extends Float64Array | Uint32Array>(cells: T): T => {
    const picked = cells.slice(0, kept.length) as T;
    for (let k = 0; k < kept.length; k++) picked[k] = cells[kept[k]];
    return picked;
  };
  const scores = ({ logits, probabilities, labels: said }: AllScores): ModelScores => ({
    logits: logits.map(pick),
    probabilities: probabilities.map(pick),
    labels: pick(said),
  });
  return {
    counts,
    candidateReason: own.firstReason,
    championReason: other.firstReason,
    codes: pick(labels.codes),
    weight: labels.weight && pick(labels.weight),
    weightKind: options.weightKind,
    cluster: options.cluster === undefined ? null : pick(labels.groups.get(options.cluster)!.codes),
    groups: new Map([...labels.groups].map(([name, { codes, names }]) => [name, { codes: pick(codes), names }])),
    candidate: scores(own),
    champion: scores(other),
    records: own.records.map((record, row) => ({ ...other.records[row], ...record })),
  };
}

/** What is not of a model: target, weight, groups. */
async function readLabels(champion: Model, options: RowsOptions, warn: (message: string) => void) {
  const { target, weight, cluster } = options;
  const texts = [...new Set([...options.columns, ...(cluster === undefined ? [] : [cluster])])];
  const twice = texts.find((name) => name === target || name === weight);
  if (twice !== undefined)
    throw new LogoddsError(
      'ERR_RANGE',
      `rules: expected groups in a column of their own, got ${show(twice)}, which is the target or the weight; name another`,
    );
  const wanted: Wanted[] = [
    { name: target, levels: champion.manifest.classes, role: 'target', unseen: 'error' },
    ...(weight === undefined ? [] : [{ name: weight, levels: null, role: 'weight', unseen: 'slot' } as const]),
    ...texts.map(
      (name): Wanted => ({ name, levels: [], role: 'feature', unseen: 'slot', needs: new Set(['level'] as const) }),
    ),
  ];
  const codes: number[] = [];
  const missing: number[] = [];
  const weights: number[] = [];
  const groups = texts.map(() => ({ codes: [] as number[], byName: new Map<string, number>() }));
  const use = ({ rows, columns }: Table) => {
    for (const column of columns) {
      const k = texts.indexOf(column.name);
      for (let row = 0; row < rows; row++) {
        const isMissing = column.missing?.[row] === 1;
        if (column.kind === 'numeric' && k < 0) weights.push(column.values[row]);
        else if (k < 0 && column.kind === 'coded') {
          codes.push(isMissing ? 0 : column.codes[row]);
          missing.push(Number(isMissing));
        } else {
          const { byName, codes: own } = groups[k];
          const cell = column.kind === 'coded' ? column.levels[column.codes[row]] : String(column.values[row]);
          const name = isMissing ? MISSING : cell;
          if (!byName.has(name)) byName.set(name, byName.size);
          own.push(byName.get(name)!);
        }
      }
    }
  };
  const rows = await streamColumns(options, { wanted, model: null }, use, warn);
  return {
    rows,
    codes: Uint32Array.from(codes),
    missing: Uint8Array.from(missing),
    weight: weight === undefined ? null : Float64Array.from(weights),
    groups: new Map(
      texts.map((name, k) => [name, { codes: Uint32Array.from(groups[k].codes), names: [...groups[k].byName.keys()] }]),
    ),
  };
}

/** The group of cells without a value. */
const MISSING = '(missing)';

/** Scores all rows. A block with a row that is refused is scored in halves, down to that row. */
async function allScores(
  model: Model,
  what: string,
  data: SourceOptions,
  warn: (message: string) => void,
): Promise<AllScores> {
  const count = model.intercept.length;
  const blocks: (ModelScores & { readonly rows: number })[] = [];
  const refused: number[] = [];
  const records: object[] = [];
  let firstReason: string | null = null;
  const scorer = model.scorer(pickEngine());
  const score = (table: Table, first: number): void => {
    let found: Scores<'f64'>;
    try {
      found = scorer.score(table, first);
    } catch (error) {
      if (!(error instanceof LogoddsError && error.code === 'ERR_RECORD')) throw error;
      if (table.rows > 1) {
        const half = table.rows >>> 1;
        score(sliceTable(table, 0, half), first);
        score(sliceTable(table, half, table.rows), first + half);
        return;
      }
      firstReason ??= error.message;
      const none = Array.from({ length: count }, () => Float64Array.of(Number.NaN));
      blocks.push({ rows: 1, logits: none, probabilities: none, labels: new Uint32Array(1) });
      refused.push(1);
      return;
    }
    const { rows } = found;
    const probabilities = planes(found, found.probabilities).map((plane) => plane.slice());
    blocks.push({
      rows,
      logits: planes(found, found.logits).map((plane) => plane.slice()),
      probabilities,
      labels: found.labels.slice(),
    });
    for (let row = 0; row < rows; row++) {
      const isLost = probabilities.some((plane) => !Number.isFinite(plane[row]));
      if (isLost) firstReason ??= `row ${first + row}: no finite probability`;
      refused.push(Number(isLost));
    }
  };
  // categories that a model refuses are told apart row by row
  const wanted = wantedColumns(model, {}).map((one): Wanted => ({ ...one, unseen: 'slot' }));
  try {
    await streamColumns(
      data,
      // columns that it does not use may be groups
      { wanted, model: null },
      (table, first) => {
        score(table, first);
        for (let row = 0; row < table.rows && records.length < MOST_RECORDS; row++) records.push(recordOf(table, row));
      },
      (message) => warn(`${what}: ${message}`),
    );
  } finally {
    scorer.free();
  }
  const joined = (planeOf: (block: ModelScores) => Float64Array): Float64Array => {
    const all = new Float64Array(refused.length);
    let at = 0;
    for (const block of blocks) {
      all.set(planeOf(block), at);
      at += block.rows;
    }
    return all;
  };
  const each = Array.from({ length: count }, (_, k) => k);
  return {
    logits: each.map((k) => joined((block) => block.logits[k])),
    probabilities: each.map((k) => joined((block) => block.probabilities[k])),
    labels: Uint32Array.from(joined((block) => Float64Array.from(block.labels))),
    refused: Uint8Array.from(refused),
    firstReason,
    records,
  };
}

/** A row of a table as a record. */
function recordOf({ columns }: Table, row: number): object {
  return Object.fromEntries(
    columns.map((column) => {
      if (column.missing?.[row] === 1) return [column.name, null];
      if (column.kind === 'numeric') return [column.name, column.values[row]];
      const level = column.levels[column.codes[row]] ?? null;
      return [column.name, column.lists ? listOr(level) : level];
    }),
  );
}

/** A list that is written as JSON, or the text itself. */
function listOr(text: string | null): unknown {
  try {
    const list: unknown = JSON.parse(text ?? '');
    return Array.isArray(list) ? list : text;
  } catch {
    return text;
  }
}

/** The scores of a model as metrics read them: probabilities if it is calibrated, else logits, which are more exact. */
export function predictionsOf({ manifest }: Model, scores: ModelScores): Predictions | ClassPredictions {
  const { multiclass, calibration } = manifest;
  if (multiclass !== null)
    return calibration ? { probabilities: scores.probabilities } : { logits: scores.logits, link: multiclass };
  return calibration ? { probabilities: scores.probabilities[0] } : { logits: scores.logits[0] };
}
