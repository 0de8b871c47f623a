import { createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { domainShift, type Engine, LogoddsError, type Model, sliceTable, type Table } from '../../../../src/index.ts';
import { list, selectRows } from '../../../../src/internal.ts';
import { baselineOf, binsOfData, drift, type Summary, type SummaryBins, summary } from '../../../../src/monitor.ts';
import { counted, oneLine, whole } from '../../figures/wording.ts';
import { findModel } from '../../read/models.ts';
import { RowSample } from '../../read/rowSample.ts';
import { type Wanted, wantedColumns } from '../../read/wanted.ts';
import { discard, runFolder } from '../../write/temporary.ts';
import { engineFor } from '../engine.ts';
import { type ColumnKind, commonColumns, lookAt, modelOfColumns, openColumns } from './columns.ts';
import type { DataSide, DriftOptions, DriftResult, DriftSide, Skipped } from './options.ts';
import { peerFigures } from './peers.ts';
import { SideReader } from './reader.ts';

/** Rows of a sample: that of the reference, whose bins are made, and those whose figures another program's are. */
const SAMPLE = 100_000;
/** Rows whose quantiles are edges of bins. */
const BIN_ROWS = 20_000;
/** Rows a side of the domain classifier. */
const DOMAIN_ROWS = 5000;
/** Rows a side with which it can be fitted. */
const LEAST_ROWS = 50;

/** Whether an argument names a model. */
export const isModel = ({ data }: DataSide): boolean =>
  data !== undefined && (data.startsWith('models:/') || /\.safetensors$/i.test(data));

/**
 * Compares CURRENT with REFERENCE: data with the baseline of a model, data with data as a model reads and scores them, or column with column. Memory is bounded,
 * whatever the size of the data.
 * @throws the errors of reading; ERR_DATA without a baseline, or without rows; ERR_SCHEMA without a column to compare; ERR_RANGE options that contradict
 */
export async function runDrift(options: DriftOptions): Promise<DriftResult> {
  const start = performance.now();
  const { reference, current } = options;
  if (isModel(current))
    throw new LogoddsError(
      'ERR_RANGE',
      'CURRENT: expected data, got a model; name the data that it is to be compared with',
    );
  if (isModel(reference) && options.model !== undefined)
    throw new LogoddsError(
      'ERR_RANGE',
      '--model: expected none where REFERENCE is a model, got one; leave it out, or give data as REFERENCE',
    );
  if (reference.data === '-' && current.data === '-')
    throw new LogoddsError(
      'ERR_RANGE',
      'CURRENT: expected other data than REFERENCE, got standard input twice; name a file',
    );
  const input = await Spooled.of([reference, current]);
  try {
    return await compare({ ...options, reference: input.side(reference), current: input.side(current) }, input, start);
  } catch (error) {
    throw input.named(error);
  } finally {
    input.close();
  }
}

async function compare(options: DriftOptions, input: Spooled, start: number): Promise<DriftResult> {
  const { reference, current, convention, seed = 1, domain = DOMAIN_ROWS } = options;
  const { alpha, adjust, least } = options;
  const given = isModel(reference) ? reference.data! : options.model;
  const own = given === undefined ? null : await findModel(given, options);
  const byBaseline = isModel(reference);
  if (byBaseline) checkBaseline(own!, given!);
  if (byBaseline && convention)
    throw new LogoddsError(
      'ERR_DATA',
      `--convention: expected rows on both sides, got the baseline of a model; give its training data as REFERENCE, with --model`,
    );
  const engine = engineFor(options.threads, options.warn);
  const reading = readingOf(options);
  const skipped: Skipped[] = [];
  const notes: string[] = [];
  const hidden = new Set(
    own?.manifest.schema.features.flatMap((one) => (one.private ? [('column' in one && one.column) || one.name] : [])),
  );
  const sides = [
    new SideReader('REFERENCE', { ...reading, ...reference }, engine, hidden),
    new SideReader('CURRENT', { ...reading, ...current }, engine, hidden),
  ] as const;
  const kinds = own ? null : await kindsOf(options, reading, skipped);
  let wanted = own ? wantedColumns(own, {}) : openColumns(kinds!);
  let model = own;
  let before: Summary;
  let rowsBefore: Table | null = null;
  let was: DriftSide;
  if (byBaseline) {
    const { whole: found, of } = baselineOf(own!);
    before = found;
    was = { name: given!, kind: 'baseline', rows: found.rows, of };
  } else {
    const { sample, rows } = await sides[0].read(wanted, () => ({ sample: new RowSample(SAMPLE, seed) }));
    rowsBefore = sample.finish()!.table;
    if (!model) {
      const made = modelOfColumns(rowsBefore);
      skipped.push(...made.skipped);
      model = made.model;
      wanted = wantedColumns(model, {});
    }
    before = await summed(sides[0], model, wanted, { table: rowsBefore, rows }, engine);
    was = { name: input.nameOf(reference), kind: 'data', rows: before.rows, of: before.rows };
  }
  if (!model) throw new Error('unreachable');
  const made = model;
  const sampleRows = convention ? SAMPLE : domain === false ? 0 : domain;
  const { summary: now, sample: taken } = await sides[1].read(
    wanted,
    () => ({
      summary: summary(made, before.bins),
      sample: rowsBefore && sampleRows > 0 ? new RowSample(sampleRows, seed + 1) : undefined,
    }),
    made,
  );
  for (const side of sides) {
    skipped.push(...side.skipped);
    notes.push(...side.notes);
    if (side.refusal !== null) {
      const { refused } = side.what === 'CURRENT' ? now : before;
      notes.push(
        `${counted(refused, 'row')} of ${side.what} ${refused === 1 ? 'was' : 'were'} refused by the model and ${refused === 1 ? 'is' : 'are'} not compared; the first: ${side.refusal}`,
      );
    }
  }
  refuseNothing(sides, before, now);
  const found = drift(byBaseline ? made : before, now, { model: made, alpha, adjust, least });
  const rowsNow = taken?.finish()?.table ?? null;
  const columns = wanted.filter(({ role, needs }) => role === 'feature' && (!needs || !own)).map(({ name }) => name);
  const [domainFound, domainNote] = domainOf(rowsBefore, rowsNow, columns, domain, seed);
  const peers = convention && rowsBefore && rowsNow ? peerFigures(convention, columns, rowsBefore, rowsNow) : null;
  if (was.of > was.rows) notes.push(`the baseline is a sample of ${whole(was.rows)} of ${counted(was.of, 'row')}`);
  const { positive, classes } = made.manifest;
  return {
    reference: was,
    current: { name: input.nameOf(current), kind: 'data', rows: now.rows, of: now.rows },
    model: given ?? null,
    sides: own && positive !== null ? [positive, classes.find((one) => one !== positive)!] : null,
    ...{ found, before, now },
    columns: own
      ? null
      : made.manifest.schema.features.map(({ name, kind }) => ({
          column: name,
          kind: kind === 'numeric' ? ('number' as const) : ('category' as const),
        })),
    skipped: [...skipped, ...(peers?.skipped ?? [])].map(({ name, why }) => ({ name, why: oneLine(why) })),
    domain: domainFound && {
      ...domainFound,
      sampled: domainFound.rows.reference < before.rows || domainFound.rows.current < now.rows,
    },
    domainNote,
    convention: peers && { name: convention!, rows: Math.max(rowsBefore!.rows, rowsNow!.rows), figures: peers.figures },
    notes: [...notes, ...found.notes].map(oneLine),
    seconds: (performance.now() - start) / 1000,
  };
}

/** @throws ERR_DATA with what to do */
function checkBaseline({ manifest }: Model, name: string): void {
  if (manifest.baseline) return;
  throw new LogoddsError(
    'ERR_DATA',
    `${name}: expected a model with a baseline, got one without; train it again (without --no-baseline), or give its training data as REFERENCE and the model with --model`,
  );
}

const readingOf = ({ encoding, delimiter, quote, skip, decimal, thousands, na }: DriftOptions) => ({
  ...{ encoding, delimiter, quote, skip, decimal, thousands, na },
});

/** Without a model: the columns that both sides have. */
async function kindsOf(
  { reference, current }: DriftOptions,
  reading: ReturnType<typeof readingOf>,
  skipped: Skipped[],
): Promise<ReadonlyMap<string, ColumnKind>> {
  const looked = [await lookAt({ ...reading, ...reference }), await lookAt({ ...reading, ...current })] as const;
  const common = commonColumns(...looked);
  skipped.push(...common.skipped);
  if (common.kinds.size > 0) return common.kinds;
  throw new LogoddsError(
    'ERR_SCHEMA',
    `drift: expected columns that REFERENCE and CURRENT both have, got none (${list([...looked[0].kinds.keys()])} against ${list([...looked[1].kinds.keys()])}); rename them with a query`,
  );
}

/** The summary of the reference: of its sample if that is all of it, else of another reading. */
async function summed(
  side: SideReader,
  model: Model,
  wanted: readonly Wanted[],
  { table, rows }: { readonly table: Table; readonly rows: number },
  engine: Engine,
): Promise<Summary> {
  const bins = binsOfSample(model, table, engine, side);
  if (table.rows < rows) return (await side.read(wanted, () => ({ summary: summary(model, bins) }), model)).summary;
  const made = summary(model, bins);
  const scoring = side.scoring(model, made);
  for (let from = 0; from < rows; from += 16_384)
    scoring.add(sliceTable(table, from, Math.min(rows, from + 16_384)), from);
  scoring.end();
  return made;
}

function binsOfSample(model: Model, table: Table, engine: Engine, side: SideReader): SummaryBins {
  const step = Math.ceil(table.rows / BIN_ROWS);
  const thin =
    step > 1
      ? selectRows(
          table,
          Uint32Array.from({ length: Math.ceil(table.rows / step) }, (_, i) => i * step),
        )
      : table;
  try {
    return binsOfData(model, thin);
  } catch (error) {
    if (!(error instanceof LogoddsError) || error.code !== 'ERR_RECORD') throw error;
    side.refusal ??= side.told(error);
    const kept = scorableRows(model, thin, engine);
    if (kept.length === 0) throw error;
    return binsOfData(model, selectRows(thin, kept));
  }
}

/** The rows of a table that a model does not refuse. */
function scorableRows(model: Model, table: Table, engine: Engine): Uint32Array {
  const scorer = model.scorer(engine, { reuse: true });
  const kept: number[] = [];
  const look = (from: number, to: number): void => {
    try {
      scorer.score(sliceTable(table, from, to));
      for (let row = from; row < to; row++) kept.push(row);
    } catch (error) {
      if (!(error instanceof LogoddsError) || to - from === 1) return;
      const middle = (from + to) >> 1;
      look(from, middle);
      look(middle, to);
    }
  };
  look(0, table.rows);
  scorer.free();
  return Uint32Array.from(kept);
}

/** @throws ERR_DATA where a side has no row that was scored */
function refuseNothing(sides: readonly SideReader[], before: Summary, now: Summary): void {
  [before, now].forEach(({ rows, refused }, k) => {
    if (rows > 0) return;
    const { what, refusal } = sides[k];
    throw new LogoddsError(
      'ERR_DATA',
      `${what}: expected rows that the model scores, got ${whole(refused)} that it refuses; the first: ${refusal}`,
    );
  });
}

/** The domain classifier, or why there is none. */
function domainOf(
  reference: Table | null,
  current: Table | null,
  columns: readonly string[],
  most: number | false,
  seed: number,
): readonly [ReturnType<typeof domainShift> | null, string | null] {
  if (most === false) return [null, 'left out by --no-domain'];
  if (!reference || !current)
    return [null, 'the baseline of a model has no rows to fit it to: give data as REFERENCE, with --model'];
  if (Math.min(reference.rows, current.rows) < LEAST_ROWS)
    return [null, `it needs ${LEAST_ROWS} rows or more on each side`];
  if (columns.length === 0) return [null, 'no column is a number or a category'];
  const thin = (table: Table): Table => {
    const step = table.rows / Math.min(most, table.rows);
    const rows = Uint32Array.from({ length: Math.min(most, table.rows) }, (_, i) => Math.floor(i * step));
    return rows.length < table.rows ? selectRows(table, rows) : table;
  };
  try {
    return [domainShift(thin(reference), thin(current), { features: columns, seed }), null];
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    return [null, `it could not be fitted: ${error.detail}`];
  }
}

/** Standard input, kept in a file because it may be read more than once. */
class Spooled {
  #folder: string | null = null;
  #path = '';

  static async of(sides: readonly DataSide[]): Promise<Spooled> {
    const spooled = new Spooled();
    if (!sides.some(({ data }) => data === '-')) return spooled;
    const folder = runFolder();
    spooled.#folder = folder;
    spooled.#path = join(folder, 'stdin.csv');
    await pipeline(process.stdin, createWriteStream(spooled.#path, { flags: 'wx', mode: 0o600 }));
    if (statSync(spooled.#path).size > 0) return spooled;
    spooled.close();
    throw new LogoddsError('ERR_DATA', 'standard input: expected CSV, got nothing; check the command before the pipe');
  }

  side(given: DataSide): DataSide {
    return given.data === '-' ? { data: this.#path } : given;
  }

  nameOf({ data, query }: DataSide): string {
    return query !== undefined ? `query ${query}` : data === this.#path ? 'standard input' : data!;
  }

  /** An error about standard input, not about its file. */
  named(error: unknown): unknown {
    if (!this.#folder || !(error instanceof LogoddsError) || !error.detail.includes(this.#path)) return error;
    const text = error.detail.replaceAll(this.#path, 'standard input');
    return new LogoddsError(error.code, text, { cause: error, problems: error.problems });
  }

  close(): void {
    if (this.#folder) discard(this.#folder);
  }
}
