/** What a batch job has done: a file of its output folder, written anew when a part is complete. */
import { commandError } from '../../errors.ts';
import type { Tally } from '../../figures/strangers.ts';
import type { OutputFolder } from './folder.ts';
import { type Part, type Stamp, sameStamp } from './parts.ts';

export const MANIFEST = '_logodds.json';

/** A part that is complete. */
export interface Done {
  readonly input: string;
  /** the path of the input without links, or its address; absent in manifests of before */
  readonly at?: string;
  readonly stamp: Stamp;
  readonly output: string;
  /** of the output */
  readonly bytes: number;
  readonly rows: number;
  /** sum over the rows of the shares of features that took a default */
  readonly defaulted: number;
  /** what training did not have, in the order of `columns` */
  readonly strangers: readonly Tally[];
}

/** What determines the scores, but for the inputs. */
export interface Made {
  /** SHA-256 of the model */
  readonly model: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface ManifestFile extends Made {
  readonly format: 1;
  readonly parts: readonly Done[];
}

/** @throws ERR_OUTPUT for a file that is no manifest */
export async function readManifest(folder: OutputFolder): Promise<ManifestFile | null> {
  const text = await folder.read(MANIFEST);
  if (text === null) return null;
  try {
    const found = JSON.parse(text) as ManifestFile;
    if (found.format === 1 && typeof found.model === 'string' && isObject(found.options) && found.parts.every(isDone))
      return found;
  } catch {
    // told below
  }
  const got = text.trim() === '' ? 'an empty file' : 'something else';
  throw commandError(
    'ERR_OUTPUT',
    `${folder.place}${MANIFEST}: expected a manifest of format 1, got ${got}; make all parts anew by --restart, or choose another --out`,
  );
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

const isDone = ({ input, output, stamp, bytes, rows, defaulted, strangers }: Done): boolean =>
  typeof input === 'string' &&
  typeof output === 'string' &&
  isObject(stamp) &&
  [bytes, rows, defaulted].every(Number.isFinite) &&
  Array.isArray(strangers);

/** @throws ERR_OUTPUT for a manifest of another model, or of other options */
export function refuseOtherMade(place: string, found: Made, own: Made): void {
  const next = 'choose another --out, or make all parts anew by --restart';
  if (found.model !== own.model)
    throw commandError(
      'ERR_OUTPUT',
      `${place}: expected scores of this model (sha256 ${own.model.slice(0, 12)}), got those of another (${found.model.slice(0, 12)}); ${next}`,
    );
  const names = [...new Set([...Object.keys(found.options), ...Object.keys(own.options)])].sort();
  const other = names.find((name) => JSON.stringify(found.options[name]) !== JSON.stringify(own.options[name]));
  if (other === undefined) return;
  const said = (value: unknown) => (value === undefined ? 'its default' : JSON.stringify(value));
  throw commandError(
    'ERR_OUTPUT',
    `${place}: expected scores made with ${other} ${said(own.options[other])}, got those with ${said(found.options[other])}; ${next}`,
  );
}

/** What is to be made of the parts. */
export interface Plan {
  /** in the order of the parts */
  readonly todo: readonly Part[];
  /** by output */
  readonly done: ReadonlyMap<string, Done>;
  /** inputs that were written anew since */
  readonly changed: readonly string[];
  /** outputs that are gone, or of another size */
  readonly lost: readonly string[];
  /** outputs of inputs that this run does not have */
  readonly others: readonly string[];
}

/**
 * A part is known by its output, which is of one input.
 * @param place  of the folder, for messages
 * @param there  what is in it
 * @throws ERR_OUTPUT for an output that has the scores of another input
 */
export function planOf(
  place: string,
  parts: readonly Part[],
  found: readonly Done[],
  there: ReadonlyMap<string, number>,
): Plan {
  const byOutput = new Map(found.map((one) => [one.output, one]));
  const done = new Map<string, Done>();
  const [todo, changed, lost]: [Part[], string[], string[]] = [[], [], []];
  for (const part of parts) {
    const { input, at, output, stamp } = part;
    const before = byOutput.get(output);
    byOutput.delete(output);
    const isChanged = before !== undefined && !sameStamp(before.stamp, stamp);
    // of one time and size it is the same, whatever way leads there
    if (before && isChanged && (before.at ?? before.input) !== at)
      throw commandError(
        'ERR_OUTPUT',
        `${place}${output}: expected the scores of ${input}, got those of ${before.input}; name both by one pattern, choose another --out, or make all parts anew by --restart`,
      );
    if (before && !isChanged && there.get(output) === before.bytes) {
      done.set(output, before);
      continue;
    }
    if (isChanged) changed.push(input);
    else if (before) lost.push(output);
    todo.push(part);
  }
  for (const one of byOutput.values()) done.set(one.output, one);
  return { todo, done, changed, lost, others: [...byOutput.keys()] };
}

/** Writes the manifest after each part, or after several that were complete while it was written. */
export class ManifestWriter {
  readonly #folder: OutputFolder;
  readonly #made: Made;
  readonly #done: Map<string, Done>;
  #writing: Promise<void> | null = null;
  #isStale = false;
  #failed: unknown = null;

  constructor(folder: OutputFolder, made: Made, done: ReadonlyMap<string, Done>) {
    this.#folder = folder;
    this.#made = made;
    this.#done = new Map(done);
  }

  get done(): ReadonlyMap<string, Done> {
    return this.#done;
  }

  /** @throws what an earlier write threw */
  add(one: Done): void {
    if (this.#failed !== null) throw this.#failed;
    this.#done.set(one.output, one);
    this.#begin();
  }

  /** Forgets a part that is made anew, before its output changes. */
  async forget(outputs: readonly string[]): Promise<void> {
    for (const output of outputs) this.#done.delete(output);
    this.#begin();
    await this.settle();
  }

  /** Waits until all is written. */
  async settle(): Promise<void> {
    await this.#writing;
    if (this.#failed !== null) throw this.#failed;
  }

  #begin(): void {
    this.#isStale = true;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const parts = [...this.#done.values()].sort((a, b) => (a.input < b.input ? -1 : 1));
        const file: ManifestFile = { format: 1, ...this.#made, parts };
        await this.#folder.write(MANIFEST, `${JSON.stringify(file)}\n`);
      }
    } catch (error) {
      this.#failed = error;
    } finally {
      this.#writing = null;
    }
  }
}
