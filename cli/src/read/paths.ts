/** The files that DATA names. */
import { existsSync, readdirSync, type Stats, statSync } from 'node:fs';
import { LogoddsError } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { refuseOtherContent } from './content.ts';

export type Format = 'csv' | 'parquet' | 'jsonl';

/** Formats by the ending of the path. */
const FORMATS: readonly (readonly [RegExp, Format])[] = [
  [/\.(csv|tsv)(\.gz)?$/i, 'csv'],
  [/\.parquet$/i, 'parquet'],
  [/\.(jsonl|ndjson)(\.gz)?$/i, 'jsonl'],
];

/** The format of a path by its ending; null for an unknown ending. */
export const formatOf = (path: string): Format | null => FORMATS.find(([pattern]) => pattern.test(path))?.[1] ?? null;

/** Whether the ending says that tabs separate the cells. */
export const isTsv = (path: string) => /\.tsv(\.gz)?$/i.test(path);

/** @throws ERR_DATA for an unknown ending */
export function requireFormat(path: string): Format {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(path) && !existsSync(path);
  const format = formatOf(path);
  if (format && !address) return format;
  if (address) {
    throw new LogoddsError(
      'ERR_DATA',
      `DATA: expected a file, or an object as s3://, gs://, az:// or abfss://, got the address ${show(path)}; download it first`,
    );
  }
  if (/\.(arrow|feather|ipc)$/i.test(path)) {
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected CSV, TSV, Parquet or JSON lines, got Arrow; save the table as Parquet and use that`,
    );
  }
  const rule = 'a path that ends in .csv, .tsv, .parquet, .jsonl or .ndjson';
  throw new LogoddsError(
    'ERR_DATA',
    `DATA: expected ${rule}, got ${show(path)}; rename it, or read it with --query "from ..."`,
  );
}

/**
 * The files that a path stands for. A path that exists is that file, whatever its name. Otherwise * ? [...] and ** are patterns: they skip
 * names that begin with a dot, and the files are sorted by name. Each file exists, is not empty, and is what its ending says.
 * @param onEmpty  takes files without a byte, which are left out; default: they are refused. A log that has just begun is one
 * @throws ERR_DATA
 */
export function filesOf(path: string, onEmpty?: (file: string) => void): string[] {
  return pathsOf(path).filter((file) => {
    if (onEmpty && isEmpty(statSync(file))) {
      onEmpty(file);
      return false;
    }
    checkFile(file);
    return true;
  });
}

/** The paths of `filesOf`, which may be anything. @throws ERR_DATA where there is none */
export function pathsOf(path: string): string[] {
  const files = existsSync(path) ? [path] : expand(path);
  if (files.length === 0)
    throw new LogoddsError('ERR_DATA', `${path}: expected a file, got none of that name; check the path`);
  return files;
}

const isEmpty = (stat: Stats): boolean => stat.isFile() && stat.size === 0;

/** @throws ERR_DATA for a folder, an empty file, or one that is not what its ending says */
export function checkFile(file: string): void {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new LogoddsError('ERR_DATA', `${file}: expected a file, got none; check the path`);
  if (stat.isDirectory())
    throw new LogoddsError(
      'ERR_DATA',
      `${file}: expected a file, got a folder; name its files, e.g. "${file}/*.parquet"`,
    );
  if (isEmpty(stat))
    throw new LogoddsError('ERR_DATA', `${file}: expected rows, got an empty file; check how it was made`);
  if (stat.isFile() && formatOf(file)) refuseOtherContent(file);
}

function expand(pattern: string): string[] {
  if (!/[*?[]/.test(pattern)) return [];
  const parts = pattern.split('/');
  let bases = [parts[0] === '' ? '/' : ''];
  parts.forEach((part, i) => {
    if (part === '') return;
    const last = i === parts.length - 1;
    bases = [...new Set(bases.flatMap((base) => step(base, part, last)))];
  });
  return bases.filter((file) => !statSync(file, { throwIfNoEntry: false })?.isDirectory()).sort();
}

/** The paths that match one part of a pattern. */
function step(base: string, part: string, last: boolean): string[] {
  // as it was given, so that what is before the pattern is before each path
  const under = (name: string) => (base === '' || base.endsWith('/') ? base + name : `${base}/${name}`);
  if (part === '.' || part === '..') return [base === '' ? part : `${base}/${part}`];
  if (existsSync(under(part))) return [under(part)];
  if (!/[*?[]/.test(part)) return [];
  let names: string[];
  try {
    names = readdirSync(base === '' ? '.' : base).sort();
  } catch {
    return [];
  }
  if (part === '**') {
    const folders = names.filter(
      (name) => !name.startsWith('.') && statSync(under(name), { throwIfNoEntry: false })?.isDirectory(),
    );
    const here = last ? names.filter((name) => !name.startsWith('.')).map(under) : [base];
    return [...here, ...folders.flatMap((name) => step(under(name), part, last))];
  }
  const matches = matcher(part);
  return names.filter((name) => matches(name)).map(under);
}

/** A pattern of names as a function. An invalid set such as [z-a] matches nothing. */
export function matcher(part: string): (name: string) => boolean {
  let source = '';
  for (let i = 0; i < part.length; i++) {
    const set = /^\[(!?)(\]?[^\]]*)\]/.exec(part.slice(i));
    if (part[i] === '*') source += '.*';
    else if (part[i] === '?') source += '.';
    else if (set) {
      source += `[${set[1] ? '^' : ''}${set[2].replace(/[\\\]^]/g, '\\$&')}]`;
      i += set[0].length - 1;
    } else source += part[i].replace(/[\\^$.+(){}|/\]]/g, '\\$&');
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^${source}$`, 'su');
  } catch {
    return () => false;
  }
  return (name) => pattern.test(name) && (part.startsWith('.') || !name.startsWith('.'));
}
