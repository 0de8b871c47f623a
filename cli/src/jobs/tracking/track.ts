import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { commandError } from '../../errors.ts';
import type { SourceOptions } from '../../read/source.ts';
import { digestOf } from '../../report/write.ts';
import { note } from '../../terminal/print.ts';
import { withoutSecrets } from '../../terminal/secrets.ts';
import { placeHere, reason, runFolder } from '../../write/temporary.ts';
import { RunFolder } from './folder.ts';
import { placeOf, USUAL } from './place.ts';
import { MODEL, type Outcome, REPORT, type RunRecord, type Sink } from './record.ts';

/** What a run begins with. */
export interface Beginning {
  readonly place: string | undefined;
  readonly experiment: string | undefined;
  readonly name: string | undefined;
  readonly command: string;
  readonly argv: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  /** as the command line has them */
  readonly params: Readonly<Record<string, string>>;
  readonly source: SourceOptions;
  /** names of columns whose values are personal */
  readonly hidden: readonly string[];
}

/** Keeps one run. What fails here costs the run its record, never its result. */
export class Tracker {
  readonly #sink: Sink;
  readonly #source: SourceOptions;
  #record: RunRecord;
  #hidden: readonly string[];
  #id = '';
  #failure: unknown = null;
  #report: string | null = null;
  /** what is under way to the place */
  #going: Promise<void> = Promise.resolve();
  #isBehind = false;

  /** @throws ERR_RANGE, ERR_STORE for a place that is none; ERR_OUTPUT for a folder that cannot be written */
  static async start(from: Beginning): Promise<Tracker> {
    const tracker = new Tracker(from, placeOf(from.place));
    try {
      tracker.#id = await tracker.#sink.start(tracker.#record);
    } catch (error) {
      // a folder is at hand, and its user too; a server may be down for an hour
      if (tracker.#sink instanceof RunFolder) throw error;
      tracker.#failure = error;
      note(`tracking: ${sayable(error)}; the run goes on, and is kept in ${USUAL} instead`);
    }
    return tracker;
  }

  private constructor({ experiment, name, command, argv, versions, params, source, hidden }: Beginning, sink: Sink) {
    this.#sink = sink;
    this.#source = source;
    this.#hidden = hidden;
    const now = new Date();
    const stamp = now
      .toISOString()
      .replace(/[-:]|\..*/g, '')
      .replace('T', '-');
    this.#record = {
      format: 1,
      id: `${stamp}-${randomBytes(4).toString('hex')}`,
      name: withoutSecrets(
        name ?? `${command} ${source.query === undefined ? basename(source.data ?? '') : 'query'}`.slice(0, 200),
      ),
      experiment: withoutSecrets(experiment ?? (process.env['MLFLOW_EXPERIMENT_NAME'] || 'logodds')),
      ...{ command, versions, status: 'running', started: now.toISOString(), ended: null },
      line: this.#masked(argv.map(quoted).join(' ')),
      process: { place: placeHere(), pid: process.pid },
      params: Object.fromEntries(Object.entries(params).map(([key, text]) => [key, this.#masked(text)])),
      ...{ metrics: {}, curves: {}, data: [], model: null, artifacts: [], notes: [], error: null },
    };
  }

  /** by which the place knows the run */
  get id(): string {
    return this.#id;
  }

  get place(): string {
    return this.#sink.place;
  }

  /** Where a report is to be written that is kept with the run. */
  reportPath(): string {
    this.#report ??= join(runFolder(), REPORT);
    return this.#report;
  }

  /** The run goes on. Nothing waits for it; values that the place does not take are said once, and are kept at the end. */
  go({ curves = {}, steps }: Pick<Outcome, 'curves' | 'steps'>): void {
    // one after the other; a place that is slower than the run has the newest
    if (this.#isBehind || this.#failure) return;
    this.#isBehind = true;
    this.#record = { ...this.#record, curves, ...(steps && { steps }) };
    this.#going = this.#sink.go(this.#record).then(
      () => {
        this.#isBehind = false;
      },
      (error: unknown) => void note(`tracking: ${sayable(error)}; the run goes on, and is kept when it ends`),
    );
  }

  /**
   * The run is done.
   * @param report  the page that the user asked for; default that at `reportPath`
   * @throws ERR_TRACKING where it was kept elsewhere, or nowhere
   */
  async finish(outcome: Outcome, report?: string): Promise<void> {
    const { params, metrics, curves = {}, steps, model = null, files = {}, hidden = [] } = outcome;
    this.#hide(hidden);
    const left = Object.entries(metrics).filter(([, value]) => value === null || value === undefined);
    const kept = Object.entries(metrics).filter(([, value]) => typeof value === 'number') as [string, number][];
    const notes = left.length > 0 ? [`metrics without a value: ${left.map(([key]) => key).join(', ')}`] : [];
    const page = report ?? this.#report;
    const isWithheld = report === undefined && page !== null && this.#hidden.length > 0;
    if (isWithheld)
      notes.push(
        `the report page is not kept: it tells values of ${this.#hidden.join(', ')}, which the schema calls private; --report FILE keeps it`,
      );
    if (model && this.#hidden.length > 0)
      notes.push(`the model file has what it needs of ${this.#hidden.join(', ')}: levels, means and ranges`);
    const all = {
      ...files,
      ...(page !== null && !isWithheld && existsSync(page) && { [REPORT]: new Uint8Array(readFileSync(page)) }),
      ...(model && { [MODEL]: model.bytes }),
    };
    const given = Object.entries(params).flatMap(([key, value]) =>
      value === null ? [] : [[key, this.#masked(String(value))] as const],
    );
    await this.#end(
      {
        status: 'finished',
        params: { ...this.#record.params, ...Object.fromEntries(given) },
        metrics: Object.fromEntries(kept),
        curves,
        ...(steps && { steps }),
        model: model && { sha256: sha256(model.bytes), bytes: model.bytes.length },
        notes,
      },
      all,
    );
    if (notes.length > 0) for (const one of notes) note(`tracking: ${one}`);
  }

  /** The run has failed. It throws nothing: what failed is said anyway. */
  async fail(error: unknown): Promise<void> {
    try {
      await this.#end({ status: 'failed', error: this.#masked(sayable(error)) }, {});
    } catch (failure) {
      note(`tracking: ${sayable(failure)}`);
    }
  }

  /** Hides values of further columns. */
  #hide(names: readonly string[]): void {
    this.#hidden = [...new Set([...this.#hidden, ...names])];
    const { params, line } = this.#record;
    this.#record = {
      ...this.#record,
      line: this.#masked(line),
      params: Object.fromEntries(Object.entries(params).map(([key, text]) => [key, this.#masked(text)])),
    };
  }

  async #end(more: Partial<RunRecord>, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const { name, ...digest } = await digestOf(this.#source).catch(() => ({
      ...{ name: withoutSecrets(this.#source.data ?? ''), sha256: null, bytes: null },
    }));
    const record: RunRecord = {
      ...this.#record,
      ...more,
      ended: new Date().toISOString(),
      data: [{ name: this.#masked(name), ...digest }],
      artifacts: Object.keys(files),
    };
    await this.#going;
    try {
      if (this.#failure) throw this.#failure;
      await this.#sink.end(record, files);
    } catch (error) {
      if (this.#sink instanceof RunFolder) throw lost(`${sayable(error)}; the run itself is done`, error);
      const folder = new RunFolder(USUAL);
      const notes = [...record.notes, `not kept by ${this.#sink.place}: ${sayable(error)}`];
      try {
        await folder.end({ ...record, notes }, files);
      } catch (other) {
        throw lost(
          `${sayable(error)}; nor could it be kept in ${USUAL} (${reason(other)}); the run itself is done`,
          error,
        );
      }
      throw lost(`${sayable(error)}; the run itself is done, and kept in ${USUAL}/${record.id}.json`, error);
    }
  }

  #masked(text: string): string {
    return masked(withoutSecrets(text), this.#hidden);
  }
}

/** Values of personal columns, as pairs of options have them (zip=80331), are not kept. */
export function masked(text: string, hidden: readonly string[]): string {
  return hidden.reduce((rest, name) => {
    const escaped = name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    return rest.replace(new RegExp(`(^|[^\\p{L}\\p{N}_])(${escaped}\\s*=\\s*)[^,\\s"']+`, 'gu'), '$1$2***');
  }, text);
}

/** Names and columns of the features whose values are personal. */
export const privateColumns = (features: readonly object[] = []): string[] =>
  (features as readonly { name?: string; column?: string; private?: boolean }[]).flatMap(
    ({ private: isPrivate, name, column }) =>
      isPrivate ? [...new Set([name, column])].filter((one) => one !== undefined) : [],
  );

const lost = (sentence: string, cause: unknown) => commandError('ERR_TRACKING', `tracking: ${sentence}`, { cause });

/** What an error says, in one line, without secrets and values of the data. */
const sayable = (error: unknown): string =>
  withoutSecrets(error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;

const quoted = (text: string): string => (/^[\w./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
