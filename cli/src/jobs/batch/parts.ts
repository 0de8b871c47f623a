/** The inputs of a batch job, a part of the output each: files, or objects of a store. */
import { statSync } from 'node:fs';
import { LogoddsError } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import { commandError } from '../../errors.ts';
import { checkFile, formatOf, isTsv, pathsOf, requireFormat } from '../../read/paths.ts';
import { isAddress, isPattern, rootOf } from '../../stores/address.ts';
import { placeOfPath } from './folder.ts';

/** What changes when an input is written anew. */
export interface Stamp {
  readonly bytes: number;
  /** of an object */
  readonly etag?: string;
  /** of a file, in milliseconds */
  readonly mtime?: number;
}

export const sameStamp = (a: Stamp, b: Stamp): boolean =>
  a.bytes === b.bytes && a.etag === b.etag && a.mtime === b.mtime;

export interface Part {
  /** path or address, as it was given */
  readonly input: string;
  /** the path without links, or the address */
  readonly at: string;
  /** its name below the output folder */
  readonly output: string;
  readonly stamp: Stamp;
  /** Makes it a file that can be read; of an object some bytes are here, and the others arrive. @throws ERR_STORE, ERR_DATA */
  open(): Promise<OpenPart>;
}

export interface OpenPart {
  readonly path: string;
  /** Begins to fetch all of it, for a part that is next. */
  ahead(): void;
  close(): void;
}

export const FORMATS = ['csv', 'tsv', 'jsonl', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/**
 * The parts of a pattern, sorted by name.
 * @param format  of the outputs; that of each input when absent
 * @throws ERR_DATA when there is none, or of an unknown format; ERR_OUTPUT for two parts of one name; ERR_STORE
 */
export async function findParts(data: string, format: Format | undefined): Promise<Part[]> {
  // of a pattern each file is looked at
  if (!isAddress(data) && !isPattern(data)) requireFormat(data);
  const parts = isAddress(data) ? await objectParts(data, format) : fileParts(data, format);
  const inputs = new Map<string, string>();
  for (const { input, output } of parts) {
    const other = inputs.get(output);
    if (other !== undefined)
      throw commandError(
        'ERR_OUTPUT',
        `--out: expected a name for each part, got ${show(output)} for ${other} and ${input}; score them into folders of their own`,
      );
    inputs.set(output, input);
  }
  return parts;
}

/** The part of a pattern before its first sign of patterns, up to a slash. */
const fixedOf = (pattern: string): string =>
  (isPattern(pattern) ? pattern.slice(0, pattern.search(/[*?[]/)) : pattern).replace(/[^/]*$/, '');

/** The name of the scores of an input. @throws ERR_DATA */
function outputOf(input: string, name: string, format: Format | undefined): string {
  const own = formatOf(name);
  if (own === null)
    throw new LogoddsError(
      'ERR_DATA',
      `${input}: expected a name that ends in .csv, .tsv, .parquet, .jsonl or .ndjson, got another; narrow the pattern`,
    );
  return `${name.replace(/\.\w+(\.gz)?$/i, '')}.${format ?? (isTsv(name) ? 'tsv' : own)}`;
}

function fileParts(data: string, format: Format | undefined): Part[] {
  // a name that has the signs of patterns is a name
  const paths = pathsOf(data);
  const fixed =
    paths.length === 1 && paths[0] === data ? data.replace(/[^/]*$/, '') : fixedOf(data).replace(/\/+/g, '/');
  return paths.map((path) => {
    // one that is not there is an error of its part
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    return {
      input: path,
      at: placeOfPath(path),
      output: outputOf(path, path.slice(fixed.length), format),
      stamp: { bytes: size, mtime: mtimeMs },
      async open() {
        checkFile(path);
        if (!statSync(path).isFile())
          throw new LogoddsError(
            'ERR_DATA',
            `${path}: expected a file, got a pipe or device, which may never end; write it to a file first`,
          );
        return { path, ahead() {}, close() {} };
      },
    };
  });
}

async function objectParts(data: string, format: Format | undefined): Promise<Part[]> {
  const { findObjects, mirrorOf, begin } = await import('../../stores/inputs.ts');
  const found = await findObjects(data);
  const { address, objects } = found;
  const fixed =
    objects.length === 1 && objects[0].key === address.key ? address.key.replace(/[^/]*$/, '') : fixedOf(address.key);
  return objects.map((object) => {
    const { key, bytes, etag } = object;
    const input = `${rootOf(address)}/${key}`;
    return {
      input,
      at: input,
      output: outputOf(input, key.slice(fixed.length), format),
      stamp: { bytes, etag },
      async open() {
        const mirror = mirrorOf(found, object);
        try {
          if (bytes > 0) await begin(mirror);
          checkFile(mirror.path);
        } catch (error) {
          mirror.remove();
          throw error;
        }
        // of Parquet only some columns are read
        const ahead = () => formatOf(key) !== 'parquet' && mirror.ahead(0, Math.min(bytes, FIRST));
        return { path: mirror.path, ahead, close: () => mirror.remove() };
      },
    };
  });
}

/** Bytes of the next part that are fetched while one is scored. */
const FIRST = 32 << 20;
