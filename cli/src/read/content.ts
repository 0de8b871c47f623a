/** What a file is by its first bytes, held against the ending of its name. */
import { closeSync, openSync, readSync } from 'node:fs';
import { LogoddsError } from '../../../src/index.ts';

type Content = 'gzip' | 'Parquet' | 'zip' | 'Zstandard' | 'UTF-16';

/** The first bytes of each kind of file, in Latin-1. */
const BEGINNINGS: readonly (readonly [bytes: string, content: Content])[] = [
  ['\x1f\x8b', 'gzip'],
  ['PAR1', 'Parquet'],
  // encrypted
  ['PARE', 'Parquet'],
  ['PK\x03\x04', 'zip'],
  ['\x28\xb5\x2f\xfd', 'Zstandard'],
  ['\xff\xfe', 'UTF-16'],
  ['\xfe\xff', 'UTF-16'],
];

/** null: text, or something else */
function contentBy(bytes: Uint8Array): Content | null {
  const begins = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  return BEGINNINGS.find(([own]) => begins.startsWith(own))?.[1] ?? null;
}

/** The first bytes of a file; none of one that cannot be read, which its reader tells. */
export function firstBytes(file: string): Uint8Array {
  const bytes = Buffer.alloc(4);
  try {
    const opened = openSync(file, 'r');
    try {
      return bytes.subarray(0, readSync(opened, bytes, 0, 4, 0));
    } finally {
      closeSync(opened);
    }
  } catch {
    return new Uint8Array();
  }
}

/**
 * Refuses a file whose content is not what its ending says, with the name that it should have.
 * @param file  one that is there, with an ending that is known
 * @throws ERR_DATA
 */
export function refuseOtherContent(file: string): void {
  const content = contentBy(firstBytes(file));
  const refuse = (rule: string, got: string, next: string): never => {
    throw new LogoddsError('ERR_DATA', `${file}: expected ${rule} by its ending, got ${got}; ${next}`);
  };
  const isPacked = /\.gz$/i.test(file);
  const isParquet = /\.parquet$/i.test(file);
  const rule = isPacked ? 'gzip' : isParquet ? 'Parquet' : 'text';
  if (content === 'zip' || content === 'Zstandard') refuse(rule, content, 'unpack it first');
  if (content === 'Parquet' && !isParquet) refuse(rule, content, 'rename it to end in .parquet');
  if (content === 'gzip' && !isPacked)
    refuse(rule, content, isParquet ? 'unpack it first' : `rename it to end in ${/\.\w+$/.exec(file)?.[0] ?? ''}.gz`);
  if (isPacked && content !== 'gzip') refuse(rule, content ?? 'something else', 'rename it to end without .gz');
  if (isParquet && content !== 'Parquet')
    refuse(rule, content ?? 'something else', 'rename it to end in .csv or .jsonl if it is that, else write it again');
}

/** Refuses a text in UTF-16, where no --encoding can say so. @param bytes  its first ones, unpacked @throws ERR_DATA */
export function refuseWide(file: string, bytes: Uint8Array): void {
  if (contentBy(bytes) === 'UTF-16')
    throw new LogoddsError(
      'ERR_DATA',
      `${file}: expected UTF-8, got UTF-16 (by its byte order mark); save it as UTF-8, for example with iconv -f UTF-16 -t UTF-8`,
    );
}
