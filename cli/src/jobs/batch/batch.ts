/** Scores many files or objects, each into a part of an output folder; a job that was killed goes on where it was. */

import { statSync } from 'node:fs';
import { LogoddsError, type Model, type Warning } from '../../../../src/index.ts';
import { commandError } from '../../errors.ts';
import { type Stranger, Strangers, strangerWarnings } from '../../figures/strangers.ts';
import { counted } from '../../figures/wording.ts';
import { findModel } from '../../read/models.ts';
import { shorten } from '../../read/names.ts';
import { checkTable } from '../../read/scoring.ts';
import { asGiven } from '../../stores/arrivals.ts';
import { onInterrupt, reason, wordsOnInterrupt } from '../../write/temporary.ts';
import { engineFor } from '../engine.ts';
import { type ScoreOptions, scoreInto } from '../score.ts';
import { type OutputFolder, openFolder } from './folder.ts';
import {
  type Done,
  MANIFEST,
  type Made,
  ManifestWriter,
  type Plan,
  planOf,
  readManifest,
  refuseOtherMade,
} from './manifest.ts';
import { type Format, findParts, type OpenPart, type Part } from './parts.ts';

export interface BatchOptions extends Omit<ScoreOptions, 'engine'> {
  readonly data: string;
  /** of the parts; that of each input when absent */
  readonly format?: Format;
  /** go on where a job was */
  readonly resume?: boolean;
  /** make all parts anew */
  readonly restart?: boolean;
  /** leave out parts that cannot be scored, and name them */
  readonly keepGoing?: boolean;
  readonly warn: (message: string) => void;
}

export interface BatchResult {
  readonly out: string;
  readonly manifest: string;
  readonly modelSha256: string;
  readonly parts: {
    readonly total: number;
    readonly made: number;
    readonly kept: number;
    readonly refused: number;
    /** of the output, which this run does not have */
    readonly others: number;
  };
  /** parts that --keep-going left out */
  readonly refused: readonly { readonly input: string; readonly error: string }[];
  /** of the parts that this run made */
  readonly rows: number;
  /** of all parts of the output */
  readonly rowsTotal: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** share of the features that took a default, over the rows of all parts */
  readonly defaulted: number;
  /** values that training did not have, over the rows of all parts */
  readonly unseen: readonly Stranger[];
  readonly warnings: readonly Warning[];
}

/** Flags that change no score, or that the manifest has elsewhere. */
const ASIDE: ReadonlySet<string> = new Set([
  ...[
    'model',
    'data',
    'out',
    'registry',
    'threads',
    'resume',
    'restart',
    'keepGoing',
    'warn',
    'json',
    'maxUnseen',
    'query',
  ],
]);

/** Codes of errors about the content of a part; any other ends the job. */
const CONTENT: ReadonlySet<string> = new Set(['ERR_DATA', 'ERR_RECORD', 'ERR_SCHEMA', 'ERR_RANGE', 'ERR_SHAPE']);

/** Parts whose columns are checked at once. */
const CHECKS = 4;

/**
 * Scores the files or objects of a pattern into a folder or below a prefix. Before it begins it checks the columns of every part. A part is there under
 * its name when it is complete, and the manifest names it then; `row` counts from 0 in each part.
 * @throws ERR_OUTPUT where another job writes, or the folder has scores of another model or of other options; the errors of `scoreCommand`, naming the part
 */
export async function scoreBatch(options: BatchOptions): Promise<BatchResult> {
  const start = performance.now();
  const model = await findModel(options.model, options);
  const parts = await findParts(options.data, options.format);
  const folder = await openFolder(options.out);
  refuseInputs(folder, parts);
  let broken: Error | null = null;
  const lease = await folder.take((error) => {
    broken = error;
  });
  const forget = onInterrupt(() => lease.release());
  try {
    if (lease.left !== null) options.warn(`${folder.place}: a job of ${lease.left}, ended before it was done`);
    const made: Made = { model: model.sha256!, options: madeBy(options) };
    const plan = await planned(folder, made, parts, options);
    const job = new Job(model, options, folder, new ManifestWriter(folder, made, plan.done), () => broken);
    await job.run(plan);
    return { ...job.result(parts.length, plan), ...rateOf(job.rows, start) };
  } finally {
    forget();
    wordsOnInterrupt(null);
    await lease.release();
  }
}

const rateOf = (rows: number, start: number) => {
  const seconds = (performance.now() - start) / 1000;
  return { seconds, rowsPerSecond: Math.round(rows / seconds) };
};

/** The options that determine the scores, as JSON has them. */
function madeBy(options: BatchOptions): Record<string, unknown> {
  const own = Object.entries(options).filter(([name, value]) => !ASIDE.has(name) && value !== undefined);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(own), (_, value) =>
      value instanceof Set || value instanceof Map ? [...value] : value,
    ),
  );
}

async function planned(folder: OutputFolder, made: Made, parts: readonly Part[], options: BatchOptions): Promise<Plan> {
  const { place } = folder;
  const found = await readManifest(folder).catch((error) => {
    if (options.restart) return null;
    throw error;
  });
  const there = await folder.list();
  const outputs = new Set(parts.map(({ output }) => output));
  const before = options.restart ? null : found;
  if (before === null) {
    const others = (found?.parts ?? [])
      .map(({ output }) => output)
      .filter((name) => !outputs.has(name) && there.has(name));
    if (others.length > 0)
      throw commandError(
        'ERR_OUTPUT',
        `${place}: expected that all its parts are made anew, got ${counted(others.length, 'part')} that this run does not have: ${shorten(others)}; remove what is old, or choose another --out`,
      );
    const strange = [...outputs].filter((name) => there.has(name));
    if (!options.restart && !options.resume && strange.length > 0)
      throw commandError(
        'ERR_OUTPUT',
        `${place}: expected a folder without ${shorten(strange)}, got files of these names that no job has made, or one that was killed; choose another --out, or go on by --resume`,
      );
    return planOf(place, parts, [], new Map());
  }
  if (!options.resume)
    throw commandError(
      'ERR_OUTPUT',
      `${place}: expected a folder without scores, got the manifest of ${counted(before.parts.length, 'part')}; go on by --resume, or make all anew by --restart`,
    );
  refuseOtherMade(place, before, made);
  const plan = planOf(place, parts, before.parts, there);
  const { changed, lost, others } = plan;
  const say = (list: readonly string[], what: string) => {
    if (list.length > 0) options.warn(`${counted(list.length, 'part')} ${what}: ${shorten(list)}`);
  };
  say(changed, 'made anew, whose inputs were written since');
  say(lost, 'made anew, whose scores are gone or of another size');
  say(others, 'left alone, whose inputs this run does not have');
  return plan;
}

/** @throws ERR_OUTPUT where a part would replace an input */
function refuseInputs(folder: OutputFolder, parts: readonly Part[]): void {
  const inputs = new Map(parts.map(({ at, input }) => [at, input]));
  for (const { output } of parts) {
    const input = inputs.get(folder.placeOf(output));
    if (input !== undefined)
      throw commandError(
        'ERR_OUTPUT',
        `${folder.place}${output}: expected a path that the run does not use otherwise, got its input ${input}; choose another --out`,
      );
  }
}

/** A run over the parts that are to be made. */
class Job {
  rows = 0;
  readonly #model: Model;
  readonly #options: BatchOptions;
  readonly #folder: OutputFolder;
  readonly #manifest: ManifestWriter;
  readonly #broken: () => Error | null;
  readonly #refused = new Map<string, string>();
  readonly #said = new Set<string>();
  #made = 0;
  #sending: Promise<void> = Promise.resolve();
  #failed: { readonly error: unknown } | null = null;

  constructor(
    model: Model,
    options: BatchOptions,
    folder: OutputFolder,
    manifest: ManifestWriter,
    broken: () => Error | null,
  ) {
    this.#model = model;
    this.#options = options;
    this.#folder = folder;
    this.#manifest = manifest;
    this.#broken = broken;
  }

  async run({ todo, done }: Plan): Promise<void> {
    const total = todo.length + done.size;
    const words = () => `${this.#manifest.done.size} of ${counted(total, 'part')} are written; --resume goes on`;
    wordsOnInterrupt(words);
    try {
      await this.#check(todo);
      const engine = engineFor(this.#options.threads, this.#options.warn);
      // what is made anew is not in the manifest while it changes
      await this.#manifest.forget(todo.map(({ output }) => output));
      const left = todo.filter(({ input }) => !this.#refused.has(input));
      let next: Promise<OpenPart> | null = null;
      for (const [i, part] of left.entries()) {
        const opened = await this.#tried(part, () => next ?? part.open());
        const following = left[i + 1];
        next = following ? this.#opening(following) : null;
        if (opened) await this.#score(part, opened, engine);
        if (this.#failed) {
          await next?.then((open) => open.close()).catch(() => {});
          break;
        }
      }
      await this.#sending;
      if (this.#failed) throw this.#failed.error;
    } catch (error) {
      await this.#sending.catch(() => {});
      await this.#manifest.settle().catch(() => {});
      throw this.#manifest.done.size > 0 && error instanceof LogoddsError
        ? new LogoddsError(
            error.code,
            `${error.message}; ${words()}`,
            { cause: error, problems: error.problems },
            `${error.detail}; ${words()}`,
          )
        : error;
    }
    await this.#manifest.settle();
  }

  /** Opens a part while another is scored. Its error is told in its turn. */
  #opening(part: Part): Promise<OpenPart> {
    const opening = part.open().then((open) => {
      open.ahead();
      return open;
    });
    opening.catch(() => {});
    return opening;
  }

  /** Checks the columns of parts before any of them is scored. */
  async #check(todo: readonly Part[]): Promise<void> {
    let next = 0;
    const errors: { readonly at: number; readonly error: unknown }[] = [];
    const lane = async () => {
      for (let at = next++; at < todo.length && errors.length === 0; at = next++) {
        try {
          await this.#tried(todo[at], () => this.#checkOne(todo[at]));
        } catch (error) {
          errors.push({ at, error });
        }
      }
    };
    await Promise.all(Array.from({ length: CHECKS }, lane));
    errors.sort((a, b) => a.at - b.at);
    if (errors.length > 0) throw errors[0].error;
  }

  async #checkOne(part: Part): Promise<void> {
    const open = await part.open();
    try {
      // what is to say of columns is said when the part is scored
      await checkTable(this.#model, { ...this.#options, data: open.path, warn: () => {} });
    } finally {
      open.close();
    }
  }

  async #score(part: Part, open: OpenPart, engine: ReturnType<typeof engineFor>): Promise<void> {
    const { output, input, at, stamp } = part;
    const out = this.#folder.pathOf(output);
    const scored = await this.#tried(part, async () => {
      try {
        return await scoreInto(this.#model, { ...this.#options, data: open.path, out, engine, warn: this.#warn });
      } finally {
        open.close();
      }
    }).catch((error) => {
      this.#failed ??= { error };
    });
    if (!scored) return;
    const { rows, defaulted, strangers } = scored;
    const bytes = statSync(out).size;
    // one part is sent while the next is scored
    await this.#sending;
    if (this.#failed) return;
    const broken = this.#broken();
    if (broken) {
      this.#failed = { error: broken };
      return;
    }
    this.#sending = (async () => {
      try {
        await this.#folder.send(output);
        this.#manifest.add({ input, at, stamp, output, bytes, rows, defaulted, strangers: strangers.tallies() });
        this.rows += rows;
        this.#made++;
      } catch (error) {
        this.#failed ??= { error };
      }
    })();
  }

  /** Notes that are the same of many parts are said once. */
  #warn = (message: string): void => {
    if (!this.#said.has(message)) this.#options.warn(message);
    this.#said.add(message);
  };

  /** @returns undefined for a part that --keep-going leaves out @throws errors that name the part */
  async #tried<T>(part: Part, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (thrown) {
      const error = thrown instanceof LogoddsError ? thrown : systemError(part, thrown);
      const named = asGiven(error.message).includes(part.input) ? error : placed(error, part.input);
      if (!this.#options.keepGoing || !CONTENT.has(error.code)) throw named;
      const text = `${named.code} ${asGiven(named.message)}`;
      this.#refused.set(part.input, text);
      this.#options.warn(`left out: ${text}`);
      return undefined;
    }
  }

  result(total: number, { others }: Plan): Omit<BatchResult, 'seconds' | 'rowsPerSecond'> {
    const done = [...this.#manifest.done.values()];
    const sum = (of: (one: Done) => number) => done.reduce((all, one) => all + of(one), 0);
    const rowsTotal = sum(({ rows }) => rows);
    const strangers = new Strangers(this.#model);
    for (const { strangers: own } of done) strangers.join(own);
    const unseen = strangers.finish();
    const refused = [...this.#refused].map(([input, error]) => ({ input, error }));
    const kept = done.length - this.#made - others.length;
    return {
      out: this.#folder.place,
      manifest: this.#folder.place + MANIFEST,
      modelSha256: this.#model.sha256!,
      parts: { total, made: this.#made, kept, refused: refused.length, others: others.length },
      refused,
      rows: this.rows,
      rowsTotal,
      defaulted: rowsTotal > 0 ? sum(({ defaulted }) => defaulted) / rowsTotal : 0,
      unseen,
      warnings: strangerWarnings(unseen, 'rows'),
    };
  }
}

/** An input that has gone, or that may not be read. Any other error is what it is. */
function systemError({ input }: Part, thrown: unknown): LogoddsError {
  const { code, path } = thrown as NodeJS.ErrnoException;
  if (code === undefined || path === undefined) throw thrown;
  return new LogoddsError(
    'ERR_DATA',
    `${input}: expected a file that can be read, got an error (${reason(thrown)}); check it`,
    {
      cause: thrown,
    },
  );
}

/** The error with the part before it. */
const placed = (error: LogoddsError, input: string): LogoddsError =>
  new LogoddsError(
    error.code,
    `${input}: ${error.message}`,
    { cause: error, problems: error.problems },
    `${input}: ${error.detail}`,
  );
