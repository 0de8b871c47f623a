/** What is kept of a run: one object, whatever the place. */

export type Status = 'running' | 'finished' | 'failed' | 'unfinished' | 'killed';

/** Data that a run has read. */
export interface Input {
  readonly name: string;
  /** null: a query, standard input, or files that were gone afterwards */
  readonly sha256: string | null;
  readonly bytes: number | null;
}

/** A run of train, cv, path or eval. */
export interface RunRecord {
  readonly format: 1;
  readonly id: string;
  readonly name: string;
  readonly experiment: string;
  readonly command: string;
  /** the command line, without secrets */
  readonly line: string;
  readonly status: Status;
  /** ISO 8601 */
  readonly started: string;
  readonly ended: string | null;
  /** who runs: a process at a place, so that another one can tell whether it goes on */
  readonly process: { readonly place: string; readonly pid: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  /** values by step */
  readonly curves: Readonly<Record<string, readonly number[]>>;
  /** whole numbers at which these values are; of curves that are not named here 0, 1, 2, … */
  readonly steps?: Readonly<Record<string, readonly number[]>>;
  readonly data: readonly Input[];
  readonly model: { readonly sha256: string; readonly bytes: number } | null;
  /** files beside the record */
  readonly artifacts: readonly string[];
  /** what was left out or cut */
  readonly notes: readonly string[];
  readonly error: string | null;
}

/** What a command tells of its run when it is done. */
export interface Outcome {
  /** further parameters, beside those of the command line */
  readonly params: Readonly<Record<string, string | number | null>>;
  readonly metrics: Readonly<Record<string, number | null | undefined>>;
  readonly curves?: Readonly<Record<string, readonly number[]>>;
  readonly steps?: Readonly<Record<string, readonly number[]>>;
  readonly model?: { readonly bytes: Uint8Array } | null;
  /** files by name */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** columns of the model whose values are personal */
  readonly hidden?: readonly string[];
}

/** Where runs are kept while they go on. */
export interface Sink {
  /** what messages call it */
  readonly place: string;
  /** A run begins. @returns the id by which the place knows it @throws where it cannot be kept */
  start(record: RunRecord): Promise<string>;
  /** A run goes on, and has further values. @throws where they cannot be kept */
  go(record: RunRecord): Promise<void>;
  /** A run has ended. @param files  by the names in `record.artifacts` @throws where it cannot be kept */
  end(record: RunRecord, files: Readonly<Record<string, Uint8Array>>): Promise<void>;
}

/** A place that has runs. */
export interface Shelf {
  readonly place: string;
  /** Runs, the newest first. */
  list(experiment: string | undefined): Promise<Listed>;
  /** A run with its curves; null: there is none of the id. */
  find(id: string): Promise<RunRecord | null>;
}

export interface Listed {
  readonly runs: readonly RunRecord[];
  /** what was left out: one sentence each */
  readonly notes: readonly string[];
}

/** The steps of a curve of a run. */
export const stepsOf = ({ curves, steps }: Pick<RunRecord, 'curves' | 'steps'>, name: string): readonly number[] =>
  steps?.[name] ?? curves[name]!.map((_, step) => step);

/** Names of files in the artifacts. */
export const MODEL = 'model.safetensors';
export const REPORT = 'report.html';

/** A number for JSON, which has none that are not finite. */
const told = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** A number of a record as it was; null for what is none. */
export const numberIn = (value: unknown): number | null =>
  typeof value === 'number'
    ? value
    : value === 'NaN' || value === 'Infinity' || value === '-Infinity'
      ? Number(value)
      : null;

/** A record as a text: a line for each member. */
export const recordText = (record: RunRecord): string =>
  `{\n${Object.entries(record)
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value, told)}`)
    .join(',\n')}\n}\n`;

/** A record from its text; null for what is none. */
export function recordIn(text: string): RunRecord | null {
  let value: Partial<RunRecord> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object' || value.format !== 1 || typeof value.id !== 'string') return null;
  if (typeof value.started !== 'string' || typeof value.status !== 'string') return null;
  const metrics = Object.entries(value.metrics ?? {}).flatMap(([key, one]) => {
    const number = numberIn(one);
    return number === null ? [] : [[key, number] as const];
  });
  const curves = Object.entries(value.curves ?? {}).map(
    ([key, list]) => [key, (Array.isArray(list) ? list : []).map((one) => numberIn(one) ?? Number.NaN)] as const,
  );
  // a list of another length tells nothing of the curve
  const steps = Object.entries(value.steps ?? {}).filter(
    ([key, list]) =>
      Array.isArray(list) && list.length === value!.curves?.[key]?.length && list.every((one) => Number.isInteger(one)),
  );
  const texts = Object.entries(value.params ?? {}).map(([key, one]) => [key, String(one)] as const);
  return {
    ...{ name: '', experiment: '', command: '', line: '', ended: null, process: { place: '', pid: 0 }, versions: {} },
    ...{ data: [], model: null, artifacts: [], notes: [], error: null },
    ...(value as RunRecord),
    params: Object.fromEntries(texts),
    metrics: Object.fromEntries(metrics),
    curves: Object.fromEntries(curves),
    ...(value.steps && { steps: Object.fromEntries(steps) }),
  };
}
