/** The watch of a model over logs. */
import { realpathSync } from 'node:fs';
import { LogoddsError, type Model, pickEngine } from '../../../../src/index.ts';
import { list } from '../../../../src/internal.ts';
import {
  type ModelWatch,
  modelWatch,
  type OutcomeLabel,
  type WatchNote,
  type WatchReport,
} from '../../../../src/monitor.ts';
import { oneLine, whole as wholeNumber } from '../../figures/wording.ts';
import { findModel, type ModelPlace } from '../../read/models.ts';
import { filesOf, formatOf } from '../../read/paths.ts';
import { LogCounts, type Origin } from './counts.ts';
import { readLabels } from './labels.ts';
import { watchLines } from './lines.ts';
import { watchParquet } from './parquetLog.ts';
import { resolveLabels } from './resolve.ts';
import type { Outcomes } from './rows.ts';
import { fromSettings, readSettings } from './settings.ts';
import { RESPELT, spellerOf } from './spelling.ts';
import { keyed, openLog, parquetOf, queryOf, watchTyped } from './typed.ts';

/** What is watched. */
export interface MonitorOptions extends ModelPlace {
  readonly logs: readonly string[];
  readonly model: string;
  readonly labels?: string;
  readonly target?: string;
  readonly query?: string;
  readonly config?: string;
  /** milliseconds since 1970 */
  readonly now: number;
  readonly warn: (message: string) => void;
}

/** What was found: the report of the watch, and what the logs are of. */
export interface MonitorResult extends WatchReport {
  readonly log: {
    readonly files: number;
    /** rows by who scored them; those of other models are left out */
    readonly origins: readonly (Origin & { readonly isWatched: boolean })[];
  };
  readonly seconds: number;
}

/** A watch, and the model that it is of. */
export interface Monitored {
  readonly model: Model;
  readonly watched: ModelWatch;
  readonly result: MonitorResult;
}

/** Files once each, whatever the names that lead to them. */
const sameOnce = (files: readonly string[]): string[] => [
  ...new Map([...files].sort().map((file) => [realpathSync(file), file])).values(),
];

/** Errors of a file that DuckDB reads by a query of ours have the name of the file. @param path  null: the query is of the user */
async function namedBy<T>(path: string | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (path === null || !(error instanceof LogoddsError) || !error.detail.startsWith('--query')) throw error;
    throw new LogoddsError(error.code, path + error.detail.slice('--query'.length), { cause: error });
  }
}

/** As `resolveLabels` and the watch count it. */
const LOST = 'labels without a score';
const NONE_OF_A_SCORE = 'no label is of a score of the log: performance is estimated from the scores alone';

/** What to do where no row is left, by what was left out. */
const ADVICE: readonly (readonly [left: RegExp, advice: string])[] = [
  [/of another digest|of another model/, 'give the model that scored them'],
  [/^rows from after/, 'correct the clock or --now, or give the key ahead in --config'],
  [/without a time|at: expected/, 'name the column of the time in --config under columns, or correct its times'],
  [/probability/, 'name the column of the probability in --config under columns, or correct it'],
  [/no class of the model/, 'give the model whose classes these are'],
  [
    /no JSON|another schema|at the end of a file|characters/,
    'give a prediction log of serve --log, or correct these lines',
  ],
  [/without a byte/, 'wait for rows, or name files that have some'],
];

const adviceOf = (left: readonly string[]): string =>
  ADVICE.find(([pattern]) => left.some((what) => pattern.test(what)))?.[1] ?? 'name a log that has rows';

/** Watches a model over logs. @throws ERR_DATA, ERR_SCHEMA, ERR_RANGE, and those of reading the model */
export async function monitorLogs(options: MonitorOptions): Promise<Monitored> {
  const start = performance.now();
  const { labels, target, query, now, warn } = options;
  const settings = await readSettings(options.config);
  const model = await findModel(options.model, options);
  // in any order the same files are the same log
  const counts = new LogCounts();
  const named = (path: string) => filesOf(path, counts.empty);
  const files = sameOnce(options.logs.flatMap(named)).sort();
  const odd = files.filter((file) => !['jsonl', 'parquet'].includes(formatOf(file) ?? ''));
  if (odd.length > 0)
    throw new LogoddsError(
      'ERR_DATA',
      `LOG: expected .jsonl, .jsonl.gz or .parquet, got ${list(odd)}; read others with --query`,
    );
  if (options.logs.length === 0 && query === undefined)
    throw new LogoddsError(
      'ERR_DATA',
      'LOG: expected files or --query, got neither; name the files of the prediction log',
    );
  const lines = files.filter((file) => formatOf(file) === 'jsonl');
  if (target !== undefined && lines.length > 0)
    throw new LogoddsError(
      'ERR_DATA',
      '--target: expected Parquet or --query, got JSON lines, which have no such column; give --labels',
    );
  const known: OutcomeLabel[] = [];
  // logs of lines are joined in memory, those with columns by DuckDB
  const spell = spellerOf(model.manifest.classes);
  const takeLabel = (given: OutcomeLabel): void => {
    const label = spell(given.label);
    if (label !== given.label) counts.note(RESPELT, 1);
    known.push({ ...given, label });
  };
  if (labels !== undefined && lines.length > 0) await readLabels(named(labels), takeLabel, counts);
  const capacity = Math.max(settings.watch.capacity!, known.length);
  const until = now + settings.aheadMs;
  const begin = () => modelWatch(model, { ...settings.watch, capacity, until });
  let whole = fromSettings(options.config, begin);
  // one of a time to come would stand for what is known now
  const isKnown = ({ at }: OutcomeLabel): boolean => at <= now + settings.skewMs;
  for (const label of known) if (isKnown(label)) whole.addLabel(label);
  counts.note('labels from after now: left out', known.filter((label) => !isKnown(label)).length);
  for (const file of lines) await watchLines(file, whole, counts);
  const typed = [
    ...files.filter((file) => formatOf(file) === 'parquet').map((file) => [file, parquetOf(file), true] as const),
    ...(query === undefined ? [] : [['--query', queryOf(query), false] as const]),
  ];
  const open = (k: number) => {
    const [label, relation, isFile] = typed[k];
    return namedBy(isFile ? label : null, () => openLog(label, relation, settings.columns));
  };
  let outcomes: Outcomes = target === undefined ? null : { target };
  if (labels !== undefined && typed.length > 0) {
    const { withinMs, skewMs } = settings;
    const { classes } = model.manifest;
    const of = [];
    for (const k of typed.keys()) of.push(keyed(await open(k), model, until));
    outcomes = { labels: await resolveLabels(named(labels), of, { latest: now + skewMs, withinMs, classes }, counts) };
  }
  const isByRows = 'rows' in settings.watch.every!;
  const engine = pickEngine();
  for (const [k, [path, , isFile]] of typed.entries()) {
    // windows by rows go on from log to log
    const start = isByRows ? () => modelWatch(model, whole.toJSON()) : begin;
    const { columns } = settings;
    // labels are joined by DuckDB
    const isAhead = isFile && labels === undefined;
    const ahead = isAhead ? await watchParquet({ path, columns, model, target }, start, counts, engine) : null;
    const found =
      ahead ??
      (await namedBy(isFile ? path : null, async () =>
        watchTyped(await open(k), model, start, outcomes, counts, engine, warn),
      ));
    if (isByRows) whole = found;
    else whole.merge(found);
  }
  const report = whole.report(now);
  const { sha256 } = model;
  const origins = counts.origins.map((one) => ({
    ...one,
    isWatched: sha256 === null || one.sha256 === '' || one.sha256 === sha256,
  }));
  const others = origins.filter(({ isWatched }) => !isWatched);
  const notes: WatchNote[] = [
    ...report.notes,
    ...others.map(({ model: own, version, sha256: digest, rows }) => ({
      what: `rows of ${own || 'a model'} ${version}, ${digest.slice(0, 12)}…: of another digest, left out`,
      count: rows,
    })),
    ...counts.notes,
    ...(settings.said === null ? [] : [{ what: settings.said }]),
  ];
  // those of tables are resolved by DuckDB, and the watch has not heard of them
  const isLost = counts.notes.some(({ what }) => what === LOST);
  const told = (what: string): string => oneLine(isLost && what.startsWith('no labels: ') ? NONE_OF_A_SCORE : what);
  if (typed.length > 0 && labels === undefined)
    notes.push({ what: 'without --labels no duplicate ids are looked for in Parquet and queries' });
  notes.splice(0, notes.length, ...notes.map((note) => ({ ...note, what: told(note.what) })));
  if (report.rows === 0)
    throw new LogoddsError(
      'ERR_DATA',
      `LOG: expected rows of the model ${sha256?.slice(0, 12) ?? 'without a digest'}…, got none (${notes
        .map(({ what, count }) => (count === undefined ? what : `${what} (${wholeNumber(count)})`))
        .join('; ')
        .slice(0, 600)}); ${adviceOf(notes.map(({ what }) => what))}`,
    );
  const result = {
    ...report,
    notes,
    log: { files: files.length, origins },
    seconds: (performance.now() - start) / 1000,
  };
  return { model, watched: whole, result };
}
